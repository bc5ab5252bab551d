"""What the report of a search says, as one frozen object, and its file search.json."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ernn.datafile import parse
from ernn.errors import ErnnError
from ernn.files import write_text
from ernn.report.judged import Judged
from ernn.report.marks import series_of_cells

FORMAT = "ernn-search-2"


@dataclass(frozen=True)
class Rate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SizeRow:
    """What the recipe's cell costs at one block size, before any training."""

    block: int
    products: int  # multiplications per frame
    transforms: int
    scales: int
    weights: int
    memory_blocks: int  # of the smallest design
    within: bool  # the bounds
    missing: str  # why it cannot be built; empty if it can

    @property
    def multiplications(self) -> int:
        """All multiplications per frame outside the cells."""
        return self.products + self.transforms + self.scales


@dataclass(frozen=True)
class TrialRow:
    """One training and what it measured on the development set."""

    cell: str
    block: int
    wide: int
    words: str
    why: str
    score: Rate
    loss: Rate | None  # against the dense model; None: it is the dense model
    multiplications: int
    weights: int
    seconds: float
    step: int | None  # its place in the path of the search, from 1; None: run ahead in vain


@dataclass(frozen=True)
class FinalResult:
    """The chosen model on the test set, which nothing else was judged by."""

    dense: Rate
    chosen: Rate
    loss: Rate  # paired over sequences


@dataclass(frozen=True)
class SearchReport:
    """Everything about one search."""

    recipe: str
    seed: int
    data_name: str
    about: Judged
    version: str
    study: str
    storage: str
    part: str
    memory_blocks: int  # of the part
    bound: str
    limit: float  # what the bound comes to
    lower: int
    why_lower: str
    upper: int
    why_upper: str
    sizes: tuple[SizeRow, ...]
    trials: tuple[TrialRow, ...]
    decisions: tuple[str, ...]
    chosen: str  # in words; empty: nothing meets the bound
    failure: str  # why nothing does
    test: FinalResult | None

    @property
    def series(self) -> dict[str, str]:
        """The kind of series of each cell."""
        return series_of_cells(trial.cell for trial in self.trials)

    @property
    def trainings(self) -> int:
        """Trainings that the decisions needed."""
        return sum(trial.step is not None for trial in self.trials)


def save(report: SearchReport, path: Path) -> None:
    """Write search.json."""
    data = {"format": FORMAT, "search": asdict(report)}
    write_text(path, json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def load(path: Path) -> SearchReport:
    """Read a search.json.

    Raises:
        ErnnError: the file is not one that `save` wrote.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ErnnError(
            f"{path} cannot be read as a search", given=str(problem), remedy="search again"
        ) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ErnnError(
            f"{path} is no search.json of ernn", remedy="give one that `ernn search` wrote"
        )
    return parse(data.get("search"), SearchReport, ErnnError, str(path))
