"""The chain: which steps there are, what goes into each, and the function that runs them."""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ernn.errors import BoundError, RecipeError
from ernn.flow.engine import SUMMARY, Chain, Step, file_hash
from ernn.flow.hardware import generate, plan, report, simulate
from ernn.flow.model import compress, corpus, quantize, train
from ernn.recipe import NAME, CorpusRecipe, Recipe
from ernn.resources import folder


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
    raise RecipeError(
        f"there is no recipe {text!r}; give the path of a TOML file or one of the shipped "
        f"recipes: {', '.join(sorted(shipped))}"
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
        ErnnError: what the steps raise; BoundError: the report says that the recipe's bound is
            not met.
    """
    out = out or Path("out") / recipe.name
    Chain(STEPS, recipe, out, say).bring(last, force, wait)
    summary = out / last / SUMMARY
    if summary.is_file():
        say(summary.read_text(encoding="utf-8").rstrip())
    if last == "report":
        _judge(out / last, say)
    return out


def _judge(folder: Path, say: Callable[[str], None]) -> None:
    """Say where the report is, and whether the loss of accuracy is within the recipe's bound."""
    from ernn.report.render import load_report

    accuracy = load_report(folder / "report.json").accuracy
    say(f"the report is {folder / 'report.html'}")
    if not accuracy.within_bound:
        raise BoundError(
            f"the integer model loses {accuracy.loss_points:.2f} PER points against the dense "
            f"one, more than per_bound_points = {accuracy.bound_points}; use smaller blocks, more "
            "bits or longer training, or raise the bound"
        )


def _recorded_speech(recipe: Recipe, out: Path) -> dict[str, str]:
    """Return a fingerprint of a user's own corpus: names, sizes and times of its files."""
    corpus = recipe.corpus
    if corpus.kind == "synthetic" or corpus.path is None:
        return {}
    listed = hashlib.sha256()
    for path in sorted(filter(_is_file, _files(corpus, corpus.path))):
        told = path.stat()
        listed.update(os.fsencode(path) + f"\0{told.st_size}\0{told.st_mtime_ns}\0".encode())
    return {corpus.path: listed.hexdigest()}


def _is_file(path: Path) -> bool:
    """Tell whether there is such a file; of a name that cannot be one, that there is not."""
    try:
        return path.is_file()
    except ValueError:
        return False


def _files(corpus: CorpusRecipe, path: str) -> Iterable[Path]:
    """Return the files that a user's own corpus is made from."""
    from ernn.speech import kaldi, manifest, timit

    if corpus.kind == "kaldi":
        return kaldi.sources(corpus)
    if corpus.kind == "manifest":
        return manifest.sources(corpus)
    return timit.sources(Path(path))


def _dense(recipe: Recipe) -> Recipe:
    """Return a recipe without what its dense phase does not depend on."""
    return recipe.model_copy(update={"model": recipe.model.dense()})


def _own_part(recipe: Recipe, out: Path) -> dict[str, str]:
    """Return the hash of a user's own part file."""
    part = recipe.hardware.part
    return {part: file_hash(Path(part))} if part.lower().endswith(".toml") else {}


def _beside(recipe: Recipe, out: Path) -> dict[str, str]:
    """Return the hashes of the results beside the run."""
    from ernn.flow.beside import beside

    return beside(recipe, out)


# What each step reads: keys of the recipe, steps before it, and the code that does its work.
STEPS = (
    Step(
        "corpus",
        corpus,
        reads=("corpus_seed", "corpus", "features"),
        code=("speech", "flow/model"),
        outside=_recorded_speech,
    ),
    Step(
        "train",
        train,
        reads=("seed", "features", "model", "training"),
        after=("corpus",),
        code=("train", "speech", "circulant", "compressed", "flow/model", "flow/team"),
        resumable=True,
        view=_dense,
    ),
    Step(
        "compress",
        compress,
        reads=("seed", "features", "model", "training", "compression"),
        after=("corpus", "train"),
        code=("train", "speech", "circulant", "compressed", "flow/model", "flow/team"),
        resumable=True,
    ),
    Step(
        "quantize",
        quantize,
        reads=("seed", "features", "model", "training", "quantization", "search_bound_points"),
        after=("corpus", "train", "compress"),
        code=(
            *("finetune", "train", "quant", "speech", "fixed", "circulant", "compressed"),
            *("flow/model", "flow/bits", "flow/results"),
        ),
        resumable=True,
    ),
    Step(
        "plan",
        plan,
        reads=("name", "hardware"),
        after=("quantize",),
        code=("hw", "quant", "fixed", "parts", "flow/hardware"),
        outside=_own_part,
    ),
    Step(
        "generate",
        generate,
        reads=(),
        after=("quantize", "plan"),
        code=("hdl", "hw", "quant", "fixed", "hw_templates", "flow/hardware"),
    ),
    Step(
        "simulate",
        simulate,
        reads=("simulation",),
        after=("corpus", "quantize", "plan", "generate"),
        code=(
            *("run", "sim", "hdl", "hw", "quant", "fixed", "hw_templates"),
            *("flow/hardware", "flow/activity"),
        ),
    ),
    Step(
        "report",
        report,
        reads=("name", "seed", "per_bound_points", "corpus", "model", "quantization"),
        after=("train", "compress", "quantize", "plan", "simulate"),
        code=(
            *("report", "energy", "hw", "run", "speech", "parts"),
            *("flow/hardware", "flow/summary", "flow/beside", "flow/power"),
        ),
        outside=_beside,
    ),
)
