"""Read an exported torch program (.pt2) and run it, without torch.export.load.

That function unpickles the example inputs and some weights, evaluates the text of symbolic sizes
and loads libraries out of the archive: code of whoever wrote the file. Here the graph is read as
JSON and the weights as bytes, and only operations that `walk` follows are ever called.
"""

import json
import math
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from ernn.errors import ModelFileError
from ernn.importers.torch.graph import Graph, Node, Ref, named, operation, refs, require_unchanged
from ernn.importers.torch.walk import MOST_VALUES, OPERATIONS
from ernn.importers.torch.writes import stacked
from ernn.importers.zipped import DAMAGED

_REMEDY = "give the module to ernn.from_torch in Python"
_HALF = {6: torch.float16, 13: torch.bfloat16}  # computed in float32, as `ready` does
_TYPES = {3: torch.int16, 4: torch.int32, 5: torch.int64, 12: torch.bool}
_TYPES |= {7: torch.float32, 8: torch.float64, **dict.fromkeys(_HALF, torch.float32)}
_PLAIN = ("as_int", "as_ints", "as_float", "as_floats", "as_bool", "as_bools", "as_string")


def read_program(path: Path) -> tuple[Graph, torch.dtype]:
    """Return the graph of a .pt2 file, and the type of its input.

    Raises:
        ModelFileError: the file is damaged, of another format, or holds what must be unpickled.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Archive(path, archive).read()
    except OSError as error:
        raise _bad(
            path, error.strerror or str(error), "give a file that torch.export saved"
        ) from None
    except ModelFileError:
        raise
    except (*DAMAGED, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        told = (str(error).splitlines() or [""])[0]
        raise _bad(path, f"{type(error).__name__}: {told}") from None


def _bad(path: Path, given: str, remedy: str = _REMEDY) -> ModelFileError:
    return ModelFileError(f"{path} cannot be read as a torch program", given=given, remedy=remedy)


class _Archive:
    def __init__(self, path: Path, archive: zipfile.ZipFile):
        self.path, self.archive = path, archive
        self.entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}

    def read(self) -> tuple[Graph, torch.dtype]:
        if "models/model.json" not in self.entries:
            remedy = f"export it again with torch 2.8 or later, or {_REMEDY}"
            raise _bad(self.path, "there is no models/model.json in it", remedy)
        if self._bytes("byteorder").strip() != b"little":
            raise _bad(self.path, "its numbers are not little-endian")
        module = json.loads(self._bytes("models/model.json"))["graph_module"]
        graph, inputs = module["graph"], []
        kept = {**self._tensors("weights"), **self._tensors("constants")}
        held = {}
        for spec in module["signature"]["input_specs"]:
            ((kind, told),) = spec.items()
            if kind == "user_input":
                inputs.append(told["arg"]["as_tensor"]["name"])
            elif kind in ("parameter", "buffer", "tensor_constant"):
                held[told["arg"]["name"]] = told[f"{kind}_name"]
            else:
                raise _bad(self.path, f"an input of the kind {kind}")
        ends = [next(iter(spec.items())) for spec in module["signature"]["output_specs"]]
        nodes = tuple(node for one in graph["nodes"] for node in _nodes(one, graph))
        changed = [told["buffer_name"] for kind, told in ends if kind == "buffer_mutation"]
        require_unchanged(changed, nodes, held)
        values = graph["tensor_values"]
        made = Graph(
            tuple(inputs),
            tuple(_shape(values[name]["sizes"]) for name in inputs),
            {name: kept[target] for name, target in held.items()},
            nodes,
            tuple(_argument(told["arg"], graph) for kind, told in ends if kind == "user_output"),
        )
        return stacked(made), _TYPES[values[inputs[0]]["dtype"]]

    def _bytes(self, name: str) -> bytes:
        entry = self.entries[name]
        if entry.compress_type != zipfile.ZIP_STORED:  # so that no entry is larger than the file
            raise _bad(self.path, f"{name} is compressed, which torch does not do")
        return self.archive.read(entry)

    def _tensors(self, kind: str) -> dict[str, torch.Tensor]:
        told = json.loads(self._bytes(f"data/{kind}/model_{kind}_config.json"))["config"]
        return {name: self._tensor(kind, name, one) for name, one in told.items()}

    def _tensor(self, kind: str, name: str, told: dict[str, Any]) -> torch.Tensor:
        if told["use_pickle"] or told["tensor_meta"] is None:
            raise _bad(self.path, f"{name} is pickled, and unpickling runs code of the file")
        meta, place = told["tensor_meta"], f"data/{kind}/{told['path_name']}"
        dtype = _HALF.get(meta["dtype"]) or _TYPES[meta["dtype"]]
        shape, strides = _shape(meta["sizes"]), _shape(meta["strides"])
        offset = _size(meta["storage_offset"])
        size = self.entries[place].file_size
        if min((*shape, *strides, offset)) < 0 or math.prod(shape) * dtype.itemsize > size:
            raise _bad(self.path, f"{name} has the shape {shape} and {size:,} bytes")
        if not math.prod(shape):
            return torch.zeros(shape)
        flat = torch.frombuffer(bytearray(self._bytes(place)), dtype=dtype)
        made = flat.as_strided(shape, strides, offset)  # torch checks that they fit
        return made.to(_TYPES[meta["dtype"]], copy=True)


def _size(told: dict[str, Any]) -> int:
    """Return a size; of one that may vary, what it was in the example."""
    if "as_int" in told:
        return int(told["as_int"])
    return int(told["as_expr"]["hint"]["as_int"])


def _shape(sizes: list[dict[str, Any]]) -> tuple[int, ...]:
    return tuple(map(_size, sizes))


def _nodes(told: dict[str, Any], graph: dict[str, Any]) -> Iterator[Node]:
    """Return a call, and one node more for each tensor where it returns several."""
    name, target = told["name"], told["target"].split(".")
    if not target[-2:] or not told["outputs"] or "as_sym_int" in told["outputs"][0]:
        return  # arithmetic on sizes
    op, overload = (target[-2], target[-1]) if "aten" in target else (told["target"], "")
    args = {one["name"]: _argument(one["arg"], graph) for one in told["inputs"]}
    if op in OPERATIONS:
        args = named(operation(op, overload), [], args)
    first = told["outputs"][0]
    several = len(told["outputs"]) > 1 or "as_tensors" in first
    made = first.get("as_tensors") or [one["as_tensor"] for one in told["outputs"]]
    results = [one["name"] for one in made]
    shapes = tuple(_shape(graph["tensor_values"][one]["sizes"]) for one in results)
    path = told["metadata"].get("nn_module_stack", "").rpartition(";")[2].split(",")
    where = (path[1] if len(path) > 1 else "") or name or results[0]
    called = f"{name} (all)" if several else results[0]
    yield Node(called, op, overload, args, where, shapes)
    if several:
        for index, result in enumerate(results):
            part = {"self": Ref(called), "index": index}
            yield Node(result, "getitem", "", part, where, (shapes[index],))


def _argument(told: dict[str, Any], graph: dict[str, Any]) -> Any:
    ((kind, value),) = ((kind, value) for kind, value in told.items() if value is not None)
    if kind in _PLAIN:
        return value
    if kind == "as_none":
        return None
    if kind in ("as_tensor", "as_optional_tensor"):
        return _ref(value) if "name" in value else _argument(value, graph)
    if kind == "as_tensors":
        return [_ref(one) for one in value]
    if kind == "as_optional_tensors":
        return [_argument(one, graph) for one in value]
    if kind == "as_sym_int":
        return _symbol(value, graph)
    if kind == "as_sym_ints":
        return [_symbol(one, graph) for one in value]
    if kind == "as_scalar_type":
        return _TYPES[value]
    if kind == "as_device":
        return torch.device("cpu")
    if kind in ("as_layout", "as_memory_format"):
        return None
    raise ValueError(f"an argument of the kind {kind}")


def _ref(told: dict[str, Any]) -> Ref:
    if not isinstance(told["name"], str):
        raise ValueError(f"a value with the name {told['name']}")
    return Ref(told["name"])


def _symbol(told: dict[str, Any], graph: dict[str, Any]) -> int:
    return told["as_int"] if "as_int" in told else _size(graph["sym_int_values"][told["as_name"]])


def runner(
    graph: Graph, outputs: list[int], dtype: torch.dtype
) -> Callable[[list[torch.Tensor]], list[Any]]:
    """Return what runs a graph whose walk found all that the outputs depend on.

    Raises:
        ModelFileError: the sizes of its tensors are not those that it tells.
    """
    needed = {ref.name for index in outputs if isinstance(ref := graph.outputs[index], Ref)}
    nodes = []
    for node in reversed(graph.nodes):
        if node.name in needed:
            nodes.append(node)
            needed |= {ref.name for ref in refs(list(node.args.values()))}

    def run(given: list[torch.Tensor], constants: dict[str, torch.Tensor]) -> list[Any]:
        values: dict[str, Any] = {**constants, **dict(zip(graph.inputs, given, strict=True))}
        for node in reversed(nodes):
            args = {name: _put(one, values) for name, one in node.args.items()}
            values[node.name] = _call(node, args, given[0].device)
        return [values.get(ref.name) if isinstance(ref, Ref) else ref for ref in graph.outputs]

    def call(given: list[torch.Tensor]) -> list[Any]:
        with torch.no_grad():
            return run(given, graph.constants)

    # Once without memory, so that no tensor is made that is larger than the file tells.
    ghosts = {name: tensor.to("meta") for name, tensor in graph.constants.items()}
    with torch.no_grad():
        run([torch.empty(shape, dtype=dtype, device="meta") for shape in graph.shapes], ghosts)
    return call


def _call(node: Node, args: dict[str, Any], device: torch.device) -> Any:
    if node.op == "getitem":
        return args["self"][args["index"]]  # the walk went there
    if "device" in args:
        args["device"] = device
    try:
        made = operation(node.op, node.overload)(**args)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelFileError(f"aten.{node.op} in {node.where} cannot be run", given=told) from None
    parts = made if isinstance(made, tuple | list) else [made]
    if tuple(tuple(part.shape) for part in parts) != node.shapes or any(
        part.numel() > MOST_VALUES for part in parts
    ):
        raise ModelFileError(f"aten.{node.op} in {node.where} has other sizes than the file tells")
    return made


def _put(given: Any, values: dict[str, Any]) -> Any:
    if isinstance(given, Ref):
        return values[given.name]
    return [_put(one, values) for one in given] if isinstance(given, list) else given
