"""Import a state dict: tensors by name, and a description of the layers that they belong to.

The description is a list of tables, in Python or as [[layers]] of a TOML file, in the order of the
data; docs/import.md shows it. All that the tensors tell is inferred: sizes, layers, biases,
projections. The layers become a torch module, which is imported as any other.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ernn.datafile import Strict, load_toml, parse
from ernn.errors import ModelFileError
from ernn.importers.layers import as_path, require_shape
from ernn.importers.network import TOLERANCE, ImportedNetwork
from ernn.importers.torch.module import imported
from ernn.importers.torch.tensor_files import read_tensors

_GATES = {"lstm": 4, "gru": 3, "rnn": 1}
_FUNCTIONS = {"relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh}
_STEPS = 32  # of the sequences that are compared


@dataclass(frozen=True)
class Layer(Strict):
    """One layer of a description."""

    kind: Literal["lstm", "gru", "rnn", "linear", "batch_norm", "last"]
    name: str = ""  # what stands before ".weight" and the like
    activation: Literal["relu", "sigmoid", "tanh"] | None = None  # behind it; of an rnn, its own
    tensors: dict[str, str] = field(default_factory=dict)  # torch's names: those in the file
    epsilon: float = 1e-5  # of batch_norm


@dataclass(frozen=True)
class Description(Strict):
    """What a state dict does not tell."""

    layers: tuple[Layer, ...]


def from_state_dict(
    path: str | Path,
    description: Sequence[Mapping[str, Any]] | str | Path | None = None,
    *,
    data: Sequence[np.ndarray] = (),
    tolerance: float = TOLERANCE,
) -> ImportedNetwork:
    """Import the weights in a .safetensors, .pt, .pth or .npz file.

    Args:
        path: the file.
        description: tables such as ``{"kind": "lstm", "name": "encoder"}``, in the order of the
            data, or a TOML file with them as [[layers]].
        data: frames (T, F) of some sequences, to compare on beside random ones.
        tolerance: largest difference to torch's layers, against the largest output or 1.

    Raises:
        ModelFileError: the file is damaged or not to be trusted, or does not fit the description.
        MismatchError: ernn's model computes something else than torch's layers.
    """
    path = as_path(path)
    held = read_tensors(path)
    if description is None:
        raise _undescribed(path, held)
    if isinstance(description, str | Path):
        told, source = load_toml(Path(description), ModelFileError), str(description)
    else:
        told, source = {"layers": list(description)}, "the description"
    layers = parse(told, Description, ModelFileError, source).layers
    taken = _Taken(path, held)
    module = _Described(layers, taken)
    names = [layer.name or layer.kind for layer in layers]
    network = imported(
        f"state dict {path.name}",
        module.double() if taken.double else module,
        torch.zeros(1, _STEPS, module.features),
        naming=lambda name: _named(name, names),
        data=data,
        tolerance=tolerance,
    )
    idle = [name for name in held if name not in taken.names and "num_batches" not in name]
    if not idle:
        return network
    note = f"not used: {', '.join(idle[:8])}" + (f" and {len(idle) - 8} more" * (len(idle) > 8))
    return replace(network, notes=(*network.notes, note))


def _named(name: str, names: list[str]) -> str:
    """Return a layer's name as the description has it."""
    return re.sub(r"parts\.(\d+)[\w.]*", lambda found: names[int(found[1])], name)


