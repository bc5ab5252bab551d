"""Prefix beam search against the sum over every path; greedy decoding against its definition."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import CorpusError, ShapeError
from ernn.speech.ctc import Bigram, CtcWeights, _Beam, _Tree, beam_search, greedy

SIZE = 3  # phones; the blank is output 3
ALL = CtcWeights(bigram=0.7, per_phone=0.4, beam=10**6)


def collapsed(path):
    joined = [out for index, out in enumerate(path) if not index or out != path[index - 1]]
    return tuple(out for out in joined if out != SIZE)


def every_sequence(logits):
    """The log probability of each phone sequence, summed over all paths."""
    logs = logits - np.logaddexp.reduce(logits, 1, keepdims=True)
    totals = defaultdict(lambda: -np.inf)
    for path in itertools.product(range(SIZE + 1), repeat=len(logs)):
        told = sum(logs[t, out] for t, out in enumerate(path))
        totals[collapsed(path)] = np.logaddexp(totals[collapsed(path)], told)
    return totals


def scored(sequences, bigram, weights):
    """Add what the bigram says to each sequence."""

    def gain(phones):
        pairs = zip((SIZE, *phones), phones, strict=False)
        return sum(weights.bigram * bigram.table[a, b] + weights.per_phone for a, b in pairs)

    return {phones: told + gain(phones) for phones, told in sequences.items()}


frames = st.integers(1, 5)
seeds = st.integers(0, 10**6)


def random_case(seed, frames):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (frames, SIZE + 1))
    sequences = [rng.integers(0, SIZE, rng.integers(1, 6)) for _ in range(4)]
    return logits, Bigram.fit(sequences, SIZE)


@settings(max_examples=60, deadline=None)
@given(seeds, frames)
def test_a_beam_that_keeps_all_finds_the_best_sequence(seed, frames):
    logits, bigram = random_case(seed, frames)
    totals = every_sequence(logits)
    assert totals[tuple(beam_search(logits, None, ALL))] == pytest.approx(max(totals.values()))
    totals = scored(totals, bigram, ALL)
    found = tuple(beam_search(logits, bigram, ALL))
    assert totals[found] == pytest.approx(max(totals.values()), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 30), st.integers(1, 8))
def test_decoding_does_not_see_a_constant_per_frame(seed, frames, beam):
    logits, bigram = random_case(seed, frames)
    weights = CtcWeights(beam=beam)
    moved = logits + np.random.default_rng(seed).normal(0, 9, (frames, 1))
    assert np.array_equal(beam_search(logits, bigram, weights), beam_search(moved, bigram, weights))
    assert np.array_equal(greedy(logits), greedy(moved))


@settings(max_examples=30, deadline=None)
@given(seeds, frames)
def test_greedy_takes_the_best_path(seed, frames):
    logits, _ = random_case(seed, frames)
    paths = itertools.product(range(SIZE + 1), repeat=frames)
    best = max(paths, key=lambda path: sum(logits[t, out] for t, out in enumerate(path)))
    assert tuple(greedy(logits)) == collapsed(best)


def test_a_narrow_beam_holds_every_sequence_once():
    """Also one that was dropped, whose longer ones were kept, and that has come back."""
    width, gain = 20, np.zeros((SIZE + 1, SIZE))
    for seed in range(20):
        beam, tree = _Beam.start(SIZE), _Tree()
        for row in np.random.default_rng(seed).normal(0, 1.5, (60, SIZE + 1)):
            beam = beam.step(row - np.logaddexp.reduce(row), gain, width, tree)
            told = [tuple(tree.sequence(int(node))) for node in beam.node]
            assert len(set(told)) == len(told) <= width


def certain(*path):
    return 50.0 * np.eye(SIZE + 1)[list(path)]


@pytest.mark.parametrize("path", [(0, 3, 0), (3, 3), (0, 0, 1, 3, 1), (2,), (1, 3, 3, 1, 2)])
def test_certain_outputs_leave_no_choice(path):
    assert tuple(greedy(certain(*path))) == collapsed(path)
    assert tuple(beam_search(certain(*path))) == collapsed(path)


def test_the_sum_over_paths_beats_the_best_path():
    """A blank is the best output of both frames, yet the phone is said by three paths."""
    logits = np.log([[0.4, 1e-9, 1e-9, 0.6], [0.4, 1e-9, 1e-9, 0.6]])
    assert len(greedy(logits)) == 0
    assert tuple(beam_search(logits)) == (0,)


def test_the_bigram_decides_what_the_outputs_leave_open():
    logits = certain(0, 3, 0)
    logits[2] = [-9, 1.0, 1.1, -9]  # 1 or 2 after 0
    assert tuple(beam_search(logits)) == (0, 2)
    bigram = Bigram.fit([np.array([0, 1])] * 50, SIZE)
    assert tuple(beam_search(logits, bigram)) == (0, 1)


def test_a_bigram_is_made_of_probabilities():
    bigram = Bigram.fit([np.array([0, 1, 2]), np.array([0])], SIZE)
    np.testing.assert_allclose(np.exp(bigram.table).sum(1), 1)
    first = np.exp(bigram.table[SIZE])
    assert first[0] == pytest.approx(2.5 / 3.5) and first[1] == first[2]
    assert np.exp(bigram.table[0, 1]) == pytest.approx(1.5 / 2.5)


@pytest.mark.parametrize(
    "logits", [np.zeros((0, 4)), np.zeros((3, 1)), np.zeros(4), np.full((3, 4), np.nan)]
)
def test_scores_that_cannot_be_decoded_are_refused(logits):
    for decode in (greedy, beam_search):
        with pytest.raises(ShapeError, match="cannot be decoded"):
            decode(logits)


@pytest.mark.parametrize("sequences", [[], [np.array([1]), np.array([], int)]])
def test_a_bigram_of_nothing_is_refused(sequences):
    with pytest.raises(CorpusError, match="needs phones"):
        Bigram.fit(sequences, SIZE)
