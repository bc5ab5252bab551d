"""Folders that ernn fills: never somebody else's, never two processes at once, never half-written.

Every command that leaves a folder behind goes through here. A folder that ernn may write to holds a
file that marks it. What is made is made in a folder beside its place, and takes the place when it
is whole. Locks die with the process that holds them.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ernn.errors import ErnnError, MismatchError, ProjectError, ToolError

_NOTHING = 1 << 20  # bytes free of a disk that is full
LOCK = "ernn.lock"  # the mark of a folder that several commands work in, and what they lock


def left_by_system(name: str) -> bool:
    """Tell whether a file or folder of this name is a desktop's, and nobody's data."""
    return name.startswith("._") or name.lower() in {
        ".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", ".directory",
        "$recycle.bin", "system volume information", "lost+found",
    }  # fmt: skip


def require_own(place: Path, mark: str, what: str) -> None:
    """Check that ernn may write a folder: it is not there, empty, or holds ernn's mark.

    Args:
        place: the folder.
        mark: file that every such folder holds.
        what: such a folder is, for the message: "build".

    Raises:
        ProjectError: it is a file, or somebody else's.
    """
    if place.exists() and not place.is_dir():
        raise ProjectError(f"{place} is a file", remedy="give a folder as --out")
    filled = place.exists() and any(not left_by_system(one.name) for one in place.iterdir())
    if filled and not (place / mark).is_file():
        raise ProjectError(
            f"{place} holds no {what} of ernn, but files that ernn did not write",
            remedy="give a new or empty folder as --out",
        )


def make_folder(path: Path) -> None:
    """Make a folder that a user named, and those around it.

    Raises:
        ProjectError: it is a file, or cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be made",
            given=error.strerror or "",
            remedy="give another folder as --out",
        ) from None


def own_folder(out: Path) -> None:
    """Make a folder that several commands work in, and mark it as ernn's.

    Raises:
        ProjectError: it holds what is not, or cannot be made.
    """
    require_own(out, LOCK, "run")
    make_folder(out)
    (out / LOCK).touch()


@contextmanager
def locked(out: Path, wait: bool = False) -> Iterator[None]:
    """Work alone in a folder that `own_folder` makes.

    Args:
        out: the folder.
        wait: for another process, instead of refusing.

    Raises:
        ProjectError: it is not ernn's, or in use.
    """
    own_folder(out)
    with _alone(out / LOCK, out, wait):
        yield


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
    make_folder(work)
    with _alone(work, work):
        empty(work)
        try:
            yield work
        except BaseException as error:
            told = isinstance(error, ToolError | MismatchError) and any(work.iterdir())
            if not told:
                remove(work)
            raise
        replace_folder(work, place)


@contextmanager
def _alone(lock: Path, where: Path, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a file or folder.

    Raises:
        ProjectError: another process has it.
    """
    descriptor = os.open(lock, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise ProjectError(
                f"another ernn is working in {where}",
                remedy="wait for it or give another folder as --out",
            ) from None
        yield
    finally:
        os.close(descriptor)


def replace_folder(work: Path, place: Path) -> None:
    """Give a whole folder its name; what had the name goes only when the new one has it.

    Everything is on the disk by then, whatever happens to the machine.
    """
    for path in (*sorted(path for path in work.rglob("*") if path.is_file()), work):
        _sync(path)
    old = place.with_name(place.name + ".old")
    remove(old)
    if place.exists():
        place.rename(old)
    work.rename(place)
    _sync(place.parent)
    remove(old)


def empty(folder: Path) -> None:
    """Remove everything in a folder."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def remove(folder: Path) -> None:
    """Remove a folder, or a link to one."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def full_disk_explained(out: Path) -> Iterator[None]:
    """Turn every library's way of saying that the disk is full into one sentence."""
    try:
        yield
    except ErnnError:
        raise
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or f"os error {errno.ENOSPC}" in str(error):  # safetensors is written in Rust
            raise ProjectError(
                f"the disk that holds {_full(out)} is full",
                remedy="free some space and run the same command again",
            ) from error
        raise


def _full(out: Path) -> str:
    """Return which of the folders that a step writes to is on a full disk."""
    temporary = Path(tempfile.gettempdir())
    with suppress(OSError):
        other = temporary.stat().st_dev != out.stat().st_dev
        if other and shutil.disk_usage(temporary).free < _NOTHING:
            return f"{temporary} (see TMPDIR)"
    return str(out)
