"""What outputs are judged by: each score against its definition, and what it refuses."""

import numpy as np
import pytest

from ernn.errors import CorpusError, RecipeError
from ernn.flow.scores import read_score, write_score
from ernn.recipe import TaskRecipe
from ernn.recipe.task import SCORES
from ernn.score import MEASURES, Score
from ernn.tasks.judges import BINS, JUDGES, find_judge

RNG = np.random.default_rng(0)
LENGTHS = (5, 9, 30, 2)
VALUES = [RNG.normal(size=(length, 3)).astype(np.float32) for length in LENGTHS]
NOISY = [one + 0.1 * RNG.normal(size=one.shape).astype(np.float32) for one in VALUES]
ALL, TOLD = np.concatenate(VALUES).astype(float), np.concatenate(NOISY).astype(float)


def score_of(name, outputs, targets) -> Score:
    judge = JUDGES[name]
    groups = tuple(map(str, range(len(outputs))))
    return Score(judge.measure, groups, judge.count(outputs, targets))


def recipe(score=None) -> TaskRecipe:
    return TaskRecipe(kind="arrays", path="x.npz", score=score)


def test_every_score_of_a_recipe_has_a_judge_and_a_measure():
    assert tuple(JUDGES) == SCORES
    assert all(MEASURES[judge.measure.name] is judge.measure for judge in JUDGES.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", np.square(TOLD - ALL).mean()),
        ("nmse", 10 * np.log10(np.square(TOLD - ALL).sum() / np.square(ALL).sum())),
        ("agreement", 100 * np.square(TOLD - ALL).sum() / np.square(ALL).sum()),
        ("decisions", 100 * np.mean(TOLD.argmax(1) != ALL.argmax(1))),
        (
            "cosine",
            np.mean(
                1 - (TOLD * ALL).sum(1) / np.linalg.norm(TOLD, axis=1) / np.linalg.norm(ALL, axis=1)
            ),
        ),
    ],
)
def test_scores_of_numbers_are_what_they_are_called(name, expected, tmp_path):
    found = score_of(name, NOISY, VALUES)
    assert found.value == pytest.approx(expected, rel=1e-9)
    interval, best = found.interval(), score_of(name, VALUES, VALUES)
    assert interval.low <= found.value <= interval.high
    assert best.value == pytest.approx(found.measure.best, abs=1e-6)
    loss = found.loss(best)
    assert loss.value > 0 and loss.low <= loss.value <= loss.high
    write_score(tmp_path / "score.json", found)
    assert read_score(tmp_path / "score.json").loss(best) == loss


def area(told, wanted):
    """Return the share of pairs that are in order, pair by pair."""
    pairs = told[wanted == 1][:, np.newaxis] - told[wanted == 0]
    return 100 * ((pairs > 0) + 0.5 * (pairs == 0)).mean()


@pytest.mark.parametrize("levels", [4, 100_000])
def test_the_area_under_the_curve_is_that_of_all_pairs(levels):
    wanted = [RNG.integers(0, 2, size) for size in (300, 500, 1, 200)]
    told = [np.round(levels * (one + RNG.normal(size=one.shape))) / levels for one in wanted]
    outputs = [np.stack([-one, one], 1) for one in told]
    expected = area(np.concatenate(told), np.concatenate(wanted))
    found = score_of("auc", outputs, wanted)
    tolerance = 1e-9 if levels == 4 else 100 / (2 * BINS)
    assert found.value == pytest.approx(expected, abs=tolerance)
    assert found.interval().low < found.value < found.interval().high
    one_output = [one[:, np.newaxis] for one in told]
    floats = [one[:, np.newaxis].astype(float) for one in wanted]
    assert score_of("auc", one_output, floats).value == pytest.approx(found.value)
    worse = [one + RNG.normal(size=one.shape) for one in one_output]
    loss = score_of("auc", worse, floats).loss(found)
    assert 0 < loss.low < loss.value < loss.high


