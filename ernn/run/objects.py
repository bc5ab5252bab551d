"""The compiled parts of Verilator that are the same in every build, kept from one to the next.

They are most of a small build: about 19 of 22 seconds of g++. Each is kept under a name of its own
contents, so that one that is damaged or cut off is compiled again.
"""

import hashlib
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ernn.places import cache_folder
from ernn.tools import Tool, require


@contextmanager
def kept_objects(tool: Tool, folder: Path, args: Sequence[str]) -> Iterator[None]:
    """Put the kept objects into a new build folder, and keep those that are made in it.

    Args:
        tool: the simulator; nothing is done for another than Verilator.
        folder: of the build; the objects are there before the makefile is.
        args: of the build.
    """
    if tool.name != "verilator":
        yield
        return
    compiler = require("g++")
    parts = [tool.path, tool.version, compiler.path, compiler.version, platform.machine()]
    what = f"{parts} {[arg for arg in args if not arg.startswith('-W')]}"  # warnings change nothing
    kept = cache_folder() / f"verilator-{hashlib.sha256(what.encode()).hexdigest()[:16]}"
    for found in sorted(kept.glob("verilated*.o.*")):
        target, contents = folder / found.stem, found.read_bytes()
        if found.suffix != f".{_digest(contents)}":
            continue
        target.write_bytes(contents)
        later = time.time() + 3600  # than the makefile that Verilator is about to write
        os.utime(target, (later, later))
    yield
    with suppress(OSError):  # a full disk: builds are just slower
        kept.mkdir(parents=True, exist_ok=True)
        for made in sorted(folder.glob("verilated*.o")):
            contents = made.read_bytes()
            partial = kept / f"{os.getpid()}.part"
            partial.write_bytes(contents)
            partial.replace(kept / f"{made.name}.{_digest(contents)}")


def _digest(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()[:16]
