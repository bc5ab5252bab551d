"""The data of a user's own sequences: what is read, and what is refused in one sentence."""

import io
import zipfile

import numpy as np
import pytest

from ernn.errors import CorpusError, ShapeError
from ernn.recipe import Recipe
from ernn.tasks.arrays import ArraysTask
from ernn.tasks.own_data import make_sequences
from ernn.tasks.sequences import load_sequences
from ernn.tasks.task import calibration

LENGTHS = np.array([3, 1, 2, 4, 2, 3])
SPLITS = np.array(["train", "train", "dev", "test", "train", "test"])
TARGETS = np.array([0, 1, 1, 0, 2, 2])


def arrays(**changes) -> dict[str, np.ndarray]:
    """Return the arrays of six sequences, end to end, with some changed or (None) left out."""
    frames = np.random.default_rng(0).normal(size=(LENGTHS.sum(), 4))
    told = {"frames": frames, "lengths": LENGTHS, "targets": TARGETS, "splits": SPLITS}
    return {name: one for name, one in (told | changes).items() if one is not None}


def recipe(**task) -> Recipe:
    """Return a recipe for sequences with more keys in its task."""
    layer = {"hidden": 4, "block": 2}
    return Recipe.from_dict(
        {
            "name": "mine",
            "task": {"kind": "arrays", "path": "mine.npz", **task},
            "model": {"cell": "gru", "layers": [layer]},
            "training": {"label_delay": 1},
        }
    )


def made(tmp_path, **changes):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays(**changes))
    return make_sequences(path, tmp_path)


def test_sequences_end_to_end_and_padded_are_the_same(tmp_path):
    told = made(tmp_path)
    assert told.startswith("6 sequences, 4 values a frame, 3 classes\ntrain: 3 sequences, 6 frames")
    ends = load_sequences(tmp_path, "train")
    frames, ends_at = np.zeros((6, 5, 4)), np.cumsum([0, *LENGTHS])
    for index, length in enumerate(LENGTHS):
        frames[index, :length] = arrays()["frames"][ends_at[index] :][:length]
    made(tmp_path, frames=frames, classes=np.array(["a", "b", "c"]), groups=np.arange(6) // 2)
    padded = load_sequences(tmp_path, "train")
    for one, other in zip(ends.frames, padded.frames, strict=True):
        assert one.dtype == np.float32 and np.array_equal(one, other)
    assert ends.classes == ("0", "1", "2") and padded.classes == ("a", "b", "c")
    assert ends.groups == ("0", "1", "4") and padded.groups == ("0", "0", "2")


def test_a_decision_is_taken_at_the_end_or_at_each_step(tmp_path):
    made(tmp_path)
    task = ArraysTask(tmp_path, recipe())
    assert (task.features, task.outputs, task.targets) == (4, 3, "sequence")
    outputs = [np.eye(3)[[2, 1, 1, 0]], np.eye(3)[[2, 2, 1]]]
    score = task.evaluate(outputs, "test")
    assert score.value == 50.0 and score.figures["right"].tolist() == [1, 0]
    assert [len(one) for one in calibration(task, 2)] == [3, 1]
    with pytest.raises(ShapeError, match="one output per frame"):
        task.evaluate(outputs[::-1], "test")
    steps = np.arange(LENGTHS.sum()) % 3
    made(tmp_path, targets=steps)
    task = ArraysTask(tmp_path, recipe())
    assert task.targets == "steps"
    labels = [one for _, one in task.examples("test")]
    late = [np.eye(3)[np.concatenate([one[:1], one[:-1]])] for one in labels]  # told a step later
    assert task.evaluate(late, "test").figures["right"].tolist() == [3, 2]


FRAMES = arrays()["frames"]
BROKEN = FRAMES.copy()
BROKEN[4] = np.nan


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"frames": None}, "holds the arrays lengths, splits, targets; give frames, and"),
        ({"label": TARGETS}, "holds the arrays .*; give .* and no others"),
        ({"frames": BROKEN}, "sequence 2 holds NaN, infinite or too large values"),
        ({"frames": FRAMES * 1e300}, "sequence 0 holds NaN, infinite"),
        ({"frames": FRAMES[:-1]}, "lengths add up to 15 and there are 14 frames"),
        ({"frames": FRAMES[:, 0]}, r"frames have the shape \(15,\)"),
        ({"frames": FRAMES.astype(str)}, r"frames have the shape .* of <U"),
        ({"lengths": None}, r"targets of shape \(6,\) do not fit 1 sequences of 15 steps"),
        ({"lengths": np.array([3, 0, 3, 4, 2, 3])}, "sequence 1 is empty; leave it out"),
        ({"lengths": LENGTHS.astype(float)}, "lengths are float64"),
        ({"targets": TARGETS[:5]}, r"targets of shape \(5,\) do not fit 6 sequences of 15 steps"),
        ({"targets": TARGETS.astype(str)}, "targets are <U21; give classes as whole numbers"),
        ({"targets": TARGETS - 1}, "targets are -1 to 1, .*number the classes from 0"),
        ({"targets": TARGETS * 0}, "targets are 0 to 0, .*at least two"),
        ({"classes": np.array(["a", "b"])}, "targets are 0 to 2, 2 classes are named"),
        ({"classes": np.array(["a", "b", "a"])}, "two classes are named 'a'"),
        ({"targets": np.array([0, 1, 1, 0, 1, 2])}, "no sequence of train is of class '2'"),
        ({"splits": np.array(["train"] * 6)}, "splits leave dev empty"),
        ({"splits": np.array([*SPLITS[:5], "tset"])}, "splits name 'tset'"),
        ({"splits": SPLITS[:5]}, r"splits are <U5 of shape \(5,\)"),
        ({"frames": FRAMES * 0, "lengths": LENGTHS * 0 + 1}, "lengths add up"),
        ({"splits": SPLITS.astype(object)}, "neither numbers nor text"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, changes, sentence):
    with pytest.raises(CorpusError, match=sentence) as refused:
        made(tmp_path, **changes)
    assert "\n" not in str(refused.value) and not list(tmp_path.glob("*.safetensors"))
    fault = refused.value.fault
    assert fault.what.startswith(str(tmp_path)) and fault.remedy