class _Taken:
    """The tensors of a file, and which of them are used."""

    def __init__(self, path: Path, held: dict[str, torch.Tensor]):
        self.path, self.held = path, held
        self.names: set[str] = set()
        self.double = False

    def find(self, layer: Layer, *names: str) -> torch.Tensor | None:
        """Return the first tensor that the file has of a layer's under torch's names."""
        for name in names:
            full = layer.tensors.get(name, f"{layer.name}.{name}".lstrip("."))
            if full in self.held:
                self.names.add(full)
                self.double |= self.held[full].dtype == torch.float64
                return self.held[full].detach()
        return None

    def need(self, layer: Layer, shape: tuple[int, ...] | int, *names: str) -> torch.Tensor:
        """Return a tensor of a shape, or of a number of axes; see `find`.

        Raises:
            ModelFileError: there is none, or it has another shape.
        """
        tensor = self.find(layer, *names)
        full = layer.tensors.get(names[0], f"{layer.name}.{names[0]}".lstrip("."))
        if tensor is None:
            near = ", ".join(sorted(self.held)[:12])
            raise ModelFileError(
                f"{self.path} has no {full}, which {layer.kind} {layer.name} needs".rstrip(),
                allowed=f"its tensors: {near}",
                remedy="change name, or give the names of the file as tensors",
            )
        if not tensor.is_floating_point() or not tensor.numel():
            given = f"{full} holds {tensor.numel()} values of {tensor.dtype}"
            raise ModelFileError(given, allowed="floating point")
        wanted = shape if isinstance(shape, tuple) else tuple(tensor.shape)
        if isinstance(shape, int) and tensor.dim() != shape:
            raise ModelFileError(f"{full} has {tensor.dim()} axes", allowed=str(shape))
        require_shape(full, tensor.double().numpy(), wanted)
        return tensor


class _Described(torch.nn.Module):
    """The layers of a description with the weights of a file; takes (1, T, F)."""

    def __init__(self, layers: Sequence[Layer], taken: _Taken):
        super().__init__()
        self.parts, self.features, size = torch.nn.ModuleList(), 0, 0
        for layer in layers:
            part, entering, leaving = _PARTS[layer.kind](layer, taken, size)
            if size and entering != size:
                name = f"{layer.kind} {layer.name}".rstrip()
                raise ModelFileError(
                    f"{name} takes {entering} values a step",
                    allowed=f"{size}, as enter it",
                    remedy="give the layers in the order of the data",
                )
            self.features, size = self.features or entering, leaving
            self.parts.append(part)
        if not size:
            raise ModelFileError("the description has no layers", remedy="give at least one")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for part in self.parts:
            x = part(x)
        return x


class _Recurrent(torch.nn.Module):
    def __init__(self, layer: torch.nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[0]


class _Last(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, -1:]


class _Norm(torch.nn.Module):
    def __init__(self, layer: torch.nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.transpose(1, 2)).transpose(1, 2)


Part = tuple[torch.nn.Module, int, int]  # with the values that enter and leave


def _recurrent(layer: Layer, taken: _Taken, size: int) -> Part:
    gates, stacked = _GATES[layer.kind], 0
    while taken.find(layer, *_names("weight_ih", stacked)) is not None:
        stacked += 1
    if taken.find(layer, "weight_ih_l0_reverse") is not None:
        remedy = "train a unidirectional one, or keep this network on the host"
        raise ModelFileError(
            f"{layer.name or layer.kind} reads the sequence backwards too",
            given="it has weight_ih_l0_reverse",
            allowed="one direction",
            remedy=remedy,
        )
    rows, entering = taken.need(layer, 2, *_names("weight_ih", 0)).shape
    hidden, odd = divmod(rows, gates)
    projection = taken.find(layer, *_names("weight_hr", 0)) if layer.kind == "lstm" else None
    leaving = hidden if projection is None else len(projection)
    biased = taken.find(layer, *_names("bias_ih", 0), *_names("bias_hh", 0)) is not None
    recurrent = taken.need(layer, 2, *_names("weight_hh", 0))
    small = projection is not None and leaving >= hidden
    if odd or small or tuple(recurrent.shape) != (rows, leaving):
        alike = [kind for kind, n in _GATES.items() if rows == n * recurrent.shape[1]]
        raise ModelFileError(
            f"{layer.name or 'the layer'} is no {layer.kind}",
            given=f"weight_hh has the shape {tuple(recurrent.shape)}"
            + (f", weight_hr {tuple(projection.shape)}" if projection is not None else ""),
            allowed=f"{gates} gates of the size of its output",
            remedy=f'write kind = "{alike[0]}"' if alike else "look at the names of its tensors",
        )
    weights: dict[str, torch.Tensor] = {}
    for k in range(max(stacked, 1)):
        cols = leaving if k else entering
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, cols),
            "weight_hh": (rows, leaving),
        }
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if biased else {}
        shapes |= {} if projection is None else {"weight_hr": (leaving, hidden)}
        weights |= {f"{n}_l{k}": taken.need(layer, s, *_names(n, k)) for n, s in shapes.items()}
    options: dict[str, Any] = {"num_layers": max(stacked, 1), "bias": biased, "batch_first": True}
    if layer.kind == "rnn":
        options["nonlinearity"] = _recurrent_function(layer)
    if projection is not None:
        options["proj_size"] = leaving
    made = getattr(torch.nn, layer.kind.upper())(entering, hidden, **options)
    made.load_state_dict(weights)
    part: torch.nn.Module = _Recurrent(made)
    return (part if layer.kind == "rnn" else _behind(layer, part)), entering, leaving


