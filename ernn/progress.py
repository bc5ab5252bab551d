"""Show how far a long step is: a bar on a terminal, a plain line now and then in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Progress = Callable[[int, int], None]  # called with (done, total)

LINE_EVERY_S = 10.0


@contextmanager
def progress(label: str, stream: TextIO | None = None) -> Iterator[Progress]:
    """Yield the function that a long job calls with (done, total).

    Args:
        label: what is being done, such as ``"train: updates"``.
        stream: where to show it; standard error if not given.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        with _bar(label, stream) as report:
            yield report
    else:
        yield Lines(label, stream)


@contextmanager
def _bar(label: str, stream: TextIO) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn
    from rich.progress import Progress as Bar
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.text import Text

    class Rate(ProgressColumn):
        """Units per second, empty until it is known."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.3g}/s" if task.speed else "")

    description = TextColumn("{task.description}")
    columns = (description, BarColumn(), MofNCompleteColumn(), Rate(), TimeLeft())
    with Bar(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class Lines:
    """Write a line when the last one is ten seconds old, with rate and time left."""

    def __init__(self, label: str, stream: TextIO, clock: Callable[[], float] = time.monotonic):
        self.label, self.stream, self.clock = label, stream, clock
        self.started = self.shown = clock()
        self.first: int | None = None  # where this run began: not 0 when it continues another

    def __call__(self, done: int, total: int) -> None:
        now = self.clock()
        if self.first is None:
            self.first = done
        if now - self.shown < LINE_EVERY_S:
            return
        self.shown = now
        line = f"{self.label}: {done} of {total} ({100 * done / max(total, 1):.0f} %)"
        rate = (done - self.first) / (now - self.started)
        if rate > 0:
            line += f", {rate:.3g}/s, {_duration((total - done) / rate)} left"
        print(line, file=self.stream, flush=True)


def _duration(seconds: float) -> str:
    """Return ``"45 s"``, ``"12 min"`` or ``"3.5 h"``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
