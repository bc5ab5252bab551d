"""`ernn import`: a network of another tool becomes a folder with a recipe that `ernn run` takes.

DIR/source holds the dense network, the recipe, what was understood, and what stays on the host.
The run that follows works in DIR beside it.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ernn.errors import CorpusError
from ernn.files import write_text
from ernn.folders import filling, own_folder
from ernn.importers.network import ImportedNetwork
from ernn.importers.settings import model_settings
from ernn.recipe import NAME, Recipe
from ernn.recipe.toml import to_toml
from ernn.tasks.kinds import KINDS, read_frames
from ernn.tasks.task import SPLITS

FOLDER = "source"  # in DIR
RECIPE, NETWORK, TOLD, FRAMES = "recipe.toml", "network.safetensors", "import.txt", "frames.npz"
_RANDOM = (32, 64)  # sequences, steps


@dataclass(frozen=True)
class Wanted:
    """What a user says about the accelerator of an imported network."""

    name: str  # of the recipe
    data: Path | Sequence[np.ndarray] | None = None  # a file or folder, or frames (T, F)
    random_calibration: bool = False  # instead of data
    block: int = 1  # size of the blocks that it is compressed to; 1: dense
    hardware: dict[str, Any] = field(default_factory=dict)  # keys of the recipe
    quantization: dict[str, Any] = field(default_factory=dict)


def write_import(
    network: ImportedNetwork, wanted: Wanted, out: Path, say: Callable[[str], None]
) -> Path:
    """Write the recipe of an imported network and what it needs; return its path.

    Raises:
        CorpusError: there are no data, or not of this network.
        MismatchError: ernn's model of it differs from the source on the data.
        RecipeError: a setting is not allowed.
        ProjectError: the folder is not ernn's.
    """
    require_data(wanted)
    own_folder(out)
    home = out / FOLDER
    with filling(home, TOLD, "import") as work:
        data = _data(wanted, network, work / FRAMES)
        recipe = _recipe(wanted, network, data, home / NETWORK)
        network = network.compared(_frames(Recipe.from_dict(recipe, "import"), network))
        if data == work / FRAMES:  # as it will be called when the folder is whole
            recipe["task"]["path"] = str(home / FRAMES)
        for line in network.lines():
            say(line)
        network.save(work / NETWORK)
        write_text(work / RECIPE, to_toml(recipe))
        write_text(work / TOLD, f"{network}\n")
        for name, content in network.host.items():
            (work / name).write_bytes(content)
    for name in network.host:
        say(f"{home / name}: what the host computes {Path(name).stem} the hardware")
    return home / RECIPE


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
    if not sequences or any(one.ndim != 2 for one in sequences):
        raise CorpusError("frames", allowed="some arrays (T, F)", remedy="give at least one")
    lengths = np.array([len(one) for one in sequences])
    np.savez(path, frames=np.concatenate(sequences), lengths=lengths)
    return path


def _random(features: int) -> list[np.ndarray]:
    rng, (sequences, steps) = np.random.default_rng(0), _RANDOM
    return [rng.standard_normal((steps, features)) for _ in range(sequences)]


def _recipe(wanted: Wanted, network: ImportedNetwork, data: Path, file: Path) -> dict[str, Any]:
    """Return the recipe of an import as keys and values; those without any are left out."""
    name = "".join(one if NAME.fullmatch(f"a{one}") else "-" for one in wanted.name).strip("-_")
    recipe = {
        "name": name[:64] or "imported",
        "source": {"kind": "import", "path": str(file)},
        "task": {"kind": "arrays", "path": str(data)},
        "model": model_settings(network.model, wanted.block),
        "training": {"label_delay": 0},
        "quantization": wanted.quantization,
        "hardware": wanted.hardware,
    }
    return {key: value for key, value in recipe.items() if value}


def _frames(recipe: Recipe, network: ImportedNetwork) -> list[np.ndarray]:
    """Return the frames (T, F) of all sequences of the data.

    Raises:
        CorpusError: they are not of this network.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = import_module(KINDS[recipe.task.kind].data)
        made.make_data(recipe, Path(folder), 1, lambda done, total: None)
        frames = [one for split in SPLITS for one in read_frames(Path(folder), split)]
    if frames[0].shape[1] != network.model.features:
        raise CorpusError(
            f"{recipe.task.path} has {frames[0].shape[1]} values a frame",
            allowed=f"{network.model.features}, as {network.source} takes",
            remedy="give frames as they enter the part that becomes hardware",
        )
    return frames
