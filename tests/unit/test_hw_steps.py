"""The steps of a job: every block once, counts that are the list's, tokens that cover the words."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.fixed import QFormat
from ernn.hw.gather import NONE, Mask, arrange
from ernn.hw.steps import by_rows, cut
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
def test_without_a_mask_each_pass_meets_every_block_once(found):
    order = cut(*found)
    for number in range(order.passes):
        blocks = order.blocks[order.numbers == number]
        assert sorted(blocks[blocks != NONE]) == list(range(order.bases[-1]))
        # Each step one place of a word, the word of a column its number modulo the columns
        for step in blocks:
            met = [(place, block) for place, block in enumerate(step) if block != NONE]
            assert len({block % order.subs for _, block in met}) == 1
            for column, block in met:
                segment = sum(block >= base for base in order.bases[1:])
                word = (block - order.bases[segment]) // order.subs
                assert word % order.columns == column


@given(cuts())
@settings(max_examples=50, deadline=None)
def test_rows_have_all_blocks(found):
    """Each (row, column) block lies once in the arrangement, its rows in the order of the array."""
    product, word, rows, _ = found
    gates, subs = len(product.gates), word // product.block
    p, q = product.segments[0].spectra.shape[:2]
    places = np.arange(p * q).reshape(p, q, 1) + 1
    arranged = by_rows(places, gates, subs, rows)[..., 0]
    assert sorted(arranged[arranged > 0]) == list(range(1, p * q + 1))
    lines = arranged.transpose(0, 2, 3, 1).reshape(-1, q)[:p]  # block rows, as they leave
    expected = [
        (gate * (p // gates) + place * subs + sub) * q + 1
        for place in range(p // gates // subs)
        for gate in range(gates)
        for sub in range(subs)
    ]
    assert lines[:, 0].tolist() == expected


@given(cuts(), st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_counts_are_those_of_the_list(found, least):
    order = cut(*found)
    lengths = Counter(order.numbers.tolist())
    assert order.lengths == tuple(lengths[number] for number in range(order.passes))
    assert order.busy(least) == sum(max(length, least) for length in lengths.values())
    assert order.ends == [sum(order.lengths[: number + 1]) - 1 for number in range(order.passes)]
    for segment, words in enumerate(order.words):
        assert order.most(segment) == -(-words // order.columns) * order.subs


@st.composite
def gathers(draw):
    """Draw a product without weights in some blocks, an array, and how it gathers."""
    product, word, rows, columns = draw(cuts())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    segments = tuple(
        replace(one, present=(rng.random(one.spectra.shape[:2]) < share).astype(np.int64))
        for one in product.segments
    )
    product = replace(product, segments=segments)
    largest = draw(st.sampled_from([k for k in (1, 2, 4, 8) if product.block <= k <= word]))
    tile_rows = draw(st.sampled_from([n for n in range(1, rows + 1) if rows % n == 0]))
    units = word // largest
    allowed = [n for n in range(1, units + 1) if units % n == 0 and columns % n == 0]
    mask = Mask(product, word // product.block, units)
    first_uses = [draw(st.sampled_from(["", "x", "ff"])) for _ in segments]
    return (
        product,
        word,
        rows,
        columns,
        (tile_rows, draw(st.sampled_from(allowed)), mask),
        first_uses,
    )


@given(gathers())
@settings(max_examples=200, deadline=None)
def test_each_path_takes_what_its_rows_need(found):
    product, _, rows, columns, (tile_rows, slices, mask), _ = found
    order = cut(*found)
    subs, gates = order.subs, len(product.gates)
    present = np.concatenate([one.present for one in product.segments], axis=1)
    needed = by_rows(present[..., None], gates, subs, tile_rows).any(axis=(2, 3, 4))
    groups = rows // tile_rows
    assert order.passes == -(-len(needed) // groups)
    for number in range(order.passes):
        steps = order.blocks[order.numbers == number].reshape(-1, groups, columns)
        longest = 1
        for group in range(groups):
            place = number * groups + group
            kept = np.flatnonzero(needed[place]) if place < len(needed) else np.array([], int)
            met = steps[:, group]
            assert sorted(met[met != NONE]) == kept.tolist()
            for column in range(columns):
                inside = met[:, column][met[:, column] != NONE]
                assert (mask.slice_of(slices)[inside] == column % slices).all()
            counts = Counter(mask.slice_of(slices)[kept].tolist())
            longest = max(longest, *(-(-n * slices // columns) for n in counts.values()), 0)
        assert len(steps) == longest  # no step more than the longest group needs
    for segment, base in enumerate(order.bases[:-1]):
        inside = (order.blocks >= base) & (order.blocks < order.bases[segment + 1])
        taken = [
            inside[order.numbers == number].sum(axis=0).max() for number in range(order.passes)
        ]
        assert order.most(segment) == max(taken)


@given(gathers())
@settings(max_examples=200, deadline=None)
def test_tokens_cover_the_words_of_a_first_use(found):
    """No step of a first pass meets a word that no token before or at it has waited for."""
    order, memories = cut(*found), found[-1]
    first = order.blocks[order.numbers == 0]
    assert all(memories[segment] for _, segment, _ in order.tokens)
    for memory in {*memories} - {""}:
        own = [n for n, name in enumerate(memories) if name == memory]
        # Words of a memory come vector by vector.
        come = {(n, word): i for i, (n, word) in enumerate(_words(order, own))}
        tokens = [(step, come[n, word]) for step, n, word in order.tokens if n in own]
        assert tokens == sorted(tokens)
        assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(tokens))
        assert tokens[-1][1] == len(come) - 1
        for step, blocks in enumerate(first):
            met = [
                come[n, (block - base) // order.subs]
                for n, (base, behind) in enumerate(pairwise(order.bases))
                for block in blocks
                if n in own and base <= block < behind
            ]
            known = [word for at, word in tokens if at <= step]
            assert not met or max(met) <= max(known)


def _words(order, segments):
    return [(n, word) for n in segments for word in range(order.words[n])]


@given(gathers(), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_an_arrangement_is_the_best_there_is(found, least):
    _, _, rows, columns, (_, _, mask), _ = found
    tile_rows, slices = arrange([mask], rows, columns, least)

    def cycles(height, cut):
        return np.maximum(mask.lengths(rows, columns, height, cut), least).sum()

    heights = [n for n in range(1, rows + 1) if rows % n == 0]
    best = {height: cycles(height, 1) for height in heights}
    assert best[tile_rows] == cycles(tile_rows, slices) == min(best.values())
    assert tile_rows == max(height for height in heights if best[height] == min(best.values()))
