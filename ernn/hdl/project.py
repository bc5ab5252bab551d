"""Write an accelerator's project folder: Verilog, memory contents, registers, plan and manifest.

A folder is ernn's own if it holds a manifest.json of ernn; any other that is not empty is left
alone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ernn import __version__
from ernn.errors import ProjectError
from ernn.files import write_text
from ernn.folders import require_own
from ernn.hdl.memory import memory_files
from ernn.hdl.registers import register_files
from ernn.hdl.render import sources
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel

MANIFEST = "manifest.json"
FORMAT = "ernn-project-1"
TOP_FILE = "rtl/ernn_top.v"


def write_project(plan: HardwarePlan, model: IntegerModel, folder: Path) -> Path:
    """Write rtl/, registers/, plan.json and manifest.json; same input, same bytes.

    Files of an earlier project in the folder are replaced; the manifest is removed first and
    written last, so that a folder with a manifest is whole.

    Raises:
        ProjectError: the folder exists, is not empty and was not written by ernn.
    """
    folder = Path(folder)
    _clear(folder)
    files = {"plan.json": plan.to_json()} | register_files(plan)
    verilog = sources(plan, model.sigmoid, model.tanh, model.twiddle_bits)
    for name, text in (verilog | memory_files(plan, model)).items():
        files[f"rtl/{name}"] = text
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, text)
    write_text(folder / MANIFEST, manifest_text(FORMAT, plan, files))
    return folder


@dataclass(frozen=True)
class Project:
    """A generated project that was opened."""

    folder: Path
    plan: HardwarePlan
    files: tuple[str, ...]  # that are there: of the manifest, and Verilog that was added
    edited: tuple[str, ...]  # what was changed, removed or added since; empty unless forced

    @property
    def rtl(self) -> Path:
        """Folder of Verilog and memory files; tools run in it."""
        return self.folder / "rtl"

    @property
    def verilog(self) -> list[Path]:
        """Its Verilog files, sorted."""
        return sorted(self.folder / name for name in self.files if name.endswith(".v"))


def open_project(folder: Path, force: bool = False) -> Project:
    """Open a generated project: its own folder, or that of a run (``folder/generate``).

    Args:
        folder: of the project or run.
        force: go on with files that were edited after generation.

    Raises:
        ProjectError: no project, (unless forced) a file was changed, removed or added, or there is
            no accelerator left.
        ModelFileError: its plan cannot be read.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file() and (folder / "generate" / MANIFEST).is_file():
        folder = folder / "generate"
    files = read_manifest(folder, FORMAT, "project", "generate")
    # Tools take every Verilog file that they find.
    found = {path.relative_to(folder).as_posix() for path in folder.glob("rtl/*.v")}
    added = sorted(found - files.keys())
    edited = [*changed(folder, files), *added]
    if edited and not force:
        first = folder / edited[0]
        how = "added" if added == edited else "changed" if first.is_file() else "removed"
        more = f" and {len(edited) - 1} more" if len(edited) > 1 else ""
        remedy = "run `ernn generate` again, or go on with --force"
        raise ProjectError(f"{first}{more} {how} after generation", remedy=remedy)
    there = [name for name in (*files, *added) if (folder / name).is_file()]
    if TOP_FILE not in there:
        what = f"{folder / TOP_FILE} is not there"
        raise ProjectError(what, remedy="run `ernn generate` again")
    plan = HardwarePlan.load(folder / "plan.json")
    return Project(folder.resolve(), plan, tuple(there), tuple(edited))


def changed(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return which of {file: SHA-256} are missing in a folder or not what they were."""
    return [
        name
        for name, digest in files.items()
        if not (folder / name).is_file() or _sha256((folder / name).read_bytes()) != digest
    ]


def read_manifest(folder: Path, form: str, what: str, command: str) -> dict[str, str]:
    """Return {file: SHA-256} of a folder's manifest.

    Args:
        folder: that holds it.
        form: which ``format`` it must name.
        what: the folder should be, for the message: "project".
        command: of ernn that makes one.

    Raises:
        ProjectError: there is none, it is damaged or of another version, or it names a file
            outside the folder.
    """
    path, again = folder / MANIFEST, f"run `ernn {command}` again"
    if not path.is_file():
        none = f"{folder} holds no {what} of ernn"
        raise ProjectError(none, remedy=f"run `ernn {command}` first")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        files = manifest["files"] if manifest["format"] == form else None
    except (OSError, ValueError, KeyError, TypeError):
        files = None
    if not isinstance(files, dict):
        damaged = f"{path} is damaged or of another version of ernn"
        raise ProjectError(damaged, remedy=again)
    for name in files:
        if "\0" in name or not (folder / name).parent.resolve().is_relative_to(folder.resolve()):
            outside = f"{path} names {name!r} outside its folder"
            raise ProjectError(outside, remedy=again)
    return files


def rtl_digest(folder: Path) -> str:
    """Return a digest of a project's Verilog and memory files, by its manifest.

    Raises:
        ProjectError: it has none.
    """
    files = read_manifest(folder, FORMAT, "project", "generate")
    rtl = sorted((name, digest) for name, digest in files.items() if name.startswith("rtl/"))
    return _sha256(json.dumps(rtl).encode())[:16]


def manifest_text(form: str, plan: HardwarePlan, files: Mapping[str, str], **more: Any) -> str:
    """Return the manifest of files, {path: text}."""
    manifest = {
        "format": form,
        "ernn": __version__,
        "plan": plan.digest,
        "top": "ernn_top",
        **more,
        "files": {name: _sha256(text.encode()) for name, text in sorted(files.items())},
    }
    return json.dumps(manifest, indent=1) + "\n"


def _clear(folder: Path) -> None:
    """Remove what an earlier project left, by its own manifest; refuse a foreign folder."""
    require_own(folder, MANIFEST, "project")
    if not (folder / MANIFEST).is_file():
        return
    files = read_manifest(folder, FORMAT, "project", "generate")
    (folder / MANIFEST).unlink()
    for name in files:
        (folder / name).unlink(missing_ok=True)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
