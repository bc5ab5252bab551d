"""Corpora on disk: the same bytes from any number of processes, and no bad file goes unnoticed."""

import itertools
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ernn.errors import CorpusError, ToolError
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech.corpus import SPLITS, build_corpus, load_split, save_split
from ernn.speech.phones import PHONES, SILENCE
from ernn.speech.utterance import Utterance

TINY = CorpusRecipe(train_minutes=0.7, dev_minutes=0.1, test_minutes=0.1)
FEATURES = FeatureRecipe(keep_every=2)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    build_corpus(TINY, FEATURES, 3, folder)
    return folder


def read(folder):
    return {split: (folder / f"{split}.safetensors").read_bytes() for split in SPLITS}


def utterance(frames=9, **changes):
    return replace(
        Utterance(
            "one_000",
            "one",
            np.random.default_rng(frames).standard_normal((frames, 6)).astype(np.float32),
            np.arange(frames).astype(np.int16),
            np.array([SILENCE, 1, 2], np.int16),
        ),
        **changes,
    )


def test_any_number_of_processes_writes_the_same_bytes(corpus, tmp_path):
    steps = []
    build_corpus(TINY, FEATURES, 3, tmp_path, 2, lambda done, total: steps.append((done, total)))
    assert read(tmp_path) == read(corpus)
    assert steps == [(n, 6) for n in range(1, 7)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{split}.safetensors" for split in SPLITS
    )


def test_splits_have_what_was_asked_for(corpus):
    splits = {split: load_split(corpus, split) for split in SPLITS}
    seconds = {split: sum(len(u.labels) for u in us) * 0.02 for split, us in splits.items()}
    assert seconds["train"] == pytest.approx(42, abs=5)
    assert seconds["test"] == pytest.approx(6, abs=2.5)
    speakers = [{u.speaker for u in us} for us in splits.values()]
    assert sum(map(len, speakers)) == len(set().union(*speakers))
    for u in itertools.chain(*splits.values()):
        assert u.features.shape == (len(u.labels), FEATURES.size)
        assert u.features.dtype == np.float32
        assert set(u.labels.tolist()) <= set(u.phones.tolist())
        assert u.labels[0] == u.labels[-1] == u.phones[0] == u.phones[-1] == SILENCE


def test_labels_lie_on_their_sounds(corpus):
    utterances = load_split(corpus, "train")
    energy = np.concatenate([u.features[:, 50] for u in utterances])
    treble = np.concatenate([u.features[:, 45] for u in utterances])
    labels = np.concatenate([u.labels for u in utterances])
    vowel, hiss = labels < 14, np.isin(labels, [27, 29, 30])  # z sh jh
    assert energy[labels == SILENCE].mean() < -0.8 < 0.3 < energy[vowel].mean()
    assert treble[hiss].mean() > 0.5 > 0.2 > treble[vowel].mean()
    # Labels that came 50 ms late would fit the energy worse.
    late = np.roll(labels, 5) == SILENCE
    assert energy[late].mean() > energy[labels == SILENCE].mean() + 0.2


def test_a_split_comes_back_as_it_was_saved(tmp_path):
    first, second = utterance(), utterance(4, name="two_000", speaker="two")
    # Transposed arrays, because safetensors writes memory as it lies.
    saved = [replace(u, features=np.asfortranarray(u.features)) for u in (first, second)]
    save_split(tmp_path, "dev", saved, ["somebody 1.0"])
    for before, after in zip(saved, load_split(tmp_path, "dev"), strict=True):
        assert (before.name, before.speaker) == (after.name, after.speaker)
        np.testing.assert_allclose(before.features, after.features, rtol=1e-3)
        assert before.labels.tolist() == after.labels.tolist()
        assert before.phones.tolist() == after.phones.tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e6])  # the last one overflows float16
def test_features_that_are_not_finite_are_refused(tmp_path, bad):
    values = utterance().features.copy()
    values[2, 2] = bad
    with pytest.raises(CorpusError, match="NaN or infinite"):
        save_split(tmp_path, "dev", [utterance(features=values)], [])
    assert not list(tmp_path.iterdir())


def test_an_empty_split_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="dev split is empty"):
        save_split(tmp_path, "dev", [], [])


def test_unusable_files_are_refused(tmp_path):
    path = tmp_path / "dev.safetensors"
    with pytest.raises(CorpusError, match="not a readable safetensors"):
        load_split(tmp_path, "dev")
    save_split(tmp_path, "dev", [utterance()], [])
    whole = path.read_bytes()
    for size in (0, 5, 200, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(CorpusError, match="not a readable safetensors"):
            load_split(tmp_path, "dev")
    save_file({"x": np.zeros(3)}, path)
    with pytest.raises(CorpusError):
        load_split(tmp_path, "dev")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("features", lambda a: a[:-1]),
        ("features", lambda a: a.astype(np.float32)),
        ("features", lambda a: a * np.float16(np.nan)),
        ("labels", lambda a: a[:-1]),
        ("labels", lambda a: a + np.int16(39)),
        ("labels", lambda a: a - np.int16(1)),
        ("labels", lambda a: a.astype(np.int64)),
        ("phones", lambda a: np.concatenate([a, a])),
    ],
)
def test_arrays_that_do_not_fit_the_index_are_refused(tmp_path, name, change):
    path = tmp_path / "dev.safetensors"
    save_split(tmp_path, "dev", [utterance()], [])
    arrays = load_file(path)
    arrays[name] = np.ascontiguousarray(change(arrays[name]))
    save_file(arrays, path, metadata={"ernn": json.dumps(header([["a", "b", 9, 3]]))})
    with pytest.raises(CorpusError, match=r"other arrays than its index|NaN or infinite"):
        load_split(tmp_path, "dev")


def header(index):
    return {"format": "ernn-corpus-2", "made_by": [], "phones": list(PHONES), "utterances": index}


@pytest.mark.parametrize(
    "index", [[], [["a", "b", 9]], [["a", "b", -9, 3]], "text", [["a", "b", "x", 3]]]
)
def test_a_damaged_index_is_refused(tmp_path, index):
    save_split(tmp_path, "dev", [utterance()], [])
    path = tmp_path / "dev.safetensors"
    save_file(load_file(path), path, metadata={"ernn": json.dumps(header(index))})
    with pytest.raises(CorpusError, match="index"):
        load_split(tmp_path, "dev")


class Dying:
    """A speaker whose process does not survive."""

    name = "dying"

    def utterances(self, recipe):
        os._exit(9)


def test_a_process_that_dies_is_told(tmp_path, monkeypatch):
    tasks = {split: [Dying()] for split in SPLITS}
    monkeypatch.setattr("ernn.speech.synthetic.tasks", lambda *_: tasks)
    with pytest.raises(ToolError, match="died"):
        build_corpus(TINY, FEATURES, 0, tmp_path, workers=2)
    assert not list(tmp_path.iterdir())
