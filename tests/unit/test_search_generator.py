"""The search over matrices: what its generator may write, its front, and that it can be killed."""

from itertools import pairwise
from math import inf, log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import PlanError, ProjectError, RecipeError, ToolError
from ernn.recipe import Recipe
from ernn.score import PER
from ernn.search import generator
from ernn.search.candidate_space import Space
from ernn.search.candidates import Candidate
from ernn.search.controller import Controller
from ernn.search.costs import Cost, Costs
from ernn.search.front import Goal, front_of, hypervolume
from ernn.search.front_search import read_asked
from ernn.search.generator import generate
from ernn.search.policy import Bound, Rounds, Verdict
from ernn.search.predictors import Predictor, lessons
from ernn.search.samplers import SAMPLERS, grid, sample
from ernn.search.study import Study
from ernn.train.acoustic import AcousticModel

FEATURES, OUTPUTS = 12, 20


def recipe_of(cell="gru", hidden=32, layers=1, part="XC7Z020", **model) -> Recipe:
    stack = [{"hidden": hidden}] * layers
    sections = {"model": {"cell": cell, "layers": stack, **model}, "hardware": {"part": part}}
    return Recipe.from_dict({"name": "test", **sections})


def space_of(recipe=None, blocks=(1, 2, 4, 8), keeps=(1.0, 0.5, 0.25)) -> Space:
    return Space(recipe or recipe_of(), FEATURES, OUTPUTS, blocks, keeps)


SPACE = space_of()


def cost(candidate: Candidate) -> Cost:
    """Cycles that fall with blocks and with tiles; a part that cannot hold the dense model."""
    cycles = 20 + sum(1000 * choice.keep / choice.block for _, choice in candidate.choices)
    return Cost(
        cycles, cycles / 10, cycles / 100, int(cycles), "" if cycles < 2900 else "too large"
    )


def score(candidate: Candidate) -> float:
    """An error rate to which the recurrent matrix adds most, and short training a little."""
    weights = {"layer0.input": 0.2, "layer0.recurrent": 2.0, "layer0.candidate": 0.5}
    loss = sum(
        weights[name] * (log2(choice.block) - 1.5 * log2(choice.keep))
        for name, choice in candidate.choices
    )
    return 20 + loss + 0.1 * log2(candidate.fraction)


def run(procedure, known=None, stop=inf) -> tuple[Verdict | None, dict[Candidate, float]]:
    """Answer a procedure with `score`, until it ends or so many scores are known."""
    policy, known = Rounds(procedure), {} if known is None else known
    while not isinstance(asks := policy.wants(known), Verdict):
        for ask in asks:
            if len(known) >= stop:
                return None, known
            known[ask.point] = score(ask.point)
    return asks, known


@pytest.fixture
def quick(monkeypatch):
    """A generator that takes few steps of its own."""
    for name, value in {"BATCH": 4, "STEPS": 3, "POOL": 8}.items():
        monkeypatch.setattr(generator, name, value)


# What may be written


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["gru", "lstm", "mgu", "rnn"]),
    st.integers(8, 24),
    st.integers(1, 2),
    st.sampled_from([[8, 1], [2, 2], [0, 1], [4, 0]]),
    st.integers(0, 2**16),
)
def test_nothing_illegal_is_written(cell, hidden, layers, tile, seed):
    """What the recipe refuses, or training does, is masked, for the generator as for chance."""
    recipe = recipe_of(cell, hidden, layers, tile=tile)
    blocks = [k for k in (1, 2, 8) if k <= hidden]
    space = space_of(recipe, blocks, (1.0, 0.25))
    written, chances, _ = Controller(space, seed).write(np.linspace(0, 1, 4))
    assert np.isfinite(chances.detach().numpy()).all()
    for candidate in (*written, space.draw(np.random.default_rng(seed)), space.smallest):
        assert space.allows(candidate)
        applied = candidate.applied(recipe)
        again = Recipe.from_dict(applied.model_dump(mode="json", exclude_none=True))
        AcousticModel(again.model, FEATURES, OUTPUTS)  # refuses tiles larger than a matrix


def test_what_no_memory_holds_is_not_written():
    recipe = recipe_of(hidden=384, part="LFE5U-25F")
    space = Space(recipe, FEATURES, OUTPUTS, (1, 4, 16), (1.0, 0.5))
    assert not space.allows(space.dense)
    rng = np.random.default_rng(0)
    drawn = [space.draw(rng) for _ in range(50)]
    assert all(space.allows(candidate) for candidate in drawn)
    assert any(choice.block == 1 for candidate in drawn for _, choice in candidate.choices)


def test_the_tokens_reach_every_candidate():
    space = space_of(blocks=(1, 4), keeps=(1.0, 0.5))
    every = list(space)
    assert len(every) == len(set(every)) == space.size == 4**3
    assert len({candidate.name for candidate in every}) == space.size
    assert all(space.point(dict(candidate.params)) == candidate for candidate in every)
    assert len({c.applied(recipe_of()).name for c in every}) == space.size


