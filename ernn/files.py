"""Write a file whole or not at all; keep arrays in safetensors: numbers and a header, no code."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ernn.errors import ErnnError, ModelFileError, ProjectError


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a file beside ``path`` and give it that name when it is whole.

    Raises:
        ProjectError: the disk is full or cannot be written; nothing is left behind.
    """
    partial = path.with_name(path.name + ".part")
    try:
        write(partial)
        partial.chmod(0o644)  # safetensors would keep it from everybody else
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise ProjectError(
            f"{path} cannot be written", given=str(error), remedy="free or change the disk"
        ) from None


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, in UTF-8; see `write_whole`.

    A byte of a file's name that is no character stands in it as ``\\udcXX``.
    """
    contents = text.encode("utf-8", "backslashreplace")
    write_whole(Path(path), lambda partial: partial.write_bytes(contents))


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write arrays and a header (JSON values, among them ``format``) as one safetensors file."""
    plain = {name: np.asarray(value, order="C") for name, value in arrays.items()}
    metadata = {"ernn": json.dumps(header, sort_keys=True)}
    write_whole(Path(path), lambda partial: save_file(plain, partial, metadata=metadata))


def read_arrays(
    path: Path, kind: str, remedy: str, error: type[ErnnError] = ModelFileError
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `write_arrays` wrote.

    Args:
        path: the file.
        kind: the ``format`` that its header must name.
        remedy: what to do about a bad file, to end the message with.
        error: what to raise.

    Raises:
        error: the file is missing, truncated or foreign.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("ernn", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError, TypeError, ValueError, RecursionError) as reason:
        what = f"{path} is not a readable safetensors file ({reason})"
        raise error(what, remedy=remedy) from None
    if not isinstance(header, dict) or header.get("format") != kind:
        raise error(f"{path} is no {kind} file of ernn", remedy=remedy)
    return arrays, header


def format_of(path: Path) -> str | None:
    """Return the ``format`` that the header of a file of `write_arrays` names, if it is one."""
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("ernn", "{}"))
    except (OSError, SafetensorError, ValueError, RecursionError):
        return None
    found = header.get("format") if isinstance(header, dict) else None
    return found if isinstance(found, str) else None
