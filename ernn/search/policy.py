"""Policies: which points to train next, and why. Pure: they train nothing and remember nothing.

A policy is asked again and again what it wants, given the scores that are known, until it has a
verdict. So a search that was killed continues by being asked again, and it does not matter where or
in which order trials were run. `OneByOne` asks for one score after another and looks ahead;
`Rounds` asks for several at a time.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from ernn.score import PER, Measure
from ernn.search.space import Variant


@dataclass(frozen=True)
class Bound:
    """What score is asked for, on the development set; at least one of the two."""

    loss: float | None = None  # against the dense model
    worst: float | None = None  # score allowed
    measure: Measure = PER

    def limit(self, dense: float) -> float:
        """Return the worst score allowed, given the dense model's."""
        asked = [] if self.loss is None else [self.measure.worse_by(dense, self.loss)]
        asked += [] if self.worst is None else [self.worst]
        return min(asked, key=self.measure.loss, default=self.measure.worse_by(0, inf))

    def __str__(self) -> str:
        """Return the bound in words."""
        one = self.measure
        told = (
            []
            if self.loss is None
            else [f"a loss of {f'{self.loss:g} {one.step}'.rstrip()} against dense"]
        )
        if self.worst is not None:
            told.append(f"{one.a} of {self.worst:g} {one.unit}".rstrip())
        return " and ".join(told)


@dataclass(frozen=True)
class Ask:
    """The policy needs the score of a point."""

    point: Variant
    why: str


@dataclass(frozen=True)
class Verdict:
    """The end of a search."""

    chosen: Variant | None  # None: nothing meets the bound
    decisions: tuple[str, ...]
    path: tuple[Variant, ...]  # what was asked for, in order
    failure: str = ""  # what to tell when nothing meets the bound
    front: tuple[Variant, ...] = ()  # of a search with one: what no other beats, cheapest first


Procedure = Generator[Ask, float, Verdict]


def replay(policy: Procedure, known: Mapping[Any, float]) -> tuple[Ask | Verdict, list[Ask]]:
    """Run a new policy as far as the known scores carry it.

    Returns:
        What it asks for or ends with, and what it had asked for until then.
    """
    asked: list[Ask] = []
    try:
        ask = next(policy)
        while ask.point in known:
            asked.append(ask)
            ask = policy.send(known[ask.point])
    except StopIteration as end:
        return end.value, asked
    return ask, asked


def ahead(
    make: Callable[[], Procedure],
    known: Mapping[Any, float],
    count: int,
    ends: tuple[float, float] = (PER.best, PER.worst),
) -> list[Ask]:
    """Return what a policy asks for now and may ask for next, whichever way the answers turn out.

    Args:
        make: starts the policy.
        known: scores.
        count: how many to return at most.
        ends: the best score that there can be, and the worst.
    """
    asks: list[Ask] = []
    futures = [dict(known)]
    while futures and len(asks) < count:
        future = futures.pop(0)
        ask, _ = replay(make(), future)
        if isinstance(ask, Ask):
            if ask.point not in {other.point for other in asks}:
                asks.append(ask)
            # Every wish comes true, or none: the best is within any bound, the worst in hardly one.
            futures += [{**future, ask.point: score} for score in ends]
    return asks


class Policy(Protocol):
    """What a search is led by."""

    path: list[Ask]  # what was asked for and answered, in order
    ahead: bool  # whether all that it wants but the first is wanted only in case

    def wants(self, known: Mapping[Any, float]) -> list[Ask] | Verdict:
        """Return what to train now, the most needed first, or the end, given some scores."""


class OneByOne:
    """A procedure that asks for one score after another; what it may ask for next runs ahead."""

    ahead = True

    def __init__(
        self,
        make: Callable[[], Procedure],
        count: int,
        ends: tuple[float, float] = (PER.best, PER.worst),
    ) -> None:
        """Set up the policy; see `ahead`."""
        self.make, self.count, self.ends = make, count, ends
        self.path: list[Ask] = []

    def wants(self, known: Mapping[Any, float]) -> list[Ask] | Verdict:
        """Return what is needed now, then what may be needed next."""
        ask, self.path = replay(self.make(), known)
        return ask if isinstance(ask, Verdict) else ahead(self.make, known, self.count, self.ends)


# Asks for several scores at a time and is sent those of all asks, in their order.
InRounds = Generator[Sequence[Ask], list[float], Verdict]


class Rounds:
    """A procedure that asks for rounds of scores; each round waits for the whole one before it.

    Started anew with the scores of an earlier process, it asks for the same again: what it decides
    follows from the scores alone.
    """

    ahead = False

    def __init__(self, procedure: InRounds) -> None:
        self.procedure = procedure
        self.path: list[Ask] = []
        self.round: Sequence[Ask] = ()
        self.verdict: Verdict | None = None
        self._continue(None)

    def wants(self, known: Mapping[Any, float]) -> list[Ask] | Verdict:
        """Return what the round still lacks."""
        while self.verdict is None:
            missing = [ask for ask in self.round if ask.point not in known]
            if missing:
                return missing
            self.path += self.round
            self._continue([known[ask.point] for ask in self.round])
        return self.verdict

    def _continue(self, scores: list[float] | None) -> None:
        try:
            self.round = next(self.procedure) if scores is None else self.procedure.send(scores)
        except StopIteration as end:
            self.verdict = end.value
