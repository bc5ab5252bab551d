"""Training in 16-bit products: it learns as in float32, and continues bit for bit."""

import pytest
import torch

from ernn.recipe import LayerRecipe, ModelRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.fit import Run
from ernn.train.loop import train_dense
from ernn.train.precision import Precision
from tests.trainings import DATA, LABELS, TRAINING, F, new_model

torch.set_num_threads(1)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("reset", ["before", "after"])
def test_gradients_are_those_of_float32_up_to_the_products_rounding(cell, precision, reset):
    recipe = ModelRecipe(cell=cell, reset=reset, layers=[LayerRecipe(hidden=16, block=4)] * 2)
    model = AcousticModel(recipe, F, LABELS)
    model.constrain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    frames = torch.randn(3, 12, F, generator=torch.Generator().manual_seed(0))
    gradients = {}
    for name in ("float32", precision):
        held = Precision(name, "cpu")
        optimizer.zero_grad()
        with held.forward():
            scores = model(frames).float()
        held.backward(scores.square().mean())
        held.unscale(optimizer)
        gradients[name] = torch.cat([p.grad.flatten() for p in model.parameters()])
    assert gradients[precision].dtype == torch.float32
    assert not torch.equal(gradients[precision], gradients["float32"])
    error = (gradients[precision] - gradients["float32"]).norm() / gradients["float32"].norm()
    assert error < 0.03


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_it_learns_and_continues_bit_for_bit(tmp_path, precision):
    training = TRAINING.model_copy(update={"precision": precision, "updates": 40})

    def train(folder, stop=1000):
        def killed(done, total):
            if done == stop:
                raise KeyboardInterrupt

        model = new_model()
        run = Run(folder, progress=killed, checkpoint_seconds=0)
        return train_dense(model, training, DATA, run), model

    history, model = train(tmp_path / "whole")
    assert history[-1]["dev_loss"] < 0.8 * history[0]["dev_loss"]
    assert all(value.dtype == torch.float32 for value in model.state_dict().values())
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", stop=30)
    again, other = train(tmp_path / "killed")
    assert again == history
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_the_scale_of_float16_is_part_of_a_checkpoint():
    before, after = (Precision("float16", "cpu") for _ in range(2))
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    before.backward(weight.sum() * torch.inf)
    before.unscale(optimizer)
    before.step(optimizer)  # skipped, and the scale is halved
    assert weight.item() == 1.0
    after.load_state(before.state())
    assert after.state() == before.state() != Precision("float16", "cpu").state()
