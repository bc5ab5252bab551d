"""Files that training writes: each is replaced as a whole or not at all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ernn.errors import ModelFileError, ProjectError


def save_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write tensors and a header (anything JSON can hold) as one safetensors file."""
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {"ernn": json.dumps(header, sort_keys=True)}
    _replace(path, lambda partial: save_file(plain, partial, metadata))


def save_json(path: Path, value: Any) -> None:
    """Write a value as JSON."""
    _replace(path, lambda partial: partial.write_text(json.dumps(value, indent=1) + "\n"))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    partial = path.with_name(path.name + ".part")
    try:
        write(partial)
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise ProjectError(f"{path} cannot be written ({error}); free or change the disk") from None


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        ModelFileError: the file is missing, truncated or foreign.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("ernn", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelFileError(
            f"{path} is not a readable safetensors file ({error}); delete it and train again"
        ) from None
    if not isinstance(header, dict):
        raise ModelFileError(f"{path} was not written by ernn; delete it and train again")
    return tensors, header