def test_edits_are_counted_without_blanks_and_repetitions():
    wanted = [np.array([0, 1, 1, 0, 2, 2, 0, 1]), np.array([0, 0, 3])]
    told = [np.eye(4)[[1, 1, 0, 0, 2, 0, 2, 1]], np.eye(4)[[0, 0, 0]]]
    found = score_of("edit", told, wanted)  # 1 2 2 1 against 1 2 1, nothing against 3
    assert found.figures["insertions"].tolist() == [1, 0]
    assert found.figures["deletions"].tolist() == [0, 1]
    assert found.value == 50.0
    with pytest.raises(CorpusError, match="no label but the blank, class 0; number other classes"):
        score_of("edit", told, [one * 0 for one in wanted])


def test_what_an_area_cannot_be_of_is_refused():
    two, three = [np.eye(2)[[0, 1]]], [np.eye(3)[[0, 1]]]
    with pytest.raises(CorpusError, match="more than two classes"):
        score_of("auc", three, [np.array([0, 1])])
    with pytest.raises(CorpusError, match="all targets of a split are 1; give every split both"):
        score_of("auc", two, [np.array([1, 1])])
    with pytest.raises(CorpusError, match="a single output decides nothing"):
        score_of("decisions", [np.ones((2, 1))], [np.ones((2, 1))])
    with pytest.raises(CorpusError, match="too long to be aligned; cut them"):
        labels = 1 + np.arange(20_000) % 2
        score_of("edit", [np.eye(3)[labels]], [labels])
    with pytest.raises(CorpusError, match="all targets are 0"):
        score_of("nmse", [np.ones((2, 1))], [np.zeros((2, 1))])


@pytest.mark.parametrize(
    ("targets", "usual", "wrong"),
    [
        ("steps", "accuracy", "nmse"),
        ("sequence", "accuracy", "edit"),
        ("step_values", "nmse", "accuracy"),
        ("sequence_values", "nmse", "decisions"),
        ("none", "agreement", "mse"),
    ],
)
def test_targets_have_a_usual_score_and_refuse_what_does_not_fit(targets, usual, wrong):
    assert find_judge(recipe(), targets) is JUDGES[usual]
    with pytest.raises(RecipeError, match=f'task.score = "{wrong}": it cannot judge .*{usual}'):
        find_judge(recipe(wrong), targets)


OWN = """
import numpy as np
import beside

def snr(outputs, targets):
    return beside.decibels(np.sum(targets**2) / np.sum((outputs - targets) ** 2))

snr.higher_is_better = True

def text(outputs, targets):
    return "good"

def infinite(outputs, targets):
    outputs[:] = 0
    return np.inf

def broken(outputs, targets):
    return targets[99]
"""


def test_a_user_may_bring_a_score(tmp_path):
    (tmp_path / "metrics.py").write_text(OWN)
    (tmp_path / "beside.py").write_text(
        "import math\ndecibels = lambda ratio: 10 * math.log10(ratio)\n"
    )
    own = recipe("metrics:snr").beside(tmp_path)
    judge = find_judge(own, "step_values")
    found = Score(judge.measure, ("a", "b", "c", "d"), judge.count(NOISY, VALUES))
    assert 15 < found.value < 25 and not found.measure.lower_is_better
    assert found.measure.name == "metrics:snr"
    write_score(tmp_path / "score.json", found)
    assert read_score(tmp_path / "score.json").loss(found).value == 0
    for name, sentence in (
        ("text", "it returned 'good' for sequence 0; let it return a finite number"),
        ("infinite", "it returned 'inf' for sequence 0"),
        ("broken", "it raised IndexError: index 99 is out of bounds"),
    ):
        judge = find_judge(recipe(f"metrics:{name}").beside(tmp_path), "none")
        with pytest.raises(RecipeError, match=f"metrics.py:{name}: {sentence}") as refused:
            judge.count(NOISY, VALUES)
        assert "\n" not in str(refused.value)
    with pytest.raises(RecipeError, match="no such function"):
        find_judge(recipe("metrics:nothing").beside(tmp_path), "none")
    with pytest.raises(RecipeError, match=r"cannot be imported \(ModuleNotFoundError"):
        find_judge(recipe("no_such_module:snr").beside(tmp_path), "none")
    (tmp_path / "metrics.py").write_text("1 +")
    with pytest.raises(RecipeError, match=r"cannot be imported \(SyntaxError"):
        find_judge(own, "none")
