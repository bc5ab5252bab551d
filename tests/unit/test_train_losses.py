"""Losses against torch and against what their definitions say, part by part."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from ernn.recipe import LayerRecipe, ModelRecipe, TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import IGNORED, Batch
from ernn.train.losses import CtcLoss, Distilled, FrameLoss, make_loss
from tests.trainings import CTC_DATA, DATA

torch.set_num_threads(1)

F, LABELS = 6, 4
MODEL = ModelRecipe(cell="gru", layers=[LayerRecipe(hidden=8, block=4)])


def random_scores(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def frame_batch(sequences=5, frames=7, seed=0):
    rng = np.random.default_rng(seed)
    labels = torch.from_numpy(rng.integers(0, LABELS, (sequences, frames)))
    labels[:, :2] = IGNORED
    features = torch.from_numpy(rng.normal(size=(sequences, frames, F)).astype(np.float32))
    return Batch(features, labels, labels != IGNORED)


def ctc_batch(lengths=(7, 5, 3), phones=((0, 1, 1), (2,), (3, 0)), seed=0):
    labels = torch.nn.utils.rnn.pad_sequence([torch.tensor(p) for p in phones], True, IGNORED)
    frames = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    return Batch(random_scores(len(lengths), max(lengths), F, seed=seed).detach(), labels, frames)


BATCHES = {FrameLoss(2): frame_batch(), CtcLoss(): ctc_batch()}
each = pytest.mark.parametrize("loss", BATCHES, ids=lambda loss: type(loss).__name__)


def outputs_of(loss):
    return LABELS + isinstance(loss, CtcLoss)


def test_frame_loss_is_torchs_mean_bit_for_bit():
    batch, scores = frame_batch(16, 40), random_scores(16, 40, LABELS)
    ours = FrameLoss(2).total(scores, batch) / batch.counted.sum()
    theirs = functional.cross_entropy(
        scores.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED
    )
    assert torch.equal(ours, theirs)
    (our_gradient,) = torch.autograd.grad(ours, scores)
    (their_gradient,) = torch.autograd.grad(theirs, scores)
    assert torch.equal(our_gradient, their_gradient)


def test_frames_without_a_label_are_not_in_the_mean():
    rng = np.random.default_rng(0)
    outputs, labels = rng.normal(size=(6, LABELS)), np.array([0, IGNORED, 1, 2, IGNORED, 3])
    there = labels != IGNORED
    some, all_ = (
        FrameLoss(0).evaluate([rows], [(rows, wanted)])
        for rows, wanted in ((outputs[there], labels[there]), (outputs, labels))
    )
    assert all_ == pytest.approx(some, rel=1e-12)


def test_ctc_is_the_sum_over_all_alignments():
    """Against every path of 5 outputs over 3 frames, collapsed by hand."""
    batch = ctc_batch((3,), ((1, 2),))
    scores = random_scores(1, 3, LABELS + 1).double()
    logs = scores[0].log_softmax(-1)
    paths = torch.cartesian_prod(*[torch.arange(LABELS + 1)] * 3).tolist()

    def told(path):
        merged = [p for i, p in enumerate(path) if not i or p != path[i - 1]]
        return [p for p in merged if p != LABELS]

    good = [sum(logs[t, p] for t, p in enumerate(path)) for path in paths if told(path) == [1, 2]]
    expected = -torch.logsumexp(torch.stack(good), 0)
    assert CtcLoss().total(scores, batch).item() == pytest.approx(expected.item(), rel=1e-9)


def test_padding_does_not_count():
    batch = ctc_batch()
    scores = random_scores(3, 7, LABELS + 1)
    worse = torch.where(batch.counted.unsqueeze(-1), scores, scores + 100 * torch.rand(3, 7, 5))
    teacher = AcousticModel(MODEL, F, LABELS + 1)
    for loss in (CtcLoss(), Distilled(CtcLoss(), teacher)):
        assert torch.equal(loss.total(scores, batch), loss.total(worse, batch))


@each
@pytest.mark.parametrize("distilled", [False, True])
def test_the_parts_of_a_batch_add_up(loss, distilled):
    batch, outputs = BATCHES[loss], outputs_of(loss)
    if distilled:
        loss = Distilled(loss, AcousticModel(MODEL, F, outputs))
    scores = random_scores(*batch.counted.shape, outputs)
    for parts in (2, 3):
        totals = [
            loss.total(scores[n::parts], batch.take(slice(n, None, parts))) for n in range(parts)
        ]
        assert sum(totals).item() == pytest.approx(loss.total(scores, batch).item(), rel=1e-5)


@each
def test_evaluation_is_the_loss_of_whole_utterances(loss):
    rng = np.random.default_rng(0)
    outputs = [rng.normal(size=(n, outputs_of(loss))).astype(np.float32) for n in (9, 12)]
    if isinstance(loss, CtcLoss):
        utterances = [(o, rng.integers(0, LABELS, 3)) for o in outputs]
        totals = [
            functional.ctc_loss(
                torch.from_numpy(o).log_softmax(-1),
                torch.from_numpy(phones),
                torch.tensor(len(o)),
                torch.tensor(3),
                blank=LABELS,
                reduction="sum",
            )
            for o, (_, phones) in zip(outputs, utterances, strict=True)
        ]
        expected = sum(totals) / 21
    else:
        utterances = [(o, rng.integers(0, LABELS, len(o))) for o in outputs]
        told = np.concatenate([labels[:-2] for _, labels in utterances])
        scores = np.concatenate([o[2:] for o in outputs])
        expected = functional.cross_entropy(torch.from_numpy(scores), torch.from_numpy(told))
    assert loss.evaluate(outputs, utterances) == pytest.approx(float(expected), rel=1e-5)


@each
def test_a_teacher_is_copied_where_it_differs_and_leaves_nothing_where_it_agrees(loss):
    batch, teacher = BATCHES[loss], AcousticModel(MODEL, F, outputs_of(loss))
    only_teacher = Distilled(loss, teacher, weight=1.0)
    wanted = teacher(batch.features)
    assert only_teacher.total(wanted, batch).item() == pytest.approx(0, abs=1e-5)
    scores = random_scores(*wanted.shape)
    value = only_teacher.total(scores, batch)
    p, q = ((x / 2.0).softmax(-1)[batch.counted] for x in (wanted, scores))
    expected = 4.0 * (p * (p / q).log()).sum()
    assert value.item() == pytest.approx(expected.item(), rel=1e-4)
    value.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    half = Distilled(loss, teacher, weight=0.25).total(scores, batch)
    parts = 0.75 * loss.total(scores, batch) + 0.25 * value
    assert half.item() == pytest.approx(parts.item(), rel=1e-5)


def test_the_recipe_names_the_loss():
    assert make_loss(DATA, TrainingRecipe(label_delay=3)) == FrameLoss(3)
    assert make_loss(CTC_DATA, TrainingRecipe()) == CtcLoss()


def test_descriptions_tell_trainings_apart():
    teachers = [AcousticModel(MODEL, F, LABELS, seed) for seed in (0, 0, 1)]
    told = [Distilled(FrameLoss(2), teacher).describe() for teacher in teachers]
    assert told[0] == told[1] != told[2]
    others = [FrameLoss(2), FrameLoss(1), CtcLoss(), Distilled(FrameLoss(2), teachers[0], 0.2)]
    different = [told[0], *(loss.describe() for loss in others)]
    assert len({str(description) for description in different}) == 5
