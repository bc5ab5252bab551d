"""Read a data file into a frozen dataclass; problems in it are told together."""

import functools
import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ernn.errors import ErnnError

Data = TypeVar("Data")

MOST_TOLD = 8  # problems of one file

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]
Some = Annotated[int, Field(strict=True, ge=1)]


class Strict:
    """A part of a data file: nothing unknown in it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


def read_toml(path: Path, kind: type[Data], error: type[ErnnError]) -> Data:
    """Read a TOML file as a ``kind`` (a dataclass), or raise ``error`` with what is wrong."""
    return parse(load_toml(path, error), kind, error, str(path))


def load_toml(path: Path, error: type[ErnnError]) -> dict[str, Any]:
    """Read a TOML file, or raise ``error`` with what is wrong."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error(f"{path} cannot be read ({problem.strerror}); give another file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise error(f"{path} cannot be read as TOML: {problem}; repair the file") from None


def parse(
    data: Any, kind: type[Data], error: type[ErnnError], source: str, remedy: str = ""
) -> Data:
    """Check data that was already read; ``source`` and ``remedy`` are for the message."""
    hashable: Any = kind  # which mypy does not see
    try:
        return _adapter(hashable).validate_python(data)
    except ValidationError as problem:
        sentences = [
            f"{'.'.join(map(str, found['loc'])) or 'it'}: {found['msg']}"
            for found in problem.errors()[:MOST_TOLD]
        ]
        if problem.error_count() > MOST_TOLD:
            sentences.append(f"and {problem.error_count() - MOST_TOLD} more")
        remedies = [remedy] if remedy else []
        raise error(
            f"{source} does not describe a {kind.__name__}: {'; '.join([*sentences, *remedies])}"
        ) from None


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return pydantic's reader of a dataclass; making one takes longer than reading with it."""
    return TypeAdapter(kind)
