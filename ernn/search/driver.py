"""The loop of a search: the policy asks, the study remembers, the executor trains."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ernn.errors import ErnnError
from ernn.recipe import Recipe
from ernn.score import PER, Measure
from ernn.search.executor import Executor
from ernn.search.policy import Ask, Policy, Verdict
from ernn.search.space import Variant
from ernn.search.study import Priced, Study
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
        size_of: Callable[[Any], Priced],
        say: Callable[[str], None] = print,
        measure: Measure = PER,
    ) -> None:
        """Set the scene.

        Args:
            recipe: of the search.
            root: folder of all trials.
            study: where finished trials are.
            executor: where trials run.
            size_of: what is known of a point before it is trained.
            say: told what happens.
            measure: what trials are judged by.
        """
        self.recipe, self.root, self.measure = recipe, root, measure
        self.study, self.executor, self.size_of, self.say = study, executor, size_of, say
        self.failed: dict[Variant, ErnnError] = {}
        self.told = 0  # answers of the path that were shown
        self.waits = False

    def run(self, policy: Policy) -> Verdict:
        """Run trials until the policy is content; what runs then is stopped.

        Args:
            policy: that leads the search.

        Raises:
            ErnnError: a trial that the policy needs failed, or the database did.
        """
        try:
            with self.study.alive():
                while True:
                    known = {p: outcome.value for p, outcome in self.study.outcomes().items()}
                    asks = policy.wants(known)
                    for done in policy.path[self.told :]:
                        self.say(
                            f"trial {done.point.name}: {self.measure.figure(known[done.point])}"
                        )
                    self.told = len(policy.path)
                    if isinstance(asks, Verdict):
                        return asks
                    if asks[0].point in self.failed:
                        raise self.failed[asks[0].point]
                    self._start(asks, policy.ahead)
                    self._collect()
        finally:
            self.executor.close()
            for point in list(self.study.mine):
                self.study.fail(point, "interrupted")

    def _start(self, asks: list[Ask], ahead: bool) -> None:
        """Start what is asked for, as far as there is room and nobody else is at it."""
        for ask in asks:
            if len(self.study.mine) >= self.executor.capacity:
                break
            if ask.point in self.failed:
                continue
            if self.study.claim(ask.point, ask.why, self.size_of(ask.point)):
                early = "ahead of need, " if ahead and ask is not asks[0] else ""
                self.say(f"trial {ask.point.name}: {early}{ask.why}")
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
