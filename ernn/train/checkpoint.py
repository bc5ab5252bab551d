"""Torch tensors in the files of `ernn.files`, and all tensors of a training among them."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from ernn.files import read_arrays, write_arrays
from ernn.train.admm import Admm


def save_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write tensors and a header (JSON values, among them ``format``) as one file."""
    arrays = {name: value.detach().cpu().numpy() for name, value in tensors.items()}
    write_arrays(path, arrays, header)


def load_tensors(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        ModelFileError: the file is missing, truncated or not of this kind.
    """
    arrays, header = read_arrays(path, kind, "delete it and train again")
    return {name: torch.from_numpy(value) for name, value in arrays.items()}, header


def digest(model: nn.Module) -> str:
    """Return a hash of a model's weights."""
    found = hashlib.sha256()
    for value in model.state_dict().values():
        found.update(value.detach().cpu().numpy().tobytes())
    return found.hexdigest()


def pack(
    model: nn.Module, optimizer: Adam, best: dict[str, Tensor], admm: Admm | None
) -> dict[str, Tensor]:
    """Return every tensor that a training needs to continue, by name."""
    tensors = {f"model.{n}": value for n, value in model.state_dict().items()}
    tensors |= {f"best.{n}": value for n, value in best.items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"adam.{name}.{key}"] = value
    if admm:
        tensors |= {f"admm.{n}": value for n, value in admm.state().items()}
    return tensors


def unpack(
    tensors: dict[str, Tensor], model: nn.Module, optimizer: Adam, admm: Admm | None
) -> dict[str, Tensor]:
    """Put what `pack` collected back into its places and return the best model's weights.

    Raises:
        KeyError, RuntimeError: something is missing.
    """
    model.load_state_dict(_part(tensors, "model"))
    for name, parameter in model.named_parameters():
        state = _part(tensors, f"adam.{name}")
        moments = {key: state[key].to(parameter) for key in ("exp_avg", "exp_avg_sq")}
        optimizer.state[parameter] = {"step": state["step"], **moments}
    if admm:
        admm.load_state(_part(tensors, "admm"))
    return _part(tensors, "best")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors under a prefix, without it."""
    prefix += "."
    return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}
