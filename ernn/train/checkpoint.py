"""Torch tensors in the files of `ernn.files`."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ernn.files import read_arrays, write_arrays


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
