"""Recipes: defaults, every mistake named at once, each in one sentence."""

import pytest

from ernn.cells import CALLED
from ernn.errors import RecipeError
from ernn.recipe import Recipe
from ernn.resources import folder
from ernn.structures.magnitude import MAGNITUDE
from ernn.structures.registry import KNOWN

GOOD = """
name = "good"
[model]
cell = "lstm"
[[model.layers]]
hidden = 64
"""


def problems(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        Recipe.load(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(str(path)) for line in lines)
    return lines


def test_a_short_recipe_has_everything_else_by_default(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(GOOD)
    recipe = Recipe.load(path)
    assert recipe.model.layers[0].block_of("input") == 8
    assert recipe.features.size == 153
    assert recipe.quantization.weight_bits == 12


@pytest.mark.parametrize("path", sorted(folder("asr_models").glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_recipes_are_good_and_named_like_their_file(path):
    assert Recipe.load(path).name == path.stem


@pytest.mark.parametrize(
    "line, where, allowed",
    [
        ("[trainig]", "trainig", "not a known key"),
        ("[training]\nupdate = 3", "training.update", "not a known key"),
        ('[training]\nupdates = "many"', "training.updates = 'many'", "valid integer"),
        ("[training]\nupdates = 1.5", "training.updates = 1.5", "valid integer"),
        ("[training]\nlearning_rate = nan", "training.learning_rate = nan", "finite"),
        (
            "[quantization]\nweight_bits = 3",
            "quantization.weight_bits = 3",
            "or equal to 4",
        ),
        ("[quantization]\nweight_bits = 17", "quantization.weight_bits = 17", "or equal to 16"),
        ("[corpus]\nsnr_db_min = 50.0", "corpus", "snr_db_min = 50.0 is above"),
        ('[corpus]\nkind = "timit"', "corpus", "needs path, the folder that holds TRAIN"),
        ('[corpus]\nkind = "kaldi"', "corpus", "needs path, the folder that holds the data"),
        ('[corpus]\nkind = "manifest"', "corpus", "needs path, a file with a line of JSON"),
        (
            '[hardware]\npart = "XC7Z020"\nclock_mhz = 500.0',
            "clock_mhz = 500, which no registers reach on XC7Z020: the fastest is",
            "ends; ask for at most",
        ),
        ("[hardware]\nstreams = 0", "hardware.streams = 0", "or equal to 1"),
        ('[simulation]\nsimulator = "vcs"', "simulation.simulator = 'vcs'", "'verilator'"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(tmp_path, line, where, allowed):
    (problem,) = problems(tmp_path, f"{GOOD}\n{line}")
    assert where in problem and allowed in problem


@pytest.mark.parametrize(
    "model, where, allowed",
    [
        (
            'cell = "lsmt"\n[[model.layers]]\nhidden = 64',
            "model.cell = 'lsmt'",
            "choose one of lstm, gru, mgu, rnn, dense",
        ),
        (
            'cell = "gru"\n[[model.layers]]\nhidden = 64\ncell = "lsmt"',
            "model.layers[0].cell = 'lsmt'",
            "choose one of lstm, gru, mgu, rnn, dense",
        ),
        (
            'cell = "gru"\nstructure = "tiles"\n[[model.layers]]\nhidden = 64',
            "model.structure = 'tiles'",
            "choose one of circulant, dense, magnitude, scaled",
        ),
        (
            'cell = "gru"\n[[model.layers]]\nhidden = 64\ncell_activation = "tanh"',
            "layers[0].cell_activation = 'tanh'",
            "a gru has no such choice; remove it",
        ),
        (
            'cell = "rnn"\n[[model.layers]]\nhidden = 64\ncell_activation = "sigmoid"',
            "layers[0]: cell_activation = 'sigmoid'",
            "a rnn takes tanh or relu",
        ),
        (
            'cell = "gru"\n[[model.layers]]\nhidden = 64\ncell = "dense"\nblock_recurrent = 4',
            "layers[0].block_recurrent = 4",
            "no such matrix; remove it",
        ),
        ('cell = "gru"\nlayers = []', "model.layers", "at least 1 item"),
        ('cell = "gru"', "model.layers", "missing"),
        ('cell = "gru"\n[[model.layers]]\nhidden = 0', "model.layers[0].hidden = 0", "than 0"),
        (
            'cell = "gru"\n[[model.layers]]\nhidden = 64\nblock = 12',
            "layers[0].block = 12",
            "8, 16",
        ),
        ('cell = "gru"\n[[model.layers]]\nhidden = 12\nblock = 16', "layers[0]", "at most 8"),
        (
            'cell = "gru"\n[[model.layers]]\nhidden = 64\nprojection = 32',
            "layers[0].projection = 32",
            "only an LSTM",
        ),
        (
            'cell = "lstm"\n[[model.layers]]\nhidden = 64\nblock_candidate = 4',
            "layers[0].block_candidate = 4",
            "remove it",
        ),
        (
            'cell = "gru"\nreset = "after"\n[[model.layers]]\nhidden = 64\nblock_candidate = 4',
            "layers[0].block_candidate = 4",
            "remove it",
        ),
        (
            'cell = "lstm"\n[[model.layers]]\nhidden = 64\nblock_projection = 4',
            "layers[0].block_projection = 4",
            "remove it",
        ),
    ],
)
def test_a_model_that_cannot_be_is_refused(tmp_path, model, where, allowed):
    for problem in problems(tmp_path, f'name = "bad"\n[model]\n{model}'):  # of each matrix
        assert where in problem and allowed in problem


@pytest.mark.parametrize("bound, allowed", [("-0.1", "or equal to 0"), ("inf", "finite")])
def test_an_impossible_per_bound_is_refused(tmp_path, bound, allowed):
    (problem,) = problems(tmp_path, f"per_bound_points = {bound}\n{GOOD}")
    assert "task.bound" in problem and allowed in problem


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "..", "a b", "a;rm", "$(id)", "`id`", "", "-x", "ä", "a" * 65, "a\\n"]
)
def test_a_name_that_is_no_plain_name_is_refused(tmp_path, name):
    (problem,) = problems(tmp_path, GOOD.replace('"good"', f'"{name}"'))
    assert "name" in problem and "letters, digits" in problem


def test_a_problem_has_its_place_value_and_remedy_as_fields():
    model = {"cell": "gru", "layers": [{"hidden": 64, "block": 12}]}
    with pytest.raises(RecipeError) as told:
        Recipe.from_dict({"name": "x", "model": model, "colour": "red"}, "r.toml")
    block, colour = told.value.faults
    assert (block.what, block.given) == ("r.toml: model.layers[0].block", "12")
    assert block.allowed.endswith("1, 2, 4, 8, 16 or 32")
    assert (colour.what, colour.given) == ("r.toml: colour", "not a known key")
    assert colour.remedy == "remove it or correct its spelling"


LAYER = {"hidden": 64}


@pytest.mark.parametrize(
    ("change", "what", "given", "allowed", "remedy"),
    [
        (
            {"model": {"cell": "gru", "layers": [LAYER, {"hidden": 64, "projection": 32}]}},
            "model: layers[1].projection",
            "32",
            "only an LSTM has one",
            "remove it",
        ),
        (
            {"model": {"cell": "mgu", "layers": [{**LAYER, "cell_activation": "relu"}]}},
            "model: layers[0].cell_activation",
            "'relu'",
            "a mgu has no such choice",
            "remove it",
        ),
        (
            {"model": {"cell": "rnn", "layers": [{**LAYER, "block_candidate": 4}]}},
            "model: layers[0].block_candidate",
            "4",
            "the layer has no such matrix",
            "remove it",
        ),
        (
            {"model": {"cell": "rnn", "layers": [{"hidden": 12, "block": 16}]}},
            "model: layers[0]",
            "block size 16 of the input matrix is larger than the matrix (12 rows)",
            "",
            "choose at most 8",
        ),
        (
            {"model": {"cell": "lsmt", "layers": [LAYER]}},
            "model.cell",
            "'lsmt'",
            f"choose one of {', '.join(CALLED)}",
            "",
        ),
        (
            {"model": {"cell": "gru", "structure": "tiles", "layers": [LAYER]}},
            "model.structure",
            "'tiles'",
            f"choose one of {', '.join(sorted([*KNOWN, MAGNITUDE]))}",
            "",
        ),
        (
            {"compression": {"purify": 0.1}},
            "recipe: compression.purify = 0.1: the model has no tiles to drop",
            "",
            "",
            "set [model] keep below 1, or remove purify",
        ),
        (
            {"task": {"kind": "waves"}},
            "task.kind",
            "'waves'",
            "input should be 'speech' or 'arrays'",
            "",
        ),
        (
            {"task": {"path": "x.npz"}},
            'task: path = "x.npz" is for kind = "arrays"',
            "",
            "",
            "speech has its own in [corpus]",
        ),
        (
            {"task": {"score": "nmse"}},
            'task: score = "nmse" is for kind = "arrays"',
            "",
            "",
            "speech has its own",
        ),
        (
            {"task": {"kind": "arrays", "path": "x.npz", "score": "snr"}},
            "task.score",
            "'snr'",
            "choose one of accuracy, edit, auc, mse, nmse, cosine, agreement, decisions, or your "
            'own "module:function"',
            "",
        ),
        (
            {"per_bound_points": 1.0, "task": {"bound": 1.0}},
            "recipe: per_bound_points is the former name of a bound",
            "",
            "",
            "write [task] bound instead",
        ),
    ],
)
def test_what_a_section_refuses_has_fields(change, what, given, allowed, remedy):
    with pytest.raises(RecipeError) as told:
        Recipe.from_dict({"name": "x", "model": {"cell": "gru", "layers": [LAYER]}} | change, "r")
    fault = told.value.faults[0]
    assert (fault.what, fault.given) == (f"r: {what}", given)
    assert (fault.allowed, fault.remedy) == (allowed, remedy)


def test_all_problems_are_reported_at_once(tmp_path):
    text = """
name = "../bad"
per_bound_points = -1.0
colour = "red"
[model]
cell = "gru"
[[model.layers]]
hidden = 64
block = 12
[quantization]
weight_bits = 99
"""
    found = problems(tmp_path, text)
    assert len(found) == 5
    for where in ("name", "task.bound", "colour", "model.layers[0].block", "weight_bits"):
        assert any(where in line for line in found)


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_what_is_no_toml_is_refused(tmp_path, content):
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match="cannot be read as a TOML recipe"):
        Recipe.load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read"):
        Recipe.load(tmp_path / "none.toml")


def test_the_corpus_has_a_seed_of_its_own_if_it_names_one():
    shared = {"name": "x", "seed": 3, "model": {"cell": "gru", "layers": [{"hidden": 16}]}}
    assert Recipe.from_dict(shared).corpus_seed == 3
    assert Recipe.from_dict({**shared, "corpus": {"seed": 0}}).corpus_seed == 0
