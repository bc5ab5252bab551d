"""The policy of the search, against error rates that are formulas."""

from math import inf, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.recipe import BLOCK_SIZES
from ernn.search.bounds import Bounds, Size
from ernn.search.phase1 import MAX_TRAININGS, phase_one
from ernn.search.policy import Ask, Bound, Verdict, ahead, replay
from ernn.search.space import Point, dense


def size_of(point: Point) -> Size:
    """A size that shrinks with both block sizes, the GRU's three quarters of the LSTM's."""
    cell = 3 if point.cell == "gru" else 4
    products = 3000 * cell // point.block + 3000 * cell // point.wide
    return Size(products, 0, 0, products, products, "")


def bounds_of(lower: int = 2, upper: int = 32) -> Bounds:
    sizes = {block: size_of(Point("lstm", block, block)) for block in BLOCK_SIZES}
    return Bounds(sizes, lower, upper, "memory says so", "work says so")


def percent(point: Point, slope: float = 0.3, gru: float = 0.0, wide: float = 0.5) -> float:
    """An error rate that rises by ``slope`` per doubling, by less outside the recurrence."""
    loss = slope * (log2(point.block) + wide * log2(point.wide))
    return 20.0 + loss + (gru if point.cell == "gru" else 0.0)


class Search:
    """Runs the policy against a formula and counts the trainings."""

    def __init__(self, points, rate=percent, cell="lstm", bounds=None, size=size_of, most=None):
        self.bound, self.rate, self.cell = Bound(points, most), rate, cell
        self.bounds, self.size = bounds or bounds_of(), size
        self.known: dict[Point, float] = {}
        self.asks: list[Ask] = []

    def make(self):
        return phase_one(self.cell, self.bounds, self.bound, self.size)

    def run(self) -> Verdict:
        while True:
            ask, asked = replay(self.make(), self.known)
            assert [one.point for one in asked] == [one.point for one in self.asks]
            if isinstance(ask, Verdict):
                assert list(ask.path) == [one.point for one in self.asks]
                return ask
            assert ask.point not in self.known
            self.asks.append(ask)
            self.known[ask.point] = self.rate(ask.point)


@given(
    slope=st.floats(0.01, 2),
    gru=st.floats(-1, 1),
    wide=st.floats(0, 1),
    points=st.floats(0, 5),
    cell=st.sampled_from(["lstm", "gru"]),
    lower=st.sampled_from([1, 2, 4, 8]),
    upper=st.sampled_from([8, 16, 32]),
)
@settings(max_examples=300, deadline=None)
def test_it_finds_the_largest_block_in_six_trainings(slope, gru, wide, points, cell, lower, upper):
    def rate(point):
        return percent(point, slope, gru if cell == "lstm" else 0.0, wide)

    found = Search(points, rate, cell, bounds_of(lower, upper))
    verdict = found.run()
    assert len(found.asks) <= MAX_TRAININGS
    assert found.asks[0].point == dense(cell)
    limit = rate(dense(cell)) + points
    meeting = [k for k in found.bounds.blocks if rate(Point(cell, k, k)) <= limit]
    if not meeting:
        assert verdict.chosen == (dense(cell) if lower == 1 else None)
        return
    chosen = verdict.chosen
    assert chosen is not None
    assert rate(chosen) <= limit
    assert chosen.block == max(meeting)
    assert chosen.wide >= chosen.block
    assert size_of(chosen).multiplications <= size_of(Point(cell, *2 * [max(meeting)])).products
    assert chosen.wide <= upper
    if cell == "lstm":
        gru_meets = rate(Point("gru", *2 * [max(meeting)])) <= limit
        assert chosen.cell == ("gru" if gru_meets else "lstm")


