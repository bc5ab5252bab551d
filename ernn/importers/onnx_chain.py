"""The largest chain of a graph that ernn can build around recurrent layers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.layers import Activation, Affine, Item, LastStep, Linear, Recurrent
from ernn.importers.onnx_cells import Cells
from ernn.importers.onnx_graph import Graph
from ernn.importers.onnx_links import Link, Links, State, is_recurrent, named, same
from ernn.importers.onnx_origins import Origins
from ernn.importers.onnx_recurrent import KINDS

if TYPE_CHECKING:
    from onnx import NodeProto


@dataclass(frozen=True)
class Use:
    """A reader of values: an operation, or an output of the graph (node None)."""

    node: "NodeProto | None"
    tensor: str
    codes: np.ndarray


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


class Chains:
    """Finds the chains of a graph.

    Args:
        graph: at known sizes.
        start: the tensor at which the hardware has to begin, or None.
        end: the tensor that has to leave it, or None.
    """

    def __init__(self, graph: Graph, start: str | None = None, end: str | None = None) -> None:
        self.graph, self.origins = graph, Origins(graph)
        self.links = Links(graph, self.origins)
        self.start, self.end = self._cut("start", start), self._cut("end", end)
        self.refusals: dict[str, str] = {}  # by the name of a node: why it is not built
        self._error: ModelFileError | None = None  # the first of them
        self.layers = {self._maker(one): one for one in self._recurrent()}
        self._inside = {id(node): one for one in self.layers.values() for node in one.nodes}
        self._uses = self._all_uses()

    def _recurrent(self) -> list[Link]:
        found = Cells(self.graph, self.origins, self.links).layers()
        for node in self.graph.live:
            if node.op_type in KINDS:
                try:
                    found.append(self.links.recurrent(node))
                except ModelFileError as error:
                    self._refuse(named(node), error)
        return found

    def _refuse(self, name: str, error: ModelFileError) -> None:
        self.refusals[name] = str(error)
        self._error = self._error or error

    def _maker(self, link: Link) -> str:
        (maker,) = self.origins.made_by(link.out)
        return maker

    def candidates(self) -> list[Chain]:
        """Return the chains that hold a recurrent layer, the one of most weights first.

        Raises:
            ModelFileError: there is none; says why.
        """
        found: list[Chain] = []
        for seed in self.layers.values():
            if any(seed.item.name == link.item.name for one in found for link in one.links):
                continue
            try:
                if (chain := self._grown(seed)) is not None:
                    found.append(chain)
            except ModelFileError as error:
                self._refuse(seed.item.name, error)
        if not found:
            if self.layers and (self.start is not None or self.end is not None):
                raise ModelFileError(
                    "no part that ernn can build lies between start and end",
                    remedy="leave them out to see where it would cut",
                )
            if self._error is not None:
                raise self._error
            raise ModelFileError(
                "there is no recurrent layer in the graph that ernn knows",
                allowed="LSTM, GRU and RNN nodes, and cells of them taken apart",
                remedy="export the network with whole layers",
            )
        return sorted(found, key=lambda chain: -chain.weights)

    def _cut(self, argument: str, name: str | None) -> np.ndarray | None:
        if name is None:
            return None
        codes = self.origins.of(name)
        if codes is None:
            raise ModelFileError(
                f"{argument} = {name!r}: no tensor of the graph",
                allowed=", ".join(list(self.origins.order)[:20]) + ", ...",
            )
        return np.sort(codes, axis=None)

    def _at(self, cut: np.ndarray | None, rows: np.ndarray) -> bool:
        return cut is not None and cut.size == rows.size and same(cut, np.sort(rows, axis=None))

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

    def _grown(self, seed: Link) -> Chain | None:
        links = [seed]
        while not self._at(self.start, links[0].into) and (front := self._in_front(links[0])):
            links.insert(0, front)
        while not self._at(self.end, links[-1].out) and not self._at(self.end, links[-1].out[-1:]):
            if (behind := self._behind(links[-1])) is None:
                break
            links.append(behind)
        if self.start is not None and not self._at(self.start, links[0].into):
            return None
        if self.end is not None and not any(self._at(self.end, links[-1].out[n:]) for n in (0, -1)):
            return None
        chain = Chain(links)
        self._trim(chain)
        self._states(chain)
        self._leave(chain)
        return chain

    def _readers(self, out: np.ndarray) -> list[Use]:
        """Return who reads values that have one maker."""
        (maker,) = self.origins.made_by(out)
        return self._uses.get(maker, [])

    def _leaving(self, link: Link) -> list[Use]:
        """Return who reads what a link gives out, last states and its own steps aside."""
        return [use for use in self._outer(link) if not self._only_states(use, link)]

    def _outer(self, link: Link) -> list[Use]:
        return [use for use in self._readers(link.out) if not self._is_inside(use, link)]

    def _is_inside(self, use: Use, link: Link) -> bool:
        return use.node is not None and self._inside.get(id(use.node)) is link

    def _in_front(self, link: Link) -> Link | None:
        makers = self.origins.made_by(link.into)
        if len(makers) != 1:
            return None
        front = self.layers.get(makers[0])
        if front is None:
            node = self.graph.producers.get(makers[0])
            inside = node is None or id(node) in self._inside
            front = None if inside or node is None else self.links.making(node, link.into)
        elif not any(same(front.out[first:], link.into) for first in (0, -1)):
            return None
        if front is None:
            return None
        readers = {id(node) for node in link.nodes}
        return front if all(id(use.node) in readers for use in self._leaving(front)) else None

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

    def _behind(self, link: Link) -> Link | None:
        nodes = {id(use.node): use.node for use in self._leaving(link)}
        layers = {id(one): one for one in (self._inside.get(at) for at in nodes) if one}
        if len(layers) == 1 and all(at in self._inside for at in nodes):
            (layer,) = layers.values()
            return layer if any(same(link.out[n:], layer.into) for n in (0, -1)) else None
        (node,) = nodes.values() if len(nodes) == 1 else (None,)
        if node is None or layers:
            return None
        return self.links.behind(node, link.out)

    def _trim(self, chain: Chain) -> None:
        """Leave functions at the ends to a host that is there anyway: each needs a matrix."""
        links = chain.links
        kinds = [type(link.item) for link in links]
        matrix = next(at for at, kind in enumerate(kinds) if kind in (Linear, Recurrent))
        given = self.origins.made_by(links[0].into)[0] not in self.graph.producers
        if Activation in kinds[:matrix] and not given and self.start is None:
            bare = max(at for at in range(matrix) if kinds[at] is Activation)
            del links[: bare + 1]
        host = any(use.node is not None for use in self._readers(links[-1].out))
        behind = max(at for at, link in enumerate(links) if is_recurrent(link)) + 1
        rest = [type(link.item) for link in links[behind:]]
        if host and Linear not in rest and self.end is None:
            del links[behind:]

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
        for use in self._readers(state.after):
            if use.node is not None and not self._is_inside(use, link):
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

    def _leave(self, chain: Chain) -> None:
        """Name the tensors at the cuts, and the outputs that stay in the accelerator."""
        first, final = chain.links[0], chain.links[-1]
        chain.entering = self._tensor(first.into) or ""
        if not chain.entering:
            raise ModelFileError(f"the frames that enter {first.item.name} lie in no tensor whole")
        kept = self._kept_outputs(chain)
        uses = [use for use in self._outer(final) if use.tensor not in kept]
        if not uses:  # what leaves the network is a last state too
            uses = [use for use in self._outer(final) if use.tensor not in chain.fed.values()]
            uses = uses[:1] or self._outer(final)[:1]
            kept -= {use.tensor for use in uses}
        rows = final.out
        wanted = [use for use in uses if np.isin(rows[:-1], use.codes).any()]
        if not wanted and len(rows) > 1:
            rows, chain.last = rows[-1:], True
        outputs = [u.tensor for u in uses if u.node is None and same(u.codes.ravel(), rows.ravel())]
        alone = len(uses) == len(outputs) == 1
        chain.leaving = outputs[0] if alone else self._tensor(rows) or ""
        if not chain.leaving:
            raise ModelFileError(f"what leaves {final.item.name} lies in no tensor whole")
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

    def _tensor(self, rows: np.ndarray) -> str | None:
        """Return the first tensor that holds rows (T, n) in their order."""
        for name in self.origins.order:
            codes = self.origins.of(name)
            if codes is not None and codes.size == rows.size:
                if same(codes.ravel(), rows.ravel()):
                    return name
        return None


def others(chains: Sequence[Chain]) -> list[str]:
    """Return notes on the chains that were not taken."""
    taken = chains[0]
    return [
        f"also possible: {one.entering} to {one.leaving} with {one.weights:,} weights beside "
        f"{taken.weights:,}; choose it by start={one.entering!r}, end={one.leaving!r}"
        for one in chains[1:]
    ]
