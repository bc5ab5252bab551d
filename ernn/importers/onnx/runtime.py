"""What runs the part of a graph that becomes hardware, to compare with."""

from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.network import Runtime
from ernn.importers.onnx.cuts import Chain
from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.recurrent import KINDS

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_BY_REFERENCE = ("", "sigmoid tanh tanh", "sigmoid tanh", "tanh")  # activations of onnx.reference


def runnable(node: "NodeProto", graph: Graph) -> "list[NodeProto]":
    """Return a node as onnxruntime runs it for one sequence, as one or several.

    A recurrent one loses lengths and states that are constant, which do nothing here, and takes
    its steps first.
    """
    from onnx import helper

    if node.op_type not in KINDS:
        return [node]
    plain = type(node)()
    plain.CopyFrom(node)
    for index in range(4, min(7, len(node.input))):
        if node.input[index] in graph.values:
            plain.input[index] = ""
    if not any(one.name == "layout" and one.i for one in node.attribute):
        return [plain]
    kept = [one for one in node.attribute if one.name != "layout"]
    del plain.attribute[:]
    plain.attribute.extend(kept)
    before: list[NodeProto] = []
    after: list[NodeProto] = []
    for index in (0, 5, 6):
        if index < len(plain.input) and (name := plain.input[index]):
            plain.input[index] = f"{name}~steps"
            if not any(plain.input[index] in one.output for one in before):
                turned = helper.make_node("Transpose", [name], [f"{name}~steps"], perm=[1, 0, 2])
                before.append(turned)
    for index, name in enumerate(node.output):
        if name:
            plain.output[index] = f"{name}~steps"
            order = [2, 0, 1, 3] if index == 0 else [1, 0, 2]
            after.append(helper.make_node("Transpose", [f"{name}~steps"], [name], perm=order))
    return [*before, plain, *after]


class Session:
    """A model that runs in onnxruntime on one thread, or in onnx.reference where that lacks it."""

    def __init__(self, model: "ModelProto") -> None:
        import onnxruntime

        self.model, self.outputs = model, [one.name for one in model.graph.output]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self.session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception:
            self.session = self._reference()

    def run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs by name."""
        try:
            made = self.session.run(None, feeds)
        except Exception as error:
            self.session = self._reference()
            try:
                made = self.session.run(None, feeds)
            except Exception:
                raise ModelFileError(
                    "onnxruntime does not run the network", given=str(error).splitlines()[0]
                ) from None
        return dict(zip(self.outputs, made, strict=True))

    def _reference(self):
        from onnx.reference import ReferenceEvaluator

        for node in self.model.graph.node:  # it computes no others, and does not say so
            functions = [
                one for a in node.attribute if a.name == "activations" for one in a.strings
            ]
            if " ".join(one.decode() for one in functions).lower() not in _BY_REFERENCE:
                raise ModelFileError(
                    f"no runtime here computes {node.op_type} {node.name} with its activations",
                    remedy="export the network in float32",
                )
        return ReferenceEvaluator(self.model)


def runtime(
    model: "ModelProto", graph: Graph, chain: Chain, axis: int | None, free: bool
) -> Runtime:
    """Return what runs the part that becomes hardware, states fed back from call to call.

    Args:
        model: that part.
        graph: that it was cut from.
        chain: that it is.
        axis: of the steps in the tensor that enters; None for one step.
        free: whether it takes any number of steps.
    """
    from onnx import helper

    session = Session(model)
    shape, together = graph.shapes[chain.entering], len(chain.links[0].into)
    kinds = {
        name: helper.tensor_dtype_to_np_dtype(graph.types[name].tensor_type.elem_type)
        for name in (chain.entering, *chain.fed)
    }
    outputs = chain.links[-1].out.shape[1]

    def run(frames: np.ndarray) -> np.ndarray:
        states = {name: np.zeros(graph.shapes[name], kinds[name]) for name in chain.fed}
        length = len(frames) if free and together > 1 else together
        made = []
        for first in range(0, len(frames), length):
            chunk = frames[first : first + length].astype(kinds[chain.entering])
            sizes = [len(chunk) if at == axis else size for at, size in enumerate(shape)]
            results = session.run({chain.entering: chunk.reshape(sizes), **states})
            states = {name: results[to] for name, to in chain.fed.items()}
            made.append(np.asarray(results[chain.leaving]).reshape(-1, outputs))
        return made[-1][-1:] if chain.last else np.concatenate(made)

    return run
