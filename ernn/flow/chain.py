"""The chain: which steps there are, what goes into each, and the function that runs them."""

import difflib
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ernn.errors import BoundError, RecipeError
from ernn.flow.dependencies import file_hash
from ernn.flow.engine import Chain, Step
from ernn.flow.process_group import Jobs
from ernn.flow.run_folder import SUMMARY, RunFolder
from ernn.flow.work import Work
from ernn.recipe import NAME, Recipe
from ernn.resources import folder
from ernn.structures.magnitude import MAGNITUDE, NOT_BUILT
from ernn.tasks.kinds import KINDS


def find_recipe(text: str) -> Path:
    """Return the path of a recipe given by path or by the bare name of a shipped one.

    Raises:
        RecipeError: there is no such file and no such shipped recipe.
    """
    if Path(text).is_file():
        return Path(text)
    shipped = {path.stem: path for path in folder("asr_models").glob("*.toml")}
    if NAME.fullmatch(text) and text in shipped:
        return shipped[text]
    close = difflib.get_close_matches(text, shipped, n=1, cutoff=0.7)
    meant = f"did you mean {close[0]}? " if close else ""
    raise RecipeError(
        f"there is no recipe {text!r}",
        remedy=f"{meant}give the path of a TOML file or one of the shipped recipes: "
        f"{', '.join(sorted(shipped))}",
    )


