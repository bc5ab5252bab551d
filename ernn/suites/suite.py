"""A suite: networks of given sizes, and the latencies of systems that others measured on them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ernn.compressed import padded
from ernn.datafile import Positive, Some, Strict, read_toml
from ernn.errors import RecipeError

BLOCKS = (1, 4, 8, 16)  # 1: dense
WORDS = (8, 16, 32)  # sizes are padded to a multiple of one, which the blocks fit

Text = Annotated[str, Field(pattern=r"\S", max_length=200)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=40)]
Latencies = dict[Name, Positive]
Standing = Literal["audited", "vendor's document", "second hand"]


@dataclass(frozen=True)
class Network(Strict):
    """Recurrent layers of one size and a linear layer, which only the last step needs."""

    name: Name
    layers: Some
    hidden: Some
    inputs: Some
    outputs: Some
    cell: Literal["lstm", "gru_after"] = "lstm"

    @property
    def weights(self) -> int:
        """Weights without compression and biases: multiplications of one frame."""
        of_layers = self.inputs + self.hidden + (self.layers - 1) * 2 * self.hidden
        gates = {"lstm": 4, "gru_after": 3}[self.cell]
        return gates * self.hidden * of_layers + self.hidden * self.outputs


@dataclass(frozen=True)
class Case:
    """One row: a network in blocks of one size."""

    network: Network
    block: int

    @property
    def name(self) -> str:
        """What it is called in files and on the command line."""
        return f"{self.network.name}-{self.blocks.replace(' = ', '')}"

    @property
    def blocks(self) -> str:
        """Its compression in words."""
        return "dense" if self.block == 1 else f"k = {self.block}"

    @property
    def words(self) -> tuple[int, ...]:
        """What every size may be padded to a multiple of: all that make a difference.

        Blocks move in words, and fewer, larger words move in fewer cycles. Dense matrices gain
        nothing by what larger words pad.
        """
        sizes = self.network.hidden, self.network.inputs, self.network.outputs
        found = {
            tuple(padded(size, word) for size in sizes[:2]): word
            for word in reversed(WORDS if self.block > 1 else WORDS[:1])
            if word >= self.block
        }
        return tuple(sorted(found.values()))


@dataclass(frozen=True)
class System(Strict):
    """Latencies that someone published, and under which conditions."""

    name: Text
    date: Text
    work: Literal["one step", "whole window"]  # of one inference
    statistic: Text
    numbers: Text  # the arithmetic
    includes: Text  # what lies between the clock's start and stop
    standing: Standing
    source: Text
    latency_us: Latencies  # by network
    at_most: bool = False  # only said to be below it
    mean_us: Latencies | None = None


@dataclass(frozen=True)
class Suite(Strict):
    """The content of a suite's file."""

    name: Name
    title: Text
    sizes: Text  # where the networks' sizes come from
    networks: Annotated[tuple[Network, ...], Field(min_length=1)]
    systems: tuple[System, ...] = ()

    def __post_init__(self) -> None:
        known = {network.name for network in self.networks}
        for system in self.systems:
            strange = {*system.latency_us, *(system.mean_us or {})} - known
            if strange:
                raise ValueError(
                    f"{system.name}: no network is called {', '.join(sorted(strange))}"
                )

    @property
    def cases(self) -> tuple[Case, ...]:
        """All rows, smallest network first."""
        ordered = sorted(self.networks, key=lambda network: network.weights)
        return tuple(Case(network, block) for network in ordered for block in BLOCKS)


def load_suite(name: str) -> Suite:
    """Return a suite that ships with ernn.

    Raises:
        RecipeError: there is none of this name.
    """
    files = {path.stem: path for path in Path(__file__).parent.glob("*.toml")}
    if name not in files:
        raise RecipeError(
            f"--suite {name!r} is no suite",
            remedy=f"choose among {', '.join(['published', *sorted(files)])}",
        )
    return read_toml(files[name], Suite, RecipeError)
