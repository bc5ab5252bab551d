"""Jobs that measure nothing, for tests of what runs them."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import CorpusError, ErnnError
from ernn.search.executor import Executor
from ernn.search.space import Point
from ernn.search.trial import Outcome

POINTS = [Point("lstm", block, block) for block in (2, 4, 8)]


def outcome(
    value: float, low: float, high: float, errors: tuple, phones: tuple, seconds: float
) -> Outcome:
    """Return what a trial measured, all errors substitutions."""
    figures = {"substitutions": list(errors), "phones": list(phones)}
    figures |= dict.fromkeys(("deletions", "insertions"), [0] * len(phones))
    return Outcome("PER", value, low, high, figures, seconds)


@dataclass(frozen=True)
class FakeJob:
    """A job that measures nothing; ``deaths`` of its first runs end with its process."""

    point: Point
    root: str
    deaths: int = 0
    error: str = ""
    seconds: float = 0.0

    def run(self, say) -> Outcome:
        say("running")
        log = Path(self.root) / f"{self.point.name}.runs"
        runs = len(log.read_text()) if log.exists() else 0
        log.write_text("x" * (runs + 1))
        time.sleep(self.seconds)
        if runs < self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.error:
            raise CorpusError(self.error)
        return outcome(float(self.point.block), 0.0, 1.0, (1,), (2,), 3.0)


def outcomes(place: Executor, *jobs: FakeJob) -> dict[Point, Outcome | ErnnError]:
    """Run jobs and return what came of each."""
    found: dict[Point, Outcome | ErnnError] = {}
    try:
        for job in jobs:
            place.start(job)
        deadline = time.monotonic() + 120
        while len(found) < len(jobs):
            found |= dict(place.collect(1.0))
            assert time.monotonic() < deadline
    finally:
        place.close()
    return found
