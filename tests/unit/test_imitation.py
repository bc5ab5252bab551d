"""Losses of numbers, and of a model that follows another one."""

import numpy as np
import pytest
import torch

from ernn.errors import CorpusError, RecipeError
from ernn.recipe import CompressionRecipe, LayerRecipe, ModelRecipe, TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import Batch, Data
from ernn.train.fit import Run
from ernn.train.imitation import Imitation, SquaredLoss
from ernn.train.loop import compress, train_dense
from ernn.train.losses import Distilled, make_loss

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
    assert loss == SquaredLoss(targets == "sequence_values")
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


@pytest.mark.parametrize("decisions", [False, True])
def test_who_is_like_the_teacher_has_no_loss(decisions):
    teacher, found = AcousticModel(MODEL, F, OUTPUTS), data("none", decisions=decisions)
    loss = make_loss(found, RECIPE, teacher)
    assert loss == Imitation(teacher, decisions)
    batch = drawn(loss, found)
    assert batch.counted.sum() > 0
    assert loss.total(teacher(batch.features), batch).item() == pytest.approx(0, abs=1e-6)
    other = AcousticModel(MODEL, F, OUTPUTS, seed=1)
    value = loss.total(other(batch.features), batch)
    assert value.item() > 0
    value.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    frames = [features for features, _ in found.dev]
    told = [
        (values, outputs) for values, outputs in zip(frames, teacher.predict(frames), strict=True)
    ]
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
        ({"targets": "sequence_values"}, r"targets of shape \(9, 2\) for 9 frames .*\(1, 2\)"),
        ({"labels": 3}, r"targets of shape \(9, 2\) for 9 frames .*\(9, 3\)"),
        ({"targets": "none"}, r"targets of shape \(9, 2\) for 9 frames .*\(9, 0\)"),
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
