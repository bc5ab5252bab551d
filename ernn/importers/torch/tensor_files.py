"""Read the tensors of a state dict: .safetensors, .pt or .pth, .npz. No file is trusted.

Nothing is unpickled but what torch's weights_only allows, and sizes are compared with the file's
before memory is taken.
"""

import math
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy
from safetensors import SafetensorError, safe_open

from ernn.errors import ModelFileError
from ernn.importers.zipped import DAMAGED

_MOST_PACKED = 100  # times that a compressed .npz may be larger than its file


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a file by name.

    Of a checkpoint with more in it than a state dict, the one state dict that it holds.

    Raises:
        ModelFileError: the file is missing, damaged, of another kind, announces more than it
            holds, needs pickle, or holds several state dicts.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ModelFileError(
            f"{path} is no state dict", given=f"it ends in {path.suffix!r}", allowed=FILES
        )
    try:
        return read(path)
    except OSError as error:
        told = error.strerror or str(error)
        raise _bad(path, told, f"give a state dict ({FILES})") from None
    except ModelFileError:
        raise
    except KeyError:  # of an opcode that torch's reader does not know
        raise _bad(path, "it is no file of torch.save", "save it again") from None
    except (SafetensorError, *DAMAGED, ValueError) as error:
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise _bad(path, told, "save it again") from None


def _bad(path: Path, given: str, remedy: str) -> ModelFileError:
    return ModelFileError(f"{path} cannot be read", given=given, remedy=remedy)


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, framework="pt") as file:  # compares its header with its size
        return {name: file.get_tensor(name) for name in file.keys()}


def _torch(path: Path) -> dict[str, torch.Tensor]:
    """Load twice: at first without memory, so that nothing larger than the file is made."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
                raise _bad(path, "it is compressed, which torch does not do", "save it again")
    for name, tensor in _tensors(_load(path, "meta")):
        reach = 1 + sum(
            (n - 1) * stride for n, stride in zip(tensor.shape, tensor.stride(), strict=True)
        )
        if tensor.numel() and (tensor.storage_offset() + reach) * tensor.itemsize > size:
            given = f"{name} has the shape {tuple(tensor.shape)}, and the file {size:,} bytes"
            raise _bad(path, given, "save it again")
    return _only_state_dict(path, _load(path, "cpu"))


def _load(path: Path, device: str) -> Any:
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except OSError:
        raise
    except pickle.UnpicklingError:
        raise _bad(
            path,
            "it holds more than tensors (pickled objects, which could run code)",
            "save module.state_dict(), or give the module to ernn.from_torch in Python",
        ) from None
    except Exception as error:  # of a damaged file torch raises nearly anything
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise _bad(path, told, "save it again by torch.save(module.state_dict())") from None


def _tensors(held: Any, name: str = "it") -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(held, torch.Tensor):
        yield name, held
    elif isinstance(held, dict):
        for key, value in held.items():
            yield from _tensors(value, str(key))
    elif isinstance(held, list | tuple):
        for value in held:
            yield from _tensors(value, name)


def _only_state_dict(path: Path, held: Any) -> dict[str, torch.Tensor]:
    found = dict(_state_dicts(held, ""))
    if len(found) != 1:
        names = ", ".join(sorted(found)[:8]) or "none"
        raise _bad(path, f"it holds the state dicts {names}", "save the one of the network alone")
    return next(iter(found.values()))


def _state_dicts(held: Any, name: str) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    """Yield the tables of tensors that have a matrix, as an optimizer's of numbers do not."""
    if not isinstance(held, dict):
        return
    tensors = {key: one for key, one in held.items() if isinstance(one, torch.Tensor)}
    if any("." in str(key) or tensor.dim() > 1 for key, tensor in tensors.items()):
        yield name or "the file", {str(key): one for key, one in tensors.items()}
        return
    for key, one in held.items():
        if isinstance(key, str) and "optim" not in key:
            yield from _state_dicts(one, key)


def _npz(path: Path) -> dict[str, torch.Tensor]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        total, size = sum(entry.file_size for entry in entries), path.stat().st_size
        if total > _MOST_PACKED * size:
            raise _bad(path, f"{size:,} bytes that unpack to {total:,}", "save it by numpy.savez")
        return {
            entry.filename.removesuffix(".npy"): _array(path, archive, entry) for entry in entries
        }


def _array(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> torch.Tensor:
    with archive.open(entry) as file:
        version = npy.read_magic(file)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = header(file)
        if dtype.kind not in "fiub":
            raise _bad(path, f"{entry.filename} holds {dtype}, no numbers", "save arrays alone")
        if math.prod(shape) * dtype.itemsize != entry.file_size - file.tell():
            given = f"{entry.filename} has the shape {shape} and {entry.file_size:,} bytes"
            raise _bad(path, given, "save it again")
    with archive.open(entry) as file:
        array = npy.read_array(file, allow_pickle=False)
    return torch.from_numpy(np.array(array, array.dtype.newbyteorder("="), order="C"))


_READERS: dict[str, Callable[[Path], dict[str, torch.Tensor]]] = {
    ".safetensors": _safetensors,
    ".pt": _torch,
    ".pth": _torch,
    ".npz": _npz,
}
FILES = ", ".join(_READERS)
