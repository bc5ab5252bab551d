"""The steps of a job: every block once, addresses without holes, counts that are the list's."""

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.fixed import QFormat
from ernn.hw.steps import JobSteps, by_visit, cut, visits
from ernn.quant.products import Product, Segment

FORMAT = QFormat(0, 11)


def product_of(gates, words, block, columns, word):
    """Return a product of these output words and columns (in words), its weights zeros."""
    subs = word // block
    segments = tuple(
        Segment("x", "input", np.zeros((gates * words * subs, n * subs, block)), None, None, FORMAT)
        for n in columns
    )
    bias = np.zeros(gates * words * word, np.int64)
    return Product(0, "gates", "ifgo"[:gates], block, FORMAT, segments, bias)


@st.composite
def cuts(draw):
    """Draw a product, and an array: word, rows, columns."""
    word = draw(st.sampled_from([1, 2, 4, 8]))
    block = draw(st.sampled_from([k for k in (1, 2, 4, 8) if k <= word]))
    columns = draw(st.lists(st.integers(1, 7), min_size=1, max_size=2))
    product = product_of(draw(st.integers(1, 4)), draw(st.integers(1, 5)), block, columns, word)
    return product, word, draw(st.integers(1, 9)), draw(st.integers(1, 4))


@given(cuts())
@settings(max_examples=100, deadline=None)
def test_every_block_is_visited_once(found):
    """Each (row, column) block of each segment meets its vector once, and nothing else does."""
    product, word, rows, columns = found
    order, gates = cut(product, word, rows, columns), len(product.gates)
    met = Counter()
    for step in order.steps():
        places = [
            np.arange(s.spectra.shape[0] * s.spectra.shape[1]).reshape(*s.spectra.shape[:2], 1) + 1
            for s in product.segments
        ]
        visit = by_visit(places[step.segment], gates, order.subs, rows, columns)
        numbers = visit[step.number, step.group, step.sub]
        met.update((step.segment, int(number)) for number in numbers[numbers > 0])
    blocks = [s.spectra.shape[0] * s.spectra.shape[1] for s in product.segments]
    everything = {(i, number + 1) for i, count in enumerate(blocks) for number in range(count)}
    assert met == Counter(dict.fromkeys(everything, 1))


@given(cuts(), st.integers(0, 99), st.tuples(st.integers(0, 9), st.integers(0, 9)))
@settings(max_examples=100, deadline=None)
def test_addresses_have_no_holes(found, weight_base, bases):
    order = cut(*found)
    steps = order.steps(weight_base, bases)
    assert [step.weight for step in steps] == list(range(weight_base, weight_base + order.count))
    for segment, base in enumerate(bases[: len(order.groups)]):
        read = {step.vector for step in steps if step.segment == segment}
        assert read == set(range(base, base + order.groups[segment]))


@given(cuts(), st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_counts_are_those_of_the_list(found, least):
    order = cut(*found)
    steps = order.steps()
    lengths = Counter(step.number for step in steps)
    assert order.lengths == tuple(lengths[number] for number in range(order.passes))
    assert order.busy(least) == sum(max(length, least) for length in lengths.values())
    assert order.ends == [step.weight for step in steps if step.last]
    assert [step.number for step in steps if step.first] == list(range(order.passes))
    for segment in range(len(order.groups)):
        parts = Counter(step.number for step in steps if step.segment == segment)
        assert order.most(segment) == max(parts.values())


def test_passes_may_leave_out_different_groups():
    order = JobSteps(2, (3, 2), 2, kept=(((0, 2), ()), ((1,), (0, 1))))
    steps = [step[:6] for step in order.steps(10, (5, 1))]
    assert steps == [
        (0, 0, 0, 0, 10, 5),
        (0, 0, 0, 1, 11, 5),
        (0, 0, 2, 0, 12, 7),
        (0, 0, 2, 1, 13, 7),
        (1, 0, 1, 0, 14, 6),
        (1, 0, 1, 1, 15, 6),
        (1, 1, 0, 0, 16, 1),
        (1, 1, 0, 1, 17, 1),
        (1, 1, 1, 0, 18, 2),
        (1, 1, 1, 1, 19, 2),
    ]
    assert (order.lengths, order.count, order.ends) == ((4, 6), 10, [3, 9])
    assert (order.busy(5), order.most(0), order.most(1)) == (11, 4, 4)


@st.composite
def masked_cuts(draw):
    """Draw a cut whose product has weights in some blocks only."""
    product, *array = draw(cuts())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    segments = tuple(
        replace(one, present=(rng.random(one.spectra.shape[:2]) < share).astype(np.int64))
        for one in product.segments
    )
    first_uses = [draw(st.booleans()) for _ in segments]
    return replace(product, segments=segments), *array, first_uses


@given(masked_cuts())
@settings(max_examples=150, deadline=None)
def test_only_visits_without_weights_are_left_out(found):
    """What has weights is visited in its pass; of the rest, only what a pass cannot do without."""
    product, word, rows, columns, first_uses = found
    order, gates = cut(*found), len(product.gates)
    assert order.passes == cut(product_of_all(product), word, rows, columns).passes
    for number in range(order.passes):
        for segment, visited in enumerate(order.visits(number)):
            present = product.segments[segment].present[..., None]
            weights = by_visit(present, gates, order.subs, rows, columns)[number]
            needed = {group for group, each in enumerate(weights) if each.any()}
            if number == 0 and first_uses[segment]:
                needed.add(order.groups[segment] - 1)
            assert needed <= set(visited)
            spare = set(visited) - needed
            assert not order.kept or (
                spare <= {0} and (not spare or order.lengths[number] == order.subs)
            )
        assert order.lengths[number] > 0
    assert order.kept == () or order.count < cut(product_of_all(product), word, rows, columns).count


def product_of_all(product):
    """Return a product with weights in all blocks."""
    return replace(product, segments=tuple(replace(s, present=None) for s in product.segments))


@given(masked_cuts())
@settings(max_examples=50, deadline=None)
def test_visits_are_the_steps_without_their_blocks(found):
    order = cut(*found)
    steps = order.steps(3, (4, 0))
    starts = [step for step in steps if step.sub == 0]
    assert [one[1:] for one in visits(steps)] == [(step.segment, step.vector) for step in starts]
    ends = [step.last for step in steps if step.sub == order.subs - 1]
    assert [one.last for one in visits(steps)] == ends
