"""The search of bits: the policy, on error rates that are known beforehand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import BoundError
from ernn.quant.search import ACTIVATION_ERRORS, SETTINGS, Search, Trial, search
from ernn.recipe import QuantizationRecipe
from ernn.score import PER, Score

PHONES = 10_000


def rate(percent: float) -> Score:
    """Return an error rate of so many per cent."""
    errors = round(percent * PHONES / 100)
    figures = {name: np.zeros(1) for name in PER.counted} | {PER.over: np.array([PHONES])}
    return Score(PER, ("a",), {**figures, "substitutions": np.array([errors])})


def find(loss, bound: float, **recipe) -> tuple[Search, list[QuantizationRecipe]]:
    """Search where a recipe loses ``loss(recipe)`` points against a dense model of 20 %."""
    asked: list[QuantizationRecipe] = []

    def evaluate(one: QuantizationRecipe) -> Trial:
        asked.append(one)
        return Trial(one, rate(20 + loss(one)), segments=10)

    settings = QuantizationRecipe(search=True, **recipe)
    return search(settings, rate(20), bound, evaluate), asked


def coarse(recipe: QuantizationRecipe) -> list[float]:
    """Return how many steps each setting is from its finest."""
    steps = [16 - getattr(recipe, name) for name in SETTINGS if name != "activation_error"]
    return [ACTIVATION_ERRORS.index(recipe.activation_error), *steps]


def test_every_setting_goes_as_far_as_it_can_where_losses_do_not_add():
    limits = {"activation_error": 8e-3, "state_bits": 9, "activation_bits": 8, "weight_bits": 7}

    def loss(one: QuantizationRecipe) -> float:
        bits = [name for name in SETTINGS if name != "activation_error"]
        broken = any(getattr(one, name) < limits[name] for name in bits)
        return 5.0 if broken or one.activation_error > 8e-3 else 0.1

    found, asked = find(loss, 0.5)
    assert found.alone == limits
    assert {name: getattr(found.chosen, name) for name in SETTINGS} == limits
    assert len(found.joint) == 1
    assert len(asked) == len({one.model_dump_json() for one in asked}) <= 8 + 3 * 10 + 1


def test_losses_that_add_up_are_given_back_step_by_step():
    found, _ = find(lambda one: 0.1 * sum(coarse(one)), 0.5)
    assert set(found.alone.values()) == {11, ACTIVATION_ERRORS[5]}
    assert sum(coarse(found.chosen)) == 5
    assert [sum(coarse(trial.recipe)) for trial in found.joint] == list(range(20, 4, -1))


def test_between_equals_the_cheapest_is_given_back():
    found, _ = find(lambda one: 0.6 if sum(coarse(one)) > 36 else 0.0, 0.5)
    assert coarse(found.chosen) == [6, 10, 10, 10]


def test_a_lucky_value_behind_the_first_failure_does_not_count():
    def loss(one: QuantizationRecipe) -> float:
        return 1.0 if one.weight_bits == 10 else 0.0

    found, _ = find(loss, 0.5)
    assert found.alone["weight_bits"] == 11
    assert found.chosen.weight_bits == 11


def test_a_bound_that_the_finest_breaks_is_refused_with_the_one_it_meets():
    asked = []

    def loss(one: QuantizationRecipe) -> float:
        asked.append(one)
        return 0.71

    with pytest.raises(BoundError, match=r"20\.71 %.*0\.71 points.* = 0\.5; a bound of 0\.7\d is"):
        find(loss, 0.5)
    assert len(asked) == 1


def test_the_range_is_the_recipes():
    found, asked = find(lambda one: 0.0, 0.5, search_bits_min=8, search_bits_max=12)
    assert found.chosen.weight_bits == found.chosen.state_bits == 8
    assert {one.weight_bits for one in asked} == set(range(8, 13))


def test_progress_is_told():
    told = []
    evaluate = lambda one: Trial(one, rate(20), 10)  # noqa: E731
    search(QuantizationRecipe(), rate(20), 0.5, evaluate, lambda *now: told.append(now))
    assert told[0][1] == told[-1][1] == told[-1][0] == 38
    assert sorted(told) == told


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 3))
def test_the_choice_is_always_within_the_bound(seed, bound):
    """Whatever the error rates do, monotone or not."""
    rng = np.random.default_rng(seed)
    weights, noise = rng.uniform(0, 0.3, 4), rng.uniform(0, 0.5)

    def loss(one: QuantizationRecipe) -> float:
        steps = coarse(one)
        return float(weights @ steps) + (noise * rng.uniform(-1, 1) if any(steps) else 0.0)

    found, _ = find(loss, bound)
    assert found.within(found.joint[-1])
    assert not any(found.within(trial) for trial in found.joint[:-1])
    for name in SETTINGS:
        chosen, alone = getattr(found.chosen, name), found.alone[name]
        assert chosen <= alone if name == "activation_error" else chosen >= alone
