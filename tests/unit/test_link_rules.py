"""Steps and bases of a link, and the sensitivity that they follow."""

import numpy as np
import pytest
import torch

from ernn.errors import ShapeError
from ernn.fixed import QFormat
from ernn.link.bases import cosines, guided, principal
from ernn.link.design import in_groups, make_tables
from ernn.link.rules import equal_slope, equal_snr, published, uniform
from ernn.recipe import ModelRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.sensitivity import output_gradients


def frames(count=3000, size=6):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, size)) @ rng.normal(size=(size, size))


def sensitivity(size=6):
    root = np.random.default_rng(1).normal(size=(size, size))
    return root @ root.T


@pytest.mark.parametrize("basis", [cosines((4, 2), 1), principal(frames())], ids=["dct", "klt"])
def test_cosines_and_principal_axes_are_orthonormal(basis):
    assert np.allclose(basis.vectors.T @ basis.vectors, np.eye(6))
    assert np.allclose(basis.inverse @ basis.vectors, np.eye(6))


def test_cosines_of_a_group_gather_what_is_constant():
    basis = cosines((3,), 4)
    numbers = basis.inverse @ np.ones(12)
    assert np.isclose(numbers[0], 12**0.5) and np.allclose(numbers[1:], 0)


def test_numbers_of_the_guided_basis_are_uncorrelated_and_cost_the_same():
    basis = guided(frames(), sensitivity())
    assert np.allclose(basis.inverse @ basis.vectors, np.eye(6))
    numbers = np.cov(basis.inverse @ frames().T)
    assert np.allclose(numbers, np.diag(np.diag(numbers)), atol=1e-6 * numbers.max())
    floor = 1e-3 * np.trace(sensitivity()) / 6 * np.eye(6)  # what nobody asks for
    costs = basis.vectors.T @ (sensitivity() + floor) @ basis.vectors
    assert np.allclose(costs, np.eye(6))


def test_the_published_map_is_the_published_one():
    """In units of pixels: 255 - 9.75 s up to 20, 80 - s up to 60, 240 - 3 s above, 5 at least."""
    spread = np.array([0.0, 10.0, 40.0, 70.0, 100.0])
    numbers = np.outer([1.0, -1.0], spread)
    assert published(numbers, 1, largest=128).tolist() == [255, 157.5, 40, 30, 5]
    assert published(numbers / 2, 2, largest=64).tolist() == [255, 157.5, 40, 30, 5]


def test_uniform_and_equal_snr():
    numbers = np.outer([1.0, -1.0], [1.0, 3.0])
    assert uniform(numbers, 0.5).tolist() == [0.5, 0.5]
    assert equal_snr(numbers, 0.5).tolist() == [0.5, 1.5]


def test_what_costs_more_gets_a_finer_step_and_what_costs_nothing_is_left_out():
    numbers = np.random.default_rng(2).normal(size=(4096, 3))
    steps = equal_slope(numbers, 0.01, np.array([1.0, 0.1, 1e-6]))
    assert steps[0] < steps[1] < np.inf and steps[2] == np.inf
    coarser = equal_slope(numbers, 0.1, np.array([1.0, 0.1, 1e-6]))
    assert (coarser >= steps).all()


def test_tables_restore_within_half_a_step():
    training = in_groups([frames(200), frames(99)], 2)
    assert training.shape == (149, 12)
    steps = np.full(12, 0.25)
    tables = make_tables(training, cosines((6,), 2), steps, QFormat(5, 11), group=2)
    back = tables.vector.to_float(tables.restore(tables.quantize(training)))
    rms = np.sqrt(((back - training) ** 2).mean())
    assert rms < 1.1 * 0.25 / 12**0.5  # orthonormal: that of a uniform error in a step


def test_a_budget_below_what_the_coder_needs_is_refused():
    with pytest.raises(ShapeError, match="a link that sends 0 numbers"):
        make_tables(frames(), cosines((6,), 1), np.full(6, np.inf), QFormat(5, 11))


def test_gradients_tell_what_outputs_lose():
    """g' d squared is twice the divergence of the outputs, to second order."""
    recipe = ModelRecipe.model_validate({"cell": "rnn", "layers": [{"hidden": 8, "block": 1}]})
    model = AcousticModel(recipe, 4, 3, seed=0)
    rng = np.random.default_rng(3)
    spoken = [rng.normal(size=(64, 4)).astype(np.float32) for _ in range(40)]
    gradients = output_gradients(model, spoken, of_classes=True)
    assert gradients.shape == (40 * 64, 4)
    change = 0.05 * rng.normal(size=(40, 64, 4)).astype(np.float32)
    with torch.no_grad():
        before = model(torch.from_numpy(np.stack(spoken))).log_softmax(-1)
        after = model(torch.from_numpy(np.stack(spoken) + change)).log_softmax(-1)
    divergence = (before.exp() * (before - after)).sum(-1).mean().item()
    weights = gradients.T @ gradients / len(gradients)
    predicted = 0.05**2 * np.trace(weights) / 2
    assert predicted == pytest.approx(divergence, rel=0.15)
