"""Read a data file into a frozen dataclass; every problem in it is told at once."""

import functools
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ernn.errors import ErnnError

Data = TypeVar("Data")


def read_toml(path: Path, kind: type[Data], error: type[ErnnError]) -> Data:
    """Read a TOML file as a ``kind`` (a dataclass), or raise ``error`` with what is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise error(f"{path} cannot be read as TOML: {problem}; repair the file") from None
    return parse(data, kind, error, str(path))


def parse(data: Any, kind: type[Data], error: type[ErnnError], source: str) -> Data:
    """Check data that was already read; ``source`` names it in the message."""
    hashable: Any = kind  # which mypy does not see
    try:
        return _adapter(hashable).validate_python(data)
    except ValidationError as problem:
        sentences = [
            f"{'.'.join(map(str, found['loc'])) or 'it'}: {found['msg']}"
            for found in problem.errors()
        ]
        raise error(
            f"{source} does not describe a {kind.__name__}: {'; '.join(sentences)}"
        ) from None


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return pydantic's reader of a dataclass; making one takes longer than reading with it."""
    return TypeAdapter(kind)
