"""Run an outside program to its end; whatever goes wrong becomes a ToolError of one sentence."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ernn.errors import ToolError
from ernn.run.environment import for_programs

TAIL_LINES = 20
# What programs say, or die of, when there is no more memory.
_OUT_OF_MEMORY = ("std::bad_alloc", "MemoryError", "out of memory", "Cannot allocate memory")


def run_tool(
    what: str,
    command: Sequence[str | Path],
    folder: Path,
    log: Path,
    *,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program; its output, standard error included, goes to ``log`` and is returned.

    Args:
        what: what it does, for the message: "synthesis by Yosys".
        command: program and arguments.
        folder: where it runs.
        log: file for its output.
        timeout_s: after which it and everything it started are stopped.
        environment: to add to this process's.

    Raises:
        ToolError: it fails, takes too long, or runs out of memory.
    """
    words = [str(word) for word in command]
    with log.open("w", encoding="utf-8") as out:
        try:
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=for_programs(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that what it starts can be stopped with it
            )
        except OSError as error:
            raise ToolError(
                f"{what} cannot start: {words[0]}", given=error.strerror or ""
            ) from None
        try:
            code = process.wait(timeout_s)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise ToolError(
                f"{what} was stopped after {timeout_s:g} s",
                remedy=f"allow more with --timeout, or plan a smaller design (log: {log})",
            ) from None
    text = log.read_text(encoding="utf-8", errors="replace")
    tail = "\n".join(text.rstrip().splitlines()[-TAIL_LINES:])
    if code == -signal.SIGKILL or (code and any(word in tail for word in _OUT_OF_MEMORY)):
        raise ToolError(
            f"{what} ran out of memory",
            remedy="close other programs, use a machine with more, or plan a smaller design "
            f"(log: {log})",
        )
    if code:
        raise ToolError(
            f"{what} failed (exit code {code}):\n{' '.join(words)}\nfolder: {folder}\n"
            f"log: {log}\n{tail}"
        )
    return text
