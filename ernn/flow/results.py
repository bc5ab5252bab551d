"""What the steps measure, and the JSON files that carry it to the report."""

import json
import shlex
from pathlib import Path
from typing import Any

from ernn.datafile import Data, parse
from ernn.errors import ModelFileError
from ernn.files import write_text


def read_json(path: Path, remedy: str = "run its step again") -> Any:
    """Read a JSON file that a step wrote.

    Raises:
        ModelFileError: it is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} cannot be read", given=str(error), remedy=remedy) from None


def read_result(path: Path, kind: type[Data], command: str) -> Data:
    """Read what a command wrote, or of it what a dataclass wants.

    Raises:
        ModelFileError: it is missing, damaged, or of another version of ernn.
    """
    remedy = f"run `{command}` again"
    return parse(read_json(path, remedy), kind, ModelFileError, str(path), remedy)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file for `read_json`, one line per entry."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def command_line(name: str, *words: object, **options: object) -> str:
    """Return a command of ernn as a shell takes it; options that are not set are left out."""
    arguments = [str(word) for word in words]
    for option, value in options.items():
        if value is None or value is False or value == "":
            continue
        arguments.append(f"--{option.replace('_', '-')}")
        if value is not True:
            arguments.append(f"{value:g}" if isinstance(value, float) else str(value))
    return shlex.join(["ernn", name, *arguments])
