"""Losses of numbers, and of a model that follows another one."""

import math

import numpy as np
import pytest
import torch

from ernn.errors import CorpusError, RecipeError
from ernn.recipe import CompressionRecipe, LayerRecipe, ModelRecipe, TaskRecipe, TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import IGNORED, Batch, Data
from ernn.train.differences import (
    CROSS_ENTROPY,
    DIVERGENCE,
    SQUARED_ERROR,
    Difference,
    find_difference,
)
from ernn.train.fit import Run
from ernn.train.loop import compress, train_dense
from ernn.train.losses import Distilled, make_loss
from ernn.train.row_losses import Imitation, RowLoss

torch.set_num_threads(1)

F, OUTPUTS = 3, 2
MODEL = ModelRecipe(cell="gru", layers=[LayerRecipe(hidden=4, block=2)])
RECIPE = TrainingRecipe(updates=4, batch=4, chunk_frames=6, evaluate_every=2)
RNG = np.random.default_rng(0)


def sequences(*lengths, outputs=OUTPUTS, at_end=False):
    return [
        (
            RNG.normal(size=(length, F)).astype(np.float32),
            RNG.normal(size=(1 if at_end else length, outputs)).astype(np.float32),
        )
        for length in lengths
    ]


def data(targets, **changes):
    at_end = targets == "sequence_values"
    train = sequences(9, 4, 7, outputs=0 if targets == "none" else OUTPUTS, at_end=at_end)
    return Data(
        **{"train": train, "dev": sequences(5, 8, at_end=at_end), "labels": OUTPUTS}
        | {"targets": targets, **changes}
    )


