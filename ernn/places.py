"""Folders that other programs can work in, whatever the user's own are called or allow.

`make` and the shells below it cannot work in a folder whose path has a space, ``#``, ``:`` or
``$``; some libraries take no long path; a home may be read-only.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ernn.errors import ToolError

_PLAIN = re.compile(r"[\w/.,+@-]+")  # of any alphabet; no byte that is no character


def plain(path: Path) -> bool:
    """Tell whether a path holds nothing that make, a shell or a list of paths would take apart."""
    return _PLAIN.fullmatch(str(path)) is not None


def home_cache() -> Path | None:
    """Return the user's cache folder, or None where it cannot be written."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        if os.access(home, os.W_OK):
            return home
    return None


def cache_folder() -> Path:
    """Return a folder of this user for what can be made again, with a plain path.

    It is ``ernn`` in the user's cache folder, or where that cannot be, in the folder for temporary
    files.

    Raises:
        ToolError: there is no such place.
    """
    home = home_cache()
    if home and plain(home):
        (home / "ernn").mkdir(exist_ok=True)
        return home / "ernn"
    for place in _temporary():
        folder = place / f"ernn-{os.getuid()}"
        if plain(folder) and _private(folder):
            return folder
    raise _no_place()


def alias(path: Path, longest: int = 4096) -> Path:
    """Return a plain name of an existing folder or file: itself, or a link in the cache folder.

    Args:
        path: absolute.
        longest: bytes that the name may have.

    Raises:
        ToolError: no place for the link.
    """
    if plain(path) and len(os.fsencode(path)) <= longest:
        return path
    link = cache_folder() / hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    if len(os.fsencode(link)) > longest:
        raise _no_place()
    if not link.is_symlink() or link.readlink() != path:
        new = link.with_name(f"{link.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        new.symlink_to(path)
        new.replace(link)
    return link


@contextmanager
def plain_copy(files: Sequence[Path], folder: Path) -> Iterator[tuple[list[Path], Path]]:
    """Let a program make a new folder of files, both with plain names.

    Where they have none, it works on copies, and what it made is moved to ``folder`` afterwards.

    Args:
        files: to read, each of another name.
        folder: to be made; what was there is gone.

    Yields:
        The files and the folder that the program is to use.

    Raises:
        ToolError: no place for the copies.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if all(map(plain, [*files, folder])):
        yield list(files), folder
        return
    places = [place for place in _temporary() if plain(place) and os.access(place, os.W_OK)]
    if not places:
        raise _no_place()
    with tempfile.TemporaryDirectory(prefix="ernn-", dir=places[0]) as temporary:
        sources, made = Path(temporary, "files"), Path(temporary, "made")
        sources.mkdir()
        made.mkdir()
        yield [Path(shutil.copy(file, sources / file.name)) for file in files], made
        shutil.copytree(made, folder, dirs_exist_ok=True)


def _temporary() -> list[Path]:
    """Return folders for temporary files, the user's own choice first."""
    return [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]


def _private(folder: Path) -> bool:
    """Make a folder, if need be, and tell whether this user alone can write into it."""
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        own = found.st_uid == os.getuid() and not found.st_mode & 0o022
        return own and folder.is_dir() and os.access(folder, os.W_OK)
    return False


def _no_place() -> ToolError:
    return ToolError(
        f"no folder for temporary files can be used ({tempfile.gettempdir()})",
        remedy="set TMPDIR to a short path of letters and digits that you can write to",
    )
