"""Sequences with numbers for targets, or none; .npy files and folders of .csv files."""

import numpy as np
import pytest

from ernn.errors import CorpusError, ShapeError
from ernn.recipe import TrainingRecipe
from ernn.tasks.arrays import ArraysTask
from ernn.tasks.own_data import make_sequences
from ernn.tasks.sequences import load_sequences
from tests.unit.test_tasks import FRAMES, LENGTHS, made, recipe

STEPS = LENGTHS.sum()
NOW = TrainingRecipe(label_delay=0)
VALUES = np.random.default_rng(1).normal(size=(STEPS, 2))
PADDED = np.zeros((6, 5, 2))
PADDED[np.arange(5) < LENGTHS[:, np.newaxis]] = VALUES


@pytest.mark.parametrize("targets", [VALUES, PADDED], ids=["end to end", "padded"])
def test_numbers_of_each_step(tmp_path, targets):
    told = made(tmp_path, targets=targets)
    assert "4 values a frame, 2 targets a step from " in told
    task = ArraysTask(tmp_path, recipe())
    assert (task.targets, task.outputs, task.measure.name) == ("step_values", 2, "NMSE")
    wanted = [one for _, one in task.examples("train")]
    assert np.array_equal(np.concatenate(wanted)[:4], VALUES[:4].astype(np.float32))
    assert task.evaluate([2 * one for _, one in task.examples("test")], "test").value == 0
    with pytest.raises(ShapeError, match="a model of 3 outputs cannot be judged by targets of 2"):
        task.evaluate([np.zeros((length, 3)) for length in (4, 3)], "test")


def test_numbers_of_each_sequence(tmp_path):
    for targets in (VALUES[:6], VALUES[:6, 0]):
        made(tmp_path, targets=targets)
        task = ArraysTask(tmp_path, recipe(score="mse"))
        assert task.targets == "sequence_values" and task.outputs == targets.reshape(6, -1).shape[1]
        rows = [np.zeros((length, task.outputs)) for length in (4, 3)]
        expected = np.square(targets[[3, 5]].astype(np.float32)).mean()
        assert task.evaluate(rows, "test").value == pytest.approx(expected, rel=1e-6)


def test_without_targets_the_float_network_is_followed(tmp_path):
    assert "no targets: models are judged against the float network" in made(tmp_path, targets=None)
    task = ArraysTask(tmp_path, recipe(), tmp_path / "dense")
    with pytest.raises(CorpusError, match="give targets to train a new network, or import"):
        task.outputs  # noqa: B018
    (tmp_path / "dense").mkdir()
    for split in ("dev", "test"):
        told = [np.ones((len(one), 3), np.float32) for one in task.frames(split)]
        task.adopt(told, split)
    assert task.outputs == 3 and task.measure.name == "difference"
    assert task.evaluate(told, "test").value == 0
    assert task.evaluate([0.9 * one for one in told], "test").value == pytest.approx(1)
    assert [one.shape for _, one in task.examples("train")] == [(3, 0), (1, 0), (2, 0)]
    assert [one.shape for _, one in task.examples("dev")] == [(2, 3)]
    path = tmp_path / "dense" / "dev_outputs.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CorpusError, match="run its step again"):
        ArraysTask(tmp_path, recipe(), tmp_path / "dense").examples("dev")


EACH = np.array([-1, 0, 1, 1, -1, 0, -1, 0, 1, 1, 0, -1, -1, 0, 1])  # a class for each step


def test_steps_without_a_class_are_not_judged(tmp_path):
    told = made(tmp_path, targets=EACH)
    assert "2 classes" in told and "train: 3 sequences, 6 frames; most often 0 (50 %)" in told
    task = ArraysTask(tmp_path, recipe())
    assert [labels.tolist() for _, labels in task.examples("test")] == [[-1, 0, 1, 1], [-1, 0, 1]]
    wrong = [np.eye(2)[[1, 0, 1, 0]], np.eye(2)[[0, 0, 0]]]
    task = ArraysTask(tmp_path, recipe().model_copy(update={"training": NOW}))
    score = task.evaluate(wrong, "test")
    assert score.figures["decisions"].tolist() == [3, 2]
    assert score.figures["right"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (np.where(np.arange(STEPS) == 3, -1, EACH), "no step of sequence 1 has a class"),
        (np.where(EACH == 1, -2, EACH), "targets are -2 to 0"),
        (np.array([-1, 1, 1, 0, 0, 0]), "targets are -1 to 1"),
    ],
)
def test_classes_that_are_missing_or_negative_are_refused(tmp_path, targets, sentence):
    with pytest.raises(CorpusError, match=sentence):
        made(tmp_path, targets=targets)


