"""Who reads what in a graph, once everything that only moves values is seen through."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.links import Link, State, same
from ernn.importers.onnx.origins import Origins

if TYPE_CHECKING:
    from onnx import NodeProto


@dataclass(frozen=True)
class Use:
    """A reader of values: an operation, or an output of the graph (node None)."""

    node: "NodeProto | None"
    tensor: str
    codes: np.ndarray


class Uses:
    """The readers of the values of a graph.

    Args:
        graph: at known sizes.
        origins: of its tensors.
        layers: recurrent ones; what they read of themselves is no use.
    """

    def __init__(self, graph: Graph, origins: Origins, layers: Iterable[Link]) -> None:
        self.graph, self.origins = graph, origins
        self.layer_of = {id(node): one for one in layers for node in one.nodes}
        self._uses = self._all_uses()

    def _all_uses(self) -> dict[str, list[Use]]:
        uses: dict[str, list[Use]] = {}
        readers: list[tuple[NodeProto | None, str]] = [
            (node, name)
            for node in self.graph.live
            if not self.origins.moves(node) or self.origins.of(node.output[0]) is None
            for name in node.input
            if name
        ]
        for node, name in readers + [(None, name) for name in self.graph.outputs]:
            codes = self.origins.of(name)
            if codes is not None:
                for maker in self.origins.made_by(codes):
                    uses.setdefault(maker, []).append(Use(node, name, codes))
        return uses

    def readers(self, out: np.ndarray) -> list[Use]:
        """Return who reads values that have one maker."""
        (maker,) = self.origins.made_by(out)
        return self._uses.get(maker, [])

    def leaving(self, link: Link) -> list[Use]:
        """Return who reads what a link gives out, last states and its own steps aside."""
        return [use for use in self.outer(link) if not self._only_states(use, link)]

    def outer(self, link: Link) -> list[Use]:
        """Return who reads what a link gives out, its own steps aside."""
        return [use for use in self.readers(link.out) if not self.inside(use, link)]

    def inside(self, use: Use, link: Link) -> bool:
        """Whether a use is a step of a layer itself."""
        return use.node is not None and self.layer_of.get(id(use.node)) is link

    def _only_states(self, use: Use, link: Link) -> bool:
        """Whether a use is an output of the graph that gives out the last state and no more."""
        if use.node is not None or not link.states:
            return False
        if len(link.out) > 1:
            return not np.isin(link.out[:-1], use.codes).any()
        return any(self._carries(use.codes, state) for state in link.states)

    def _carries(self, codes: np.ndarray, state: State) -> bool:
        """Whether an output holds a state where an input held the one before."""
        if state.before is None or state.after is None:
            return False
        places = self.origins.places(state.before)
        return places.max() < codes.size and same(codes.ravel()[places], state.after)
