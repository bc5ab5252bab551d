"""ADMM on problems with a known answer, and the adjoint that it relies on."""

import pytest
import torch

from ernn.cells import CELLS
from ernn.circulant import expand, project
from ernn.recipe import LayerRecipe, ModelRecipe
from ernn.structures.circulant import Circulant
from ernn.structures.dense import Dense
from ernn.structures.tiles import Tiled, Tiling
from ernn.train.acoustic import AcousticModel
from ernn.train.admm import Admm
from ernn.train.fit import Run
from ernn.train.loop import compress
from tests.trainings import COMPRESSION, DATA, LABELS, TRAINING, F

torch.set_num_threads(1)


def start(rho_start=0.1, rho_end=10.0, rounds=40):
    """Return a quadratic task ||W - A||^2 / 2 whose solution in the set is project(A)."""
    answer = torch.randn(8, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = torch.nn.Parameter(answer.clone())
    structure = Circulant(4)
    return answer, weight, Admm({"w": weight}, {"w": structure}, rho_start, rho_end, rounds)


def solve_round(answer, weight, admm):
    """Set W to the minimum of the task plus the penalty, which is known in closed form."""
    pulled = admm.target["w"] - admm.dual["w"]
    weight.data = (answer + admm.rho * pulled) / (1 + admm.rho)
    admm.update()


def test_it_converges_to_the_constrained_optimum():
    answer, weight, admm = start()
    for _ in range(40):
        solve_round(answer, weight, admm)
    assert admm.gap() < 1e-6
    assert torch.allclose(weight, expand(project(answer, 4)), rtol=0, atol=1e-6)


def test_it_starts_at_the_projection_with_no_dual():
    answer, _, admm = start()
    assert torch.equal(admm.target["w"], expand(project(answer, 4)))
    distance = Circulant(4).distance(answer)
    assert admm.gap() == pytest.approx((distance / torch.linalg.norm(answer)).item())
    assert admm.penalty().item() == pytest.approx(0.1 / 2 * distance.item() ** 2)


def test_the_penalty_pulls_towards_the_target():
    _, weight, admm = start()
    admm.penalty().backward()
    assert torch.allclose(weight.grad, 0.1 * (weight - admm.target["w"] + admm.dual["w"]).detach())


def test_rho_grows_geometrically_from_start_to_end():
    _, _, admm = start(1e-3, 1e-1, 3)
    seen = []
    for _ in range(3):
        seen.append(admm.rho)
        admm.update()
    assert seen == pytest.approx([1e-3, 1e-2, 1e-1])


def test_the_multiplier_does_not_jump_when_rho_grows():
    answer, weight, admm = start()
    solve_round(answer, weight, admm)
    shifted = weight.detach() + admm.dual["w"]
    before = admm.rho * (shifted - expand(project(shifted, 4)))  # rho * U with the old rho
    admm.update()
    assert torch.allclose(admm.rho * admm.dual["w"], before)


def test_it_continues_from_a_saved_state():
    answer, weight, admm = start()
    for _ in range(5):
        solve_round(answer, weight, admm)
    state = {name: value.clone() for name, value in admm.state().items()}
    _, other_weight, other = start()
    other_weight.data.copy_(weight)
    other.load_state(state)
    for _ in range(5):
        solve_round(answer, weight, admm)
        solve_round(answer, other_weight, other)
    assert torch.equal(weight, other_weight)


@pytest.mark.parametrize("name", CELLS)
def test_every_matrix_of_every_cell_ends_in_its_structure(name, tmp_path):
    """Two layers, so that a matrix reads features, and another one vectors."""
    cell, layer = CELLS[name], LayerRecipe(hidden=8, projection=8 * CELLS[name].projects, block=4)
    reset = cell.reset or "before"
    recipe = ModelRecipe(cell=cell.called, reset=reset, layers=[layer] * 2, input_scale=False)
    model = AcousticModel(recipe, F, LABELS)
    short = {"updates": 40, "updates_per_round": 5, "retrain_updates": 1}
    told = compress(model, COMPRESSION.model_copy(update=short), TRAINING, DATA, Run(tmp_path))
    gaps = [entry["gap"] for entry in told if entry["phase"] == "admm"]
    assert gaps[-1] < gaps[0] / 3
    matrices = model.matrices()
    assert {f"layer{n}.{each}" for n in (0, 1) for each in cell.matrices} == set(matrices) - {
        "output"
    }
    for place in set(matrices) - {"output"}:
        rows = matrices[place].matrix().detach().unfold(0, 4, 4).unfold(1, 4, 4).mT
        assert torch.equal(rows[..., 1:, :], rows[..., :-1, :].roll(1, -1)), place


def halved(progressive, rounds=20):
    """Return the start of a task whose matrix keeps half its tiles in the end."""
    answer = torch.randn(8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = torch.nn.Parameter(answer.clone())
    structure = Tiled(1, Dense(1), Tiling(0.5, 2, 1))
    return (
        answer,
        weight,
        Admm({"w": weight}, {"w": structure}, 0.1, 10.0, rounds, 1e9, progressive),
    )


def test_tiles_go_in_steps_and_all_of_them_in_the_end():
    answer, weight, admm = halved(0.5)
    kept = []
    for _ in range(20):
        solve_round(answer, weight, admm)
        kept.append((admm.target["w"] != 0).double().mean().item())
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > 0.8
    assert kept[3] > 0.5
    assert set(kept[9:]) == {0.5}


def test_sets_that_are_never_larger_leave_the_schedule_alone():
    _, _, admm = start()
    assert admm.arrived
    assert halved(0.0)[2].arrived
    assert not halved(0.5)[2].arrived


def test_a_closed_gap_does_not_end_admm_on_the_way(tmp_path):
    layer = LayerRecipe(hidden=16, block=4, keep=0.5, tile=[2, 1])
    model = AcousticModel(ModelRecipe(cell="gru", layers=[layer]), F, LABELS)
    recipe = COMPRESSION.model_copy(update={"gap": 1.0, "progressive": 0.5})
    history = compress(model, recipe, TRAINING, DATA, Run(tmp_path))
    gaps = [found for found in history if "gap" in found]
    assert len(gaps) == 3  # of the six rounds; a gap of 1 is closed at once
    assert model.layers[0].matrices["recurrent"].export().present.mean() == 0.5
