"""The largest chain of a graph that ernn can build around recurrent layers."""

from collections.abc import Sequence

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.layers import Activation, Linear, Recurrent
from ernn.importers.onnx.cells import Cells
from ernn.importers.onnx.cuts import Chain, Cuts
from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.links import Link, Links, is_recurrent, named, same
from ernn.importers.onnx.origins import Origins
from ernn.importers.onnx.recurrent import KINDS
from ernn.importers.onnx.uses import Uses
from ernn.importers.onnx.webs import Webs


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
        self._uses = Uses(graph, self.origins, self.layers.values())
        self._cuts = Cuts(graph, self.origins, self._uses)
        self._webs = Webs(graph, self.origins, self.links, self._uses)

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
            loops = [node for node in self.graph.live if node.op_type in ("Loop", "Scan")]
            what = "there is no recurrent layer in the graph that ernn knows"
            if loops:
                what = f"{loops[0].op_type} {named(loops[0])} repeats a graph of its own"
            raise ModelFileError(
                what,
                allowed="LSTM, GRU and RNN nodes, and cells of them taken apart",
                remedy="export the network with whole layers"
                + ", or with a fixed number of steps" * bool(loops),
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

    def _grown(self, seed: Link) -> Chain | None:
        """Return the chain around a layer, or the web where outputs are read together."""
        links = [seed]
        while not self._at(self.start, links[0].into) and (front := self._in_front(links[0])):
            if _of_other_length(front, seed):
                break
            links.insert(0, front)
        while not self._at(self.end, links[-1].out) and not self._at(self.end, links[-1].out[-1:]):
            behind = self._behind(links[-1])
            if behind is None or _of_other_length(behind, seed):
                break
            links.append(behind)
        if self.start is not None and not self._at(self.start, links[0].into):
            return None
        if (web := self._web(links)) is not None:
            return web
        if self.end is not None and not any(self._at(self.end, links[-1].out[n:]) for n in (0, -1)):
            return None
        chain = Chain(links)
        self._trim(chain)
        return self._completed(chain)

    def _web(self, links: list[Link]) -> Chain | None:
        web: list[Link] | None = None
        while (found := self._webs.grown(links, self.end)) is not None:
            web, front = found, self._in_front(found[0], found)
            if front is None or self._at(self.start, found[0].into):
                break
            links = [front, *found]
        if web is None:
            return None
        chain = Chain(web, web=True)
        try:
            self._cuts.complete(chain)
        except ModelFileError:
            return None  # the chain alone may have tensors at its ends
        return chain

    def _completed(self, chain: Chain) -> Chain:
        """Return a chain with its cuts; what is behind the last tensor for a cut stays outside."""
        while True:
            try:
                self._cuts.complete(chain)
                return chain
            except ModelFileError:
                *links, last = chain.links
                if self.end is not None or is_recurrent(last) or not any(map(is_recurrent, links)):
                    raise
                for node in last.nodes:
                    self.refusals[named(node)] = "no tensor holds what it makes step after step"
                chain = Chain(links)

    def _in_front(self, link: Link, readers: Sequence[Link] = ()) -> Link | None:
        """Return the link that makes what a link reads, if nothing but it, or some links, does."""
        makers = self.origins.made_by(link.into)
        if len(makers) != 1:
            return None
        front = self.layers.get(makers[0])
        if front is None:
            node = self.graph.producers.get(makers[0])
            inside = node is None or id(node) in self._uses.layer_of
            front = None if inside or node is None else self.links.making(node, link.into)
        elif not any(same(front.out[first:], link.into) for first in (0, -1)):
            return None
        if front is None:
            return None
        nodes = {id(node) for one in (readers or (link,)) for node in one.nodes}
        return front if all(id(use.node) in nodes for use in self._uses.leaving(front)) else None

    def _behind(self, link: Link) -> Link | None:
        nodes = {id(use.node): use.node for use in self._uses.leaving(link)}
        layers = {id(one): one for one in (self._uses.layer_of.get(at) for at in nodes) if one}
        if len(layers) == 1 and all(at in self._uses.layer_of for at in nodes):
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
            self._leave(links[: bare + 1])
            del links[: bare + 1]
        host = any(use.node is not None for use in self._uses.readers(links[-1].out))
        behind = max(at for at, link in enumerate(links) if is_recurrent(link)) + 1
        rest = [type(link.item) for link in links[behind:]]
        if host and Linear not in rest and self.end is None:
            self._leave(links[behind:])
            del links[behind:]

    def _leave(self, links: Sequence[Link]) -> None:
        for node in (node for link in links for node in link.nodes):
            self.refusals[named(node)] = "without a linear layer in front it would cost a matrix"


def _of_other_length(link: Link, seed: Link) -> bool:
    """Whether a layer reads another number of steps, such as the last one alone."""
    return is_recurrent(link) and len(link.out) != len(seed.out)


def others(chains: Sequence[Chain]) -> list[str]:
    """Return notes on the chains that were not taken."""
    taken = chains[0]
    return [
        f"also possible: {one.entering} to {one.leaving} with {one.weights:,} weights beside "
        f"{taken.weights:,}; choose it by start={one.entering!r}, end={one.leaving!r}"
        for one in chains[1:]
    ]
