"""Edit distance against its definition; intervals against what they must cover."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.edits import count_edits
from ernn.errors import CorpusError, ShapeError
from ernn.speech.per import error_rate

sequences = st.lists(st.integers(0, 3), max_size=8)


def distance(reference, hypothesis):
    """Levenshtein's recursion, word for word."""

    @functools.cache
    def best(i, j):
        if not i or not j:
            return i + j
        change = best(i - 1, j - 1) + (reference[i - 1] != hypothesis[j - 1])
        return min(change, best(i - 1, j) + 1, best(i, j - 1) + 1)

    return best(len(reference), len(hypothesis))


@given(sequences, sequences)
def test_edits_are_the_fewest_possible(reference, hypothesis):
    substitutions, deletions, insertions = count_edits(np.array(reference), np.array(hypothesis))
    assert substitutions + deletions + insertions == distance(reference, hypothesis)
    assert insertions - deletions == len(hypothesis) - len(reference)


def test_kinds_of_edits():
    assert count_edits([1, 2, 3], [1, 2, 3]) == (0, 0, 0)
    assert count_edits([1, 2, 3], [1, 5, 3]) == (1, 0, 0)
    assert count_edits([1, 2, 3], [1, 3]) == (0, 1, 0)
    assert count_edits([1, 3], [1, 2, 3, 4]) == (0, 0, 2)
    assert count_edits([], [7, 7]) == (0, 0, 2)
    assert count_edits([7, 7], []) == (0, 2, 0)


def rate(references, hypotheses, speakers=None):
    speakers = speakers or [f"s{n % 3}" for n in range(len(references))]
    return error_rate(
        [np.array(r) for r in references], [np.array(h) for h in hypotheses], speakers
    )


def test_the_rate_weighs_utterances_by_their_length():
    result = rate([[1, 2, 3, 4], [5, 6]], [[1, 2, 3, 4], [9]])
    assert result.value == pytest.approx(100 * 2 / 6)
    assert result.counted.tolist() == [0, 2]


def test_intervals_hold_the_value_and_repeat():
    rng = np.random.default_rng(0)
    references = [rng.integers(0, 39, 20) for _ in range(30)]
    noisy = [np.where(rng.random(20) < 0.3, 0, r) for r in references]
    speakers = [f"speaker{n // 5}" for n in range(30)]
    result = rate(references, noisy, speakers)
    interval = result.interval()
    assert interval == result.interval()
    assert interval.low < interval.value == result.value < interval.high
    assert rate(references, references, speakers).interval().high == 0
    one = rate(references, noisy, ["the same"] * 30).interval()
    assert one.low == one.high == pytest.approx(one.value)  # one speaker says nothing about others


def test_speaker_intervals_have_the_width_theory_gives():
    rng = np.random.default_rng(1)
    speakers = [f"speaker{n}" for n in range(400)]
    references = [np.zeros(50, int)] * 400
    wrong = [(rng.random(50) < 0.2).astype(int) for _ in range(400)]
    interval = rate(references, wrong, speakers).interval()
    deviation = 100 * np.sqrt(0.2 * 0.8 / (400 * 50))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * deviation, rel=0.15)


def test_a_paired_difference_is_sharper_than_two_intervals():
    rng = np.random.default_rng(0)
    references = [rng.integers(1, 39, 20) for _ in range(60)]
    noisy = [np.where(rng.random(20) < rng.uniform(0, 0.6), 0, r) for r in references]
    worse = [np.where(rng.random(20) < 0.05, 0, h) for h in noisy]
    first, second = rate(references, worse), rate(references, noisy)
    difference, interval = first.minus(second), first.interval()
    assert difference.value == pytest.approx(first.value - second.value)
    assert 0 < difference.low < difference.value < difference.high
    assert difference.high - difference.low < interval.high - interval.low
    same = first.minus(first)
    assert same.low == same.value == same.high == 0


def test_empty_and_unlike_test_sets_are_refused():
    with pytest.raises(CorpusError, match="at least one utterance"):
        rate([], [])
    with pytest.raises(CorpusError, match="no empty reference"):
        rate([[]], [[1]])
    with pytest.raises(ShapeError, match="different test sets"):
        rate([[1]], [[1]]).minus(rate([[1, 2]], [[1, 2]]))
