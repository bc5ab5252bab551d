"""Links that read several others: concatenations and sums of outputs, beside a chain's one by one.

What a link reads is told by origins, so that it does not matter how an exporter put values
together: columns are whole outputs of other links, or all that enters the first.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ernn.importers.layers import Added, Item, Joined, LastStep
from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.links import Link, Links, named, places_of, same
from ernn.importers.onnx.origins import Origins
from ernn.importers.onnx.uses import Uses

if TYPE_CHECKING:
    from onnx import NodeProto

_SIGNS = {"Add": (1.0, 1.0), "Sub": (1.0, -1.0)}


def parts_of(rows: np.ndarray, links: Sequence[Link]) -> tuple[int, ...] | None:
    """Return the links whose outputs lie side by side in rows (T, n), or in one row of last steps.

    Args:
        rows: origins.
        links: that may be read; -1 stands for what enters the first.
    """
    known = {-1: links[0].into} | {place: link.out for place, link in enumerate(links)}
    steps, found, first = len(links[0].into), [], 0
    if len(rows) not in (1, steps):
        return None
    made = {out[-len(rows) :, 0].tobytes(): (n, out[-len(rows) :]) for n, out in known.items()}
    while first < rows.shape[1]:
        n, out = made.get(rows[:, first].tobytes(), (-1, None))
        if out is None or not same(rows[:, first : first + out.shape[1]], out):
            return None
        found.append(n)
        first += out.shape[1]
    return tuple(found)


def operands(link: Link) -> list[np.ndarray]:
    """Return the rows that a link reads: of a sum those of each operand."""
    return np.split(link.into, 2, axis=1) if isinstance(link.item, Added) else [link.into]


def items_of(links: Sequence[Link]) -> Iterator[Item]:
    """Yield what `assemble` takes, each item behind all that it reads."""
    places = {-1: -1}  # of what each link makes, among the items
    count = 0
    for number, link in enumerate(links):
        reads = []
        for rows in operands(link):
            parts = parts_of(rows, links[:number] or links[:1])
            assert parts is not None
            entering = []
            for part in parts:
                place = places[part]
                made = links[0].into if part < 0 else links[part].out
                if len(made) != len(rows):
                    yield Joined("", (place,))
                    yield LastStep(f"the last step before {link.item.name}")
                    count += 2
                    place = count - 1
                entering.append(place)
            if len(entering) > 1:
                yield Joined(f"Concat before {link.item.name}", tuple(entering))
                count += 1
                entering = [count - 1]
            reads += entering
        if isinstance(link.item, Added):
            yield Added(link.item.name, tuple(reads), link.item.signs)
        else:
            if reads != [count - 1]:
                yield Joined("", tuple(reads))
                count += 1
            yield link.item
        count += 1
        places[number] = count - 1


class Webs:
    """Grows chains into webs of links."""

    def __init__(self, graph: Graph, origins: Origins, links: Links, uses: Uses) -> None:
        self.graph, self.origins, self.links, self.uses = graph, origins, links, uses

    def grown(self, chain: Sequence[Link], end: np.ndarray | None) -> list[Link] | None:
        """Return the largest web with a chain in it that reads outputs together, if there is one.

        Args:
            chain: that follow each other.
            end: the origins that have to leave it, sorted; None: as many links as possible.

        Returns:
            Links, each behind those that it reads, or None.
        """
        every = self._behind(chain)
        for last in range(len(every) - 1, -1, -1):
            web = self._leading_to(last, every)
            several = any(len(parts_of(link.into, every) or ()) > 1 for link in web)
            ends = end is None or same(end, np.sort(every[last].out, axis=None))
            if several and ends and set(map(id, chain[:1])) <= set(map(id, web)):
                if self._closed(web):
                    return web
        return None

    def _behind(self, chain: Sequence[Link]) -> list[Link]:
        """Return a chain's links and all that can be read of them, in order."""
        found = list(chain)
        inside = {id(node) for link in found for node in link.nodes}
        for node in self.graph.live:
            if id(node) in inside:
                continue
            layer = self.uses.layer_of.get(id(node))
            link = self._link(node, found) if layer is None else layer
            if link is not None and all(parts_of(one, found) for one in operands(link)):
                found.append(link)
                inside |= {id(one) for one in link.nodes}
        return found

    def _link(self, node: "NodeProto", found: Sequence[Link]) -> Link | None:
        """Return the link of a node that reads what some links make."""
        if (link := self.links.whole(node)) is not None:
            return link
        made = self.origins.of(node.output[0])
        views = [self.origins.of(name) for name in node.input if self._varies(name)]
        reads = [one for one in views if one is not None]
        if made is None or len(reads) < len(views) or any(one.shape != made.shape for one in reads):
            return None
        if len(reads) == 1:
            tried = (self.links.behind(node, rows) for rows in self._rows(reads[0], found))
            return next((link for link in tried if link is not None), None)
        if len(reads) == 2 and node.op_type in _SIGNS:
            item = Added(named(node), (), _SIGNS[node.op_type])
            for rows in self._rows(reads[0], found):
                places = places_of(reads[0], rows)
                if places is not None:
                    into = np.concatenate([rows, reads[1].ravel()[places]], axis=1)
                    return Link(item, (node,), into, made.ravel()[places])
        return None

    def _rows(self, view: np.ndarray, found: Sequence[Link]) -> Iterator[np.ndarray]:
        """Yield what the rows (T, n) of a tensor may be: those of a link, or as they lie."""
        first, steps = view.ravel()[0], len(found[0].into)
        for rows in (found[0].into, *(link.out for link in found)):
            if view.size in (rows.size, rows[-1:].size) and (rows == first).any():
                yield rows if view.size == rows.size else rows[-1:]
        if view.size % steps == 0:
            yield view.reshape(steps, -1)

    def _varies(self, name: str) -> bool:
        return bool(name) and name not in self.graph.values

    def _leading_to(self, last: int, every: Sequence[Link]) -> list[Link]:
        """Return a link and all that it reads, directly or not, in order."""
        needed = {last}
        for number in range(last, -1, -1):
            if number in needed:
                for rows in operands(every[number]):
                    needed.update(parts_of(rows, every[:number] or every[:1]) or ())
        return [every[number] for number in sorted(needed - {-1})]

    def _closed(self, web: Sequence[Link]) -> bool:
        """Whether nothing outside reads what is made within, but for the last link's output."""
        inside = {id(node) for link in web for node in link.nodes}
        return all(id(use.node) in inside for link in web[:-1] for use in self.uses.leaving(link))
