"""Which reader a file is for."""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from ernn.errors import ModelFileError
from ernn.extras import extras_explained
from ernn.importers.network import TOLERANCE, ImportedNetwork

# By the file's ending: the module, its function, and the choices that it takes.
_READERS = {
    ".onnx": ("onnx.network", "from_onnx", ("start", "end", "inputs")),
    ".keras": ("keras.file", "from_keras", ()),
    ".pt2": ("torch.module", "from_torch", ()),
    **dict.fromkeys(
        (".safetensors", ".pt", ".pth", ".npz"),
        ("torch.state_dict", "from_state_dict", ("description",)),
    ),
}


# The choices, and how the command line calls them.
_OPTIONS = {
    "start": "--start",
    "end": "--end",
    "inputs": "--input",
    "description": "--describe",
}


@dataclass(frozen=True)
class Choice:
    """What a user says where a file leaves a choice."""

    start: str | None = None  # ONNX: tensor that enters the hardware
    end: str | None = None  # ONNX: tensor that leaves it
    inputs: dict[str, float] = field(default_factory=dict)  # ONNX: inputs that are constants
    description: Path | None = None  # state dicts: TOML
    tolerance: float = TOLERANCE


def import_network(path: Path, choice: Choice) -> ImportedNetwork:
    """Import a network from a file of any format that ernn reads.

    Raises:
        ModelFileError: the file is missing, of another kind, damaged, or no network for ernn; or
            a choice is not one for this kind of file.
        MismatchError: ernn's model of it differs from the source.
        ToolError: a package of the extra "import" is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise ModelFileError(
            f"{path}: a file of a kind that ernn does not know", allowed=", ".join(_READERS)
        )
    if not path.is_file():
        raise ModelFileError(f"{path} is no file", remedy="give the file of a network")
    module, function, takes = _READERS[suffix]
    given = {name: getattr(choice, name) for name in _OPTIONS}
    given = {name: value for name, value in given.items() if value}
    if idle := given.keys() - set(takes):
        raise ModelFileError(
            f"{', '.join(sorted(_OPTIONS[name] for name in idle))} with {path}",
            given=f"a {suffix} file has no such choice",
            remedy="leave it out",
        )
    with extras_explained():
        read = getattr(import_module(f"ernn.importers.{module}"), function)
        network: ImportedNetwork = read(path, tolerance=choice.tolerance, **given)
        return network
