"""Where the host ends and the hardware begins: the tensors at both ends of a chain, its states."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.layers import Affine, Item, LastStep, Linear, Recurrent
from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.links import Link, State, named, same
from ernn.importers.onnx.origins import Origins
from ernn.importers.onnx.uses import Uses
from ernn.importers.onnx.webs import items_of

if TYPE_CHECKING:
    from onnx import NodeProto


@dataclass
class Chain:
    """Links that follow each other, and the tensors where the host begins."""

    links: list[Link]
    entering: str = ""
    leaving: str = ""
    last: bool = False  # only the last step leaves
    notes: list[str] = field(default_factory=list)
    fed: dict[str, str] = field(default_factory=dict)  # state: graph input -> graph output
    ignored: set[str] = field(default_factory=set)  # graph outputs that the accelerator keeps
    web: bool = False  # links may read several others, not only the one in front

    @property
    def weights(self) -> int:
        """How many weights it has."""
        layers = [link.item for link in self.links if isinstance(link.item, Recurrent)]
        return sum(matrix.size for layer in layers for matrix in layer.matrices.values())

    @property
    def nodes(self) -> list["NodeProto"]:
        """The operations that become hardware."""
        return [node for link in self.links for node in link.nodes]

    def items(self) -> list[Item]:
        """Return what `assemble` takes."""
        if self.web:
            return [*items_of(self.links), *([LastStep(self.leaving)] if self.last else [])]
        found: list[Item] = []
        for before, link in zip([None, *self.links], self.links, strict=False):
            if before is not None and not same(before.out, link.into):
                found.append(LastStep(f"the last step before {link.item.name}"))
            item, front = link.item, found[-1] if found else None
            if isinstance(front, Linear) and isinstance(item, Affine) and _is_bias(front, item):
                found[-1] = replace(front, bias=item.shift)
            else:
                found.append(item)
        if self.last:
            found.append(LastStep(self.leaving))
        return found


def _is_bias(matrix: Linear, added: Affine) -> bool:
    """Whether MatMul and Add are one linear layer."""
    return not matrix.bias.any() and bool((added.scale == 1).all())


class Cuts:
    """Finds the cuts of chains of a graph."""

    def __init__(self, graph: Graph, origins: Origins, uses: Uses) -> None:
        self.graph, self.origins, self.uses = graph, origins, uses

    def complete(self, chain: Chain) -> None:
        """Name the tensors at the ends of a chain, and what stays inside it.

        Raises:
            ModelFileError: a state is read or written from outside, or no tensor holds the frames.
        """
        self._states(chain)
        self._ends(chain)

    def _states(self, chain: Chain) -> None:
        """Pair the inputs and outputs of the graph that carry states from frame to frame."""
        for link in chain.links:
            for state in link.states:
                self._require_kept(link, state)
                if state.before is None:
                    continue
                (source, *more) = self.origins.made_by(state.before)
                if more or source not in {one.name for one in self.graph.inputs}:
                    raise ModelFileError(
                        f"{link.item.name} starts from a state that is computed",
                        allowed="zero, or an input of the graph",
                    )
                places = self.origins.places(state.before)
                name = self._fed_back(link, source, places, state.after)
                if chain.fed.setdefault(source, name) != name:
                    raise ModelFileError(
                        f"the state {source!r} is returned in two outputs",
                        given=f"{chain.fed[source]} and {name}",
                        allowed="an output of the same shape for each state",
                    )

    def _require_kept(self, link: Link, state: State) -> None:
        """Refuse a layer whose cell state is read by another operation."""
        if state.after is None or np.isin(state.after, link.out).any():
            return
        for use in self.uses.readers(state.after):
            if use.node is not None and not self.uses.inside(use, link):
                raise ModelFileError(
                    f"the cell state of {link.item.name} is read by {named(use.node)}",
                    allowed="layers of which only the output is read",
                )

    def _fed_back(
        self, link: Link, source: str, places: np.ndarray, after: np.ndarray | None
    ) -> str:
        for name in self.graph.outputs:
            codes = self.origins.of(name)
            if codes is None or after is None or codes.shape != self.graph.shapes[source]:
                continue
            if same(codes.ravel()[places], after):
                return name
        raise ModelFileError(
            f"{link.item.name} starts from the input {source!r}, and no output returns that state",
            remedy=f"ernn starts from zero: give inputs={{{source!r}: 0}} if that is meant",
        )

    def _ends(self, chain: Chain) -> None:
        first, final = chain.links[0], chain.links[-1]
        read = [name for node in chain.nodes for name in node.input]
        entering = [name for name in read if self._holds(name, first.into)]
        chain.entering = self._tensor(first.into, entering)
        kept = self._kept_outputs(chain)
        uses = [use for use in self.uses.outer(final) if use.tensor not in kept]
        if not uses:  # what leaves the network is a last state too
            uses = [use for use in self.uses.outer(final) if use.tensor not in chain.fed.values()]
            uses = uses[:1] or self.uses.outer(final)[:1]
            kept -= {use.tensor for use in uses}
        rows = final.out
        wanted = [use for use in uses if np.isin(rows[:-1], use.codes).any()]
        if not wanted and len(rows) > 1:
            rows, chain.last = rows[-1:], True
        outputs = [u.tensor for u in uses if u.node is None and same(u.codes.ravel(), rows.ravel())]
        alone = len(uses) == len(outputs) == 1
        chain.leaving = outputs[0] if alone else self._tensor(rows, [use.tensor for use in uses])
        chain.ignored = (kept | set(chain.fed.values())) - {chain.leaving}
        for source, name in chain.fed.items():
            chain.notes.append(f"the state {source} to {name} stays in the accelerator")
        for name in sorted(kept - set(chain.fed.values())):
            chain.notes.append(f"the output {name} is a last state: it stays in the accelerator")

    def _kept_outputs(self, chain: Chain) -> set[str]:
        """Return outputs of the graph that are last states of layers of the chain."""
        states = [state.after for link in chain.links for state in link.states]
        ends = np.concatenate([one for one in states if one is not None] or [np.zeros(0, int)])
        found = set(chain.fed.values())
        for name in self.graph.outputs:
            codes = self.origins.of(name)
            if codes is not None and np.isin(codes, ends).all():
                found.add(name)
        return found

    def _holds(self, name: str, rows: np.ndarray) -> bool:
        codes = self.origins.of(name) if name and name not in self.graph.values else None
        return codes is not None and bool(np.isin(codes, rows).any())

    def _tensor(self, rows: np.ndarray, readers: Iterable[str]) -> str:
        """Return the first tensor that holds rows (T, n) in order, and that all readers go back to.

        Raises:
            ModelFileError: there is none.
        """
        carried = [self._carried(name) for name in readers]
        common = set.intersection(*carried) if carried else set()
        for name in self.origins.order:
            codes = self.origins.of(name) if name in common else None
            if codes is not None and same(codes.ravel(), rows.ravel()):
                return name
        makers = ", ".join(self.origins.made_by(rows)[:4])
        raise ModelFileError(
            f"no tensor holds the frames made of {makers} whole, step after step",
            allowed="one tensor at each end of the hardware",
            remedy="choose another part by start and end",
        )

    def _carried(self, name: str) -> set[str]:
        """Return the tensors whose values a tensor carries on, itself among them."""
        found, left = set(), [name]
        while left:
            one = left.pop()
            node = self.graph.producers.get(one)
            if one and one not in found:
                found.add(one)
                left += node.input if node is not None and self.origins.moves(node) else ()
        return found
