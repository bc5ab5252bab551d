"""What a report's models are judged by, and on which data: words that every page needs."""

from dataclasses import dataclass

from ernn.datafile import Strict

_UNITS = {"%": "per cent"}


@dataclass(frozen=True)
class Judged(Strict):
    """A measure and the data of a task, in words."""

    name: str  # as a column is headed: "PER"
    words: str  # "phone error rate"
    unit: str  # "%"
    step: str  # unit of a difference: "points"
    lower_is_better: bool
    data: str  # "synthetic speech"
    sequences: str  # "utterances"
    groups: str  # "speakers": what intervals are drawn over
    over: str  # what the test set is counted in: "phones"; empty: in sequences alone
    notice: str = ""  # what every reader has to know, if anything
    wide: bool = False  # values may be of any size, so that decimals say little

    @property
    def title(self) -> str:
        """The measure as a heading begins."""
        return self.words[:1].upper() + self.words[1:]

    @property
    def label(self) -> str:
        """The measure's name as a heading begins; a user's own is written as it is."""
        return self.name if ":" in self.name else self.name[:1].upper() + self.name[1:]

    @property
    def head(self) -> str:
        """The measure as the head of a column."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    @property
    def loss_head(self) -> str:
        """A loss as the head of a column."""
        return f"Loss, {self.step}" if self.step else "Loss"

    @property
    def axis(self) -> str:
        """The unit in words, behind a comma, for the title of a chart."""
        return f", {_UNITS.get(self.unit, self.unit)}" if self.unit else ""

    @property
    def better(self) -> str:
        """Which values are good."""
        return "lower is better" if self.lower_is_better else "higher is better"

    @property
    def decimals(self) -> int | None:
        """Decimals of a value; None: it may be of any size, so three digits."""
        return None if self.wide else 2

    @property
    def rough(self) -> int | None:
        """Decimals at a glance."""
        return None if self.wide else 1

    def number(self, value: float, decimals: int = 2) -> str:
        """Return a value alone."""
        return f"{value:.3g}" if self.wide else f"{value:.{decimals}f}"

    def figure(self, value: float, decimals: int = 2) -> str:
        """Return a value with its unit."""
        return f"{self.number(value, decimals)} {self.unit}".rstrip()

    def change(self, difference: float) -> str:
        """Return a difference with its unit."""
        return f"{self.number(difference)} {self.step}".rstrip()
