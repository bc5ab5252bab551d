"""E-RNN's Phase I as a procedure: which block size to train next, and why.

Source: E-RNN (Li et al., HPCA 2019, arXiv:1812.07106), Phase I: a dense LSTM, the largest block
size within the bound, then a GRU, then larger blocks outside the recurrent matrices.
"""

from collections.abc import Callable, Generator
from math import inf

from ernn.search.bounds import Bounds, Size
from ernn.search.policy import Ask, Bound, Procedure, Verdict
from ernn.search.space import SUBSTITUTES, Point, dense

MAX_TRAININGS = 6


def phase_one(
    cell: str,
    bounds: Bounds,
    bound: Bound,
    size_of: Callable[[Point], Size],
    imported: bool = False,
) -> Procedure:
    """Find the smallest model within the bound.

    Args:
        cell: of the recipe.
        bounds: of the block size.
        bound: of the score.
        size_of: `ernn.search.bounds.measure` of a point.
        imported: the dense model was trained elsewhere, so that its cell is fixed.
    """
    return (yield from _PhaseOne(cell, bounds, bound, size_of, imported).run())


class _PhaseOne:
    """The steps of the search and what they have told so far."""

    def __init__(
        self,
        cell: str,
        bounds: Bounds,
        bound: Bound,
        size_of: Callable[[Point], Size],
        imported: bool,
    ) -> None:
        self.imported = imported
        self.cell, self.bounds, self.bound, self.size_of = cell, bounds, bound, size_of
        self.decisions: list[str] = []
        self.measure = bound.measure
        self.beyond = "above" if bound.measure.lower_is_better else "below"
        self.scores: dict[Point, float] = {}
        self.dense, self.limit = 0.0, inf

    def run(self) -> Procedure:
        """Dense model, block size, cell, wider blocks."""
        baseline = dense(self.cell)
        self.dense = yield from self._ask(baseline, "what every loss is measured against")
        self.limit = self.bound.limit(self.dense)
        if not self.measure.within(self.dense, self.limit):
            return self._failed(
                f"the dense {self.cell.upper()} itself has {self.measure.a} of "
                f"{self.measure.figure(self.dense)}, {self.beyond} the bound of "
                f"{self.measure.figure(self.limit)}; train it "
                "longer, make it larger, or raise the bound"
            )
        chosen = yield from self._largest_block()
        if chosen is None:
            return self._failed(self._nearest())
        chosen = yield from self._substitute(chosen)
        chosen = yield from self._wider(chosen)
        self.decisions.append(f"Chosen: {chosen}, {self._told(chosen)}.")
        return Verdict(chosen, tuple(self.decisions), tuple(self.scores))

    def _ask(self, point: Point, why: str) -> Generator[Ask, float, float]:
        score = yield Ask(point, why)
        self.scores[point] = score
        return score

    def _largest_block(self) -> Generator[Ask, float, Point | None]:
        """Bisect: the score worsens with the block size, so about two trainings of four do."""
        blocks = self.bounds.blocks
        meets, fails = -1, len(blocks)
        while fails - meets > 1:
            middle = (meets + fails) // 2
            point = Point(self.cell, blocks[middle], blocks[middle])
            left = ", ".join(map(str, blocks[meets + 1 : fails]))
            yield from self._ask(point, f"the middle of the block sizes in question ({left})")
            if self._within(point):
                meets, way = middle, "larger blocks are in question"
            else:
                fails, way = middle, "only smaller blocks are in question"
            self._decide(point, way if fails - meets > 1 else "the block size is found")
        if meets >= 0:
            return Point(self.cell, blocks[meets], blocks[meets])
        if self.bounds.lower == 1:
            self.decisions.append("No blocks meet the bound; the dense model does, and it fits.")
            return dense(self.cell)
        return None

    def _substitute(self, own: Point) -> Generator[Ask, float, Point]:
        """Try a simpler cell, where there is one: a GRU for an LSTM."""
        simpler = SUBSTITUTES.get(own.cell)
        if simpler is None or not own.compressed:
            return own
        if self.imported:
            self.decisions.append(
                f"A {simpler.upper()} instead is not tried: the network is imported."
            )
            return own
        other = Point(simpler, own.block, own.wide)
        reason = self._not_worth(own, other)
        if reason:
            self.decisions.append(f"A {simpler.upper()} instead is not tried: {reason}.")
            return own
        saved = self._saved(own, other)
        yield from self._ask(other, f"a {simpler.upper()} at the same block size saves {saved}")
        meets = self._within(other)
        stays = f"the {own.cell.upper()} stays"
        self._decide(other, f"it saves {saved}: taken" if meets else stays)
        return other if meets else own

    def _wider(self, chosen: Point) -> Generator[Ask, float, Point]:
        """Double the blocks of the other matrices as long as trainings are left and it pays."""
        while chosen.compressed:
            wider = Point(chosen.cell, chosen.block, 2 * chosen.wide)
            what = f"blocks of {wider.wide} outside the recurrent matrices"
            if wider.wide > self.bounds.upper:
                reason = f"{self.bounds.upper} is the upper bound"
            elif len(self.scores) == MAX_TRAININGS:
                reason = f"{MAX_TRAININGS} trainings are done"
            else:
                reason = self._not_worth(chosen, wider)
            if reason:
                self.decisions.append(f"{what.capitalize()} are not tried: {reason}.")
                break
            saved = self._saved(chosen, wider)
            yield from self._ask(wider, f"{what} save {saved}")
            meets = self._within(wider)
            self._decide(wider, f"they save {saved}: taken" if meets else "they are left as before")
            if not meets:
                break
            chosen = wider
        return chosen

    def _not_worth(self, now: Point, then: Point) -> str:
        """Say why a point needs no training; empty if it does."""
        size = self.size_of(then)
        if size.missing:
            return size.missing
        before = self.size_of(now).multiplications
        if size.multiplications >= before:
            return f"it needs {size.multiplications:,} multiplications per frame, not {before:,}"
        return ""

    def _saved(self, now: Point, then: Point) -> str:
        before, after = (self.size_of(point).multiplications for point in (now, then))
        share = 100 * (1 - after / before)
        return f"{share:.0f} % of the multiplications ({after:,} instead of {before:,} per frame)"

    def _within(self, point: Point) -> bool:
        return self.measure.within(self.scores[point], self.limit)

    def _told(self, point: Point) -> str:
        found, one = self.scores[point], self.measure
        against = f"{self.measure.figure(found)} against {self.measure.figure(self.dense)} dense"
        return f"{against} ({one.change(found - self.dense, '+')})"

    def _decide(self, point: Point, way: str) -> None:
        verdict = "within" if self._within(point) else self.beyond
        limit = f"the bound of {self.measure.figure(self.limit)}"
        self.decisions.append(f"{point}: {self._told(point)}, {verdict} {limit}; {way}.")

    def _nearest(self) -> str:
        """Say what came nearest to the bound, and which bound it would meet."""
        tried = {point: score for point, score in self.scores.items() if point.compressed}
        if not tried:
            return (
                f"there is no block size to try: {self.bounds.why_lower}; {self.bounds.why_upper}"
            )
        best = min(tried, key=lambda point: (self.measure.loss(tried[point]), -point.block))
        loss = self.measure.loss(tried[best] - self.dense)
        met = max(self.measure.rounded_up(loss), 0)  # upwards: it must be met
        return (
            f"no model that fits the part is within {self.bound}: the best, {best}, has "
            f"{self._told(best)} and would meet a bound of {self.measure.change(met)}; "
            "raise the bound, train longer, or take a larger part"
        )

    def _failed(self, sentence: str) -> Verdict:
        self.decisions.append(f"{sentence[0].upper()}{sentence[1:]}.")
        return Verdict(None, tuple(self.decisions), tuple(self.scores), sentence)
