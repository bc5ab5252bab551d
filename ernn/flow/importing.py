"""`ernn import`: a network of another tool becomes a folder with a recipe that `ernn run` takes.

DIR/source holds the dense network, the recipe, what was understood, and what stays on the host.
The run that follows works in DIR beside it.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ernn.errors import CorpusError, ProjectError
from ernn.files import write_text
from ernn.flow.dependencies import file_hash
from ernn.flow.fitting import require_fitting
from ernn.folders import filling, own_folder, remove
from ernn.importers.network import ImportedNetwork
from ernn.importers.settings import model_settings
from ernn.recipe import NAME, Recipe
from ernn.recipe.toml import to_toml
from ernn.targets import Targets
from ernn.tasks.kinds import KINDS, open_task
from ernn.tasks.task import SPLITS

FOLDER = "source"  # in DIR
RECIPE, NETWORK, TOLD, FRAMES = "recipe.toml", "network.safetensors", "import.txt", "frames.npz"
_WRITTEN = "SHA-256 of recipe.toml as it was written: "
_RANDOM = (32, 64)  # sequences, steps


@dataclass(frozen=True)
class Wanted:
    """What a user says about the accelerator of an imported network."""

    name: str  # of the recipe
    data: Path | Sequence[np.ndarray] | None = None  # a file or folder, or frames (T, F)
    random_calibration: bool = False  # instead of data
    block: int = 1  # size of the blocks that it is compressed to; 1: dense
    layer: Mapping[str, Any] = field(default_factory=dict)  # more keys of every [[model.layers]]
    # Keys of the recipe by section; those of [model] take the place of the network's.
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def write_import(
    network: ImportedNetwork, wanted: Wanted, out: Path, say: Callable[[str], None]
) -> Path:
    """Write the recipe of an imported network and what it needs; return its path.

    Raises:
        CorpusError: there are no data, or not of this network.
        MismatchError: ernn's model of it differs from the source on the data.
        RecipeError: a setting is not allowed.
        ProjectError: the folder is not ernn's, or its recipe was edited.
    """
    require_data(wanted)
    home, new = out / FOLDER, not out.exists()
    _require_unedited(home)
    own_folder(out)
    try:
        _write(network, wanted, home, say)
    except BaseException:
        if new:
            remove(out)
        raise
    for name in network.host:
        say(f"{home / name}: what the host computes {Path(name).stem} the hardware")
    return home / RECIPE


def _write(
    network: ImportedNetwork, wanted: Wanted, home: Path, say: Callable[[str], None]
) -> None:
    with filling(home, TOLD, "import") as work:
        data = _data(wanted, network, work / FRAMES)
        recipe = _recipe(wanted, network, data, home / NETWORK)
        frames, targets = _fitting(Recipe.from_dict(recipe, "import"), network)
        if network.last and targets == "none":
            recipe["task"]["at_end"] = True
        network = network.compared(frames)
        if data == work / FRAMES:  # as it will be called when the folder is whole
            recipe["task"]["path"] = str(home / FRAMES)
        for line in network.lines():
            say(line)
        network.save(work / NETWORK)
        write_text(work / RECIPE, to_toml(recipe))
        write_text(work / TOLD, f"{network}\n{_WRITTEN}{file_hash(work / RECIPE)}\n")
        for name, content in network.host.items():
            (work / name).write_bytes(content)


def _require_unedited(home: Path) -> None:
    """Refuse to take the place of a recipe that a user has changed.

    Raises:
        ProjectError: it was.
    """
    recipe, told = home / RECIPE, home / TOLD
    if recipe.is_file() and told.is_file():
        *_, last = told.read_text(encoding="utf-8").splitlines() or [""]
        if last != f"{_WRITTEN}{file_hash(recipe)}":
            raise ProjectError(
                f"{recipe} was changed since ernn wrote it",
                remedy=f"give another folder, or move {home} away to import again",
            )


def formats_of(bits: int) -> dict[str, Any]:
    """Return the [quantization] for so many bits; above 12, state and activations follow."""
    settings = {"weight_bits": bits, "activation_bits": bits}
    if bits <= 12:
        return settings
    return {**settings, "state_bits": 18, "activation_error": max(1e-4, 2.0 ** (3 - bits))}


def require_data(wanted: Wanted) -> None:
    """Refuse an import without data, before a network is read.

    Raises:
        CorpusError: there are none, and random ones are not wanted.
    """
    if (wanted.data is None) != wanted.random_calibration:
        raise CorpusError(
            "calibration",
            given="no data" if wanted.data is None else "data, and random frames too",
            allowed="one of the two",
            remedy="give data with frames that the network is made for (--data); random frames "
            "(--random-calibration) are for those who only want to see hardware",
        )


def _data(wanted: Wanted, network: ImportedNetwork, path: Path) -> Path:
    """Return where the data lie; those that are no files yet are written to ``path``."""
    if isinstance(wanted.data, Path):
        return wanted.data
    frames = _random(network.model.features) if wanted.data is None else list(wanted.data)
    sequences = [np.asarray(one, np.float32) for one in frames]
    size = network.model.features
    if not sequences or any(one.ndim != 2 or one.shape[1] != size for one in sequences):
        shapes = sorted({one.shape for one in sequences})
        raise CorpusError(
            "data",
            given=f"arrays of the shapes {shapes}" if shapes else "no arrays",
            allowed=f"arrays (T, {size})",
            remedy="give a list with one for each sequence",
        )
    lengths = np.array([len(one) for one in sequences])
    np.savez(path, frames=np.concatenate(sequences), lengths=lengths)
    return path


def _random(features: int) -> list[np.ndarray]:
    rng, (sequences, steps) = np.random.default_rng(0), _RANDOM
    return [rng.standard_normal((steps, features)) for _ in range(sequences)]


def _recipe(wanted: Wanted, network: ImportedNetwork, data: Path, file: Path) -> dict[str, Any]:
    """Return the recipe of an import as keys and values; those without any are left out."""
    name = "".join(one if NAME.fullmatch(f"a{one}") else "-" for one in wanted.name).strip("-_")
    model = model_settings(network.model, wanted.block)
    layers = [{**layer, **wanted.layer} for layer in model["layers"]]
    recipe: dict[str, Any] = {
        "name": name[:64] or "imported",
        "source": {"kind": "import", "path": str(file)},
        "task": {"kind": "arrays", "path": str(data)},
        "model": {**model, "layers": layers},
        "training": {"label_delay": 0},
    }
    for section, keys in wanted.sections.items():
        recipe[section] = {**recipe.get(section, {}), **keys}
    return {key: value for key, value in recipe.items() if value}


def _fitting(recipe: Recipe, network: ImportedNetwork) -> tuple[list[np.ndarray], Targets]:
    """Return the frames (T, F) of all sequences of the data, and the kind of their targets.

    Raises:
        CorpusError: frames or targets are not of this network.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = import_module(KINDS[recipe.task.kind].data)
        made.make_data(recipe, Path(folder), 1, lambda done, total: None)
        task = open_task(recipe, Path(folder))
        require_fitting(network.source, network.model, task)
        return [one for split in SPLITS for one in task.frames(split)], task.targets
