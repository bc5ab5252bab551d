"""Training data: what is refused, and what a batch is made of."""

import numpy as np
import pytest
import torch

from ernn.errors import CorpusError
from ernn.train.batches import IGNORED, Chunks, Data, WholeUtterances, pieces
from tests.trainings import CTC_DATA, DATA, LABELS, F

torch.set_num_threads(1)


@pytest.mark.parametrize(
    "train, dev, message",
    [
        ([], DATA.dev, "train split is empty"),
        (DATA.train, [], "dev split is empty"),
        ([(np.zeros((5, F)), np.zeros(4, int))], DATA.dev, "train utterance 0: .* 5 frames"),
        ([(np.zeros((0, F)), np.zeros(0, int))], DATA.dev, "features of shape .* .allowed: .T > 0"),
        (
            DATA.train,
            [(np.zeros((5, F + 1)), np.zeros(5, int))],
            f"features of shape .* .allowed: .T > 0, {F}",
        ),
        ([(np.full((5, F), np.nan), np.zeros(5, int))], DATA.dev, "NaN or infinite"),
        ([(np.zeros((5, F)), np.full(5, LABELS))], DATA.dev, "labels 4..4 .allowed: 0..3"),
    ],
)
def test_data_that_cannot_be_trained_on_is_refused(train, dev, message):
    with pytest.raises(CorpusError, match=message):
        Data(train, dev, LABELS)


def test_chunks_hold_each_label_with_the_frame_that_comes_a_delay_later():
    made = [(np.arange(n)[:, None] + 100.0 * n, np.arange(n)) for n in (3, 5, 9)]
    chunks = Chunks(made, 4, 2, "cpu")
    batch = chunks.draw(200, 0.0, torch.Generator().manual_seed(0))
    features, labels = batch.features, batch.labels
    assert features.shape == (200, 4, 1) and labels.shape == (200, 4)
    counted = batch.counted
    assert torch.equal(counted, labels != IGNORED)
    frame = (features[..., 0] % 100).long()
    length = (features[..., 0] / 100).long()
    # Behind the end of an utterance its last frame is repeated.
    expected = torch.minimum(labels + 2, length - 1)
    assert torch.equal(frame[counted], expected[counted])
    for n in (3, 5, 9):  # every label of every utterance is drawn
        assert set(labels[counted & (length == n)].tolist()) == set(range(n))


@pytest.mark.parametrize(
    "phones, message",
    [
        (np.zeros(0, int), r"phones of shape \(0,\) \(allowed: \(P"),
        (np.zeros((2, 2), int), r"phones of shape \(2, 2\)"),
        (np.array([0, 1, 2, 3, 0, 1]), "6 phones need 6 frames or more but there are 5"),
        (np.array([0, 0, 1, 1]), "4 phones need 6 frames or more but there are 5"),
        (np.array([0, LABELS]), "labels 0..4 .allowed: 0..3"),
    ],
)
def test_phones_that_cannot_be_told_are_refused(phones, message):
    train = [*CTC_DATA.train, (np.zeros((5, F)), phones)]
    with pytest.raises(CorpusError, match=message):
        Data(train, CTC_DATA.dev, LABELS, "order")


def test_whole_utterances_come_with_all_their_phones_and_zeros_behind():
    lengths = (3, 5, 9, 14)
    made = [(np.full((n, 2), n, np.float32), np.arange(n // 2)) for n in lengths]
    source, generator = WholeUtterances(made, "cpu"), torch.Generator().manual_seed(0)
    drawn = []
    for _ in range(100):
        batch = source.draw(2, 0.0, generator)
        assert batch.features.shape == (2, batch.counted.sum(1).max(), 2)
        for features, phones, counted in zip(*vars(batch).values(), strict=True):
            n = int(counted.sum())
            drawn.append(n)
            assert counted[:n].all() and (features[:n] == n).all() and not features[n:].any()
            assert phones[phones != IGNORED].tolist() == list(range(n // 2))
    counts = [drawn.count(n) for n in lengths]
    assert sum(counts) == 200 and min(counts) > 30  # every utterance is as likely


@pytest.mark.parametrize("frames", [0, 4])
@pytest.mark.parametrize("delay", [0, 2])
def test_pieces_count_the_frames_that_have_a_label(frames, delay):
    """Frame t of an utterance holds t, and so does its label, but every third frame has none."""
    made = [
        (np.arange(n)[:, None] + 100.0 * n, np.where(np.arange(n) % 3 == 2, IGNORED, np.arange(n)))
        for n in (3, 5, 9)
    ]
    source, generator = pieces(made, frames, delay, "cpu"), torch.Generator().manual_seed(0)
    for _ in range(50):
        batch = source.draw(4, 0.0, generator)
        assert torch.equal(batch.counted, batch.labels != IGNORED)
        at, length = (batch.features[..., 0] % 100).long(), (batch.features[..., 0] / 100).long()
        expected = torch.minimum(batch.labels + delay, length - 1)
        assert torch.equal(at[batch.counted], expected[batch.counted])
        if not frames:  # from the beginning to the end, and a delay more
            assert not at[:, 0].any()
            told = batch.counted.sum(1)
            assert torch.equal(told, length[:, 0] - length[:, 0] // 3)


def test_an_utterance_may_have_frames_without_a_label_and_no_others():
    features = np.zeros((3, F), np.float32)
    Data([(features, np.array([IGNORED, 0, 1]))], DATA.dev, LABELS)
    with pytest.raises(CorpusError, match=r"labels -2\.\.1"):
        Data([(features, np.array([-2, 0, 1]))], DATA.dev, LABELS)
    with pytest.raises(CorpusError, match=r"labels -1\.\.-1"):
        Data([(features, np.array([IGNORED]))], DATA.dev, LABELS, "sequence")


def test_utterances_of_a_batch_are_of_like_length():
    rng = np.random.default_rng(0)
    made = [(np.zeros((n, 1), np.float32), np.zeros(1, int)) for n in rng.integers(10, 300, 500)]
    source, generator = WholeUtterances(made, "cpu"), torch.Generator().manual_seed(0)
    counted = [source.draw(16, 0.0, generator).counted for _ in range(50)]
    assert sum(c.sum() for c in counted) / sum(c.numel() for c in counted) > 0.85


@pytest.mark.parametrize(
    "source", [Chunks(DATA.train, 12, 1, "cpu"), WholeUtterances(CTC_DATA.train, "cpu")]
)
def test_noise_is_fresh_in_every_draw_and_decided_by_the_generator(source):
    clean, noisy = (source.draw(8, n, torch.Generator().manual_seed(3)) for n in (0.0, 0.5))
    noise = (noisy.features - clean.features)[clean.counted]
    assert noise.std().item() == pytest.approx(0.5, rel=0.1)
    generator = torch.Generator().manual_seed(3)
    first, second = (source.draw(8, 0.5, generator) for _ in range(2))
    assert torch.equal(first.features, noisy.features)
    assert first.features.shape != second.features.shape or not torch.equal(
        first.features, second.features
    )
