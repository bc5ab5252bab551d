"""The steps of a job: every block once, addresses without holes, counts that are the list's."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.fixed import QFormat
from ernn.hw.steps import JobSteps, by_visit, cut
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