def test_a_model_that_was_trained_elsewhere_may_know_more_classes(tmp_path):
    names = np.array(["a", "b", "c", "d"])
    with pytest.raises(CorpusError, match="no sequence of train is of class 'd'"):
        made(tmp_path, classes=names)
    make_sequences(tmp_path / "mine.npz", tmp_path, trained=True)
    assert ArraysTask(tmp_path, recipe()).outputs == 4


def test_the_same_sequence_in_two_splits_is_refused(tmp_path):
    frames = FRAMES.copy()
    frames[4:6] = frames[10:12]  # sequences 2 (dev) and 4 (train)
    with pytest.raises(CorpusError, match="sequence 2 of dev and 4 of train are the same"):
        made(tmp_path, frames=frames)


def test_a_file_that_lies_about_its_size_takes_no_memory(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays())
    header = io.BytesIO()
    huge = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 4)}
    np.lib.format.write_array_header_1_0(header, huge)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "huge.npz", "w") as new:
        for name in old.namelist():
            data = header.getvalue() + b"\0" * 64 if name == "frames.npy" else old.read(name)
            new.writestr(name, data)
    with pytest.raises(CorpusError, match=r"frames\.npy announces 35,184,372,088,832 bytes"):
        make_sequences(tmp_path / "huge.npz", tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04.", b"{}", None])
def test_what_is_no_npz_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "mine.npz").write_bytes(content)
    wanted = "there is no such file" if content is None else r"cannot be read as an \.npz file"
    with pytest.raises(CorpusError, match=wanted):
        make_sequences(tmp_path / "mine.npz", tmp_path)


def test_a_damaged_split_is_refused(tmp_path):
    made(tmp_path)
    path = tmp_path / "dev.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CorpusError, match="make it again with `ernn corpus`"):
        load_sequences(tmp_path, "dev")