def lengths_of(folder):
    return [
        [len(one) for one in load_sequences(folder, split).frames]
        for split in ("train", "dev", "test")
    ]


def test_sequences_without_splits_are_split_in_order(tmp_path):
    told = made(tmp_path, splits=None, targets=None)
    assert "the first 4 are train, the next 1 dev, the last 1 test" in told
    assert lengths_of(tmp_path) == [[3, 1, 2, 4], [2], [3]]
    with pytest.raises(CorpusError, match="2 sequences do not go round"):
        made(tmp_path, splits=None, targets=None, lengths=np.array([7, 8]))


def test_a_single_sequence_is_cut_in_time(tmp_path):
    np.save(tmp_path / "one.npy", FRAMES)
    told = make_sequences(tmp_path / "one.npy", tmp_path)
    assert "cut in time, 11 steps of train, then 2 of dev and 2 of test" in told
    assert lengths_of(tmp_path) == [[11], [2], [2]]
    np.save(tmp_path / "long.npy", np.random.default_rng(0).normal(size=(2000, 1)))
    told = make_sequences(tmp_path / "long.npy", tmp_path)
    assert "300 of dev and 300 of test, 3 sequences of each, which begin anew" in told
    assert lengths_of(tmp_path) == [[1400], [100] * 3, [100] * 3]
    alone = {"splits": None, "lengths": None}
    made(tmp_path, **alone, targets=VALUES)
    assert np.array_equal(
        load_sequences(tmp_path, "test").targets[0], VALUES[-2:].astype(np.float32)
    )
    with pytest.raises(CorpusError, match="one sequence of 15 steps with 1 targets cannot be cut"):
        made(tmp_path, **alone, targets=VALUES[:1])
    np.save(tmp_path / "many.npy", np.random.default_rng(0).normal(size=(10, 7, 2)))
    make_sequences(tmp_path / "many.npy", tmp_path)
    assert lengths_of(tmp_path) == [[7] * 6, [7] * 2, [7] * 2]


BROKEN = VALUES.copy()
BROKEN[4] = np.inf


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"targets": BROKEN}, "sequence 2 holds NaN, infinite or too large targets"),
        ({"targets": VALUES[:7]}, r"targets of shape \(7, 2\) do not fit .*give \(6, outputs\)"),
        ({"targets": VALUES[:, :0]}, r"targets of shape \(15, 0\) do not fit"),
        (
            {"frames": np.ones((6, 5, 1)), "targets": np.ones((6, 5))},
            r"one of each step, or 5 of each sequence; give \(6, 5, 1\)",
        ),
    ],
)
def test_numbers_that_do_not_fit_are_refused(tmp_path, changes, sentence):
    with pytest.raises(CorpusError, match=sentence) as refused:
        made(tmp_path, **changes)
    assert "\n" not in str(refused.value) and not list(tmp_path.glob("*.safetensors"))


def test_an_npy_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "one.npy"
    for content, sentence in (
        (b"", r"cannot be read as an \.npy file"),
        (None, "there is no such file or folder"),
        (b"\x93NUMPY" + bytes(70), r"cannot be read as an \.npy file"),
    ):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CorpusError, match=sentence):
            make_sequences(path, tmp_path)
    np.save(path, FRAMES)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CorpusError, match="announces 480 bytes and holds"):
        make_sequences(path, tmp_path)
    np.save(path, FRAMES[:, 0])
    with pytest.raises(CorpusError, match=r"frames have the shape \(15,\)"):
        make_sequences(path, tmp_path)


def written(folder, files):
    for name, text in files.items():
        path = folder / "csv" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "csv"


ROWS = ["1,2\n3,4\n5,6\n", "left, right\n7,8\n9,10\n", "\ufeff1.5,-2e3\n\n0,0\n"]


