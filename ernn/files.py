"""Write a file whole or not at all; keep arrays in safetensors: numbers and a header, no code."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ernn.errors import ErnnError, MismatchError, ModelFileError, ProjectError, ToolError


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
        raise ProjectError(f"{path} cannot be written ({error}); free or change the disk") from None


def write_text(path: Path, text: str) -> None:
    """Write a text file whole; see `write_whole`."""
    write_whole(Path(path), lambda partial: partial.write_text(text, encoding="utf-8"))


@contextmanager
def filling(place: Path, mark: str, what: str) -> Iterator[Path]:
    """Let a command fill ``<place>.part``, which takes the place when it is whole.

    It goes if the command fails, unless it holds what a failed tool said.

    Args:
        place: for the folder.
        mark: file that every such folder holds; one without it is somebody else's.
        what: the folder is, for the message: "build".

    Raises:
        ProjectError: something else is there, another ernn is at it, or it cannot be written.
    """
    place = place.resolve()
    require_own(place, mark, what)
    work = place.with_name(f"{place.name}.part")
    with _alone_in(work):
        try:
            yield work
        except BaseException as error:
            told = isinstance(error, ToolError | MismatchError) and any(work.iterdir())
            if not told:
                shutil.rmtree(work, ignore_errors=True)
            raise
        replace_folder(work, place)


def require_own(place: Path, mark: str, what: str) -> None:
    """Check that a folder may be replaced: it is not there, empty, or ernn's; see `filling`.

    Raises:
        ProjectError: it may not.
    """
    if place.exists() and not place.is_dir():
        raise ProjectError(f"{place} is a file; give a folder as --out")
    if place.exists() and any(place.iterdir()) and not (place / mark).is_file():
        raise ProjectError(f"{place} is not empty and holds no {what} of ernn; give a new --out")


@contextmanager
def _alone_in(work: Path) -> Iterator[None]:
    """Make a folder empty and keep other processes out of it; the lock dies with the process."""
    make_folder(work)
    descriptor = os.open(work, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProjectError(
                f"another ernn is working in {work}; wait for it or give another --out"
            ) from None
        for path in work.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        yield
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder that a user named, and those around it.

    Raises:
        ProjectError: it is a file, or cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be made ({error.strerror}); give another folder as --out"
        ) from None


def replace_folder(work: Path, place: Path) -> None:
    """Give a whole folder its name; what had the name goes only when the new one has it."""
    old = place.with_name(place.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    work.rename(place)
    shutil.rmtree(old, ignore_errors=True)


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
        raise error(f"{path} is not a readable safetensors file ({reason}); {remedy}") from None
    if not isinstance(header, dict) or header.get("format") != kind:
        raise error(f"{path} is no {kind} file of ernn; {remedy}")
    return arrays, header
