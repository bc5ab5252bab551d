"""Corpora on disk: one safetensors file per split, made speaker by speaker by several processes.

A file holds the frames of all its utterances end to end: ``features`` (frames, F) float16,
``labels`` (frames,) int8 and ``phones`` (phones,) int8; its metadata holds the index that cuts
them apart.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ernn.errors import CorpusError, ToolError
from ernn.files import read_arrays, write_arrays
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech import synthetic, timit
from ernn.speech.features import speaker_features
from ernn.speech.phones import PHONES
from ernn.speech.recording import Recording
from ernn.speech.speakers import SPLITS

FORMAT = "ernn-corpus-1"
REMEDY = "make it again with `ernn corpus`"


@dataclass(frozen=True)
class Utterance:
    """One utterance as models see it."""

    name: str
    speaker: str
    features: np.ndarray  # (T, F) float32
    labels: np.ndarray  # (T,) int8, the phone index of each frame
    phones: np.ndarray  # (P,) int8, the phone sequence to score against


class SpeakerTask(Protocol):
    """One speaker's work, small enough to be sent to another process."""

    @property
    def name(self) -> str:
        """Name of the speaker."""
        ...

    def recordings(self) -> list[tuple[str, Recording]]:
        """Return the speaker's named recordings."""
        ...


def build_corpus(
    corpus: CorpusRecipe,
    features: FeatureRecipe,
    seed: int,
    folder: Path,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Make or read the speech that a recipe asks for and write its three splits.

    Args:
        corpus: which speech.
        features: what is computed from it.
        seed: of the synthetic corpus; the same seed gives the same files for any `workers`.
        folder: existing folder for train, dev and test.safetensors.
        workers: processes to use; 1 means this one.
        progress: called with the speakers done and the speakers in all.

    Raises:
        CorpusError: the corpus is not there, damaged or empty.
        ToolError: a synthesizer is missing or fails.
    """
    tasks: Mapping[str, Sequence[SpeakerTask]]
    if corpus.kind == "timit":
        tasks, made_by = timit.tasks(Path(corpus.path or "")), ["TIMIT"]
    else:
        tasks, made_by = synthetic.tasks(corpus, seed), synthetic.engines(corpus.flite)
    jobs = [(task, features) for split in SPLITS for task in tasks[split]]
    made = _in_order(_speaker_utterances, jobs, workers)
    done = 0
    for split in SPLITS:
        utterances = []
        for _ in tasks[split]:
            utterances += next(made)
            done += 1
            progress(done, len(jobs))
        save_split(folder, split, utterances, made_by)


def save_split(folder: Path, split: str, utterances: list[Utterance], made_by: list[str]) -> None:
    """Write one split, by way of a temporary file beside it.

    Args:
        folder: existing folder.
        split: its name; also the file's.
        utterances: in the order to keep.
        made_by: where the speech comes from, such as ``["espeak-ng 1.52.0"]``.

    Raises:
        CorpusError: there are no utterances, or a feature is not finite.
    """
    if not utterances:
        raise CorpusError(f"the {split} split is empty; give it more minutes or more speakers")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused below
        features = np.concatenate([u.features for u in utterances], dtype=np.float16)
    _require_finite(features, f"the {split} split")
    arrays = {
        "features": features,
        "labels": np.concatenate([u.labels for u in utterances]),
        "phones": np.concatenate([u.phones for u in utterances]),
    }
    index = [[u.name, u.speaker, len(u.labels), len(u.phones)] for u in utterances]
    header = {"format": FORMAT, "made_by": made_by, "utterances": index}
    write_arrays(Path(folder) / f"{split}.safetensors", arrays, header)


def load_split(folder: Path, split: str) -> list[Utterance]:
    """Read a split written by `build_corpus`.

    Raises:
        CorpusError: the file is missing, truncated, foreign, empty, or its contents do not fit
            each other.
    """
    path = Path(folder) / f"{split}.safetensors"
    arrays, header = read_arrays(path, FORMAT, REMEDY, CorpusError)
    if set(arrays) != {"features", "labels", "phones"}:
        raise CorpusError(f"{path} holds {', '.join(sorted(arrays))}; {REMEDY}")
    features, labels, phones = (arrays[name] for name in ("features", "labels", "phones"))
    try:
        index = [(str(n), str(s), int(t), int(p)) for n, s, t, p in header["utterances"]]
    except (KeyError, TypeError, ValueError):
        raise CorpusError(f"{path} has a damaged index; {REMEDY}") from None
    _check_arrays(path, index, features, labels, phones)
    frames = np.cumsum([0, *(entry[2] for entry in index)])
    sounds = np.cumsum([0, *(entry[3] for entry in index)])
    return [
        Utterance(
            name,
            speaker,
            features[frames[n] : frames[n + 1]].astype(np.float32),
            labels[frames[n] : frames[n + 1]],
            phones[sounds[n] : sounds[n + 1]],
        )
        for n, (name, speaker, _, _) in enumerate(index)
    ]


def _check_arrays(
    path: Path,
    index: list[tuple[str, str, int, int]],
    features: np.ndarray,
    labels: np.ndarray,
    phones: np.ndarray,
) -> None:
    """Refuse arrays whose sizes, types or values the index does not announce."""
    frames, sounds = sum(entry[2] for entry in index), sum(entry[3] for entry in index)
    fits = (
        all(entry[2] > 0 and entry[3] > 0 for entry in index)
        and features.dtype == np.float16
        and features.ndim == 2
        and len(features) == frames
        and (labels.dtype, labels.shape) == (np.int8, (frames,))
        and (phones.dtype, phones.shape) == (np.int8, (sounds,))
        and all(((a >= 0) & (a < len(PHONES))).all() for a in (labels, phones))
    )
    if not index or not fits:
        raise CorpusError(
            f"{path} holds other arrays than its index of {len(index)} utterances announces; "
            "make it again with `ernn corpus`"
        )
    _require_finite(features, str(path))


def _require_finite(features: np.ndarray, where: str) -> None:
    if not np.isfinite(features).all():
        raise CorpusError(f"{where} holds features that are NaN or infinite; check its recordings")


def _speaker_utterances(job: tuple[SpeakerTask, FeatureRecipe]) -> list[Utterance]:
    task, recipe = job
    named = task.recordings()
    try:
        framed = speaker_features([recording for _, recording in named], recipe)
    except CorpusError as error:
        raise CorpusError(f"speaker {task.name}: {error}") from None
    return [
        Utterance(
            name, task.name, features.astype(np.float16, order="C"), labels, recording.reference()
        )
        for (name, recording), (features, labels) in zip(named, framed, strict=True)
    ]


def _in_order(work: Callable, jobs: list, workers: int) -> Iterator[list[Utterance]]:
    """Do the jobs, in other processes if there may be several, and yield results in order."""
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from map(work, jobs)
        return
    # Spawned, because a forked child of a process with threads may wait for ever on their locks.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin_worker)
    try:
        # Workers inherit the blocked signal: Ctrl-C, sent to all by a terminal, is the parent's.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            results = pool.map(work, jobs)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        yield from results
    except BrokenProcessPool:
        raise ToolError(
            "a process that was making speech died; run the same command again with more memory "
            "or fewer workers"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    """End when the parent has ended in whatever way."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