def test_a_decision_has_its_numbers():
    verdict = Search(1.5).run()
    words = "\n".join(verdict.decisions)
    assert "LSTM with blocks of 8: 21.35 % against 20.00 % dense (+1.35 points)" in words
    assert "within the bound of 21.50 %; larger blocks are in question" in words
    assert "LSTM with blocks of 16: 21.80 %" in words
    assert "saves 25 % of the multiplications (2,250 instead of 3,000 per frame): taken" in words
    assert verdict.decisions[-1].startswith("Chosen: GRU with blocks of 8, of 16 outside")


def test_a_dense_model_above_the_bound_ends_it():
    search = Search(None, most=19.5)
    verdict = search.run()
    assert verdict.chosen is None
    assert len(search.asks) == 1
    assert (
        "the dense LSTM itself has a phone error rate of 20.00 %, above the bound"
        in verdict.failure
    )


def test_both_bounds_hold():
    assert Bound(1.0, 20.5).limit(20.0) == 20.5
    assert Bound(0.1, 20.5).limit(20.0) == pytest.approx(20.1)
    assert Bound(None, None).limit(20.0) == inf
    assert (
        str(Bound(1.0, 20.5)) == "a loss of 1 points against dense and a phone error rate of 20.5 %"
    )


def test_nothing_within_the_bound_names_the_bound_that_would_be_met():
    verdict = Search(0.1).run()
    assert verdict.chosen is None
    assert "the best, LSTM with blocks of 2, has 20.45 %" in verdict.failure
    assert "would meet a bound of 0.45 points" in verdict.failure
    assert Search(0.4501).run().chosen == Point("gru", 2, 2)


@given(slope=st.floats(0.1, 2))
@settings(max_examples=50, deadline=None)
def test_the_bound_that_it_names_would_be_met(slope):
    def rate(point):
        return percent(point, slope)

    failure = Search(0.0, rate).run().failure
    named = float(failure.partition("would meet a bound of ")[2].split()[0])
    assert Search(named, rate).run().chosen is not None


def test_no_block_size_between_the_bounds():
    verdict = Search(1.0, bounds=bounds_of(8, 4)).run()
    assert "there is no block size to try: memory says so; work says so" in verdict.failure


def test_a_gru_that_costs_more_is_not_trained():
    def dearer(point):
        return Size(*5 * [2000 if point.cell == "gru" else 1000], "")

    verdict = Search(9.0, size=dearer).run()
    assert verdict.chosen == Point("lstm", 32, 32)
    assert "A GRU instead is not tried: it needs 6,000 multiplications" in "".join(
        verdict.decisions
    )


def test_what_the_part_cannot_hold_is_not_trained():
    def larger(point):
        size = size_of(point)
        return Size(*5 * [size.products], "does not fit" if point.wide > point.block else "")

    verdict = Search(1.5, size=larger).run()
    assert verdict.chosen == Point("gru", 8, 8)
    assert "outside the recurrent matrices are not tried: does not fit" in "".join(
        verdict.decisions
    )


@given(points=st.floats(0.3, 4), slope=st.floats(0.05, 1), count=st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_looking_ahead_foresees_the_next_question(points, slope, count):
    search = Search(points, lambda point: percent(point, slope))
    asked = 0
    while not isinstance(ask := replay(search.make(), search.known)[0], Verdict):
        asked += 1
        foreseen = ahead(search.make, search.known, count)
        assert foreseen[0].point == ask.point
        assert len({one.point for one in foreseen}) == len(foreseen) <= count
        search.known[ask.point] = search.rate(ask.point)
        after, _ = replay(search.make(), search.known)
        if count >= 3 and isinstance(after, Ask):
            assert after.point in {one.point for one in foreseen}
    assert asked


def test_answers_nobody_asked_for_change_nothing():
    plain, crowded = Search(1.5), Search(1.5)
    crowded.known = {
        Point(cell, block, wide): percent(Point(cell, block, wide))
        for cell in ("lstm", "gru")
        for block in BLOCK_SIZES
        for wide in BLOCK_SIZES
    }
    verdict, _ = replay(crowded.make(), crowded.known)
    assert verdict == plain.run()