def test_a_short_training_has_fewer_updates():
    recipe = recipe_of()
    candidate = SPACE.smallest
    quarter = Candidate(candidate.cell, candidate.choices, 4).applied(recipe).compression
    assert (quarter.updates, quarter.retrain_updates) == (375, 375)
    assert candidate.applied(recipe).compression == recipe.compression


# The front


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=8))
def test_hypervolume_counts_cells(places):
    """It is the number of unit squares that some place is below and left of."""
    cells = [(x, y) for x in range(8) for y in range(8)]
    covered = sum(any(a <= x and b <= y for a, b in places) for x, y in cells)
    assert hypervolume(places, (8, 8)) == covered
    front = front_of(places)
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(front))
    assert hypervolume(front, (8, 8)) == covered


# The search


def test_killed_at_any_moment_it_asks_for_the_same(quick):
    def new():
        return generate(SPACE, cost, Goal(), 7, seed=3)

    verdict, known = run(new())
    assert len(known) > 12  # more than one round
    for stop in range(0, len(known), 3):
        _, some = run(new(), stop=stop)
        assert list(some) == list(known)[:stop]
        assert run(new(), some) == (verdict, known)
    backwards = dict(reversed(known.items()))  # trials may end in any order
    assert run(new(), backwards)[0] == verdict


def test_it_spends_what_it_was_given(quick):
    for trainings in (2, 3.5, 9):
        _, known = run(generate(SPACE, cost, Goal(), trainings, seed=0))
        spent = sum(1 / candidate.fraction for candidate in known if candidate.compressed)
        assert trainings - 1.75 < spent <= trainings
    _, known = run(generate(SPACE, cost, Goal(), 3, seed=0, rungs=(1,)))
    assert {candidate.fraction for candidate in known} == {1}


def test_what_the_part_cannot_hold_is_not_trained(quick):
    for procedure in (
        generate(SPACE, cost, Goal(), 9, seed=1),
        sample(SPACE, cost, Goal(), 9, SAMPLERS["tpe"](1)),
        sample(SPACE, cost, Goal(), 9, SAMPLERS["nsga2"](1)),
    ):
        verdict, known = run(procedure)
        assert not any(cost(candidate).missing for candidate in known if candidate.compressed)
        assert verdict is not None
        places = [Goal().place(known[c], cost(c)) for c in verdict.front]
        assert places == front_of(places)


def test_limits_of_the_cost_hold(quick):
    goal = Goal(limits={"cycles": 900.0, "memory": 80.0})
    verdict, _ = run(generate(SPACE, cost, goal, 12, seed=0))
    assert verdict.chosen is not None
    assert all(cost(candidate).memory <= 80 for candidate in verdict.front)
    assert verdict.chosen == verdict.front[-1]  # the best score


def test_the_cheapest_within_a_bound_of_the_score(quick):
    goal = Goal(bound=Bound(5.0))
    verdict, known = run(generate(SPACE, cost, goal, 12, seed=0))
    assert verdict.chosen is not None
    assert known[verdict.chosen] <= 25
    cheaper = [c for c in verdict.front if cost(c).cycles < cost(verdict.chosen).cycles]
    assert all(known[candidate] > 25 for candidate in cheaper)


def test_it_learns():
    """Rewarded for few cycles, the generator writes larger blocks and fewer tiles than before."""
    controller = Controller(SPACE, 0)

    def cycles() -> float:
        return float(np.mean([cost(candidate).cycles for candidate in controller.propose(64)]))

    before = cycles()
    controller.learn(lambda them, _: np.array([-cost(one).cycles / 1000 for one in them]), 40)
    assert cycles() < 0.6 * before


def test_predictors_know_what_they_do_not_know():
    rng = np.random.default_rng(0)
    known = {c: score(c) for c in {SPACE.draw(rng) for _ in range(40)}}
    predictor = Predictor(known, 0)
    rest = [SPACE.draw(rng) for _ in range(40)]
    mean, unsure = predictor(rest)
    truth = np.array([score(candidate) for candidate in rest])
    assert np.corrcoef(mean, truth)[0, 1] > 0.95
    few = Predictor(dict(list(known.items())[:6]), 0)
    assert few(rest)[1].mean() > unsure.mean()


def test_it_says_what_wants_weights():
    rng = np.random.default_rng(0)
    losses = {c: score(c) for c in {SPACE.draw(rng) for _ in range(40)}}
    tiles, blocks = lessons(SPACE, losses, PER)
    for told in (tiles, blocks):
        assert "layer0.recurrent" in told.partition("layer0.candidate")[2]
        assert "(wants weights); predicted from" in told


