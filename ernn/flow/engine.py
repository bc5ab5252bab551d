"""The step engine: every step runs once, and again only when something that goes into it changes.

A step owns one folder, ``OUT/<step>``. It works in ``OUT/<step>.part``; when it is complete its
stamp (``step.json``: what went in, and the SHA-256 of every file that came out) is written last,
everything is forced to disk, and the folder is renamed. So a folder with its final name is whole,
whatever happened to the process that made it.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ernn.errors import ProjectError
from ernn.extras import extras_explained
from ernn.flow.dependencies import Code, file_hash
from ernn.flow.run_folder import STAMP, SUMMARY, RunFolder
from ernn.flow.work import Work
from ernn.folders import (
    full_disk_explained,
    left_by_system,
    locked,
    own_folder,
    remove,
    replace_folder,
)
from ernn.progress import progress
from ernn.recipe import Recipe


@dataclass(frozen=True)
class Step:
    """One step of the chain."""

    name: str  # also of its folder
    run: Callable[[Work], object]
    reads: tuple[str, ...]  # keys or properties of the recipe
    after: tuple[str, ...] = ()  # steps whose files it reads
    module: str | None = None  # it depends on all that this module imports
    also: Callable[[Recipe], str | None] = lambda recipe: None  # and on this one, by the recipe
    # Other input, by the recipe and the run's folder: name -> hash
    outside: Callable[[Recipe, Path], dict[str, str]] = lambda recipe, out: {}
    # What must hold before the step begins, and leaves nothing behind: no part of what goes in
    check: Callable[[Work], None] = lambda work: None
    tells: bool = False  # its summary is for everybody to read, whichever step was asked for
    resumable: bool = False  # it continues from what an interrupted run left in its folder
    view: Callable[[Recipe], Recipe] = lambda recipe: recipe  # without what does not matter to it

    def reading(self, recipe: Recipe) -> dict[str, Any]:
        """Return what the step reads of a recipe."""
        viewed = self.view(recipe)
        read = (key for key in self.reads if key not in recipe.unread)
        return {key: _read(viewed, key) for key in read}

    def depends_on(self, code: Code, recipe: Recipe) -> dict[str, str]:
        """Return the hash of every file of ernn that it depends on."""
        return code.depends_on(*filter(None, (self.module, self.also(recipe))))


class Chain:
    """The steps of one recipe in one output folder."""

    def __init__(
        self,
        steps: tuple[Step, ...],
        recipe: Recipe,
        out: Path,
        say: Callable[[str], None] = print,
    ):
        self.steps = {step.name: step for step in steps}
        self.recipe, self.say = recipe, say
        self.out = RunFolder(Path(out), source=recipe.source.kind)
        self.code = Code()

    def bring(self, last: str, force: bool = False, wait: bool = False) -> None:
        """Run ``last`` and the steps before it, each only where it is not up to date.

        Args:
            last: name of a step.
            force: run ``last`` even when it is up to date.
            wait: for another process that works in the folder, instead of refusing.

        Raises:
            ProjectError: the folder is not ernn's, is in use, was edited, or its disk is full.
        """
        with extras_explained(), full_disk_explained(self.out.root), locked(self.out.root, wait):
            for name in self._needed(last):
                made = self._bring(self.steps[name], force and name == last)
                summary = self.out.folder(name) / SUMMARY
                if made and self.steps[name].tells and name != last and summary.is_file():
                    self.say(summary.read_text(encoding="utf-8").rstrip())

    def _needed(self, last: str) -> list[str]:
        """Return ``last`` and everything it depends on, in the order of the chain."""
        needed = {last}
        for name in reversed(self.steps):
            if name in needed:
                needed.update(self.steps[name].after)
        return [name for name in self.steps if name in needed]

    def _bring(self, step: Step, force: bool) -> bool:
        """Run a step if it must run, and tell whether it did."""
        inputs = self._inputs(step)
        reason = "as asked" if force else self._why(step, inputs)
        if reason is None:
            self.say(f"{step.name}: up to date")
            return False
        self.say(f"{step.name}: {reason}")
        started = time.monotonic()
        part = self._part(step, inputs)
        try:
            run = replace(self.out, working=step.name)
            work = Work(self.recipe, run, step.name, progress)
            step.check(work)
            step.run(work)
            seconds = round(time.monotonic() - started, 1)
            _publish(part, self.out.folder(step.name), {"inputs": inputs, "seconds": seconds})
        except BaseException:
            if not step.resumable:
                remove(part)
            raise
        self.say(f"{step.name}: done in {seconds} s")
        return True

    def _inputs(self, step: Step) -> dict[str, Any]:
        """Return exactly what goes into a step: its key, kept whole to tell what changed."""
        stamps = {name: read_stamp(self.out.folder(name)) for name in step.after}
        return {
            "code": step.depends_on(self.code, self.recipe),
            "recipe": step.reading(self.recipe),
            "outside": step.outside(self.recipe, self.out.root),
            "after": {name: _digest(stamp["outputs"]) for name, stamp in stamps.items()},
        }

    def _why(self, step: Step, inputs: dict[str, Any]) -> str | None:
        """Say why a step must run, or None when it is up to date.

        Raises:
            ProjectError: a file was edited or added since, so that running would lose somebody's
                work, or read what ernn did not write.
        """
        folder = self.out.folder(step.name)
        if not folder.exists():
            part = self.out.part(step.name)
            return "continuing" if step.resumable and _same(part, inputs) else "starting"
        stamp = read_stamp(folder)
        for name, digest in stamp["outputs"].items():
            if not (folder / name).is_file():
                return f"again, because {name} is gone"
            if file_hash(folder / name) != digest:
                raise ProjectError(
                    f"{folder / name} was changed since ernn wrote it",
                    remedy=f"move it away, or delete {folder} to have it made again",
                )
        for path in folder.rglob("[!.]*"):
            name = path.relative_to(folder).as_posix()
            if (
                path.is_file()
                and not left_by_system(path.name)
                and name not in stamp["outputs"]
                and name != STAMP
            ):
                raise ProjectError(f"{path} was not written by ernn", remedy="move it away")
        changed = difference(stamp["inputs"], inputs)
        return changed and f"again, because {changed}"

    def _part(self, step: Step, inputs: dict[str, Any]) -> Path:
        """Return the folder to work in: empty, or an interrupted run's of the same inputs."""
        part = self.out.part(step.name)
        if not (step.resumable and _same(part, inputs)):
            remove(part)
            part.mkdir()
            if step.resumable:
                (part / STAMP).write_text(json.dumps({"inputs": inputs}))
        return part


