"""The loop of a search: the policy asks, the study remembers, the executor trains."""

import time
from collections.abc import Callable
from pathlib import Path

from ernn.errors import ErnnError
from ernn.recipe import Recipe
from ernn.score import PER, Measure
from ernn.search.bounds import Size
from ernn.search.executor import Executor
from ernn.search.phase1 import MAX_TRAININGS, Policy, Verdict, ahead, replay
from ernn.search.space import Point
from ernn.search.study import Study
from ernn.search.trial import Job, Outcome, plain

POLL_S = 1.0


class Driver:
    """Lets a policy come to its verdict.

    Trials that the policy may ask for later run at the same time where the executor has room, or
    where another process is at work on what is asked for; they cannot change what is decided.
    """

    def __init__(
        self,
        recipe: Recipe,
        root: Path,
        study: Study,
        executor: Executor,
        size_of: Callable[[Point], Size],
        say: Callable[[str], None] = print,
        measure: Measure = PER,
    ) -> None:
        """Set the scene.

        Args:
            recipe: of the search.
            root: folder of all trials.
            study: where finished trials are.
            executor: where trials run.
            size_of: `ernn.search.bounds.measure` of a point.
            say: told what happens.
            measure: what trials are judged by.
        """
        self.recipe, self.root, self.measure = recipe, root, measure
        self.study, self.executor, self.size_of, self.say = study, executor, size_of, say
        self.failed: dict[Point, ErnnError] = {}
        self.told = 0  # answers of the path that were shown
        self.waits = False

    def run(self, make: Callable[[], Policy]) -> Verdict:
        """Run trials until the policy is content; what runs then is stopped.

        Args:
            make: starts the policy.

        Raises:
            ErnnError: a trial that the policy needs failed, or the database did.
        """
        try:
            with self.study.alive():
                while True:
                    known = {p: outcome.value for p, outcome in self.study.outcomes().items()}
                    ask, path = replay(make(), known)
                    for done in path[self.told :]:
                        self.say(
                            f"trial {done.point.name}: {self.measure.figure(known[done.point])}"
                        )
                    self.told = len(path)
                    if isinstance(ask, Verdict):
                        return ask
                    if ask.point in self.failed:
                        raise self.failed[ask.point]
                    self._start(make, known)
                    self._collect()
        finally:
            self.executor.close()
            for point in list(self.study.mine):
                self.study.fail(point, "interrupted")

    def _start(self, make: Callable[[], Policy], known: dict[Point, float]) -> None:
        """Start what is asked for, as far as there is room and nobody else is at it."""
        ends = (self.measure.best, self.measure.worst)
        for number, ask in enumerate(ahead(make, known, MAX_TRAININGS, ends)):
            if len(self.study.mine) >= self.executor.capacity:
                break
            if ask.point in self.failed:
                continue
            if self.study.claim(ask.point, ask.why, self.size_of(ask.point)):
                self.say(f"trial {ask.point.name}: {'ahead of need, ' * (number > 0)}{ask.why}")
                self.executor.start(Job(plain(self.recipe), ask.point, str(self.root)))
        if not self.study.mine and not self.waits:
            self.say("waiting for the trials of another process")
        self.waits = not self.study.mine

    def _collect(self) -> None:
        """Take what has ended; wait a little for it, or for other processes."""
        began = time.monotonic()
        for point, outcome in self.executor.collect(POLL_S):
            if isinstance(outcome, Outcome):
                self.study.finish(point, outcome)
            else:
                self.failed[point] = outcome
                self.study.fail(point, str(outcome))
        if not self.study.mine:
            time.sleep(max(0.0, POLL_S - (time.monotonic() - began)))
