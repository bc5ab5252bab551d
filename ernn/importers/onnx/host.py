"""The parts of a graph as models of their own: in front of the hardware, in its place, behind."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.network import Outside
from ernn.importers.onnx.cuts import Chain
from ernn.importers.onnx.graph import Graph, dimension, free, rank
from ernn.importers.onnx.links import ELEMENTWISE, named
from ernn.importers.onnx.origins import Origins
from ernn.importers.onnx.recurrent import KINDS
from ernn.importers.onnx.runtime import runnable

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

_UNKNOWN = "ernn builds no such operation"
_CONV = "ernn builds convolutions over one step only"
_JOINS = "it joins two tensors that are computed; ernn scales and adds constants"
_APART = "ernn could build it, but not in one chain with what was taken"


class Parts:
    """Cuts models out of a graph.

    Args:
        graph: at known sizes.
        chain: what becomes hardware.
        lengths: dimensions of graph inputs that stay free.
    """

    def __init__(self, graph: Graph, chain: Chain, lengths: Collection[str]) -> None:
        self.graph, self.chain = graph, chain
        self.lengths = lengths
        fixed = not any(free(one, axis) for one in graph.inputs for axis in range(rank(one)))
        self.constant = set(graph.values) - (set() if fixed else graph.loose)
        hardware = {id(node) for node in chain.nodes}
        kept = {*chain.ignored}
        behind = {chain.leaving}
        self.after: list[NodeProto] = []
        for node in graph.nodes:
            if id(node) not in hardware and not behind.isdisjoint(node.input):
                self.after.append(node)
                behind.update(node.output)
        made = {name for node in self.after for name in node.output}
        self.after_outputs = [n for n in graph.outputs if n in made and n not in kept]
        self.after = self._needed(self.after_outputs, {chain.leaving}, self.after)
        reads = [name for node in self.after for name in node.input if name and name not in made]
        known = {chain.leaving} | self.constant
        self.crossing = [name for name in dict.fromkeys(reads) if name not in known]
        rest = [n for n in graph.outputs if n not in made and n not in kept and n != chain.leaving]
        given = {one.name for one in graph.inputs}
        wanted = dict.fromkeys([chain.entering, *self.crossing, *rest])
        self.before_outputs = [name for name in wanted if name not in given]
        self.before = self._needed(self.before_outputs, set(), graph.nodes)
        for node in self.before:
            if id(node) in hardware:
                raise ModelFileError(
                    f"the host needs what {named(node)} inside the hardware computes",
                    remedy="choose another part by start and end, or export for a fixed length",
                )

    def host(self) -> dict[str, bytes]:
        """Return before.onnx and after.onnx, those that hold an operation."""
        given = [one.name for one in self.graph.inputs]
        found = {}
        if self.before:
            reads = {name for node in self.before for name in node.input}
            inputs = [name for name in given if name in reads]
            model = self.model(self.before, inputs, self.before_outputs)
            found["before.onnx"] = model.SerializeToString()
        if self.after:
            inputs = [self.chain.leaving, *self.crossing]
            found["after.onnx"] = self.model(
                self.after, inputs, self.after_outputs
            ).SerializeToString()
        return found

    def replaced(self) -> "ModelProto":
        """Return what becomes hardware, with its states as inputs and outputs."""
        inputs = [self.chain.entering, *self.chain.fed]
        outputs = [self.chain.leaving, *self.chain.fed.values()]
        plain = [made for node in self.graph.nodes for made in runnable(node, self.graph)]
        nodes = self._needed(outputs, set(inputs), plain)
        made = {name for node in nodes for name in node.output} | set(inputs) | {""}
        for node in nodes:
            for name in node.input:
                if name not in made and name not in self.graph.values:
                    raise ModelFileError(
                        f"{named(node)} inside the part to build reads {name!r} from outside",
                        remedy="choose another part by start and end",
                    )
        return self.model(nodes, inputs, outputs)

    def outside(self, refusals: Mapping[str, str], origins: Origins) -> tuple[Outside, ...]:
        """Return the operations that stay on the host."""
        found = []
        for node in [*self.before, *self.after]:
            live = any(name and name not in self.graph.values for name in node.output)
            if live and not origins.moves(node):
                reason = refusals.get(named(node)) or self._reason(node)
                found.append(Outside(f"{named(node)} ({node.op_type})", reason))
        return tuple(found)

    def _reason(self, node: "NodeProto") -> str:
        if node.op_type == "Conv":
            return _CONV
        if node.op_type not in (*KINDS, *ELEMENTWISE, "MatMul", "Gemm"):
            return _UNKNOWN
        computed = [name for name in node.input if name and name not in self.graph.values]
        return _JOINS if len(computed) > 1 and node.op_type not in KINDS else _APART

    def _needed(
        self, outputs: Sequence[str], inputs: Collection[str], nodes: "Sequence[NodeProto]"
    ) -> "list[NodeProto]":
        """Return the nodes that outputs need, in order."""
        left, kept = set(outputs), []
        for node in reversed(nodes):
            if not left.isdisjoint(set(node.output) - set(inputs) - self.constant - {""}):
                kept.append(node)
                left.update(node.input)
                left.update(name for a in node.attribute for name in _captured(a))
        return kept[::-1]

    def steps_axis(self, name: str) -> int | None:
        """Return which axis of a tensor at a cut holds the steps; None for a single step."""
        links, entering = self.chain.links, name == self.chain.entering
        steps = len(links[0].into if entering else links[-1].out)
        if steps == 1 or (self.chain.last and not entering):
            return None
        return next(axis for axis, size in enumerate(self.graph.shapes[name]) if size > 1)

    def model(
        self, nodes: "Sequence[NodeProto]", inputs: Sequence[str], outputs: Sequence[str]
    ) -> "ModelProto":
        """Return a model of these nodes."""
        from onnx import helper, numpy_helper

        graph = self.graph
        read = {name for node in nodes for name in node.input} | set(outputs)
        read |= {name for node in nodes for a in node.attribute for name in _captured(a)}
        made = {name for node in nodes for name in node.output}
        held = [n for n in graph.values if n in read and n not in made and n not in inputs]
        weights = [numpy_helper.from_array(np.asarray(graph.values[n]), n) for n in held]
        entering, results = ([self._info(name) for name in names] for names in (inputs, outputs))
        made_graph = helper.make_graph(nodes, "part", entering, results, weights)
        opsets = [helper.make_opsetid("", graph.opset)]
        return helper.make_model(
            made_graph, opset_imports=opsets, ir_version=max(4, graph.model.ir_version)
        )

    def _info(self, name: str) -> "ValueInfoProto":
        """Return name, type and shape of an input or output of a part."""
        from onnx import TensorProto, helper

        known = self.graph.types.get(name)
        kind = known.tensor_type.elem_type if known is not None else TensorProto.FLOAT
        shape: list[int | str | None] = [*self.graph.shapes.get(name, ())]
        given = next((one for one in self.graph.inputs if one.name == name), None)
        if given is not None:
            for axis in range(len(shape)):
                shape[axis] = dimension(given, axis) if free(given, axis) else shape[axis]
        elif name in (self.chain.entering, self.chain.leaving):
            steps = self.steps_axis(name)
            if steps is not None and self.lengths:
                shape[steps] = "steps"
        else:
            shape = [None] * len(shape)
        return helper.make_tensor_value_info(name, kind, shape)


def _captured(attribute) -> set[str]:
    """Return the names that the graphs of an attribute read."""
    graphs = [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
    found: set[str] = set()
    for graph in graphs:
        for node in graph.node:
            found.update(node.input)
            for inner in node.attribute:
                found |= _captured(inner)
        found.update(one.name for one in graph.output)
    return found