def share(finished: Path, folder: Path) -> None:
    """Let a run in ``folder`` use a finished step of another run, by a link.

    Raises:
        ProjectError: the run has made that step itself.
    """
    own_folder(folder)
    link = folder / finished.name
    if not link.is_symlink():
        if link.exists():
            raise ProjectError(
                f"{link} was made by another recipe than that of {finished}",
                remedy=f"move {folder} away, or delete it to have it made again",
            )
        made = link.with_name(f"{link.name}.{os.getpid()}")
        made.symlink_to(os.path.relpath(finished, folder))
        made.rename(link)


def read_stamp(folder: Path) -> dict[str, Any]:
    """Read the stamp of a finished step.

    Raises:
        ProjectError: there is none, or it is not one.
    """
    try:
        stamp = json.loads((folder / STAMP).read_text())
        if isinstance(stamp["inputs"], dict) and isinstance(stamp["outputs"], dict):
            return stamp
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ProjectError(
        f"{folder} holds no finished step of ernn ({STAMP} is missing or damaged)",
        remedy="move the folder away",
    )


def _read(recipe: Recipe, key: str) -> Any:
    """Return a key or property of the recipe as JSON."""
    value = getattr(recipe, key)
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _same(part: Path, inputs: dict[str, Any]) -> bool:
    """Tell whether an interrupted run in ``part`` had these inputs."""
    try:
        return json.loads((part / STAMP).read_text())["inputs"] == inputs
    except (OSError, ValueError, KeyError, TypeError):
        return False


def difference(old: Any, new: Any, where: str = "") -> str | None:
    """Name the first thing that differs, such as ``training.updates was 10 and is 20``."""
    if old == new:
        return None
    if isinstance(old, dict) and isinstance(new, dict):
        parts = [(key, old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys())]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        parts = [(str(index), *pair) for index, pair in enumerate(zip(old, new, strict=True))]
    elif where.startswith(("after.", "outside.")):
        return f"{where.partition('.')[2]} changed"
    elif where.startswith("code."):
        return f"ernn's {where.partition('.')[2]} changed"
    else:
        return f"{where.removeprefix('recipe.')} was {old!r} and is {new!r}"
    found = (difference(a, b, f"{where}.{key}" if where else key) for key, a, b in parts)
    return next(filter(None, found), None)


def _publish(part: Path, folder: Path, stamp: dict[str, Any]) -> None:
    """Write the stamp and give the folder its final name."""
    (part / STAMP).unlink(missing_ok=True)
    files = sorted(path for path in part.rglob("*") if path.is_file())
    stamp["outputs"] = {path.relative_to(part).as_posix(): file_hash(path) for path in files}
    (part / STAMP).write_text(json.dumps(stamp, indent=1, sort_keys=True) + "\n")
    replace_folder(part, folder)
