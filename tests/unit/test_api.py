"""ernn as a library: its names, what they refuse, and that importing them costs nothing."""

import ast
from pathlib import Path

import numpy as np
import pytest

import ernn
from ernn import api
from ernn.errors import CorpusError, RecipeError

RECIPE = {"name": "small", "model": {"cell": "gru", "layers": [{"hidden": 8, "block": 4}]}}


def test_what_a_type_checker_sees_is_there():
    """And at the home that it is told."""
    tree = ast.parse(Path(ernn.__file__).read_text())
    [checked] = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in checked.body if isinstance(node, ast.ImportFrom)]
    assert {alias.name: node.module for node in imports for alias in node.names} == ernn._HOMES
    for name, home in ernn._HOMES.items():
        assert getattr(ernn, name).__module__.startswith(home)
        assert getattr(ernn, name).__doc__ and name in dir(ernn)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ernn.nothing  # noqa: B018


def test_recipes_of_every_form():
    small = ernn.load_recipe(RECIPE)
    assert (small.name, small.model.layers[0].hidden) == ("small", 8)
    assert ernn.load_recipe("tiny").name == "tiny"
    with pytest.raises(RecipeError, match="there is no recipe 'nothing'"):
        ernn.load_recipe(Path("nothing"))
    with pytest.raises(RecipeError, match="depth"):
        ernn.load_recipe({**RECIPE, "depth": 3})


def test_a_step_that_is_not_there(tmp_path):
    with pytest.raises(RecipeError, match=r"there is no step 'fly'.*; give one of corpus, train,"):
        ernn.run_recipe(RECIPE, tmp_path / "out", step="fly")
    assert not (tmp_path / "out").exists()
    assert api.STEP_NAMES[-1] == "report"


def test_arrays_that_do_not_fit():
    recipe = ernn.load_recipe(RECIPE)
    good = (np.zeros((5, 3)), np.zeros(5))
    for bad, match in (
        ((np.zeros((5, 3)), np.zeros(4)), r"train utterance 1: \(4,\) labels for 5 frames"),
        ((np.zeros((5, 4)), np.zeros(5)), r"features of shape \(5, 4\) \(allowed: \(T"),
        ((np.full((5, 3), np.nan), np.zeros(5)), "holds NaN or infinite features"),
        ((np.zeros((5, 3)), np.full(5, 2)), r"labels 2\.\.2 .allowed: 0\.\.1"),
    ):
        with pytest.raises(CorpusError, match=match):
            ernn.fit(recipe, [good, bad], [good], labels=2)
    with pytest.raises(CorpusError, match="the train split is empty"):
        ernn.fit(recipe, [], [good], labels=2)


def test_settings_that_are_not_allowed():
    with pytest.raises(RecipeError, match="bits"):
        ernn.quantize(None, [], {"bits": 3})
    with pytest.raises(RecipeError, match="colour"):
        ernn.plan(None, {"colour": "red"})
    with pytest.raises(RecipeError, match="'XC0' is not a known part; choose one of"):
        ernn.plan(None, {"part": "XC0"})


def test_a_model_goes_from_arrays_to_a_plan(small_model):
    assert ernn.plan(small_model, {"part": "XC7A35T"}, "mine").name == "mine"


@pytest.fixture
def small_model():
    updates = {"updates": 2, "batch": 2, "chunk_frames": 8, "evaluate_every": 2}
    steps = {"updates": 2, "updates_per_round": 1, "retrain_updates": 2}
    recipe = ernn.load_recipe({**RECIPE, "training": updates, "compression": steps})
    rng = np.random.default_rng(0)
    made = [(rng.normal(size=(8, 4)), rng.integers(3, size=8)) for _ in range(4)]
    model = ernn.fit(recipe, made, made, labels=3)
    assert model.labels == 3 and model.layers[0].matrices["input"].block == 4
    return ernn.quantize(model, [features for features, _ in made])
