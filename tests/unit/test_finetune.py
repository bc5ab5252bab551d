"""Fine-tuning: outputs are the integer model's to the bit, gradients the float model's."""

import json

import numpy as np
import pytest
import torch
from deadlines import each
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_frames, random_model

from ernn.finetune.loop import fine_tune
from ernn.finetune.quantization_aware import QuantizationAwareModel
from ernn.finetune.straight_through import Exact
from ernn.fixed import QFormat
from ernn.quant.float_model import run_float
from ernn.quant.predict import predict
from ernn.quant.quantize import quantize, with_weights
from ernn.recipe import QuantizationRecipe, TrainingRecipe
from ernn.train.batches import Data
from ernn.train.fit import Run

MODELS = {
    "lstm": {"cell": "lstm", "projection": 8, "layers": 2},
    "lstm, plain": {"cell": "lstm", "peepholes": False, "scales": False, "blocks": 1},
    "lstm, sigmoid": {"cell": "lstm", "cell_activation": "sigmoid"},
    "gru_before": {"cell": "gru_before", "layers": 2, "blocks": 8},
    "gru_after": {"cell": "gru_after", "layers": 2},
    "mgu": {"cell": "mgu", "blocks": {"input": 8, "recurrent": 4, "candidate": 8}},
    "rnn": {"cell": "rnn", "layers": 2},
    "mixed": {"cell": ("dense", "lstm", "mgu", "rnn", "dense"), "projection": 8},
    "pairs": {"cell": "gru_before", "blocks": {"input": 8, "recurrent": 4, "candidate": 2}},
    "pairs after": {"cell": "gru_after", "blocks": {"input": 2, "recurrent": 8, "output": 4}},
}
FINE = QuantizationRecipe(weight_bits=14, activation_bits=14, state_bits=18, activation_error=2e-4)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def build(name: str, bits: QuantizationRecipe, seed: int = 0):
    """Return a random model, frames for it, and its integer model."""
    rng = np.random.default_rng(seed)
    model = random_model(rng, **MODELS[name])
    frames = 0.5 * random_frames(rng, model.features, batch=3, frames=12)
    return model, frames, quantize(model, bits, list(frames))


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=8)
@given(
    weight=st.integers(4, 14),
    activation=st.integers(4, 14),
    state=st.integers(6, 18),
    rows=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_outputs_are_the_integer_models_to_the_bit(name, weight, activation, state, rows, seed):
    bits = {"weight_bits": weight, "activation_bits": activation, "state_bits": state}
    few = QuantizationRecipe(**bits, activation_error=0.01, row_scales=rows)
    model, frames, integer = build(name, few, seed)
    quantized = QuantizationAwareModel(model, integer)
    expected = quantized.integer().run(frames).to_float("logits")[..., : model.labels]
    assert np.array_equal(quantized(torch.from_numpy(frames)).detach().numpy(), expected)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_the_float_model(name):
    """With many bits, a step along a direction changes the float model as the gradient says."""
    model, frames, integer = build(name, FINE)
    quantized = QuantizationAwareModel(model, integer)
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(*frames.shape[:2], model.labels))

    def loss(tensors) -> float:
        logits = run_float(model.with_tensors(tensors), frames)["logits"]
        return float((logits[..., : model.labels] * scores).sum())

    (quantized(torch.from_numpy(frames)) * torch.from_numpy(scores).float()).sum().backward()
    tensors = model.tensors()
    for tensor, value in each(tensors.items()):
        step = 1e-5 * rng.choice([-1.0, 1.0], size=value.shape)
        change = loss(tensors | {tensor: value + step}) - loss(tensors | {tensor: value - step})
        gradient = quantized.floats[tensor.replace(".", "/")].grad.double().numpy()
        size = np.abs(2 * gradient * step).sum()
        assert abs((2 * gradient * step).sum() - change) < 0.02 * size, tensor


def test_outer_levels_are_not_taken_for_saturated_weights():
    rng = np.random.default_rng(3)
    own = {"cell": "gru_before", "blocks": 1, "levels": "ternary", "output_levels": "ternary"}
    model, frames = random_model(rng, **own), 0.5 * random_frames(rng, 7, batch=3, frames=12)
    quantized = QuantizationAwareModel(model, quantize(model, QuantizationRecipe(), list(frames)))
    quantized(torch.from_numpy(frames)).square().sum().backward()
    for name, value in each(model.tensors().items()):
        if name.endswith(".generators"):
            gradient = quantized.floats[name.replace(".", "/")].grad.numpy()
            assert (gradient[value == 1] != 0).mean() > 0.9, name


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=8))
def test_no_gradient_where_an_integer_saturated(raw):
    form = QFormat(0, 3)
    clipped = form.saturate(np.array(raw))
    computed = torch.zeros(len(raw), requires_grad=True)
    exact = Exact(clipped, form, computed).replace(computed)
    assert np.array_equal(exact.detach().numpy(), form.to_float(clipped))
    exact.sum().backward()
    free = (clipped > form.min_raw) & (clipped < form.max_raw)
    assert np.array_equal(computed.grad.numpy(), free)


def speech(features: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return utterances whose label is told by the sign of two features."""
    rng = np.random.default_rng(count)
    found = []
    for _ in range(count):
        frames = random_frames(rng, features, 1, 20)[0]
        found.append((frames, (frames[:, 0] > 0) + 2 * (frames[:, 1] > 0)))
    return found


def test_fine_tuning_learns_in_few_bits_and_keeps_the_formats(tmp_path):
    few = QuantizationRecipe(
        weight_bits=5, activation_bits=6, fine_tune_updates=40, fine_tune_learning_rate=0.03
    )
    model = random_model(np.random.default_rng(0), "gru_before", hidden=16, labels=4)
    data = Data(speech(model.features, 20), speech(model.features, 5), 4)
    integer = quantize(model, few, [features for features, _ in data.train[:4]])
    training = TrainingRecipe(batch=16, chunk_frames=20, label_delay=0, threads=1)
    tuned, result = fine_tune(model, integer, few, training, data, Run(tmp_path))
    history = json.loads((tmp_path / "fine_tune.json").read_text())
    assert history[-1]["dev_loss"] < 0.7 * loss_of(integer, data.dev)
    assert loss_of(result, data.dev) == pytest.approx(min(r["dev_loss"] for r in history), rel=1e-5)
    assert result.formats == integer.formats
    rounded = with_weights(integer, tuned)
    assert [p.bias.tolist() for p in rounded.products] == [p.bias.tolist() for p in result.products]


def loss_of(integer, utterances) -> float:
    """Return the cross entropy of an integer model, per frame."""
    logits = torch.from_numpy(np.concatenate(predict(integer, [x for x, _ in utterances])))
    labels = torch.from_numpy(np.concatenate([y for _, y in utterances]))
    return torch.nn.functional.cross_entropy(logits, labels.long()).item()


def test_other_weights_are_rounded_to_the_same_formats():
    model, frames, integer = build("lstm", QuantizationRecipe())
    same = with_weights(integer, model)
    assert np.array_equal(same.run(frames).signals["logits"], integer.run(frames).signals["logits"])
    doubled = {name: 2 * value for name, value in model.tensors().items()}
    other = with_weights(integer, model.with_tensors(doubled))
    assert other.formats == integer.formats
    for old, new in zip(integer.products, other.products, strict=True):
        assert new.weight == old.weight
        spectra = old.weight.saturate(2 * old.segments[0].spectra)
        assert np.abs(new.segments[0].spectra - spectra).max() <= 1
