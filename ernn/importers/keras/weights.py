"""The weights in a Keras file: HDF5 that is looked through before anything of it is read."""

import io
import math
from typing import Any

import h5py
import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.layers import require_shape

MOST_PACKED = 100  # times that something compressed may be larger than what is stored


class KerasWeights:
    """The variables of layers, by the path of their group."""

    def __init__(self, content: bytes):
        """Open a file.

        Raises:
            ModelFileError: it is damaged, leads out of itself, or announces more than it holds.
        """
        try:
            self._file = h5py.File(io.BytesIO(content), "r")
            _require_inside(self._file, set())
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            if isinstance(error, ModelFileError):
                raise
            raise _bad(f"it is no HDF5 ({str(error).splitlines()[0]})") from None

    def read(self, path: str, layer: str, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
        """Return the variables of a group.

        Args:
            path: of the group.
            layer: its name, for messages.
            shapes: of each variable, -1 where any size will do.

        Raises:
            ModelFileError: there are others, or they are not finite.
        """
        group = self._file.get(f"{path}/vars")
        count = len(group) if isinstance(group, h5py.Group) else 0
        if count != len(shapes) or any(str(index) not in group for index in range(count)):
            unbuilt = "" if count else "; a model that was never built has none: give it an Input"
            raise _bad(
                f"{path} holds {count} variables{unbuilt}", f"{len(shapes)}, which {layer} has"
            )
        return [
            _array(group[str(index)], f"variable {index} of {layer}", shape)
            for index, shape in enumerate(shapes)
        ]


def _bad(given: str, allowed: str = "") -> ModelFileError:
    remedy = "save the model again with Keras 3"
    return ModelFileError("model.weights.h5", given=given, allowed=allowed, remedy=remedy)


def _array(dataset: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind != "f":
        raise _bad(f"{name} holds {getattr(dataset, 'dtype', 'no numbers')}", "floating point")
    found = tuple(dataset.shape)
    wanted = shape
    if len(found) == len(shape):
        wanted = tuple(n if m < 0 else m for m, n in zip(shape, found, strict=True))
    if found != wanted:
        raise ModelFileError(f"{name} has the shape {found}", allowed=str(wanted))
    array = np.asarray(dataset[()], np.float64)
    require_shape(name, array, wanted)
    return array


def _require_inside(group: h5py.Group, seen: set[int]) -> None:
    """Refuse links and data outside the file, and arrays larger than what is stored of them."""
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _bad(f"{group.name}/{name} is a link to another place")
        held = group[name]
        address = h5py.h5o.get_info(held.id).addr
        if address in seen:
            continue
        seen.add(address)
        if isinstance(held, h5py.Group):
            _require_inside(held, seen)
        elif not isinstance(held, h5py.Dataset) or held.external or held.is_virtual:
            raise _bad(f"{held.name} lies outside the file")
        else:
            size = math.prod(held.shape or ()) * held.dtype.itemsize
            if size > MOST_PACKED * held.id.get_storage_size():
                raise _bad(f"{held.name} announces {size:,} bytes and holds far fewer")
