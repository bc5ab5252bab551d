"""What the outputs for a user's sequences can be judged by, and for which targets each is meant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ernn.edits import collapse, count_edits
from ernn.errors import CorpusError, RecipeError
from ernn.recipe.task import TaskRecipe
from ernn.score import (
    ACCURACY,
    AUC,
    CHANGED,
    COSINE,
    DIFFERENCE,
    EDITS,
    ERROR_RATE,
    MSE,
    NMSE,
    Measure,
)
from ernn.targets import Targets
from ernn.tasks.own_score import OwnScore

Figures = dict[str, np.ndarray]
Rows = Sequence[np.ndarray]
# From the outputs of each sequence, a row for each target, and the targets: what is counted.
Count = Callable[[Rows, Rows], Figures]

BLANK = 0  # the class that `edit` leaves out
MOST_PAIRS = 1 << 27  # of labels that an alignment looks at
BINS = 256  # of outputs, to count the area under a curve


@dataclass(frozen=True)
class Judge:
    """A measure, and how it is counted."""

    measure: Measure
    count: Count


def find_judge(recipe: TaskRecipe, targets: Targets) -> Judge:
    """Return what the recipe asks for, or what is usual for a kind of targets.

    Raises:
        RecipeError: the score is meant for other targets, or it is a user's own and cannot be had.
    """
    if recipe.own_score:
        found = OwnScore(*recipe.own_score)
        return Judge(found.measure, found.count)
    words, fitting = _FITTING[targets]
    chosen = recipe.score or fitting[0]
    if chosen not in fitting:
        told = f"it cannot judge {words}"
        own = ', or your own "module:function"'
        raise RecipeError(f'task.score = "{chosen}"', given=told, allowed=", ".join(fitting) + own)
    return JUDGES[chosen]


def _accuracy(outputs: Rows, targets: Rows) -> Figures:
    right = _each(lambda rows, labels: np.count_nonzero(rows.argmax(1) == labels), outputs, targets)
    return {"right": right, "decisions": _lengths(targets)}


def _edit(outputs: Rows, targets: Rows) -> Figures:
    told = [_without_blanks(rows.argmax(1)) for rows in outputs]
    wanted = [_without_blanks(labels) for labels in targets]
    if max(len(one) * len(other) for one, other in zip(wanted, told, strict=True)) > MOST_PAIRS:
        raise CorpusError(
            'task.score = "edit"',
            given="sequences are too long to be aligned",
            remedy="cut them into shorter ones",
        )
    edits = np.array([count_edits(*pair) for pair in zip(wanted, told, strict=True)])
    if not any(len(one) for one in wanted):
        given = f"no label but the blank, class {BLANK}"
        raise CorpusError(
            "an error rate by edit distance", given=given, remedy="number other classes from 1"
        )
    return {**dict(zip(EDITS, edits.T, strict=True)), "labels": _lengths(wanted)}


def _without_blanks(labels: np.ndarray) -> np.ndarray:
    found = collapse(labels)
    return found[found != BLANK]


def _squares(outputs: Rows, targets: Rows) -> Figures:
    errors = _each(lambda rows, wanted: np.square(rows - wanted).sum(), outputs, targets)
    return {"squared_error": errors, "values": np.array([one.size for one in targets])}


def _energies(outputs: Rows, targets: Rows) -> Figures:
    errors = _each(lambda rows, wanted: np.square(rows - wanted).sum(), outputs, targets)
    energy = _each(lambda rows, wanted: np.square(wanted).sum(), outputs, targets)
    if not energy.sum() > 0:
        raise CorpusError(
            "an error relative to the targets", given="all targets are 0", remedy='take "mse"'
        )
    return {"error_energy": errors, "energy": energy}


def _cosine(outputs: Rows, targets: Rows) -> Figures:
    return {"distance": _each(_distances, outputs, targets), "vectors": _lengths(targets)}


def _distances(rows: np.ndarray, wanted: np.ndarray) -> float:
    """Return the sum of 1 - cos over all steps; a vector of zeros is at a right angle to all."""
    sizes = np.linalg.norm(rows, axis=1) * np.linalg.norm(wanted, axis=1)
    products = (rows * wanted).sum(1)
    cosines = np.divide(products, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    return float((1 - cosines).sum())


def _area(outputs: Rows, targets: Rows) -> Figures:
    """Count outputs of either class in bins.

    Pairs of a positive and a negative reach over sequences, so what is counted of each sequence is
    where its outputs lie among all: in bins that hold equally many, since only order matters. The
    pairs of a bin count half, as equal outputs do: 1 / (2 BINS) at most is lost.
    """
    told = [rows[:, -1] - rows[:, 0] if rows.shape[1] == 2 else rows[:, 0] for rows in outputs]
    wanted = [labels.reshape(len(labels), -1) for labels in targets]
    sizes = {one.shape[1] for one in (*outputs, *wanted)}
    values = np.concatenate(wanted)
    if not sizes <= {1, 2} or values.shape[1] > 1 or not np.isin(values, (0, 1)).all():
        raise CorpusError(
            'task.score = "auc"',
            given="there are more than two classes",
            allowed="classes 0 and 1, or one output with targets 0.0 and 1.0",
        )
    if values.min() == values.max():
        only = f"all targets of a split are {values.min():g}"
        raise CorpusError('task.score = "auc"', given=only, remedy="give every split both classes")
    edges = np.unique(np.concatenate(told))[1:]
    if len(edges) >= BINS:
        edges = np.quantile(np.concatenate(told), np.arange(1, BINS) / BINS)
    bins = [np.searchsorted(edges, one, side="right") for one in told]

    def counted(value: int) -> np.ndarray:
        return np.array(
            [
                np.bincount(bins[index][labels[:, 0] == value], minlength=len(edges) + 1)
                for index, labels in enumerate(wanted)
            ]
        )

    return {"positives": counted(1), "negatives": counted(0)}


def _changed(outputs: Rows, targets: Rows) -> Figures:
    if outputs[0].shape[1] == 1:
        raise CorpusError(
            'task.score = "decisions"',
            given="a single output decides nothing",
            remedy='take "agreement"',
        )
    changed = _each(
        lambda rows, wanted: np.count_nonzero(rows.argmax(1) != wanted.argmax(1)), outputs, targets
    )
    return {"changed": changed, "decisions": _lengths(targets)}


def _each(count: Callable[[np.ndarray, np.ndarray], float], outputs: Rows, targets: Rows):
    """Return a figure of each sequence; float32 is too coarse for sums of squares."""
    pairs = zip(outputs, targets, strict=True)
    return np.array([count(rows.astype(float), wanted.astype(float)) for rows, wanted in pairs])


def _lengths(arrays: Rows) -> np.ndarray:
    return np.array([len(one) for one in arrays])


JUDGES = {
    "accuracy": Judge(ACCURACY, _accuracy),
    "edit": Judge(ERROR_RATE, _edit),
    "auc": Judge(AUC, _area),
    "mse": Judge(MSE, _squares),
    "nmse": Judge(NMSE, _energies),
    "cosine": Judge(COSINE, _cosine),
    "agreement": Judge(DIFFERENCE, _energies),
    "decisions": Judge(CHANGED, _changed),
}
# The first is what is taken if the recipe says nothing.
_FITTING: dict[Targets, tuple[str, tuple[str, ...]]] = {
    "steps": ("a class for each step", ("accuracy", "edit", "auc")),
    "sequence": ("a class for each sequence", ("accuracy", "auc")),
    "step_values": ("numbers for each step", ("nmse", "mse", "cosine", "auc")),
    "sequence_values": ("numbers for each sequence", ("nmse", "mse", "cosine", "auc")),
    "none": ("models without targets", ("agreement", "decisions")),
}
