"""`ernn import`: a network of another tool becomes a folder with a recipe that `ernn run` takes.

DIR/source holds the dense network, the recipe, what was understood, and what stays on the host.
The run that follows works in DIR beside it.
"""

import tempfile
from collections.abc import Callable
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
from ernn.importers.sources import Choice, import_network
from ernn.recipe import NAME, Recipe
from ernn.recipe.toml import to_toml
from ernn.tasks.kinds import KINDS, read_frames
from ernn.tasks.task import SPLITS

FOLDER = "source"  # in DIR
RECIPE, NETWORK, TOLD, RANDOM = "recipe.toml", "network.safetensors", "import.txt", "random.npy"
_RANDOM = (32, 64)  # sequences, steps


@dataclass(frozen=True)
class Wanted:
    """What a user says about an import."""

    source: Path
    out: Path
    data: Path | None = None
    random_calibration: bool = False
    name: str | None = None  # of the recipe
    block: int = 1
    hardware: dict[str, Any] = field(default_factory=dict)  # keys of the recipe
    quantization: dict[str, Any] = field(default_factory=dict)
    choice: Choice = field(default_factory=Choice)


def import_source(wanted: Wanted, say: Callable[[str], None]) -> Path:
    """Import a network; return the recipe that was written.

    Raises:
        ModelFileError: the source cannot be read, or is no network that ernn builds.
        MismatchError: ernn's model of it differs from the source.
        CorpusError: there are no data, or not of this network.
        ProjectError: the folder is not ernn's.
    """
    _require_data(wanted)
    network = import_network(wanted.source, wanted.choice)
    own_folder(wanted.out)
    with filling(wanted.out / FOLDER, TOLD, "import") as work:
        # Named as they will be when the folder is whole.
        home, random = wanted.out / FOLDER, work / RANDOM
        if wanted.random_calibration:
            _draw(network.model.features, random)
        data = wanted.data or random
        recipe = _recipe(wanted, network, data, home / NETWORK)
        network = network.compared(_frames(recipe, network))
        if wanted.random_calibration:
            recipe["task"]["path"] = str(home / RANDOM)
        for line in network.lines():
            say(line)
        network.save(work / NETWORK)
        write_text(work / RECIPE, to_toml(recipe))
        for name, content in network.host.items():
            (work / name).write_bytes(content)
        write_text(work / TOLD, f"{network}\n")
    for name in network.host:
        say(f"{home / name}: what the host computes {Path(name).stem} the hardware")
    return home / RECIPE


def _require_data(wanted: Wanted) -> None:
    if (wanted.data is None) != wanted.random_calibration:
        raise CorpusError(
            "calibration",
            given="data and --random-calibration" if wanted.data else "no data",
            allowed="one of the two",
            remedy="give --data FILE with frames that the network is made for; "
            "--random-calibration is for those who only want to see hardware",
        )


def _recipe(wanted: Wanted, network: ImportedNetwork, data: Path, file: Path) -> dict[str, Any]:
    """Return the recipe of an import as keys and values; it is checked.

    Raises:
        RecipeError: a setting is not allowed.
    """
    found = wanted.name or wanted.source.stem
    name = "".join(one if NAME.fullmatch(f"a{one}") else "-" for one in found).strip("-_")[:64]
    recipe = {
        "name": name or "imported",
        "source": {"kind": "import", "path": str(file)},
        "task": {"kind": "arrays", "path": str(data)},
        "model": model_settings(network.model, wanted.block),
        "training": {"label_delay": 0},
        "quantization": wanted.quantization,
        "hardware": wanted.hardware,
    }
    Recipe.from_dict(recipe, "import")
    return {key: value for key, value in recipe.items() if value}


def _frames(recipe: dict[str, Any], network: ImportedNetwork) -> list[np.ndarray]:
    """Return the frames (T, F) of all the user's sequences.

    Raises:
        CorpusError: they are not of this network.
    """
    read = Recipe.from_dict(recipe, "import")
    with tempfile.TemporaryDirectory() as folder:
        made = import_module(KINDS[read.task.kind].data)
        made.make_data(read, Path(folder), 1, lambda done, total: None)
        frames = [one for split in SPLITS for one in read_frames(Path(folder), split)]
    if frames[0].shape[1] != network.model.features:
        raise CorpusError(
            f"{read.task.path} has {frames[0].shape[1]} values a frame",
            allowed=f"{network.model.features}, as {network.source} takes",
            remedy="give frames as they enter the part that becomes hardware",
        )
    return frames


def _draw(features: int, path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(path, rng.standard_normal((*_RANDOM, features)).astype(np.float32))
