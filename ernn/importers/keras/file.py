"""Import a Keras model: its configuration and weights, read here and checked against Keras."""

import importlib.util
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ernn.errors import ModelFileError
from ernn.extras import extras_explained
from ernn.importers.assemble import assemble
from ernn.importers.keras.config import KerasConfig, read_config
from ernn.importers.keras.layers import items_of
from ernn.importers.keras.weights import MOST_PACKED, KerasWeights
from ernn.importers.network import TOLERANCE, ImportedNetwork, Runtime, checked
from ernn.importers.zipped import DAMAGED

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"


def from_keras(
    model: Any, *, data: Sequence[np.ndarray] = (), tolerance: float = TOLERANCE
) -> ImportedNetwork:
    """Import a Keras 3 model, or the .keras file of one.

    Args:
        model: of LSTM, GRU or SimpleRNN layers, with what docs/import.md lists around them, each
            layer behind the other; or a path.
        data: frames (T, F) of some sequences, to compare on beside random ones.
        tolerance: largest difference to Keras, against the largest output or 1.

    Raises:
        ModelFileError: the file is damaged or not to be trusted, or a layer of the model is none
            that ernn can build.
        MismatchError: ernn's model computes something else.
        ToolError: Keras is not installed.
    """
    if isinstance(model, str | Path):
        return _from_file(Path(model), f"Keras file {Path(model).name}", data, tolerance)
    if not hasattr(model, "save") or not hasattr(model, "get_config"):
        raise ModelFileError(
            f"{type(model).__name__} is no Keras model", remedy="give a model or a .keras file"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        try:
            model.save(path)
        except (ValueError, TypeError, NotImplementedError) as error:
            told = str(error).splitlines()[0]
            raise ModelFileError(
                "Keras cannot save the model", given=told, remedy="build it before, by a call"
            ) from None
        return _from_file(path, f"Keras model {model.name}", data, tolerance)


def _from_file(
    path: Path, source: str, data: Sequence[np.ndarray], tolerance: float
) -> ImportedNetwork:
    config, content = _read(path)
    try:
        items, features, steps = items_of(config.layers, KerasWeights(content))
    except (TypeError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise _bad(path, str(error)) from None
    made = assemble(items, features)
    if config.narrow:
        made = replace(made, notes=(*made.notes, f"16-bit floats, computed in {config.dtype}"))
    run = _runtime(config, content)
    return checked(source, made, run, steps=steps, data=data, tolerance=tolerance)


def _read(path: Path) -> tuple[KerasConfig, bytes]:
    """Return the configuration and the bytes of the weights in a file."""
    try:
        with zipfile.ZipFile(path) as archive:
            config, content = (_entry(archive, name) for name in (_CONFIG, _WEIGHTS))
        return read_config(json.loads(config)), content
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from None
    except KeyError as error:
        remedy = "give what model.save('name.keras') of Keras 3 wrote"
        raise _bad(path, f"there is no {error.args[0]} in it", remedy) from None
    except ModelFileError:
        raise
    except RecursionError:
        raise _bad(path, "its configuration is nested too deep") from None
    except (*DAMAGED, ValueError, TypeError, AttributeError, IndexError) as error:
        raise _bad(path, str(error)) from None


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    entry = archive.getinfo(name)
    if entry.file_size > MOST_PACKED * entry.compress_size:
        raise ValueError(f"{name} unpacks to {entry.file_size:,} bytes")
    return archive.read(entry)


def _bad(path: Path, given: str, remedy: str = "save the model again") -> ModelFileError:
    return ModelFileError(f"{path} cannot be read as a Keras file", given=given, remedy=remedy)


def _runtime(config: KerasConfig, content: bytes) -> Runtime:
    """Return Keras itself, which loads the weights of the file and the configuration's copy."""
    with extras_explained():
        keras = _keras()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": keras.__version__}))
            archive.writestr(_CONFIG, json.dumps(config.clean))
            archive.writestr(_WEIGHTS, content)
        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises nearly anything
            told = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelFileError(
                "Keras itself cannot load the model", given=told, remedy="save the model again"
            ) from None

    def run(frames: np.ndarray) -> np.ndarray:
        outputs = model(frames[None].astype(config.dtype), training=False)
        told = np.asarray(keras.ops.convert_to_numpy(outputs), np.float64)
        return told.reshape(-1, told.shape[-1])

    return run


def _keras() -> Any:
    """Import Keras with the user's backend, or with torch where that one is not installed."""
    if "keras" in sys.modules or "KERAS_BACKEND" in os.environ:
        return importlib.import_module("keras")
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    try:
        chosen = str(json.loads((home / "keras.json").read_text()).get("backend"))
    except (OSError, ValueError, AttributeError):
        chosen = "tensorflow"
    if importlib.util.find_spec(chosen) is not None:
        return importlib.import_module("keras")
    os.environ["KERAS_BACKEND"] = "torch"
    try:
        return importlib.import_module("keras")
    finally:
        del os.environ["KERAS_BACKEND"]
