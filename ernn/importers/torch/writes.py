"""Steps that a program writes into a tensor, `out[:, t] = h`, as the stack that they make."""

from dataclasses import dataclass, field, replace

from ernn.importers.torch.graph import Graph, Node, Ref, refs

_NEW = ("zeros", "new_zeros", "empty", "new_empty", "ones", "new_ones", "zeros_like", "empty_like")


@dataclass
class _Written:
    """A new tensor, and what is written at each place along an axis."""

    node: Node
    dims: set[int] = field(default_factory=set)
    places: dict[int, Ref] = field(default_factory=dict)
    selected: dict[str, int] = field(default_factory=dict)  # nodes that pick a place
    end: str = ""  # the last node that writes
    other: int = -1  # where something else reads it first

    def stack(self, order: dict[str, int]) -> Node:
        """Return the stack, if each place is written once before anything reads the whole."""
        dim = next(iter(self.dims))
        early = 0 <= self.other < order[self.end]
        places = list(range(self.node.shapes[0][dim]))
        if len(self.dims) != 1 or early or self.selected or sorted(self.places) != places:
            return replace(self.node, op="copy_")
        args = {"tensors": [self.places[place] for place in places], "dim": dim}
        return replace(self.node, op="stack", overload="default", args=args)


def stacked(graph: Graph) -> Graph:
    """Return a graph in which tensors that are written step by step are stacks of the steps.

    A tensor that is written in another way becomes a `copy_`, which no walk follows.
    """
    order = {node.name: index for index, node in enumerate(graph.nodes)}
    found = {node.name: _Written(node) for node in graph.nodes if node.op in _NEW}
    picks: dict[str, str] = {}
    for node in graph.nodes:
        args, base = node.args, _base(node)
        if node.op == "select" and base in found:
            picks[node.name] = base
            dim = args["dim"] % len(found[base].node.shapes[0])
            found[base].dims.add(dim)
            found[base].selected[node.name] = args["index"] % found[base].node.shapes[0][dim]
        elif node.op == "copy_" and base in picks and isinstance(args["src"], Ref):
            one = found[picks[base]]
            place = one.selected.pop(base, None)
            if place is None or place in one.places:
                one.dims.add(-1)  # written twice: no stack
            else:
                one.places[place], one.end = args["src"], node.name
        else:
            for ref in refs(list(args.values())):
                name = picks.get(ref.name, ref.name)
                if name in found and found[name].other < 0:
                    found[name].other = order[node.name]
    written = {name: one for name, one in found.items() if one.end}
    ends = {one.end: one for one in written.values()}
    gone = written.keys() | {name for name, base in picks.items() if base in written}
    kept = []
    for node in graph.nodes:
        if node.name in ends:
            kept.append(ends[node.name].stack(order))
        elif node.name not in gone and not (node.op == "copy_" and _base(node) in gone):
            kept.append(node)
    return replace(graph, nodes=tuple(kept))


def _base(node: Node) -> str:
    base = node.args.get("self")
    return base.name if isinstance(base, Ref) else ""
