"""The graph of an ONNX model at known sizes: `If` and `Loop` resolved, constants and shapes known.

Nothing is renamed, so a tensor at a cut has the name that the file gives it. What follows from
the sizes alone (`loose`) is known here, and still computed in the parts that stay on the host:
they take sequences of any length.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TypeProto, ValueInfoProto

_LARGEST_FOLDED = 2**27  # elements of all folded constants together
_MOST_ROUNDS = 1000  # of a loop that is written out
_TO_INFERENCE = 1024  # elements of a constant that may decide a shape
_NEVER_FOLDED = {"LSTM", "GRU", "RNN", "If", "Loop", "Scan", "SequenceMap"} | {
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
}


class Graph:
    """A model at one size of its free dimensions.

    Args:
        model: from `read_onnx`.
        fixed: values of graph inputs.
        sizes: of dimensions by `dimension`; a free one that is not named is 1.

    Raises:
        ModelFileError: an `If` depends on an input, or an input has no shape.
    """

    def __init__(
        self, model: "ModelProto", fixed: Mapping[str, np.ndarray], sizes: Mapping[str, int]
    ) -> None:
        from onnx import numpy_helper

        self.model = model
        self.opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
        self.nodes: list[NodeProto] = []  # what runs, in order; shape arithmetic too
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.types: dict[str, TypeProto] = {}
        self.values: dict[str, np.ndarray] = {}
        self.loose: set[str] = set()
        self.notes: list[str] = []
        self._budget = _LARGEST_FOLDED
        for tensor in model.graph.initializer:
            self.values[tensor.name] = numpy_helper.to_array(tensor)
        self.values.update(fixed)
        self.inputs = [one for one in model.graph.input if one.name not in self.values]
        self.outputs = [one.name for one in model.graph.output]
        for one in self.inputs:
            shape = tuple(_size(one, axis, sizes) for axis in range(rank(one)))
            self._know(one.name, _typed(one.type.tensor_type.elem_type, shape))
        self._defined = {one.name for one in self.inputs} | set(self.values)
        self._visit(model.graph.node, {})
        self.producers = {name: node for node in self.nodes for name in node.output if name}

    @property
    def live(self) -> "list[NodeProto]":
        """The nodes that compute something from the data."""
        return [n for n in self.nodes if any(name and name not in self.values for name in n.output)]

    def constant(self, name: str) -> np.ndarray | None:
        """Return the value of a tensor that does not depend on the data."""
        return self.values.get(name)

    def _know(self, name: str, kind: "TypeProto") -> None:
        self.types[name] = kind
        dims = kind.tensor_type.shape.dim if kind.tensor_type.HasField("shape") else None
        if dims is not None and all(one.dim_value > 0 for one in dims):
            self.shapes[name] = tuple(one.dim_value for one in dims)

    def _visit(self, nodes: "Sequence[NodeProto]", scope: dict[str, str]) -> None:
        for original in nodes:
            node = type(original)()
            node.CopyFrom(original)
            node.input[:] = [scope.get(name, name) for name in original.input]
            for index, name in enumerate(original.output):
                if name in self._defined:
                    scope[name] = node.output[index] = self._unused(name)
                if name:
                    self._defined.add(node.output[index])
            if node.op_type == "If":
                self._choose(node, scope)
            elif node.op_type == "Loop" and self._counted(node):
                self._repeat(node, scope)
            else:
                self._enter(node)

    def _unused(self, name: str) -> str:
        count = 2
        while f"{name}~{count}" in self._defined:
            count += 1
        return f"{name}~{count}"

    def _choose(self, node: "NodeProto", scope: dict[str, str]) -> None:
        """Visit the branch of an `If` that is taken."""
        from onnx import helper

        condition = self.values.get(node.input[0])
        if condition is None:
            roots = sorted(self._roots(node.input[0]))
            raise ModelFileError(
                f"the branch of the If {node.name!r} depends on {', '.join(roots)}",
                remedy=f"give its value, such as inputs={{{roots[0]!r}: ...}}"
                if roots
                else "export the network without branches",
            )
        chosen = "then_branch" if condition.all() else "else_branch"
        told = f"the If {node.name!r} takes its {chosen.replace('_', ' ')}"
        self.notes.append(told + (", at these sizes" if node.input[0] in self.loose else ""))
        branch: GraphProto = next(a.g for a in node.attribute if a.name == chosen)
        inner = self._opened(branch, scope)
        self._visit(branch.node, inner)
        for result, name in zip(branch.output, node.output, strict=True):
            given = inner.get(result.name, result.name)
            self._enter(helper.make_node("Identity", [given], [name], name=f"{node.name}:{name}"))

    def _opened(self, graph: "GraphProto", scope: dict[str, str]) -> dict[str, str]:
        """Return the scope of an inner graph, with its own constants in it."""
        from onnx import numpy_helper

        inner = dict(scope)
        for tensor in graph.initializer:
            inner[tensor.name] = self._constant(tensor.name, numpy_helper.to_array(tensor))
        return inner

    def _constant(self, name: str, value: np.ndarray) -> str:
        """Define a constant and return the name that it gets."""
        free_name = self._unused(name) if name in self._defined else name
        self._defined.add(free_name)
        self.values[free_name] = value
        return free_name

    def _counted(self, node: "NodeProto") -> bool:
        """Whether the rounds of a `Loop` follow from constants alone."""
        return all(
            not name or (name in self.values and name not in self.loose) for name in node.input[:2]
        )

    def _repeat(self, node: "NodeProto", scope: dict[str, str]) -> None:
        """Visit the body of a `Loop` as often as it runs: TensorFlow's layers, step by step.

        It stays a node where that depends on the data, or is too often.
        """
        from onnx import helper

        body: GraphProto = next(a.g for a in node.attribute if a.name == "body")
        limit, going = (self.values[name] if name else None for name in node.input[:2])
        carried, before = list(node.input[2:]), len(self.nodes)
        fixed, stacked = self._opened(body, scope), list[list[str]]()
        while (limit is None or len(stacked) < limit) and (going is None or going.all()):
            counter = self._constant(f"{node.name}:round", np.array(len(stacked), np.int64))
            always = self._constant(f"{node.name}:going", np.array(True))
            names = [one.name for one in body.input]
            inner = {**fixed, **dict(zip(names, [counter, always, *carried], strict=True))}
            self._visit(body.node, inner)
            condition, *made = (inner.get(one.name, one.name) for one in body.output)
            going = self.values.get(condition)
            carried, rows = made[: len(carried)], made[len(carried) :]
            stacked.append(rows)
            if going is None or len(stacked) > _MOST_ROUNDS:
                break
        if not stacked or going is None or len(stacked) > _MOST_ROUNDS:
            del self.nodes[before:]
            return self._enter(node)
        self.notes.append(f"the Loop {node.name!r} was written out: {len(stacked)} rounds")
        results = zip(node.output, [*carried, *zip(*stacked, strict=True)], strict=True)
        for name, made_of in results:
            if name and isinstance(made_of, str):
                self._enter(helper.make_node("Identity", [made_of], [name], name=name))
            elif name:
                self._enter(self._piled(made_of, name))
        return None

    def _piled(self, rows: Sequence[str], name: str) -> "NodeProto":
        """Return the node that stacks what the rounds of a loop made."""
        from onnx import helper

        axes = self._constant(f"{name}:axes", np.array([0], np.int64))
        made = []
        for row in rows:
            made.append(self._unused(f"{row}:row"))
            self._defined.add(made[-1])
            node = helper.make_node("Unsqueeze", [row, axes], [made[-1]], name=made[-1])
            if self.opset < 13:
                node = helper.make_node("Unsqueeze", [row], [made[-1]], name=made[-1], axes=[0])
            self._enter(node)
        return helper.make_node("Concat", made, [name], name=name, axis=0)

    def _roots(self, name: str) -> set[str]:
        makers = {made: node for node in self.nodes for made in node.output}
        found, left = set(), [name]
        while left:
            one = left.pop()
            if one in makers:
                left.extend(makers[one].input)
            elif one in {given.name for given in self.inputs}:
                found.add(one)
        return found

    def _enter(self, node: "NodeProto") -> None:
        """Take one node: its value where that is known, or else its shapes."""
        given = [name for name in node.input if name]
        kinds = self._inferred(node, given)
        for name, kind in kinds.items():
            self._know(name, kind)
        known = all(name in self.values for name in given)
        if node.op_type in ("Shape", "Size") and given[0] in self.shapes and not known:
            like = np.broadcast_to(np.float32(0), self.shapes[given[0]])
            self._fold(node, [like], loose=True)
        elif known and node.op_type not in _NEVER_FOLDED and self._affordable(node):
            values = [self.values[name] if name else None for name in node.input]
            self._fold(node, values, loose=any(name in self.loose for name in given))
        if not all(name in self.values and name not in self.loose for name in node.output if name):
            self.nodes.append(node)

    def _fold(self, node: "NodeProto", values: Sequence[np.ndarray | None], loose: bool) -> None:
        try:
            made = evaluate(node, values, self.opset)
        except Exception:  # the reference lacks it, or the node is wrong: it runs on the host
            return
        for name, value in zip(node.output, made, strict=False):
            if name:
                self.values[name] = np.asarray(value)
                self.shapes[name] = np.shape(value)
                if loose:
                    self.loose.add(name)

    def _affordable(self, node: "NodeProto") -> bool:
        sizes = [self.shapes.get(name) for name in node.output if name]
        if node.op_type != "Constant":
            if any(shape is None for shape in sizes):
                return False
            self._budget -= sum(prod(shape) for shape in sizes if shape is not None)
        if self._budget < 0:
            raise ModelFileError(
                f"the constants of the graph grow beyond {_LARGEST_FOLDED:,} values",
                given=f"{node.op_type} {node.name!r}",
            )
        return True

    def _inferred(self, node: "NodeProto", given: Sequence[str]) -> "dict[str, TypeProto]":
        from onnx import defs, helper, numpy_helper, shape_inference

        types, data = {}, {}
        for name in given:
            value = self.values.get(name)
            if value is None:
                if name not in self.types:
                    return {}
                types[name] = self.types[name]
                continue
            value = np.asarray(value)
            types[name] = _typed(helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            if value.size <= _TO_INFERENCE:
                data[name] = numpy_helper.from_array(value)
        try:
            schema = defs.get_schema(node.op_type, self.opset, "")
            return shape_inference.infer_node_outputs(
                schema,
                node,
                types,
                data,
                opset_imports=[helper.make_opsetid("", self.opset)],
                ir_version=self.model.ir_version,
            )
        except Exception:  # shapes that cannot be inferred: what follows is opaque
            return {}


def dimension(one: "ValueInfoProto", axis: int) -> str:
    """Return the name of a dimension of a graph input."""
    return str(one.type.tensor_type.shape.dim[axis].dim_param) or f"{one.name}[{axis}]"


def free(one: "ValueInfoProto", axis: int) -> bool:
    """Whether a dimension of a graph input has no fixed size."""
    return not one.type.tensor_type.shape.dim[axis].HasField("dim_value")


def rank(one: "ValueInfoProto") -> int:
    """Return the number of dimensions of a graph input.

    Raises:
        ModelFileError: it is not known.
    """
    if not one.type.tensor_type.HasField("shape"):
        raise ModelFileError(
            f"the input {one.name!r} has no shape",
            remedy="export with shapes; a dimension may be free",
        )
    return len(one.type.tensor_type.shape.dim)


def _size(one: "ValueInfoProto", axis: int, sizes: Mapping[str, int]) -> int:
    fallback = 1 if free(one, axis) else one.type.tensor_type.shape.dim[axis].dim_value
    return sizes.get(dimension(one, axis), fallback)


def _typed(element: int, shape: tuple[int, ...]) -> "TypeProto":
    from onnx import helper

    return helper.make_tensor_type_proto(element, shape)


def evaluate(
    node: "NodeProto", values: Sequence[np.ndarray | None], opset: int
) -> list[np.ndarray]:
    """Return what a node makes of values (None for inputs left out), by onnx.reference."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    feeds = {f"in{at}": value for at, value in enumerate(values) if value is not None}
    copied = type(node)()
    copied.CopyFrom(node)
    copied.input[:] = [f"in{at}" if v is not None else "" for at, v in enumerate(values)]
    copied.output[:] = [name and f"out{at}" for at, name in enumerate(node.output)]
    infos = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names if name]
        for names in (feeds, copied.output)
    ]
    graph = helper.make_graph([copied], "node", infos[0], infos[1])
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets)
    return list(ReferenceEvaluator(model).run(None, feeds))
