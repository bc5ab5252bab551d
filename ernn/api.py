"""ernn as a library: the steps as functions of files or of objects; docs/python.md shows them.

All names are also names of the package, `ernn.fit` and so on, loaded when they are used. A script
needs no guard of ``if __name__ == "__main__":``. Whatever a user can act on is an `ErnnError`.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ernn.errors import ModelFileError
from ernn.extras import extras_explained
from ernn.flow.chain import STEPS, bring, find_recipe
from ernn.recipe import HardwareRecipe, QuantizationRecipe, Recipe

if TYPE_CHECKING:
    import numpy as np

    from ernn.compressed import CompressedModel
    from ernn.hw.plan import HardwarePlan
    from ernn.importers.network import ImportedNetwork
    from ernn.quant.integer_model import IntegerModel
    from ernn.run.simulate import Simulation

STEP_NAMES = tuple(step.name for step in STEPS)  # "corpus" to "report"
Settings = Mapping[str, Any]  # a section of a recipe: its keys and values


def load_recipe(recipe: str | Path | Settings) -> Recipe:
    """Return a recipe of a TOML file, of a shipped one's bare name, or of keys and values.

    Raises:
        RecipeError: there is none, or something in it is not allowed.
    """
    if isinstance(recipe, Mapping):
        return Recipe.from_dict(dict(recipe))
    return Recipe.load(find_recipe(str(recipe)))


def run_recipe(
    recipe: Recipe | str | Path | Settings,
    out: str | Path | None = None,
    *,
    step: str = "report",
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Bring a step of a recipe and all before it up to date, as `ernn run` does.

    Args:
        recipe: itself, or what `load_recipe` takes.
        out: folder of the run; ``out/NAME`` if not given.
        step: the last one to do, one of `STEP_NAMES`; "import" where a network is imported.
        force: do the last step even when it is up to date.
        say: takes a line about each step; `print`, for example.

    Returns:
        The folder of the run; docs/files.md says what is in it.

    Raises:
        ErnnError: what the steps raise.
        RecipeError: no step has that name.
    """
    wanted = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    return bring(step, wanted, Path(out) if out else None, force=force, say=say)


