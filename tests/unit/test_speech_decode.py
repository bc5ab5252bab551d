"""Viterbi against every possible path; the scorer's delay against what it must undo."""

import cProfile
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.edits import collapse
from ernn.errors import CorpusError, ShapeError
from ernn.speech.decode import PhoneModel, _viterbi, decode
from ernn.speech.phones import PHONES, SILENCE
from ernn.speech.scorer import Scorer
from ernn.speech.utterance import Split, Utterance

SIZE = len(PHONES)


def spoken(count, seed=0):
    """Frame labels of an utterance: runs of 3 to 8 frames between 9 frames of silence."""
    rng = np.random.default_rng(seed)
    phones = [SILENCE, *rng.integers(0, SIZE - 1, count), SILENCE]
    return np.repeat(phones, [9, *rng.integers(3, 9, count), 9]).astype(np.int16)


def utterance(labels, name="u"):
    features = np.zeros((len(labels), 1), np.float32)
    return Utterance(name, f"speaker of {name}", features, labels, collapse(labels))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_viterbi_finds_the_best_of_all_paths(seed, lengths):
    rng = np.random.default_rng(seed)
    lengths = np.array(sorted(lengths, reverse=True))
    scores = rng.standard_normal((len(lengths), lengths[0], 3)).astype(np.float32)
    start, transitions = rng.standard_normal(3), rng.standard_normal((3, 3))
    paths = _viterbi(scores, lengths, start, transitions)
    for row, length in enumerate(lengths):

        def total(path, row=row):
            heard = sum(scores[row, t, state] for t, state in enumerate(path))
            return (
                start[path[0]] + heard + sum(transitions[a, b] for a, b in itertools.pairwise(path))
            )

        best = max(map(total, itertools.product(range(3), repeat=length)))
        assert total(paths[row, :length]) == pytest.approx(best, abs=1e-4)


def test_the_model_is_made_of_probabilities():
    model = PhoneModel.fit([spoken(20, seed) for seed in range(30)], SIZE)
    assert np.exp(model.prior).sum() == pytest.approx(1)
    assert np.exp(model.start).sum() == pytest.approx(1)
    np.testing.assert_allclose(np.exp(model.bigram).sum(1), 1)
    assert (np.diag(model.bigram) == -np.inf).all()
    np.testing.assert_allclose(np.exp(model.transitions()).sum(1), 1)
    assert np.isfinite(model.transitions()).all()


def test_the_model_counts_what_it_sees():
    model = PhoneModel.fit([np.array([0, 0, 0, 1, 1, 0, 0, 2], np.int16)] * 1000, SIZE)
    assert np.exp(model.bigram[0, 1]) == pytest.approx(0.5, abs=0.02)
    assert np.exp(model.bigram[1, 0]) == pytest.approx(1, abs=0.05)
    assert np.exp(model.stay[0]) == pytest.approx(3 / 5, abs=0.01)
    assert np.exp(model.prior[2]) == pytest.approx(1 / 8, abs=0.01)


def test_clear_posteriors_are_decoded_as_they_are():
    labels = [spoken(n, n) for n in (5, 0, 17)]
    model = PhoneModel.fit(labels, SIZE)
    certain = [np.log(np.where(np.eye(SIZE)[each], 0.99, 0.01 / 38)) for each in labels]
    for result, each in zip(decode(certain, model), labels, strict=True):
        assert result.tolist() == collapse(each).tolist()


def test_decoding_beats_greedy_collapse_on_noisy_posteriors():
    train = [spoken(30, seed) for seed in range(40)]
    test = [utterance(spoken(30, 40 + n), str(n)) for n in range(9)]
    rng = np.random.default_rng(0)
    logits = [
        3.0 * np.eye(SIZE)[u.labels] + rng.standard_normal((len(u.labels), SIZE)) for u in test
    ]
    scorer = Scorer(PhoneModel.fit(train, SIZE), 0)
    greedy = sum(len(collapse(each.argmax(1))) for each in logits)
    assert greedy > 2 * sum(len(u.phones) for u in test)
    assert scorer.score(logits, test).value < 40


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_the_scorer_undoes_the_delay(delay):
    utterances = [utterance(spoken(12, n), str(n)) for n in range(6)]
    scorer = Scorer.fit(Split(tuple(utterances), PHONES), delay)
    late = [np.pad(u.labels, (delay, 0), mode="edge")[: len(u.labels)] for u in utterances]
    perfect = [20 * np.eye(SIZE)[labels] for labels in late]
    for u, logits in zip(utterances, perfect, strict=True):
        assert scorer._log_posteriors(logits).argmax(1).tolist() == u.labels.tolist()
    result = scorer.score(perfect, utterances)
    assert result.value == 0
    assert result.groups[0] == "speaker of 0"


def test_utterances_are_decoded_side_by_side():
    """Frame by frame, but all utterances at once: calls do not grow with their number."""
    model, rng = PhoneModel.fit([spoken(30)], SIZE), np.random.default_rng(0)
    calls = {}
    for count in (1, 80):
        scores = [rng.standard_normal((300, SIZE)) for _ in range(count)]
        profile = cProfile.Profile()
        profile.runcall(decode, scores, model)
        calls[count] = sum(one.callcount for one in profile.getstats())
    assert calls[80] < 3 * calls[1]


def test_what_cannot_be_decoded_is_refused():
    model = PhoneModel.fit([spoken(30)], SIZE)
    with pytest.raises(ShapeError, match=r"give \(T, 39\)"):
        decode([np.zeros((5, 38))], model)
    with pytest.raises(ShapeError, match="finite numbers"):
        decode([np.full((5, 39), np.nan)], model)
    with pytest.raises(CorpusError, match="needs labels"):
        PhoneModel.fit([], SIZE)
    with pytest.raises(ShapeError, match="one output per frame"):
        Scorer(model, 2).score([np.zeros((5, 39))], [utterance(spoken(1))])
    assert decode([], model) == []


def test_groups_of_utterances_are_decoded_like_all_at_once(monkeypatch):
    model = PhoneModel.fit([spoken(30)], SIZE)
    rng = np.random.default_rng(0)
    scores = [rng.standard_normal((n, SIZE)) for n in (5, 40, 1, 17, 40)]
    expected = [each.tolist() for each in decode(scores, model)]
    for together in (1, 2, 3):
        monkeypatch.setattr("ernn.speech.decode._MOST_NUMBERS", together * SIZE**2)
        assert [each.tolist() for each in decode(scores, model)] == expected


def test_any_number_of_phones_is_decoded():
    labels = [np.repeat([3, 299, 7, 0], 6).astype(np.int16)] * 3
    scores = [20 * np.eye(300)[each] for each in labels]
    found = decode(scores, PhoneModel.fit(labels, 300))
    assert [each.tolist() for each in found] == [[3, 299, 7, 0]] * 3