def test_a_folder_of_csv_files(tmp_path):
    files = {f"{name}.csv": rows for name, rows in zip("abc", ROWS, strict=True)}
    told = make_sequences(written(tmp_path, files), tmp_path)
    assert told.startswith("3 sequences, 2 values a frame, no targets") and "in order" not in told
    assert load_sequences(tmp_path, "test").frames[0].tolist() == [[1.5, -2000], [0, 0]]
    targets = {"a.targets.csv": "0\n1\n1\n", "b.targets.csv": "0\n1\n", "c.targets.csv": "1\n0\n"}
    make_sequences(written(tmp_path, targets), tmp_path)
    assert load_sequences(tmp_path, "train").kind == "steps"
    make_sequences(written(tmp_path, {"a.targets.csv": "0\n1.0\n1\n"}), tmp_path)
    assert load_sequences(tmp_path, "train").kind == "step_values"
    make_sequences(written(tmp_path, dict.fromkeys(targets, "a,b\n0,1\n")), tmp_path)
    dev = load_sequences(tmp_path, "dev")
    assert dev.kind == "sequence_values" and dev.targets[0].tolist() == [[0, 1]]


def test_a_single_csv_file(tmp_path):
    rows = "".join(f"{step}\n" for step in range(10))
    folder = written(tmp_path, {"a.csv": rows, "a.targets.csv": rows.replace("\n", ".0\n")})
    told = make_sequences(folder / "a.csv", tmp_path)
    assert told.startswith("1 sequence, 1 value a frame, 1 target a step from 0 to 9\n")
    assert lengths_of(tmp_path) == [[6], [2], [2]]
    with pytest.raises(CorpusError, match="there is no such file or folder; paths are from"):
        make_sequences(folder / "b.csv", tmp_path)


def test_folders_are_splits(tmp_path):
    names = ("dev/z.csv", "test/a.csv", "train/m.csv")
    make_sequences(written(tmp_path, dict(zip(names, ROWS, strict=True))), tmp_path)
    assert lengths_of(tmp_path) == [[2], [3], [2]]
    with pytest.raises(CorpusError, match="files beside train, dev and test"):
        make_sequences(written(tmp_path, {"more.csv": "1,1\n"}), tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"a.csv": "1,2\n3\n"}, "a.csv: line 2 has 1 columns beside 2"),
        ({"a.csv": "1,2\n3,x\n"}, "a.csv: line 2 holds 'x', which is no number"),
        ({"a.csv": "1;2\n3;4\n"}, "a.csv: line 2 holds '3;4', which is no number; separate"),
        ({"a.csv": "1,2\nnan,4\n"}, "a.csv: line 2 holds NaN or infinite numbers"),
        ({"a.csv": "x,y\n"}, "a.csv: it holds no row of numbers; leave it out"),
        ({"b.csv": "1\n"}, "b.csv: 1 columns beside 2 of a.csv"),
        ({"a.targets.csv": "1\n"}, "b.targets.csv: there is no such file; give targets of every"),
        ({"d.targets.csv": "1\n"}, "d.targets.csv: there is no sequence of that name"),
        (
            {f"{name}.targets.csv": "1\n2\n" for name in "abc"},
            "a.targets.csv: 2 rows of 1 targets for 3 steps; give 3 rows",
        ),
        ({"train/x.csv": "1,2\n"}, "files beside train, dev and test"),
    ],
)
def test_csv_files_that_do_not_fit_are_refused(tmp_path, changes, sentence):
    files = {f"{name}.csv": rows for name, rows in zip("abc", ROWS, strict=True)}
    with pytest.raises(CorpusError, match=sentence) as refused:
        make_sequences(written(tmp_path, files | changes), tmp_path)
    assert "\n" not in str(refused.value) and not list(tmp_path.glob("*.safetensors"))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"no \.csv file in it"):
        make_sequences(tmp_path, tmp_path)


def test_a_folder_too_large_for_memory_is_refused(tmp_path, monkeypatch):
    folder = written(tmp_path, {"a.csv": ROWS[0]})
    monkeypatch.setattr("ernn.tasks.npz.MOST_BYTES", 8)
    with pytest.raises(CorpusError, match=r"of memory, more than .*give fewer sequences"):
        make_sequences(folder, tmp_path)
