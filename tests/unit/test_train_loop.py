"""Training on made-up data: it learns, stops, diverges loudly and continues bit for bit."""

import itertools
import json

import numpy as np
import pytest
import torch
from deadlines import each

from ernn.errors import ModelFileError, RecipeError
from ernn.speech.ctc import greedy
from ernn.speech.per import error_rate
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import Chunks, Data
from ernn.train.checkpoint import load_tensors, save_tensors
from ernn.train.fit import CHECKPOINT, Run
from ernn.train.loop import compress, train_dense
from tests.trainings import (
    COMPRESSION,
    CTC,
    CTC_DATA,
    DATA,
    LABELS,
    MODEL,
    TRAINING,
    F,
    new_model,
    utterances,
)

torch.set_num_threads(1)


def accuracy(model):
    outputs = model.predict([features for features, _ in DATA.dev])
    late = TRAINING.label_delay
    pairs = zip(outputs, DATA.dev, strict=True)
    right = [o[late:].argmax(1) == labels[: len(o) - late] for o, (_, labels) in pairs]
    return np.concatenate(right).mean()


def whole_job(folder, progress=lambda done, total: None, seconds=20.0):
    run = Run(folder, progress=progress, checkpoint_seconds=seconds)
    model = new_model()
    histories = [
        train_dense(model, TRAINING, DATA, run),
        compress(model, COMPRESSION, TRAINING, DATA, run),
    ]
    return model, histories


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a job that nobody disturbed: its folder, model and histories."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *whole_job(folder)


def test_every_phase_learns_and_leaves_its_history(whole):
    folder, model, (dense, compressed) = whole
    admm = [entry for entry in compressed if entry["phase"] == "admm"]
    retrained = [entry for entry in compressed if entry["phase"] == "retrain"]
    assert accuracy(model) > 0.85
    assert dense[-1]["dev_loss"] < dense[0]["dev_loss"]
    assert [entry["update"] for entry in admm] == [10, 20, 30, 40, 50, 60]
    assert admm[-1]["gap"] < admm[0]["gap"] / 10
    assert all(matrix.weight is None for n, matrix in model.matrices().items() if n != "output")
    assert json.loads((folder / "admm.json").read_text()) == admm
    assert [entry["phase"] for entry in retrained] == ["retrain", "retrain"]


def test_the_score_sees_the_outputs_of_the_development_set(tmp_path):
    seen = []

    def score(outputs):
        seen.append([o.shape for o in outputs])
        return 12.5

    history = train_dense(new_model(), TRAINING, DATA, Run(tmp_path, score=score))
    assert [entry["score"] for entry in history] == [12.5] * 3
    assert seen[0] == [(len(features), LABELS) for features, _ in DATA.dev]


def test_clipping_the_loss_does_not_weaken_the_pull(tmp_path):
    model = new_model()
    training = TRAINING.model_copy(update={"clip_norm": 1e-9})
    settings = {"rho_start": 1e-4, "rho_end": 1e-4, "updates_per_round": 60}
    weak = COMPRESSION.model_copy(update=settings)
    weights = [m for m in model.matrices().values() if m.block > 1]
    away = sum(m.structure.distance(m.matrix().detach()).square() for m in weights)
    at_start = (away / sum(m.matrix().square().sum() for m in weights)).sqrt()
    only = compress(model, weak, training, DATA, Run(tmp_path))[0]
    assert only["gap"] < at_start / 10


def test_ctc_learns_phones_without_times_through_every_phase(tmp_path):
    run, model = Run(tmp_path), new_model(CTC)
    compression = COMPRESSION.model_copy(update={"distillation": 0.5, "retrain_updates": 120})
    dense = train_dense(model, CTC.model_copy(update={"updates": 200}), CTC_DATA, run)
    assert dense[-1]["dev_loss"] < dense[0]["dev_loss"] / 2
    retrained = compress(model, compression, CTC, CTC_DATA, run)
    assert retrained[-1]["dev_loss"] < dense[0]["dev_loss"] / 2
    told = [greedy(scores) for scores in model.predict([f for f, _ in CTC_DATA.dev])]
    references = [phones for _, phones in CTC_DATA.dev]
    assert error_rate(references, told, ["s"] * len(told)).value < 50


def test_a_teacher_changes_what_is_learned_and_belongs_to_the_checkpoint(tmp_path):
    teachers = [new_model(), AcousticModel(MODEL, F, LABELS, seed=1)]
    short = TRAINING.model_copy(update={"updates": 5})
    ends = []
    for teacher in (None, *teachers):
        model = new_model()
        train_dense(model, short, DATA, Run(tmp_path), teacher)  # never continues another's
        ends.append(model.output_bias.detach().clone())
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(ends, 2))


def test_every_update_draws_its_own_batch_and_the_seed_decides_which(tmp_path, monkeypatch):
    drawn, draw = [], Chunks.draw

    def spy(chunks, *settings):
        drawn.append(draw(chunks, *settings).features)
        return draw(chunks, *settings)

    monkeypatch.setattr(Chunks, "draw", spy)
    short = TRAINING.model_copy(update={"updates": 3})
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_dense(new_model(), short, DATA, Run(tmp_path / name, seed))
    a, b, c = drawn[0:3], drawn[3:6], drawn[6:9]
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    different = [*a, *c]
    assert not any(torch.equal(x, y) for i, x in enumerate(different) for y in different[:i])


