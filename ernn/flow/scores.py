"""The file of a score: what was counted in every sequence, and what follows from it."""

from pathlib import Path

import numpy as np

from ernn.errors import ModelFileError, ShapeError
from ernn.flow.results import read_json, write_json
from ernn.score import Score, measure_named

FORMAT = "ernn-score-1"


def write_score(path: Path, score: Score) -> None:
    """Write a score with its 95 % interval and the figures of every sequence."""
    interval, measure = score.interval(), score.measure
    content = {
        "format": FORMAT,
        "name": measure.name,
        "unit": measure.unit,
        "lower_is_better": measure.lower_is_better,
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "groups": list(score.groups),
        "figures": {name: np.asarray(one).tolist() for name, one in score.figures.items()},
    }
    write_json(path, content)


def read_score(path: Path) -> Score:
    """Read a score that `write_score` wrote.

    Raises:
        ModelFileError: the file is missing, damaged or of another version.
    """
    content = read_json(path)
    try:
        if content["format"] != FORMAT:
            raise ValueError
        figures = {str(name): np.array(one) for name, one in content["figures"].items()}
        measure = measure_named(content["name"], bool(content["lower_is_better"]))
        return Score(measure, tuple(map(str, content["groups"])), figures)
    except (KeyError, TypeError, ValueError, AttributeError, ShapeError):
        what = f"{path} holds no {FORMAT} of ernn"
        raise ModelFileError(what, remedy="run its step again") from None
