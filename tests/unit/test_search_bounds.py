"""Sizes of models and the bounds of the block size, against counts by hand."""

import json
import tomllib

import pytest

from ernn.errors import PlanError, RecipeError, ToolError
from ernn.flow.engine import difference
from ernn.graphs.fourier import forward, inverse
from ernn.recipe import Recipe
from ernn.recipe.toml import to_toml
from ernn.search.bounds import Size, find_bounds, measure, rotations
from ernn.search.policy import Bound
from ernn.search.search import common, search
from ernn.search.space import Point, dense, largest_block, variant

LSTM = {"cell": "lstm", "layers": [{"hidden": 32, "projection": 16}]}
GRU = {"cell": "gru", "layers": [{"hidden": 16}, {"hidden": 32}]}


def recipe(model=LSTM, **changes) -> Recipe:
    return Recipe.from_dict(
        {"name": "test", "features": {"mel_bands": 12}, "model": model} | changes
    )


def test_an_lstm_counted_by_hand():
    """39 features and labels (padded: 40), 32 cells, projection 16; all blocks of 8 but one."""
    size = measure(recipe(), Point("lstm", 8, 8), 39, 39)
    grid = 16 * 5 + 16 * 2 + 2 * 4  # gates of input and recurrent, projection
    assert size.products == 11 * grid + 40 * 16  # 5 reals and 3 complex bins; the output is dense
    assert size.scales == 40 + 16 + 32
    forward_transforms, inverse_transforms = 5 + 2 + 4, 16 + 2
    assert size.transforms == 4 * (forward_transforms + inverse_transforms)
    assert size.weights == 8 * grid + 40 * 16 + size.scales
    assert size.missing == ""


def test_a_gru_transforms_its_input_once_for_all_gates():
    size = measure(recipe({"cell": "gru", "layers": [{"hidden": 16}]}), Point("gru", 8, 8), 39, 39)
    forward_transforms, inverse_transforms = 5 + 2 + 2, 4 + 2  # x, h, r*h; z and r, n
    assert size.transforms == 4 * (forward_transforms + inverse_transforms)


def test_a_dense_model_has_no_transforms():
    size = measure(recipe(), dense("lstm"), 39, 39)
    assert size.products == size.multiplications == 128 * (40 + 16) + 16 * 32 + 40 * 16  # filled up
    assert size.transforms == size.scales == 0


@pytest.mark.parametrize("transform", [forward, inverse])
def test_multiplications_of_a_transform(transform):
    """One rotation of four multiplications at 8; two of 8 and three of 16 more at 16."""
    assert [rotations(transform(k, 12)) for k in (1, 2, 4, 8, 16)] == [0, 0, 0, 4, 20]


def test_wide_blocks_leave_the_recurrent_matrices():
    for cell in ("lstm", "gru"):
        layers = variant(recipe(), Point(cell, 4, 16)).model.layers
        assert layers[0].block_of("recurrent") == 4
        assert layers[0].block_of("input") == 16
        assert layers[0].block_of("projection" if cell == "lstm" else "candidate") == (
            16 if cell == "lstm" else 4
        )
        Recipe.from_dict(variant(recipe(), Point(cell, 4, 16)).model_dump(exclude_none=True))


def test_the_smallest_matrix_limits_the_block():
    assert largest_block(recipe()) == 16
    assert largest_block(recipe(GRU)) == 16


def test_variants_of_a_cell_share_their_dense_phase():
    """The train step reads the same of each, so that it is done once."""
    views = [variant(recipe(), Point("lstm", k, w)).model.dense() for k, w in ((2, 2), (4, 8))]
    assert views[0] == views[1]
    assert views[0] != variant(recipe(), Point("gru", 4, 4)).model.dense()
    unscaled = recipe(LSTM | {"input_scale": False})
    assert views[0] == variant(unscaled, Point("lstm", 4, 4)).model.dense()


def fake(memory: dict[int, int], work: dict[int, int], free: int = 1470):
    def size_of(point: Point) -> Size:
        missing = "too large" if memory[point.block] > free else ""
        return Size(work[point.block], 0, 0, 1, memory[point.block], missing)

    return size_of


