"""Read a text or data file of a user's; of a data file, problems are told together."""

import functools
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ernn.errors import ErnnError

Data = TypeVar("Data")

MOST_TOLD = 8  # problems of one file

_PACKED = {  # how a file begins, and what unpacks it
    b"\x1f\x8b": "gunzip",
    b"BZh91AY&SY": "bunzip2",
    b"\xfd7zXZ\0": "unxz",
    b"\x28\xb5\x2f\xfd": "unzstd",
    b"PK\3\4": "unzip",
}
_UNKNOWN = "unexpected_keyword_argument"  # pydantic's names of mistakes
_MESSAGES = {
    _UNKNOWN: "not a known key",
    "missing": "missing",
    "dataclass_type": "not a table of keys",
}
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # UTF-16

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]
Some = Annotated[int, Field(strict=True, ge=1)]


class Strict:
    """A part of a data file: nothing unknown in it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


def read_text(path: Path, error: type[ErnnError], form: str) -> str:
    """Read a text file in UTF-8, with or without a byte order mark, lines ended in any way.

    Args:
        path: the file.
        error: what to raise.
        form: what the file should be, for the message: "a file of JSON lines".

    Raises:
        error: the file cannot be read, is compressed, or is no text in UTF-8.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        reason = getattr(problem, "strerror", None) or str(problem)
        packed = path.with_name(f"{path.name}.gz") if path.name else path
        remedy = f"unpack {packed} with gunzip" if _is_file(packed) else f"give {form}"
        raise error(f"{path} cannot be read", given=reason, remedy=remedy) from None
    require_plain(path, content[:10], error)
    try:
        if content.startswith(_WIDE):
            raise ValueError("UTF-16")
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except ValueError as problem:
        reason = f"it is no text in UTF-8 ({problem})"
        raise error(
            f"{path} cannot be read as {form}", given=reason, remedy="save it as UTF-8"
        ) from None


def require_plain(path: Path, start: bytes, error: type[ErnnError]) -> None:
    """Refuse a file that begins as compressed ones do.

    Raises:
        error: it does.
    """
    for magic, tool in _PACKED.items():
        if start.startswith(magic):
            raise error(
                f"{path} cannot be read", given="it is compressed", remedy=f"unpack it with {tool}"
            )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def load_toml(path: Path, error: type[ErnnError], form: str = "a TOML file") -> dict[str, Any]:
    """Read a TOML file as it is; see `read_text`."""
    try:
        return tomllib.loads(read_text(path, error, form))
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise error(
            f"{path} cannot be read as {form}", given=str(problem), remedy="repair the file"
        ) from None


def read_toml(path: Path, kind: type[Data], error: type[ErnnError]) -> Data:
    """Read a TOML file as a ``kind`` (a dataclass), or raise ``error`` with what is wrong."""
    return parse(load_toml(path, error), kind, error, str(path))


def parse(
    data: Any, kind: type[Data], error: type[ErnnError], source: str, remedy: str = ""
) -> Data:
    """Check data that was already read; ``source`` and ``remedy`` are for the message."""
    hashable: Any = kind  # which mypy does not see
    try:
        return _adapter(hashable).validate_python(data)
    except ValidationError as problem:
        found = problem.errors()
        sentences = [
            f"{'.'.join(map(str, one['loc'])) or 'it'}: {_MESSAGES.get(one['type'], one['msg'])}"
            for one in found[:MOST_TOLD]
        ]
        if len(found) > MOST_TOLD:
            sentences.append(f"and {len(found) - MOST_TOLD} more")
        unknown = any(one["type"] == _UNKNOWN and len(one["loc"]) == 1 for one in found)
        known = ", ".join(field.name for field in fields(hashable)) if unknown else ""
        what = f"{source} does not describe a {kind.__name__}"
        raise error(what, given="; ".join(sentences), allowed=known, remedy=remedy) from None


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return pydantic's reader of a dataclass; making one takes longer than reading with it."""
    return TypeAdapter(kind)