def drawn(loss, found: Data) -> Batch:
    source = loss.source(found.train, RECIPE, "cpu")
    return source.draw(16, 0.0, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("targets", ["step_values", "sequence_values"])
def test_the_squared_error_is_that_of_what_is_wanted(targets):
    found = data(targets)
    loss = make_loss(found, RECIPE)
    assert loss == RowLoss(SQUARED_ERROR, at_end=targets == "sequence_values")
    batch = drawn(loss, found)
    scores = torch.randn(*batch.counted.shape, OUTPUTS)
    wanted, told = [], []
    for row in range(16):
        counted = batch.counted[row]
        frames = batch.features[row][batch.features[row].any(1)]
        (match,) = {
            index
            for index, (values, _) in enumerate(found.train)
            if (torch.from_numpy(values) == frames[0]).all(1).any()
        }
        values, targets_of = (torch.from_numpy(one) for one in found.train[match])
        told.append(scores[row][counted])
        if loss.at_end:
            wanted.append(targets_of)
        else:
            first = int((values == frames[0]).all(1).nonzero()[0])
            wanted.append(targets_of[first : first + int(counted.sum())])
    expected = (torch.cat(told) - torch.cat(wanted)).square().mean(1).sum()
    assert loss.total(scores, batch).item() == pytest.approx(expected.item(), rel=1e-5)
    parts = [loss.total(scores[n::3], batch.take(slice(n, None, 3))) for n in range(3)]
    assert sum(parts).item() == pytest.approx(expected.item(), rel=1e-5)
    outputs = [np.ones((len(values), OUTPUTS), np.float32) for values, _ in found.dev]
    mean = np.mean([np.square(1 - one) for _, targets in found.dev for one in targets])
    assert loss.evaluate(outputs, found.dev) == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("difference", [SQUARED_ERROR, DIVERGENCE])
@pytest.mark.parametrize("at_end", [False, True])
def test_who_is_like_the_teacher_has_no_loss(difference, at_end):
    teacher = AcousticModel(MODEL, F, OUTPUTS)
    dev = sequences(5, 8, at_end=at_end)
    found = data("none", dev=dev, difference=difference, at_end=at_end)
    loss = make_loss(found, RECIPE, teacher)
    assert loss == Imitation(teacher, difference, at_end)
    batch = drawn(loss, found)
    assert batch.counted.sum() > 0
    assert loss.total(teacher(batch.features), batch).item() == pytest.approx(0, abs=1e-6)
    other = AcousticModel(MODEL, F, OUTPUTS, seed=1)
    value = loss.total(other(batch.features), batch)
    assert value.item() > 0
    value.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    frames = [features for features, _ in found.dev]
    taught = [rows[-1:] if at_end else rows for rows in teacher.predict(frames)]
    told = list(zip(frames, taught, strict=True))
    assert loss.evaluate(teacher.predict(frames), told) == pytest.approx(0, abs=1e-6)
    assert loss.evaluate(other.predict(frames), told) > 0
    assert loss.describe() != make_loss(found, RECIPE, other).describe()


def test_a_teacher_of_numbers_is_followed_in_numbers():
    teacher, found = AcousticModel(MODEL, F, OUTPUTS), data("step_values")
    loss = Distilled(make_loss(found, RECIPE), teacher, weight=1.0)
    batch = drawn(loss, found)
    wanted = teacher(batch.features)[batch.counted]
    scores = torch.randn(*batch.counted.shape, OUTPUTS)
    expected = (scores[batch.counted] - wanted).square().mean(1).sum()
    assert loss.total(scores, batch).item() == pytest.approx(expected.item(), rel=1e-5)


def test_without_targets_and_teacher_nothing_is_trained(tmp_path):
    model, run = AcousticModel(MODEL, F, OUTPUTS), Run(tmp_path)
    with pytest.raises(RecipeError, match="cannot be trained without targets; give targets, or"):
        train_dense(model, RECIPE, data("none"), run)
    short = CompressionRecipe(updates=4, updates_per_round=2, retrain_updates=4, distillation=0.5)
    history = compress(model, short, RECIPE, data("none"), run)
    assert [one["phase"] for one in history] == ["admm", "admm", "retrain", "retrain"]


def test_only_classes_are_told_in_noise(tmp_path, monkeypatch):
    heard = []
    of_values, of_none = data("step_values"), data("none")
    source = type(make_loss(of_values, RECIPE).source(of_values.train, RECIPE, "cpu"))
    draw = source.draw
    monkeypatch.setattr(
        source, "draw", lambda self, n, noise, g: heard.append(noise) or draw(self, n, noise, g)
    )
    model = AcousticModel(MODEL, F, OUTPUTS)
    labels = [(values, np.zeros(len(values), int)) for values, _ in of_none.train]
    for index, (found, recipe) in enumerate(
        (
            (of_values, RECIPE),
            (Data(labels, labels, OUTPUTS), RECIPE),
            (of_values, RECIPE.model_copy(update={"input_noise": 0.3})),
        )
    ):
        train_dense(model, recipe, found, Run(tmp_path / str(index)))
    assert heard == [0.0] * 4 + [0.1] * 4 + [0.3] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": "sequence_values"}, r"targets of shape \(9, 2\) .*\(1, 2\)"),
        ({"labels": 3}, r"targets of shape \(9, 2\) .*\(9, 3\)"),
        ({"targets": "none"}, r"targets of shape \(9, 2\) .*\(9, 0\)"),
        ({"dev": [(np.ones((2, F)), np.full((2, 2), np.nan))]}, "dev utterance 0 holds NaN"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(changes, message):
    found = data("step_values")
    with pytest.raises(CorpusError, match=message):
        Data(
            **{"train": found.train, "dev": found.dev, "labels": 2, "targets": "step_values"}
            | changes
        )


WANTED = torch.tensor([[0.0, 1.0], [0.25, 0.5], [1.0, 0.0]])
TOLD = torch.tensor([[0.1, 0.8], [0.3, 0.5], [0.9, 0.2]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("squared_error", (0.01 + 0.04 + 0.0025 + 0 + 0.01 + 0.04) / 2),
        (
            "binary_cross_entropy",
            -sum(
                w * math.log(t) + (1 - w) * math.log(1 - t)
                for w, t in zip(WANTED.flatten().tolist(), TOLD.flatten().tolist(), strict=True)
            )
            / 2,
        ),
        (
            "cosine",
            sum(
                1 - (a @ b / a.norm() / b.norm()).item() for a, b in zip(WANTED, TOLD, strict=True)
            ),
        ),
        (
            "divergence",
            sum(
                (a.softmax(0) * (a.log_softmax(0) - b.log_softmax(0))).sum().item()
                for a, b in zip(WANTED, TOLD, strict=True)
            ),
        ),
    ],
)
def test_losses_are_what_they_are_called(name, expected):
    recipe = TaskRecipe(kind="arrays", path="x.npz", loss=name)
    found = find_difference(recipe, "none", decisions=False)
    assert found is not None
    assert found.total(TOLD, WANTED).item() == pytest.approx(expected, rel=1e-5)
    assert found.mean(TOLD.numpy(), WANTED.numpy()) == pytest.approx(expected / 3, rel=1e-5)


def test_what_is_not_named_is_what_is_usual():
    silent = TaskRecipe(kind="arrays", path="x.npz")
    assert find_difference(silent, "none", decisions=True) is DIVERGENCE
    assert find_difference(silent, "none", decisions=False) is None
    named = silent.model_copy(update={"loss": "cross_entropy"})
    assert find_difference(named, "sequence", decisions=False) is CROSS_ENTROPY
    with pytest.raises(RecipeError, match=r"the network to follow has outputs .*squared_error"):
        find_difference(named, "none", decisions=True)


def test_a_loss_of_ones_own_hears_what_the_usual_one_hears():
    """Classes with a delay: the cross entropy row by row is that of frames."""
    labels = [(values, np.arange(len(values)) % OUTPUTS) for values, _ in data("none").train]
    recipe = RECIPE.model_copy(update={"label_delay": 2})
    own = Difference("mine", CROSS_ENTROPY.total)
    usual, mine = (
        make_loss(Data(labels, labels, OUTPUTS, difference=one), recipe) for one in (None, own)
    )
    batches = [
        loss.source(labels, recipe, "cpu").draw(8, 0.0, torch.Generator().manual_seed(1))
        for loss in (usual, mine)
    ]
    scores = torch.randn(*batches[0].counted.shape, OUTPUTS)
    expected = usual.total(scores, batches[0]).item()
    assert mine.total(scores, batches[1]).item() == pytest.approx(expected, rel=1e-6)
    outputs = [RNG.normal(size=(len(one), OUTPUTS)).astype(np.float32) for one, _ in labels]
    expected = usual.evaluate(outputs, labels)
    assert mine.evaluate(outputs, labels) == pytest.approx(expected, rel=1e-6)


def test_steps_without_a_class_are_not_judged():
    outputs, labels = RNG.normal(size=(6, OUTPUTS)), np.array([0, IGNORED, 1, 1, IGNORED, 0])
    loss, there = RowLoss(CROSS_ENTROPY, of_classes=True), labels != IGNORED
    some = loss.evaluate([outputs[there]], [(outputs[there], labels[there])])
    assert loss.evaluate([outputs], [(outputs, labels)]) == pytest.approx(some, rel=1e-6)
