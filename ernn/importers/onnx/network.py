"""From an ONNX file to an imported network; see `from_onnx`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError
from ernn.extras import extras_explained
from ernn.importers.assemble import assemble
from ernn.importers.layers import as_path
from ernn.importers.network import TOLERANCE, ImportedNetwork, checked
from ernn.importers.onnx.chain import Chains, others
from ernn.importers.onnx.cuts import Chain
from ernn.importers.onnx.file import read_onnx
from ernn.importers.onnx.host import Parts
from ernn.importers.onnx.runtime import runtime
from ernn.importers.onnx.sizes import sized_graph

if TYPE_CHECKING:
    from onnx import ModelProto

_STEPS = 32  # at least, of a sequence to compare
_GRU_FAULT = "https://github.com/microsoft/onnxscript/issues/2852"


def from_onnx(
    path: Path | str,
    *,
    data: Sequence[np.ndarray] = (),
    tolerance: float = TOLERANCE,
    start: str | None = None,
    end: str | None = None,
    inputs: Mapping[str, object] | None = None,
) -> ImportedNetwork:
    """Read a trained network from an ONNX file, and compare it with onnxruntime.

    The largest part that ernn can build becomes hardware, for one sequence at a time; the rest
    stays on the host, as the models in `ImportedNetwork.host`.

    Args:
        path: the file; it may come from anywhere.
        data: the user's frames (T, F) of some sequences, as they enter the hardware.
        tolerance: largest difference, against the largest output or 1.
        start: the tensor at which the hardware begins; None for as early as possible.
        end: the tensor that leaves it; None for as late as possible.
        inputs: fixed values of graph inputs, such as a sampling rate, and sizes of free dimensions.

    Raises:
        ModelFileError: the file is damaged, or there is nothing in it that ernn can build.
        MismatchError: ernn's model differs from onnxruntime.
        ToolError: onnx or onnxruntime is not installed.
    """
    with extras_explained():
        path = as_path(path)
        try:
            return _imported(path, read_onnx(path), inputs or {}, (start, end), data, tolerance)
        except RecursionError:
            raise ModelFileError(f"the graph of {path} is nested too deeply") from None


def _imported(path: Path, model: "ModelProto", inputs, ends, data, tolerance) -> ImportedNetwork:
    graph, lengths = sized_graph(model, inputs)
    finder = Chains(graph, *ends)
    found = finder.candidates()
    chain = found[0]
    made = assemble(chain.items(), chain.links[0].into.shape[1])
    notes = [*made.notes, *graph.notes, *chain.notes, *others(found), *_faults(model, chain)]
    parts = Parts(graph, chain, lengths)
    outside = parts.outside(finder.refusals, finder.origins)
    return checked(
        f"{path.name} (ONNX opset {graph.opset})",
        replace(made, notes=tuple(notes)),
        runtime(parts.replaced(), graph, chain, parts.steps_axis(chain.entering), bool(lengths)),
        steps=_steps(chain, lengths),
        data=data,
        tolerance=tolerance,
        outside=outside,
        entering=chain.entering,
        leaving=chain.leaving,
        host=parts.host(),
    )


def _steps(chain: Chain, lengths: set[str]) -> int | None:
    steps = len(chain.links[0].into)
    if lengths or (chain.fed and steps == 1):
        return None
    return -(-_STEPS // steps) * steps if chain.fed else steps


def _faults(model: "ModelProto", chain: Chain) -> list[str]:
    """Return warnings where a file looks like the fault of an exporter."""
    if "torch" not in str(model.producer_name).lower():
        return []
    return [
        f"{link.item.name} has linear_before_reset = 0, which torch's GRU never has: some "
        f"exporters wrote it by mistake ({_GRU_FAULT}); compare with the torch module"
        for link in chain.links
        if getattr(link.item, "cell", "") == "gru_before"
    ]
