"""Purification: the least important columns go, as many as the score allows, never all."""

import pytest
import torch

from ernn.recipe import ModelRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.purify import purify
from tests.trainings import LABELS, F

torch.set_num_threads(1)


@pytest.fixture
def model():
    """Return a constrained model whose columns of one matrix have rising norms."""
    layer = {"hidden": 16, "block": 4, "keep": 0.99, "tile": [0, 1]}
    made = AcousticModel(ModelRecipe.from_dict({"cell": "rnn", "layers": [layer]}), F, LABELS)
    with torch.no_grad():
        for matrix in made.matrices().values():
            matrix.weight.fill_(1e-3)
        made.layers[0].matrices["recurrent"].weight *= torch.arange(1, 17)
    made.constrain()
    return made


def kept(model, name):
    return model.layers[0].matrices[name].present.any(0).tolist()


@pytest.mark.parametrize(("allowed", "number"), [(0.0, 0), (1.0, 1), (2.5, 2), (99.0, 4)])
def test_the_least_important_go_while_the_score_allows(model, allowed, number):
    """Every column costs a point; of the 4 + 2, one of each matrix must stay."""
    calls = []

    def loss():
        calls.append(
            sum(not there for name in ("input", "recurrent") for there in kept(model, name))
        )
        return float(calls[-1])

    gone = purify(model, loss, allowed)
    assert sum(map(len, gone.values())) == number
    assert len(calls) <= 3
    assert kept(model, "recurrent")[-1]
    assert any(kept(model, "input"))
    if number:
        assert gone["layer0.recurrent"][0] == 0


def test_a_model_without_tiles_is_left_alone():
    recipe = ModelRecipe.from_dict({"cell": "rnn", "layers": [{"hidden": 16, "block": 4}]})
    made = AcousticModel(recipe, F, LABELS)
    made.constrain()
    assert purify(made, lambda: 0.0, 1.0) == {}
