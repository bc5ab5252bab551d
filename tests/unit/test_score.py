"""Scores of any measure: values, intervals, losses, and their file."""

import numpy as np
import pytest

from ernn.errors import Fault, ModelFileError, ShapeError
from ernn.flow.scores import read_score, write_score
from ernn.score import ACCURACY, MEASURES, PER, Score


def accuracy(right: list[float], decisions: list[int], groups: list[str] | None = None) -> Score:
    figures = {"right": np.array(right), "decisions": np.array(decisions)}
    return Score(ACCURACY, tuple(groups or map(str, range(len(right)))), figures)


def test_accuracy_rises_where_an_error_rate_falls():
    one, other = accuracy([9, 1], [10, 10]), accuracy([10, 4], [10, 10])
    assert one.value == 50.0 and other.value == 70.0
    assert one.minus(other).value == -20.0 and one.loss(other).value == 20.0
    loss = one.loss(other)
    assert loss.low <= loss.value <= loss.high and loss.low > 0
    assert ACCURACY.within(70, 70) and not ACCURACY.within(69.9, 70) and PER.within(69.9, 70)
    assert ACCURACY.worse_by(70, 2) == 68 and PER.worse_by(20, 2) == 22


def test_intervals_are_over_groups():
    right, groups = [1] * 50 + [0] * 50, ["a"] * 50 + ["b"] * 50
    wide = accuracy(right, [1] * 100, groups).interval()
    narrow = accuracy(right, [1] * 100).interval()
    assert wide.low == 0 and wide.high == 100
    assert narrow.value == 50 and 35 < narrow.low < 45 and 55 < narrow.high < 65


def test_drawing_in_pieces_changes_nothing(monkeypatch):
    score = accuracy(list(np.arange(40) % 2), [1] * 40)
    whole = score.interval(), score.minus(score)
    monkeypatch.setattr("ernn.score._PIECE", 100)
    assert (score.interval(), score.minus(score)) == whole


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ShapeError, match="needs decisions, right"):
        Score(ACCURACY, ("a",), {"right": np.array([1])})
    with pytest.raises(ShapeError, match="at least one"):
        accuracy([], [])
    per = Score(PER, ("a",), {name: np.array([1]) for name in (*PER.counted, PER.over)})
    with pytest.raises(ShapeError, match="PER and accuracy cannot be compared"):
        per.minus(accuracy([1], [1]))
    with pytest.raises(ShapeError, match="different test sets"):
        accuracy([1, 1], [1, 1]).minus(accuracy([1, 1], [1, 2]))


def test_a_score_comes_back_from_its_file(tmp_path):
    path, score = tmp_path / "score.json", accuracy([3, 4], [4, 4], ["x", "y"])
    write_score(path, score)
    again = read_score(path)
    assert again.interval() == score.interval() and again.groups == ("x", "y")
    assert again.measure is MEASURES["accuracy"]
    for text in (
        "{}",
        path.read_text().replace("accuracy", "BLEU"),
        "[1]",
        '{"format": "ernn-score-1"}',
        path.read_text().replace("right", "r"),
    ):
        path.write_text(text)
        with pytest.raises(ModelFileError) as told:
            read_score(path)
        what = f"{path} holds no ernn-score-1 of ernn"
        assert told.value.fault == Fault(what, remedy="run its step again")
