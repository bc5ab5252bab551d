"""A build folder that remembers what it was built of: nothing is built twice."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BUILD = "build"  # folder of the build in the folder of a simulation
_STAMP = "build.key"


def key_of(files: Sequence[Path], what: Any) -> str:
    """Return a digest of the files that a build reads, and of all else that it depends on.

    Args:
        files: in their order.
        what: options and versions, as JSON can tell them.
    """
    contents = [(file.name, _digest(file)) for file in files]
    return hashlib.sha256(json.dumps([contents, what]).encode()).hexdigest()


def is_built(folder: Path, product: str, *keys: str) -> bool:
    """Tell whether ``folder/build/product`` is whole and of one of the keys; if not, forget it."""
    stamp = folder / _STAMP
    if stamp.is_file():
        found = stamp.read_text(errors="replace")
        if found and any(found == _sealed(folder, product, key) for key in keys):
            return True
    stamp.unlink(missing_ok=True)
    return False


def seal(folder: Path, product: str, key: str) -> None:
    """Note in a folder what has been built in it."""
    (folder / _STAMP).write_text(_sealed(folder, product, key))


def _sealed(folder: Path, product: str, key: str) -> str:
    """Return what tells a whole build: what went in, and what came out; "" if that is gone."""
    made = folder / BUILD / product
    return f"{key} {_digest(made)}" if made.is_file() else ""


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