@pytest.mark.parametrize("method", ["admm", "project", "direct"])
def test_every_method_does_as_many_updates_and_ends_inside_its_structures(tmp_path, method):
    done, settings = [], {"method": method, "gap": 1.0}  # ADMM is over after its first round
    run = Run(tmp_path, progress=lambda at, total: done.append(at))
    model = new_model()
    before = model.output_bias.detach().clone()
    train_dense(model, TRAINING, DATA, run)
    dense = model.matrices()["layer0.input"].matrix().detach()
    compress(model, COMPRESSION.model_copy(update=settings), TRAINING, DATA, run)
    assert len(done) == 60 + 60 + 40 + (60 if method == "direct" else 0)
    matrix = model.matrices()["layer0.input"]
    assert matrix.structure.distance(matrix.matrix().detach()) < 1e-5
    assert not torch.equal(model.output_bias, before)
    assert accuracy(model) > 0.85
    assert matrix.structure.distance(dense) > 0.1


class Killed(Exception):
    pass


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_a_killed_run_continues_bit_for_bit(tmp_path, whole, phase):
    _, expected, histories = whole
    calls = 0

    def kill(done, total):
        nonlocal calls
        calls += 1
        if calls == phase * 60 + 35:
            raise Killed

    with pytest.raises(Killed):
        whole_job(tmp_path, kill, seconds=0)
    done = []
    found, again = whole_job(tmp_path, lambda at, total: done.append(at), seconds=0)
    # Only what followed the last checkpoint before the 35th update of the phase is done again.
    assert len(done) == 160 - (phase * 60 + (30 if phase == 1 else 20))
    assert again == histories
    for name, value in each(expected.state_dict().items()):
        assert torch.equal(found.state_dict()[name], value), name


def test_a_checkpoint_of_another_training_is_not_continued(tmp_path):
    train_dense(new_model(), TRAINING, DATA, Run(tmp_path))
    done = []
    run = Run(tmp_path, seed=1, progress=lambda at, total: done.append(at))
    train_dense(new_model(), TRAINING, DATA, run)
    assert done == list(range(1, 61))
    for rho_end in (10.0, 5.0):
        done.clear()
        other = COMPRESSION.model_copy(update={"rho_end": rho_end})
        compress(new_model(), other, TRAINING, DATA, run)
        assert done[:60] == list(range(1, 61))


def test_a_damaged_checkpoint_is_one_clear_error(tmp_path):
    train_dense(new_model(), TRAINING, DATA, Run(tmp_path))
    path = tmp_path / "dense.checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ModelFileError, match="delete it"):
        train_dense(new_model(), TRAINING, DATA, Run(tmp_path))


@pytest.mark.parametrize("part", ["model", "adam", "admm"])
def test_a_checkpoint_that_lacks_a_part_is_one_clear_error(tmp_path, part):
    compress(new_model(), COMPRESSION, TRAINING, DATA, Run(tmp_path))
    path = tmp_path / "admm.checkpoint.safetensors"
    tensors, header = load_tensors(path, CHECKPOINT)
    save_tensors(path, {n: t for n, t in tensors.items() if not n.startswith(part)}, header)
    with pytest.raises(ModelFileError, match="lacks a part of the training"):
        compress(new_model(), COMPRESSION, TRAINING, DATA, Run(tmp_path))


def test_training_stops_when_the_development_loss_stops_falling_and_keeps_the_best(tmp_path):
    wrong = [(f, np.roll(labels, 1)) for f, labels in utterances(6, 3)]
    data = Data(DATA.train, [(f, (labels + 1) % LABELS) for f, labels in wrong], LABELS)
    recipe = TRAINING.model_copy(update={"updates": 400, "evaluate_every": 5, "patience": 2})
    model = new_model()
    history = train_dense(model, recipe, data, Run(tmp_path))
    losses = [entry["dev_loss"] for entry in history]
    assert len(losses) == int(np.argmin(losses)) + 3 < 80
    late = recipe.label_delay
    outputs = np.concatenate([o[late:] for o in model.predict([f for f, _ in data.dev])])
    labels = torch.from_numpy(np.concatenate([labels[:-late] for _, labels in data.dev]))
    loss = torch.nn.functional.cross_entropy(torch.from_numpy(outputs), labels)
    assert loss.item() == pytest.approx(min(losses), rel=1e-5)


def test_divergence_is_one_clear_error(tmp_path):
    model = new_model()
    model.output_bias.data.fill_(torch.inf)
    with pytest.raises(RecipeError, match=r"the loss became nan in update 0 of phase 'dense'"):
        train_dense(model, TRAINING, DATA, Run(tmp_path))


@pytest.mark.parametrize("constrained", [False, True])
def test_a_model_comes_back_from_its_file(tmp_path, constrained):
    model, other = new_model(), AcousticModel(MODEL, F, LABELS, seed=1)
    if constrained:
        model.constrain()
    model.save(tmp_path / "m.safetensors")
    other.load(tmp_path / "m.safetensors")
    frames = torch.randn(2, 3, F)
    assert torch.equal(model(frames), other(frames))


def test_a_file_of_another_model_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    AcousticModel(MODEL, F + 8, LABELS).save(path)
    with pytest.raises(ModelFileError, match="another shape"):
        new_model().load(path)
    save_tensors(path, {"a": torch.zeros(2)}, {"format": "other"})
    with pytest.raises(ModelFileError, match="is no ernn-acoustic-1 file"):
        new_model().load(path)
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(ModelFileError, match="not a readable"):
        new_model().load(path)
    model = new_model()
    model.output_bias.data[0] = torch.nan
    model.save(path)
    with pytest.raises(ModelFileError, match="NaN"):
        new_model().load(path)
