"""Waiting that ends: for a condition, for a process. Loops that assert something, or fail."""

import subprocess
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

LONG_S = 120.0  # a deadline, not a measurement: many times what a busy machine takes


def until(
    condition: Callable[[], object],
    what: str,
    process: subprocess.Popen | None = None,
    seconds: float = LONG_S,
) -> None:
    """Wait until a condition holds; fail after some time, or when the process has ended."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, f"{what}: {process.communicate()[0]}"
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def each(things: Iterable[T]) -> list[T]:
    """Return what a loop goes over, of which there must be some: else it would assert nothing."""
    found = list(things)
    assert found, "there is nothing to check"
    return found