WORK = {1: 1000, 2: 500, 4: 250, 8: 130, 16: 110}


@pytest.mark.parametrize(
    ("memory", "work", "expected"),
    [
        ({1: 9, 2: 5, 4: 3, 8: 2, 16: 1}, WORK, (1, 8)),
        ({1: 4000, 2: 2000, 4: 900, 8: 400, 16: 200}, WORK, (4, 8)),
        ({1: 4000, 2: 2000, 4: 900, 8: 400, 16: 200}, WORK | {16: 60}, (4, 16)),
        ({1: 9, 2: 5, 4: 1500, 8: 1, 16: 1}, WORK, (1, 2)),
        ({1: 4000, 2: 2000, 4: 1900, 8: 1800, 16: 200}, WORK, (16, 16)),
    ],
)
def test_bounds(memory, work, expected):
    found = find_bounds(recipe(GRU), fake(memory, work))
    assert (found.lower, found.upper) == expected
    assert found.blocks == tuple(k for k in (2, 4, 8, 16) if expected[0] <= k <= expected[1])
    lines = list(found.in_words())
    assert len(lines) == 7
    assert f"{memory[expected[0]]:,} of the 1,470 memory blocks of XC7VX690T" in lines[-2]


def test_bounds_name_their_reasons():
    memory = {1: 4000, 2: 2000, 4: 900, 8: 400, 16: 200}
    found = find_bounds(recipe(GRU), fake(memory, WORK))
    assert "half the size needs 2,000 at least" in found.why_lower
    assert "doubling blocks of 8 saves 15 % of the 130 multiplications" in found.why_upper


def test_a_part_that_holds_nothing():
    with pytest.raises(PlanError, match="too large"):
        find_bounds(recipe(GRU), fake(dict.fromkeys(WORK, 9999), WORK))


def test_a_search_needs_a_bound(tmp_path):
    with pytest.raises(RecipeError, match="--bound LOSS or --worst SCORE"):
        search(recipe(), Bound(), out=tmp_path / "o")
    with pytest.raises(PlanError, match="not a known part"):
        search(recipe(), Bound(1.0), part="XC7Z021", out=tmp_path / "o")
    assert not list(tmp_path.iterdir())


def test_torchrun_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ToolError, match=r"no work for torchrun.*--jobs or --ray"):
        search(recipe(), Bound(1.0), out=tmp_path / "o")


def test_what_trials_have_in_common_is_what_trains_them():
    same = recipe(hardware={"part": "XC7A35T"}, per_bound_points=2.0)
    blocks = recipe(LSTM | {"layers": [{"hidden": 32, "projection": 16, "block": 4}]})
    assert common(recipe()) == common(same) == common(blocks)
    assert common(recipe()) != common(recipe(seed=1))
    assert common(recipe()) != common(recipe(compression={"updates": 7}))


def test_trials_have_a_users_own_recordings_in_common(tmp_path):
    manifest = tmp_path / "speech.jsonl"
    manifest.write_text("")
    own = recipe(corpus={"kind": "manifest", "path": str(manifest)})
    before = common(own)
    line = {"audio": "a.wav", "speaker": "ann", "split": "train", "phones": "a b"}
    manifest.write_text(json.dumps(line))
    assert difference(before, common(own)) == f"{manifest} changed"


def test_a_recipe_that_searches_bits_stays_valid_with_other_blocks():
    asked = recipe(quantization={"search": True}, per_bound_points=1.0)
    chosen = variant(asked, Point("gru", 4, 8)).model_dump(mode="json", exclude_none=True)
    again = Recipe.from_dict(tomllib.loads(to_toml(chosen)))
    assert again.task.bound == 1.0


def test_a_path_of_any_characters_survives(tmp_path):
    path = str(tmp_path / '\N{GRINNING FACE}\N{LATIN SMALL LETTER E WITH ACUTE}"\\')
    own = recipe(corpus={"kind": "timit", "path": path})
    told = to_toml(own.model_dump(mode="json", exclude_none=True))
    assert Recipe.from_dict(tomllib.loads(told)) == own
