"""What all commands do alike: tell a line, and turn an error into one sentence and an exit code."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ernn.errors import ErnnError
from ernn.extras import extras_explained

ProjectArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="A generated project, or the run that holds it.")
]
PartOption = Annotated[
    str | None, typer.Option(metavar="PART", help="FPGA; the plan's if not given.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Go on with edited files.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def use_utf8() -> None:
    """Let files be named in UTF-8 whatever the locale, and no character stop the output.

    Recipes and manifests name files in UTF-8; in a locale of another alphabet Python would look
    for other names, or for none. From Python 3.15 on it does not, and so it is told here.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        terminal = sys.stdout.encoding
        os.environ["PYTHONUTF8"] = "1"
        os.environ.setdefault("PYTHONIOENCODING", f"{terminal}:backslashreplace")
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """Print a line at once, so that a log shows it now."""
    typer.echo(line)
    sys.stdout.flush()


@contextmanager
def explained(debug: bool) -> Iterator[None]:
    """Turn what a user can act on into one sentence and an exit code."""
    try:
        with extras_explained():
            yield
    except KeyboardInterrupt:
        _fail("interrupted; the same command continues from the last complete step", 130)
    except ErnnError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except UnicodeEncodeError as error:  # the name of a file, in a script of the user's
        if debug:
            raise
        _fail(f"{error.object!r} cannot be written in {error.encoding}; set PYTHONUTF8=1", 2)
    except MemoryError:
        if debug:
            raise
        _fail("there is not enough memory; close other programs, or use a machine with more", 2)
    except OSError as error:
        if debug:
            raise
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}", 2)


def _fail(sentence: str, exit_code: int) -> None:
    typer.echo(f"ernn: {sentence}", err=True)
    raise typer.Exit(exit_code)
