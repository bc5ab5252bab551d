"""Make or read a corpus, speaker by speaker, by several processes; ernn.speech.splits keeps it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ernn.errors import CorpusError
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech import kaldi, manifest, synthetic, timit
from ernn.speech.census import Census
from ernn.speech.phones import PHONES
from ernn.speech.source import Source, SpeakerTask
from ernn.speech.speakers import SPLITS
from ernn.speech.splits import load_split, save_split
from ernn.speech.utterance import Utterance
from ernn.workers import in_order

__all__ = ["SPLITS", "build_corpus", "load_split", "save_split"]


def build_corpus(
    corpus: CorpusRecipe,
    features: FeatureRecipe,
    seed: int,
    folder: Path,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """Make or read the speech that a recipe asks for and write its three splits.

    Args:
        corpus: which speech.
        features: what is computed from it.
        seed: of the synthetic corpus; the same seed gives the same files for any `workers`.
        folder: existing folder for train, dev and test.safetensors.
        workers: processes to use; 1 means this one.
        progress: called with the speakers done and the speakers in all.

    Returns:
        What is in it, what was left out and what is odd, for a user to read.

    Raises:
        CorpusError: the corpus is not there, damaged or empty, or something is in it twice.
        ToolError: a synthesizer is missing or fails.
    """
    source = _source(corpus, seed)
    jobs = [(task, features) for split in SPLITS for task in source.tasks[split]]
    made = in_order(_speaker_utterances, jobs, workers, "making speech")
    census = Census(source)
    done, first = 0, None
    for split in SPLITS:
        utterances: list[Utterance] = []
        for _ in source.tasks[split]:
            utterances += next(made)
            first = first or utterances[0]
            done += 1
            progress(done, len(jobs))
        for utterance in utterances:
            _require_alike(utterance, first or utterance)
            census.add(split, utterance)
        save_split(folder, split, utterances, source.made_by, source.phones)
    known = corpus.kind != "kaldi"  # whose frames may be of any length
    return census.summary(features.step_ms * features.keep_every / 1000 if known else None)


def _source(corpus: CorpusRecipe, seed: int) -> Source:
    """Return the speakers of each split, the phones of the labels, and where all comes from."""
    if corpus.kind == "timit":
        return timit.find(Path(corpus.path or ""))
    if corpus.kind == "kaldi":
        return kaldi.find(corpus)
    if corpus.kind == "manifest":
        return manifest.find(corpus)
    return Source(synthetic.tasks(corpus, seed), PHONES, synthetic.engines(corpus.flite))


def _require_alike(utterance: Utterance, first: Utterance) -> None:
    """Refuse what cannot be in one corpus with its first utterance, or be told from its frames."""
    sizes = [u.features.shape[1] for u in (utterance, first)]
    if sizes[0] != sizes[1]:
        raise CorpusError(
            f"utterance {utterance.name} has {sizes[0]} values a frame and {first.name} has "
            f"{sizes[1]}",
            remedy="make all features in the same way",
        )
    if (utterance.labels is None) != (first.labels is None):
        timed, other = (first, utterance) if utterance.labels is None else (utterance, first)
        raise CorpusError(
            f"utterance {timed.name} has phones with times and {other.name} has phones alone",
            remedy="give times for all utterances of all splits, or for none",
        )
    repeats = np.count_nonzero(utterance.phones[1:] == utterance.phones[:-1])
    least = len(utterance.phones) + repeats  # CTC tells equal neighbours apart by a blank
    if utterance.labels is None and least > len(utterance.features):
        raise CorpusError(
            f"utterance {utterance.name} needs {least} frames for its {len(utterance.phones)} "
            f"phones but has {len(utterance.features)}",
            remedy="correct it or leave it out",
        )


def _speaker_utterances(job: tuple[SpeakerTask, FeatureRecipe]) -> list[Utterance]:
    task, recipe = job
    return [
        replace(utterance, features=utterance.features.astype(np.float16, order="C"))
        for utterance in task.utterances(recipe)
    ]
