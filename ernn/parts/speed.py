"""Speed grades of the 7-series, and the fastest clock that there is."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from ernn.datafile import load_toml
from ernn.errors import PlanError
from ernn.parts.part import Part


def grade_of(part: Part) -> str | None:
    """Return a part's process and grade, "virtex-2"; the slowest where it names none.

    None: the part is of a family without delays.
    """
    if part.family.name != "7-series":
        return None
    process = "virtex" if re.match("xc7[kv]", part.full_name or part.name.lower()) else "artix"
    grade = re.search(r"-([123])", part.full_name)
    return f"{process}-{grade[1] if grade else 1}"


def slowness(grade: str) -> float:
    """Return the delays of a grade of `grade_of` against those of the slowest."""
    return float(_table()["grades"][grade])


def fastest(part: Part) -> tuple[int, str] | None:
    """Return the MHz that no design for a part exceeds, and the way that ends there.

    None: the part is of a family without delays, or does not name its grade.
    """
    grade = grade_of(part)
    if grade is None or not part.full_name:
        return None
    found = _table()["fastest"]
    return int(1000 / (found["ns"] * slowness(grade))), found["where"]


@cache
def _table() -> dict[str, Any]:
    return load_toml(Path(__file__).with_name("speed.toml"), PlanError)
