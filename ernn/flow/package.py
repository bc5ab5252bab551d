"""package: a generated project with all that others need to simulate, synthesize and drive it.

Its testbench sends test speech of the run, or random frames where there is none, and expects what
the integer model says. The folder is self-contained, and the same input gives the same bytes.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ernn.errors import ProjectError
from ernn.files import write_text
from ernn.flow.results import command_line
from ernn.flow.run_folder import RunFolder
from ernn.folders import filling, require_own
from ernn.hdl.memory import memory_files
from ernn.hdl.names import default_prefix, require_prefix
from ernn.hdl.package import package_files
from ernn.hdl.project import (
    MANIFEST,
    Project,
    changed,
    manifest_text,
    open_project,
    read_manifest,
)
from ernn.quant.integer_model import IntegerModel
from ernn.run.registers import require_plan
from ernn.run.traffic import Streams, deal_out
from ernn.run.vectors import vector_files
from ernn.tasks.kinds import read_frames

FORMAT = "ernn-package-1"
SPEECH = "test speech of the run"
NOISE = "random, in the range of normalised features"


def package(
    folder: Path,
    out: Path | None = None,
    *,
    frames: int = 8,
    model: Path | None = None,
    prefix: str | None = None,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> Path:
    """Write the package of a project; return its folder.

    Args:
        folder: of the project, or of the run that holds it.
        out: for the package; ``package`` beside the project if not given.
        frames: that the testbench sends to each stream.
        model: file of the integer model; the run's if not given.
        prefix: of all names of modules and memory files; the recipe's name if not given.
        force: go on with edited files of the project, and replace an edited package.
        say: takes what was done, line by line.

    Raises:
        ProjectError: no project or an edited one, no model or another one's, a prefix that is no
            name, or a folder at ``out`` that is no package or was edited.
        PlanError: a model of other sizes or formats.
    """
    project = open_project(folder, force)
    name = default_prefix(project.plan.name) if prefix is None else require_prefix(prefix)
    run = RunFolder(project.folder.parent)
    place = out or run.root / "package"
    _require_free(place, force)
    golden = _model(project, model or run.integer_model)
    streams, source = _frames(project, golden, run.corpus, frames)
    files = package_files(
        project.plan,
        _texts(project),
        vector_files(project.plan, golden, streams),
        name=name,
        frames=frames,
        source=source,
        edited=project.edited,
    )
    command = command_line("package", frames=frames if frames != 8 else None, prefix=prefix)
    told = {"top": f"{name}_top", "command": command, "frames": frames, "source": source}
    manifest = manifest_text(FORMAT, project.plan, files, **told, edited=list(project.edited))
    with filling(place, MANIFEST, "package") as work:
        for name, text in (files | {MANIFEST: manifest}).items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            write_text(work / name, text)
    if project.edited:
        say(f"edited after generation: {', '.join(project.edited)}")
    say(
        f"{len(files)} files of plan {project.plan.digest} in {place}; its top module is {name}_top"
    )
    say(f"frames of its testbench, {frames} to each stream: {source}")
    say(f"to simulate it: make -C {place} sim")
    return place


def _require_free(place: Path, force: bool) -> None:
    """Check that a package may be written there.

    Raises:
        ProjectError: something else is there, or (unless forced) a package that was edited.
    """
    require_own(place, MANIFEST, "package")
    if not (place / MANIFEST).is_file():
        return
    edited = changed(place, read_manifest(place, FORMAT, "package", "package"))
    if edited and not force:
        raise ProjectError(
            f"{place / edited[0]} changed after packaging",
            remedy="keep your edit elsewhere, or let --force replace it",
        )


def _model(project: Project, path: Path) -> IntegerModel:
    """Return the integer model of a project.

    Raises:
        ProjectError: there is none, or it is another project's.
    """
    if not path.is_file():
        raise ProjectError(
            f"{path} is not there, and only the integer model knows what the testbench must expect",
            remedy="name its file with --model",
        )
    model = IntegerModel.load(path)
    require_plan(project.plan, model)
    for name, text in memory_files(project.plan, model).items():
        found = project.rtl / name
        if f"rtl/{name}" not in project.edited and found.read_text(encoding="utf-8") != text:
            raise ProjectError(
                f"{found} holds other words than {path} makes",
                remedy="generate the project from this model, or name its own with --model",
            )
    return model


def _frames(
    project: Project, model: IntegerModel, corpus: Path, frames: int
) -> tuple[Streams, str]:
    """Return frames for every stream, and where they are from."""
    streams = project.plan.streams
    if (corpus / "test.safetensors").is_file():
        test = read_frames(corpus, "test")
        if test[0].shape[1] == model.features:
            return deal_out(test, streams, frames), SPEECH
    rng = np.random.default_rng(0)
    shorter = -(-frames // 2)  # two utterances a stream
    lengths = [length for length in (shorter, frames - shorter) if length]
    return [[rng.normal(0, 1, (n, model.features)) for n in lengths] for _ in range(streams)], NOISE


def _texts(project: Project) -> dict[str, str]:
    """Return the files of a project, {path: text}.

    Raises:
        ProjectError: one is missing or no text any more.
    """
    texts = {}
    for name in project.files:
        try:
            texts[name] = (project.folder / name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ProjectError(
                f"{project.folder / name} cannot be packaged",
                given=str(error),
                remedy="run `ernn generate` again",
            ) from None
    return texts