def load_recipe(text: str, hardware: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe, given as for `find_recipe`, with other keys of its hardware section if given.

    Raises:
        RecipeError: see `find_recipe` and `Recipe.load`.
    """
    recipe = Recipe.load(find_recipe(text))
    return recipe.with_hardware(hardware) if hardware else recipe


def bring(
    last: str,
    recipe: Recipe,
    out: Path | None = None,
    force: bool = False,
    say: Callable[[str], None] = print,
    wait: bool = False,
) -> Path:
    """Bring a step and all before it up to date in ``out`` (default: out/NAME); return ``out``.

    With ``wait`` it waits for another process that works in ``out``, instead of refusing.

    Raises:
        RecipeError: a step that the array has to be planned for, of a model that it refuses.
        ErnnError: what the steps raise; BoundError: the report says that the recipe's bound is
            not met.
    """
    out, steps = out or Path("out") / recipe.name, steps_of(recipe)
    if last not in (names := [step.name for step in steps]):
        raise RecipeError(
            f"there is no step {last!r} where [source] kind = {recipe.source.kind!r}",
            remedy=f"give one of {', '.join(names)}",
        )
    if recipe.model.structure == MAGNITUDE and names.index(last) > names.index("quantize"):
        raise RecipeError(NOT_BUILT).at(f'structure = "{MAGNITUDE}"')
    Chain(steps, recipe, out, say).bring(last, force, wait)
    run = RunFolder(out)
    summary = run.folder(last) / SUMMARY
    if summary.is_file():
        say(summary.read_text(encoding="utf-8").rstrip())
    if last == "report":
        _judge(run, say)
    return out


def _judge(run: RunFolder, say: Callable[[str], None]) -> None:
    """Say where the report is, and whether the loss of accuracy is within the recipe's bound."""
    from ernn.report.render import load_report

    accuracy = load_report(run.report).accuracy
    say(f"the report is {run.report.with_suffix('.html')}")
    judged = accuracy.judged
    if not accuracy.within_bound:
        raise BoundError(
            f"the integer model loses {judged.change(accuracy.loss)} of {judged.name} against "
            f"the dense one, more than [task] bound = {accuracy.bound}",
            remedy="use smaller blocks, more bits or longer training, or raise the bound",
        )


def _own_data(recipe: Recipe, out: Path) -> dict[str, str]:
    """Return a fingerprint of a user's own data: names, sizes and times of its files."""
    place = recipe.task.path or recipe.corpus.path
    listed = hashlib.sha256()
    found = sorted(filter(_is_file, import_module(KINDS[recipe.task.kind].data).sources(recipe)))
    for path in found:
        told = path.stat()
        listed.update(os.fsencode(path) + f"\0{told.st_size}\0{told.st_mtime_ns}\0".encode())
    return {place: listed.hexdigest()} if place else {}


def _is_file(path: Path) -> bool:
    """Tell whether there is such a file; of a name that cannot be one, that there is not."""
    try:
        return path.is_file()
    except ValueError:
        return False


def _dense(recipe: Recipe) -> Recipe:
    """Return a recipe without what its dense phase does not depend on."""
    return recipe.model_copy(update={"model": recipe.model.dense()})


def _own_part(recipe: Recipe, out: Path) -> dict[str, str]:
    """Return the hash of a user's own part file."""
    part = recipe.hardware.part
    return {part: file_hash(Path(part))} if part.lower().endswith(".toml") else {}


def _own_functions(recipe: Recipe, out: Path) -> dict[str, str]:
    """Return the hashes of the files of a user's own score and loss."""
    from ernn.own_function import file_of

    named = (recipe.task.own_score, recipe.task.own_loss)
    files = {file_of(own[0]) for own in named if own is not None}
    return {str(file): file_hash(file) for file in files if file and _is_file(file)}


def _external_results(recipe: Recipe, out: Path) -> dict[str, str]:
    """Return the hashes of the results beside the run, by path."""
    from ernn.flow.external_results import result_hashes

    return result_hashes(recipe, RunFolder(out))


def _own_network(recipe: Recipe, out: Path) -> dict[str, str]:
    """Return the hash of the network that is imported."""
    path = recipe.source.path
    return {path: file_hash(Path(path))} if path and Path(path).is_file() else {}


def _step(name: str, of_task: str | None = None, module: str | None = None, **options: Any) -> Step:
    """Return a step that `ernn.flow.steps` has a module for; it is imported when it has to run.

    Args:
        name: of the step.
        of_task: which module of a recipe's task it uses (ernn.tasks.kinds.Kind).
        module: of the step, if it has not its name.
        options: of the `Step`.
    """
    module = f"ernn.flow.steps.{module or name}"

    def also(recipe: Recipe) -> str | None:
        return getattr(KINDS[recipe.task.kind], of_task) if of_task else None

    def run(work: Work) -> None:
        import_module(module).run(work)

    return Step(name, run, module=module, also=also, **options)


def _require_fit(work: Work) -> None:
    from ernn.flow.fit_check import require_fit

    require_fit(work)


# What each step reads: keys of the recipe, and steps before it; the code follows from its imports.
STEPS = (
    _step(
        "corpus",
        "data",
        reads=("data", "corpus_seed", "corpus", "features"),
        outside=_own_data,
        tells=True,  # what is odd in the data matters to every step behind it
    ),
    _step(
        "train",
        "task",
        reads=("seed", "features", "model", "training", "goal"),
        after=("corpus",),
        outside=_own_functions,
        check=_require_fit,
        resumable=True,
        view=_dense,
    ),
    _step(
        "compress",
        "task",
        reads=("seed", "features", "model", "training", "compression", "goal"),
        after=("corpus", "train"),
        outside=_own_functions,
        check=_require_fit,  # its blocks or its part may have changed since the dense model
        resumable=True,
    ),
    _step(
        "quantize",
        "task",
        reads=("seed", "features", "model", "training", "quantization", "search_bound", "goal"),
        after=("corpus", "train", "compress"),
        outside=_own_functions,
        resumable=True,
    ),
    _step("plan", reads=("name", "hardware"), after=("quantize",), outside=_own_part),
    _step("generate", reads=(), after=("quantize", "plan")),
    _step(
        "simulate",
        "frames",
        reads=("simulation",),
        after=("corpus", "quantize", "plan", "generate"),
    ),
    _step(
        "report",
        "task",
        reads=("name", "seed", "task", "corpus", "model", "quantization"),
        after=("train", "compress", "quantize", "plan", "simulate"),
        outside=_external_results,
    ),
)

# Instead of the step "train": [source] kind = "import".
_IMPORT = _step(
    "import",
    "task",
    "import_network",
    reads=("seed", "features", "model", "source", "training", "goal"),
    after=("corpus",),
    view=_dense,
    outside=lambda recipe, out: _own_network(recipe, out) | _own_functions(recipe, out),
)


def steps_of(recipe: Recipe) -> tuple[Step, ...]:
    """Return the steps of a recipe: its dense model is trained, or it is imported."""
    if recipe.source.kind == "train":
        return STEPS
    steps = (_IMPORT if step.name == "train" else step for step in STEPS)
    return tuple(
        replace(step, after=tuple("import" if one == "train" else one for one in step.after))
        for step in steps
    )


# What the processes of one torchrun do together.
JOBS: Jobs = {
    name: lambda work: import_module(f"ernn.flow.steps.{work.step}").help_with(work)
    for name in ("train", "compress")
}