def _names(name: str, layer: int) -> tuple[str, ...]:
    """Return torch's names of a tensor: a cell's have no number."""
    return (f"{name}_l{layer}",) if layer else (f"{name}_l0", name)


def _recurrent_function(layer: Layer) -> str:
    if layer.activation == "sigmoid":
        raise ModelFileError("an rnn with sigmoid", allowed="tanh, relu")
    return layer.activation or "tanh"


def _linear(layer: Layer, taken: _Taken, size: int) -> Part:
    weight = taken.need(layer, 2, "weight")
    rows, cols = weight.shape
    made = torch.nn.Linear(cols, rows, bias=taken.find(layer, "bias") is not None)
    held = {"weight": weight}
    if made.bias is not None:
        held["bias"] = taken.need(layer, (rows,), "bias")
    made.load_state_dict(held)
    return _behind(layer, made), cols, rows


def _norm(layer: Layer, taken: _Taken, size: int) -> Part:
    mean = taken.need(layer, 1, "running_mean")
    count = len(mean)
    trained = taken.find(layer, "weight", "bias") is not None
    made = torch.nn.BatchNorm1d(count, eps=layer.epsilon, affine=trained)
    held = {"running_mean": mean, "running_var": taken.need(layer, (count,), "running_var")}
    held |= {n: taken.need(layer, (count,), n) for n in ("weight", "bias") if trained}
    made.load_state_dict(held, strict=False)
    return _behind(layer, _Norm(made)), count, count


def _behind(layer: Layer, part: torch.nn.Module) -> torch.nn.Module:
    if layer.activation is None:
        return part
    return torch.nn.Sequential(part, _FUNCTIONS[layer.activation]())


def _last(layer: Layer, taken: _Taken, size: int) -> Part:
    return _Last(), size, size


_PARTS = {
    **dict.fromkeys(_GATES, _recurrent),
    "linear": _linear,
    "batch_norm": _norm,
    "last": _last,
}


def _undescribed(path: Path, held: dict[str, torch.Tensor]) -> ModelFileError:
    """Return the error that a description is needed, with one to confirm."""
    tables, known = [], set()
    for name, tensor in held.items():
        prefix, _, last = name.rpartition(".")
        kind = _kind(held, prefix, last, tensor)
        if kind and (prefix, kind) not in known:
            known.add((prefix, kind))
            tables.append(f'{{kind = "{kind}", name = "{prefix}"}}')
    prefixes = list(dict.fromkeys(name.rpartition(".")[0] or name for name in held))
    more = f" and {len(prefixes) - 12} more" if len(prefixes) > 12 else ""
    return ModelFileError(
        f"{path} has tensors, and nothing that tells how they follow each other",
        given=f"{', '.join(prefixes[:12])}{more}",
        remedy=(
            f"describe its layers in the order of the data, such as layers = [{', '.join(tables)}]"
            if tables
            else "describe its layers with its names of torch's tensors, such as layers = "
            '[{kind = "gru", tensors = {weight_ih = "w", weight_hh = "r", bias_ih = "b", ...}}]'
        ),
    )


def _kind(
    held: dict[str, torch.Tensor], prefix: str, last: str, tensor: torch.Tensor
) -> str | None:
    """Return what kind of layer a tensor is likely of."""
    if re.fullmatch(r"weight_hh(_l0)?", last) and tensor.dim() == 2:
        if f"{prefix}.weight_hr_l0".lstrip(".") in held:
            return "lstm"
        gates = tensor.shape[0] // max(tensor.shape[1], 1)
        return next((kind for kind, n in _GATES.items() if n == gates), None)
    if last == "running_mean":
        return "batch_norm"
    return "linear" if last == "weight" and tensor.dim() == 2 else None