def write_recipe(
    network: "ImportedNetwork",
    out: str | Path,
    data: "str | Path | Sequence[np.ndarray]",
    *,
    name: str = "imported",
    block: int = 1,
    layer: Settings | None = None,
    model: Settings | None = None,
    training: Settings | None = None,
    compression: Settings | None = None,
    quantization: Settings | None = None,
    hardware: Settings | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write the recipe of an imported network, for `run_recipe` with the same ``out``.

    Args:
        network: from `from_torch`, `from_onnx`, `from_keras` or `from_state_dict`.
        out: folder of the run to come; the recipe and the network go to ``out/source``.
        data: frames, and targets if there are any: a file or folder (docs/own_data.md), or the
            frames (T, F) of some sequences.
        name: of the accelerator.
        block: size of the blocks that it is compressed to; 1 leaves it dense.
        layer: more keys of every [[model.layers]] of the recipe, such as ``block_input``.
        model: keys of its [model], such as ``structure``.
        training: keys of its [training]; batches and chunks matter to compression too.
        compression: keys of its [compression].
        quantization: keys of its [quantization].
        hardware: keys of its [hardware].
        say: takes a line about what was understood.

    Raises:
        ErnnError: the data are not of this network, or a setting is not allowed.
    """
    from ernn.flow.importing import Wanted, write_import
    from ernn.importers.network import ImportedNetwork

    if not isinstance(network, ImportedNetwork):
        raise ModelFileError(
            f"a {type(network).__name__} is no imported network",
            remedy="give what from_torch, from_onnx, from_keras or from_state_dict returns",
        )
    given = Path(data) if isinstance(data, str | Path) else data
    sections = {
        "model": model or {},
        "training": training or {},
        "compression": compression or {},
        "quantization": quantization or {},
        "hardware": hardware or {},
    }
    wanted = Wanted(name, given, False, block, layer or {}, sections)
    return write_import(network, wanted, Path(out), say)


def fit(
    recipe: Recipe,
    train: "Sequence[tuple[np.ndarray, np.ndarray]]",
    dev: "Sequence[tuple[np.ndarray, np.ndarray]]",
    labels: int,
) -> "CompressedModel":
    """Train a model on arrays and compress it: the recipe's [model], [training], [compression].

    Args:
        recipe: with ``training.loss = "frames"``.
        train: features (T, F), float, and labels (T,), integer, of each sequence.
        dev: the same, of the sequences that tell when training is best.
        labels: how many there are, numbered from 0.

    Raises:
        CorpusError: the arrays do not fit each other, are empty or not finite.
        RecipeError: the model cannot be trained like that.
        ToolError: the extra "train" is not installed.
    """
    import numpy as np

    with extras_explained():
        from ernn.train import distributed
        from ernn.train.acoustic import AcousticModel
        from ernn.train.batches import Data
        from ernn.train.fit import Run
        from ernn.train.loop import compress, train_dense

    splits = [
        [(np.asarray(x, np.float32), np.asarray(y, np.int64)) for x, y in split]
        for split in (train, dev)
    ]
    data = Data(splits[0], splits[1], labels)
    model = AcousticModel(recipe.model, splits[0][0][0].shape[1], labels, recipe.seed)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), recipe.seed, distributed.device())
        train_dense(model, recipe.training, data, run)
        compress(model, recipe.compression, recipe.training, data, run)
    return model.export()


def quantize(
    model: "CompressedModel",
    calibration: "Sequence[np.ndarray]",
    settings: QuantizationRecipe | Settings | None = None,
) -> "IntegerModel":
    """Return the integer model, the golden model of the hardware.

    Args:
        model: as `fit` or a file gives it.
        calibration: features (T, F) of some sequences, which show how large every signal gets.
        settings: of the recipe's [quantization]; its bits, not its search or fine-tuning.

    Raises:
        CorpusError, ShapeError: the sequences are empty, not finite or of another size.
        RecipeError: a setting is not allowed.
    """
    from ernn.quant.fill import filled
    from ernn.quant.quantize import quantize as make

    if not isinstance(settings, QuantizationRecipe):
        settings = QuantizationRecipe.from_dict(dict(settings or {}), "quantization")
    return filled(make(model, settings, calibration))


def plan(
    model: "IntegerModel",
    hardware: HardwareRecipe | Settings | None = None,
    name: str = "accelerator",
) -> "HardwarePlan":
    """Plan the accelerator of a model: every width, depth and cycle.

    Args:
        model: as `quantize` or a file gives it.
        hardware: of the recipe's [hardware], such as ``{"part": "XC7Z020", "streams": 2}``.
        name: that the plan and its project tell.

    Raises:
        PlanError: the part is not known, or cannot hold it.
        RecipeError: a setting is not allowed.
    """
    from ernn.hw.explore import make_plan

    if not isinstance(hardware, HardwareRecipe):
        hardware = HardwareRecipe.from_dict(dict(hardware or {}), "hardware")
    return make_plan(model, hardware, name)


def generate(plan: "HardwarePlan", model: "IntegerModel", folder: str | Path) -> Path:
    """Write the Verilog, its memories and its manifest into a folder, and return the folder.

    Raises:
        ProjectError: the folder holds what ernn did not write.
    """
    from ernn.hdl.project import write_project

    return write_project(plan, model, Path(folder))


def simulate(
    project: str | Path,
    model: "IntegerModel",
    sequences: "Sequence[np.ndarray]",
    *,
    simulator: Literal["verilator", "icarus"] = "verilator",
    testbench: Literal["cocotb", "compiled"] = "cocotb",
    work: str | Path | None = None,
) -> "Simulation":
    """Simulate a generated accelerator: every word and every cycle must be as planned.

    Args:
        project: folder that `generate` wrote.
        model: of the project.
        sequences: features (T, F) of each; they are dealt out to the plan's streams in turn.
        simulator: which one.
        testbench: "compiled" is several times as fast, and Verilator's alone.
        work: folder for the build, which the next call uses again; a temporary one if not given.

    Raises:
        MismatchError: the first word or cycle that differs.
        ToolError: the simulator is missing or fails.
        CorpusError, ShapeError: the sequences do not fit the model.
    """
    from ernn.hw.plan import HardwarePlan
    from ernn.run.simulate import simulate as run

    planned = HardwarePlan.load(Path(project) / "plan.json")
    dealt = [sequences[stream :: planned.streams] for stream in range(planned.streams)]
    streams = [stream for stream in dealt if len(stream)]
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(work or temporary)
        return run(
            Path(project),
            planned,
            model,
            streams,
            work_folder=place,
            simulator=simulator,
            testbench=testbench,
        )
