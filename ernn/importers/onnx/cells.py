"""Cells that an exporter took apart into MatMul, Split, Sigmoid and so on, put together again.

A step is recognised by what it computes: the polynomial that its output is of gates and states,
whatever order of operations made it, and the weights in front of each gate. Steps that read the
state of the one before, with the same weights, are one layer; a step whose state is an input and
an output of the graph is a layer that runs frame by frame.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.links import Link, Links, State, named
from ernn.importers.onnx.origins import Origins
from ernn.importers.onnx.steps import Step, Steps, key_of

if TYPE_CHECKING:
    from onnx import NodeProto


class Cells:
    """Finds the cells of a graph; see `layers`."""

    def __init__(self, graph: Graph, origins: Origins, links: Links) -> None:
        self.graph, self.origins = graph, origins
        self.steps = Steps(graph, origins, links)

    def layers(self) -> list[Link]:
        """Return the layers; what they give out becomes one origin each, step by step."""
        runs = [run for run in self._runs() if self._whole(run)]
        made = [(run, self._nodes(run)) for run in runs]
        out = [
            self.origins.join(f"{named(run[-1].node)}:Y", np.stack([one.after[0] for one in run]))
            for run in runs
        ]
        return [self._link(run, nodes, rows) for (run, nodes), rows in zip(made, out, strict=True)]

    def _whole(self, run: list[Step]) -> bool:
        """Whether steps are a layer: they have a state, and it starts from zero or an input."""
        given = {one.name for one in self.graph.inputs}
        starts = [one for one in run[0].before if one is not None]
        return run[-1].recurrent is not None and all(
            given.issuperset(self.origins.made_by(one)) for one in starts
        )

    def _runs(self) -> Iterator[list[Step]]:
        """Yield steps that follow each other with the same weights."""
        found, following = self.steps.find(), {}
        for step in found:
            before = self.steps.by_state.get(key_of(step.before[0]))
            if before is not None and step.continues(before):
                following[id(before)] = step
        later = {id(step) for step in following.values()}
        for step in found:
            if id(step) not in later:
                run = [step]
                while id(run[-1]) in following:
                    run.append(following[id(run[-1])])
                yield run

    def _link(self, run: list[Step], nodes, out: np.ndarray) -> Link:
        now = self.origins.now
        before = [None if one is None else now(one) for one in run[0].before]
        after = [out[-1], *run[-1].after[1:]]
        states = tuple(State(one, two) for one, two in zip(before, after, strict=True))
        into = now(np.stack([step.into for step in run]))
        return Link(run[-1].layer(), nodes, into, out, states)

    def _nodes(self, run: list[Step]) -> tuple["NodeProto", ...]:
        """Return every operation between what enters the steps and what leaves them."""
        states = [one for one in run[0].before if one is not None]
        border = np.concatenate([step.into for step in run] + states)
        left = [name for step in run for name in step.node.output]
        found: dict[int, NodeProto] = {}
        while left:
            name = left.pop()
            codes = self.origins.of(name)
            node = self.graph.producers.get(name)
            if node is None or id(node) in found or name in self.graph.values:
                continue
            if codes is not None and np.isin(codes, border).all():
                continue
            found[id(node)] = node
            left.extend(one for one in node.input if one)
        return tuple(found.values())
