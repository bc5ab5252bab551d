"""What is known of a tensor of a torch program: the chain of layers it comes from, and its axes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ernn.errors import ModelFileError
from ernn.importers.layers import Added, Item, Joined
from ernn.importers.torch.graph import REMEDY, Node

# Of gates and states of which no operation is a cell, in a sentence.
APART = "as a cell that was taken apart or written by hand does"
APART_REMEDY = (
    "use nn.LSTM, nn.GRU, nn.RNN or their cells (save a program before run_decompositions()), "
    "or export the network to ONNX, where ernn recognises cells that were taken apart"
)

FEATURES, TIME, BATCH = "features", "time", "batch"
Axes = tuple[Any, ...]  # of every axis: that of the example it comes from, or None if it is new


class Chain:
    """Layers in a row, the last of them first; equal chains are one object (`Known.chains`)."""

    def __init__(self, before: "tuple[Chain, ...]" = (), item: Item | None = None):
        """Put an item behind a chain, or a `Joined` or `Added` behind several."""
        self.before, self.item = before, item

    def items(self) -> list[Item]:
        """Return the layers in an order in which each comes behind what it reads."""
        found: list[Item] = []
        places: dict[Chain, int] = {}
        waiting = [self]
        while waiting:
            chain = waiting.pop()
            if chain.item is None:
                places[chain] = -1
            if chain in places:
                continue
            if missing := [one for one in chain.before if one not in places]:
                waiting += [chain, *reversed(missing)]
                continue
            parts = tuple(places[one] for one in chain.before)
            item = chain.item
            if isinstance(item, Joined | Added):
                item = replace(item, parts=parts)
            elif parts != (len(found) - 1,):
                found.append(Joined("", parts))
            places[chain] = len(found)
            assert item is not None
            found.append(item)
        return found


@dataclass(frozen=True)
class Frames:
    """The frames of a sequence behind a chain of layers, or one step of them."""

    chain: Chain
    axes: Axes
    step: int | None = None  # None is every step
    role: str = "h"  # "c" is an LSTM's cell state


@dataclass(frozen=True)
class States:
    """The states of several layers in one tensor, the layers first."""

    chains: tuple[Chain, ...]
    axes: Axes
    step: int | None
    role: str


@dataclass(frozen=True)
class Initial:
    """A state that is an input of the program."""

    name: str


@dataclass(frozen=True)
class Constant:
    """A tensor that does not depend on the inputs; what is made alike has an equal key."""

    tensor: torch.Tensor
    key: Any


@dataclass(frozen=True)
class Refused:
    """What ernn cannot follow; an error only where the output depends on it."""

    error: ModelFileError


@dataclass
class Known:
    """What a program's operations tell of the axes of its input, and its chains."""

    shape: tuple[int, ...]  # of the input
    roles: dict[Any, str] = field(default_factory=lambda: {FEATURES: FEATURES})  # of its axes
    steps: int | None = None
    chains: dict[Any, Chain] = field(default_factory=dict)
    fed: dict[str, tuple] = field(default_factory=dict)  # states that are inputs: whose, and role

    def claim(self, node: Node, axes: Axes, place: int, role: str) -> Any:
        """Say what an axis of a tensor is, and return it.

        Raises:
            ModelFileError: another operation takes it for something else.
        """
        axis = axes[place]
        if axis is None:
            if role == TIME and self.steps is None:
                self.steps = 1
            return axis
        known = self.roles.setdefault(axis, role)
        given = f"axis {axis} of the example, which has {self.shape}"
        if known != role or (role == BATCH and self.shape[axis] != 1):
            raise ModelFileError(
                told(node),
                given=f"it takes {given}, for {role}"
                + (f", and another operation for {known}" if known != role else ""),
                allowed="one sequence: (T, F), (1, T, F) with batch_first=True, or else (T, 1, F)",
                remedy="give an example in the order of axes that the module wants",
            )
        if role == TIME:
            self.steps = self.shape[axis]
        return axis

    @property
    def last(self) -> int | None:
        """The last step, as `Frames` have it; the only step is every step."""
        return self.steps - 1 if self.steps and self.steps > 1 else None

    def axis(self, role: str) -> Any:
        """Return the input's axis of a role, or None."""
        named = (axis for axis, known in self.roles.items() if known == role and axis != FEATURES)
        return next(named, None)

    def append(self, frames: Frames, key: Any, make: Callable[[], Item]) -> Frames:
        """Return frames behind one more layer, which is made once for a key."""
        place = (frames.chain, key)
        if place not in self.chains:
            self.chains[place] = Chain((frames.chain,), make())
        return replace(frames, chain=self.chains[place])

    def together(self, frames: Sequence[Frames], item: Joined | Added) -> Frames:
        """Return outputs of several layers, put together at the same steps."""
        chains = tuple(one.chain for one in frames)
        place = (type(item), item.name, getattr(item, "signs", ()), chains)
        if place not in self.chains:
            self.chains[place] = Chain(chains, item)
        return replace(frames[0], chain=self.chains[place])


def told(node: Node) -> str:
    """Return an operation and where it is."""
    return f"aten.{node.op} in {node.where}"


def refuse(node: Node, given: str, allowed: str = "", remedy: str = REMEDY) -> ModelFileError:
    """Return the error that an operation cannot be imported."""
    return ModelFileError(told(node), given=given, allowed=allowed, remedy=remedy)
