"""Frozen dataclasses to JSON and arrays and back: the type hints are the file format.

Nothing from a file is trusted: every value must have the type that its field declares. A
field whose metadata say "rare" is left out where it has its default, as in files from before it.
"""

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from ernn.fixed import QFormat


def pack(value: Any, path: str, tensors: dict[str, np.ndarray]) -> Any:
    """Return a value as JSON; arrays go into ``tensors`` and leave their name behind."""

    def inner(name: str | int, item: Any) -> Any:
        return pack(item, f"{path}.{name}".lstrip("."), tensors)

    if isinstance(value, np.ndarray):
        tensors[path] = value
        return path
    if isinstance(value, QFormat):
        return str(value)
    if is_dataclass(value):
        held = {each: getattr(value, each.name) for each in fields(value)}
        return {
            each.name: inner(each.name, item)
            for each, item in held.items()
            if not (each.metadata.get("rare") and _same(item, each.default))
        }
    if isinstance(value, tuple):
        return [inner(index, item) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: inner(name, item) for name, item in value.items()}
    return value


def unpack(kind: Any, data: Any, tensors: dict[str, np.ndarray]) -> Any:
    """Return the value of type ``kind`` that `pack` turned into ``data``.

    Raises:
        ValueError: data of another type.
    """
    if kind is np.ndarray:
        return _array(data, tensors)
    if kind is QFormat:
        return QFormat.parse(_expect(str, data))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        rare = {each.name for each in fields(kind) if each.metadata.get("rare")}
        if set(_expect(dict, data)) | rare != set(hints):
            raise ValueError(f"{kind.__name__} has fields {sorted(hints)}, found {sorted(data)}")
        return kind(**{name: unpack(hints[name], item, tensors) for name, item in data.items()})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return tuple(unpack(arguments[0], item, tensors) for item in _expect(list, data))
    if origin is dict:
        pairs = _expect(dict, data).items()
        return {name: unpack(arguments[1], item, tensors) for name, item in pairs}
    if origin is UnionType:  # X | None
        return None if data is None else unpack(arguments[0], data, tensors)
    if origin is Literal:
        if data not in arguments:
            raise ValueError(f"{data!r} is not one of {', '.join(arguments)}")
        return data
    return _expect(kind, data)


def _same(item: Any, default: Any) -> bool:
    return type(item) is type(default) and bool(item == default)  # an array is no default


def _expect(kind: type, data: Any) -> Any:
    if type(data) is not kind:  # an exact match: True is no integer
        raise ValueError(f"found {str(data)[:40]!r} where {kind.__name__} is expected")
    return data


def _array(data: Any, tensors: dict[str, np.ndarray]) -> np.ndarray:
    array = tensors.get(_expect(str, data))
    if array is None or not np.issubdtype(array.dtype, np.signedinteger):
        raise ValueError(f"the integer tensor {data!r} is missing")
    return array.astype(np.int64)
