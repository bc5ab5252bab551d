"""An ONNX file that nobody vouches for: every announced size is checked before memory is taken."""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from ernn.errors import ModelFileError

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

LARGEST = 2**31 - 1  # bytes of a protobuf message, and of all tensors together
OLDEST = 7  # opset; before it the recurrent operators were others
_SIZES = {  # bytes of an element by TensorProto.DataType; of these types ernn reads
    "FLOAT": 4,
    "DOUBLE": 8,
    "FLOAT16": 2,
    "BFLOAT16": 2,
    "INT8": 1,
    "UINT8": 1,
    "INT16": 2,
    "UINT16": 2,
    "INT32": 4,
    "UINT32": 4,
    "INT64": 8,
    "UINT64": 8,
    "BOOL": 1,
}


def read_onnx(path: Path) -> "ModelProto":
    """Return the model of a file, its external data read and its functions inlined.

    Raises:
        ModelFileError: the file is no ONNX, announces sizes that it does not have, or uses an
            operator set that is not known.
    """
    import onnx
    import onnx.inliner
    from google.protobuf.message import DecodeError

    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"{path} is no file", remedy="give an .onnx file")
    if path.stat().st_size > LARGEST:
        raise ModelFileError(
            f"{path} has {path.stat().st_size:,} bytes", allowed=f"{LARGEST:,}, as of any ONNX file"
        )
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError:
        raise ModelFileError(f"{path} is no ONNX file, or is cut off") from None
    if not model.HasField("graph") or not model.graph.node:
        raise ModelFileError(f"{path} holds no graph", remedy="give an .onnx file of a network")
    _require_opset(model, path)
    budget = LARGEST
    for tensor in _tensors(model):
        budget -= _checked_size(tensor, path)
        if budget < 0:
            raise ModelFileError(f"the tensors of {path} announce more than {LARGEST:,} bytes")
    try:
        onnx.checker.check_model(model)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
    except (onnx.checker.ValidationError, RuntimeError, UnicodeDecodeError) as error:
        told = (str(error).strip().splitlines() or ["no reason told"])[0]
        raise ModelFileError(f"{path} is no valid ONNX", given=told) from None
    _require_domains(model, path)
    return model


def _require_opset(model: "ModelProto", path: Path) -> None:
    import onnx

    newest = onnx.defs.onnx_opset_version()
    versions = [one.version for one in model.opset_import if one.domain in ("", "ai.onnx")]
    if not versions or not OLDEST <= versions[0] <= newest:
        given = f"opset {versions[0]}" if versions else "no opset of ONNX"
        raise ModelFileError(
            f"{path} was written for {given}",
            allowed=f"opset {OLDEST} to {newest}",
            remedy="export it anew, or install a newer onnx",
        )


def _require_domains(model: "ModelProto", path: Path) -> None:
    for node in _nodes(model.graph):
        if node.domain not in ("", "ai.onnx"):
            raise ModelFileError(
                f"{node.op_type} {node.name!r} of {path} is of the domain {node.domain!r}",
                allowed="the operators of ONNX itself",
                remedy="export it without operators of one runtime",
            )


def _nodes(graph: "GraphProto") -> "Iterator[NodeProto]":
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in _graphs(attribute):
                yield from _nodes(inner)


def _graphs(attribute: "AttributeProto") -> "list[GraphProto]":
    return [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def _tensors(model: "ModelProto") -> "Iterator[TensorProto]":
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            if graph.sparse_initializer:
                raise ModelFileError("the graph holds sparse weights", allowed="dense ones")
            yield from graph.initializer
            nodes.extend(graph.node)
        for node in nodes:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                graphs.extend(_graphs(attribute))
        nodes = []


def _checked_size(tensor: "TensorProto", path: Path) -> int:
    """Return the bytes of a tensor that are really there; read them where they lie in a file."""
    import onnx

    names = {value: name for name, value in onnx.TensorProto.DataType.items()}
    dtype = names.get(tensor.data_type, str(tensor.data_type))
    what = f"the tensor {tensor.name!r} of {path}"
    if dtype == "STRING":
        return sum(map(len, tensor.string_data))
    if dtype not in _SIZES:
        allowed = ", ".join(name.lower() for name in _SIZES)
        raise ModelFileError(f"{what} is of the type {dtype}", allowed=allowed)
    if any(size < 0 for size in tensor.dims):
        raise ModelFileError(f"{what} has the shape {list(tensor.dims)}")
    elements = prod(tensor.dims)
    announced = elements * _SIZES[dtype]
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        _read_external(tensor, announced, path)
    if tensor.HasField("raw_data"):
        given = len(tensor.raw_data)
    else:
        held = len(tensor.float_data) + len(tensor.double_data) + len(tensor.int32_data)
        given = (held + len(tensor.int64_data) + len(tensor.uint64_data)) * _SIZES[dtype]
    if given != announced:
        raise ModelFileError(
            f"{what} announces {announced:,} bytes and has {given:,}",
            remedy="the file is cut off or was tampered with",
        )
    return announced


def _read_external(tensor: "TensorProto", announced: int, path: Path) -> None:
    """Read what lies in a file beside the model, and nowhere else."""
    import onnx

    told = {entry.key: entry.value for entry in tensor.external_data}
    name, what = told.get("location", ""), f"the tensor {tensor.name!r} of {path}"
    if not name or Path(name).name != name or "\\" in name or (path.parent / name).is_symlink():
        raise ModelFileError(
            f"{what} lies in {name!r}", allowed="a file in the folder of the model, by its name"
        )
    beside = path.parent / name
    if not beside.is_file():
        raise ModelFileError(f"{what} lies in {name!r}, which is missing")
    try:
        offset, length = int(told.get("offset", 0)), int(told.get("length", announced))
    except ValueError:
        raise ModelFileError(f"{what} lies at no number of bytes in {name!r}") from None
    if length != announced or offset < 0 or offset + length > beside.stat().st_size:
        raise ModelFileError(
            f"{what} announces {announced:,} bytes",
            given=f"{length:,} from byte {offset:,} of {name!r}",
            remedy="the file is cut off or was tampered with",
        )
    with beside.open("rb") as file:
        file.seek(offset)
        tensor.raw_data = file.read(length)
    tensor.data_location = onnx.TensorProto.DEFAULT
    del tensor.external_data[:]