def test_a_grid_trains_everything():
    space = space_of(blocks=(2, 4), keeps=(1.0,))
    verdict, known = run(grid(space, cost, Goal(), 8))
    assert set(known) == {space.dense, *space}
    best = {c for c in space if not any(_beats(other, c) for other in space)}
    assert set(verdict.front) == best


def _beats(one: Candidate, other: Candidate) -> bool:
    mine, theirs = (Goal().place(score(c), cost(c)) for c in (one, other))
    return mine != theirs and mine[0] <= theirs[0] and mine[1] <= theirs[1]


# Refused


def test_bounds_that_nothing_meets(quick):
    goal = Goal(limits={"cycles": 100.0})
    verdict, _ = run(generate(SPACE, cost, goal, 6, seed=0))
    assert verdict.chosen is None
    assert "no model of the search is within 100 cycles per frame: the nearest" in verdict.failure
    verdict, _ = run(generate(SPACE, cost, Goal(bound=Bound(worst=1.0)), 6, seed=0))
    assert verdict.chosen is None
    assert "the nearest" in verdict.failure and "raise the bound" in verdict.failure


def test_a_space_without_a_legal_point():
    with pytest.raises(RecipeError, match=r"layer0\.input matrix has no point.*tiles of 64 block"):
        space_of(recipe_of(tile=[64, 64]), (4,), (0.5,))
    with pytest.raises(RecipeError, match="no point but the dense model"):
        space_of(blocks=(1,), keeps=(1.0,))
    with pytest.raises(PlanError, match=r"weights take .* kbit .*kbit in all memories"):
        space_of(recipe_of(hidden=1024, part="LFE5U-25F"), (1, 2), (1.0,))
    with pytest.raises(PlanError, match=r"refuses every point of the space.*: too large"):
        run(generate(SPACE, lambda c: Cost(missing="too large"), Goal(), 6, seed=0))
    with pytest.raises(PlanError, match=r"a grid of the whole space: .* --trainings 5"):
        run(grid(SPACE, cost, Goal(), 5))


def join(folder, space=SPACE, method="generator") -> Study:
    made_by = {"method": method, "space": space.told}
    return Study(f"sqlite:///{folder / 'a.db'}", "test", {}, space, made_by)


def test_a_study_of_another_method_or_space(tmp_path):
    join(tmp_path)
    with pytest.raises(ProjectError, match="method was 'generator' and is 'tpe'"):
        join(tmp_path, method="tpe")
    with pytest.raises(ProjectError, match=r"made by another search \(space\.blocks was"):
        join(tmp_path, space_of(blocks=(1, 2)))
    with pytest.raises(ProjectError, match="method was 'generator' and is 'phase1'"):
        Study(f"sqlite:///{tmp_path / 'a.db'}", "test", {})


def test_costs_are_planned_once_and_stay_with_the_study(tmp_path, monkeypatch):
    small = space_of(recipe_of(hidden=8), (1, 2), (1.0,))
    candidate = small.smallest
    first = Costs(recipe_of(hidden=8), FEATURES, OUTPUTS, join(tmp_path, small))(candidate)
    assert first.cycles > 0 and first.energy > 0 and not first.missing
    monkeypatch.setattr("ernn.search.costs.plan", None)  # is not asked again
    other = Costs(recipe_of(hidden=8), FEATURES, OUTPUTS, join(tmp_path, small))
    assert other(candidate) == first
    (tmp_path / "a.db").unlink()
    with pytest.raises(ToolError, match=r"the file is gone.*run the same command again"):
        other.study.remember("plan x", {})


@pytest.mark.parametrize(
    ("method", "changed", "limits", "told"),
    [
        ("genetic", {}, {}, "--method: 'genetic' .allowed: phase1, generator"),
        ("generator", {"blocks": "3"}, {}, "--blocks: '3'"),
        ("generator", {"keep": "1,2"}, {}, "--keep: '2'"),
        ("tpe", {"cost": "price"}, {}, "--cost: 'price' .allowed: cycles, memory, energy"),
        ("phase1", {"keep": "1"}, {}, "--keep says nothing to --method phase1"),
        ("phase1", {}, {"cycles": 9.0}, "--max-cycles says nothing to --method phase1"),
    ],
)
def test_options_that_are_refused(method, changed, limits, told):
    options = dict.fromkeys(("trainings", "blocks", "keep", "cost")) | changed
    with pytest.raises(RecipeError, match=told):
        read_asked(method, options, limits)


def test_options_that_are_taken():
    options = {"trainings": 9.0, "blocks": "1,8", "keep": "1, 0.5", "cost": "energy"}
    asked = read_asked("generator", options, {"cycles": 500.0, "memory": None})
    assert asked is not None
    assert (asked.blocks, asked.keeps, asked.limits) == ([1, 8], [1.0, 0.5], {"cycles": 500.0})
    assert read_asked("phase1", dict.fromkeys(options), {}) is None
