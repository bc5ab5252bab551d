"""A network that was trained elsewhere: through a whole run, dense and compressed, and refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ernn import cli
from ernn.api import write_recipe
from ernn.compressed import CompressedModel
from ernn.errors import CorpusError, ModelFileError, ProjectError, RecipeError
from ernn.flow.chain import load_recipe
from ernn.flow.run_folder import RunFolder
from ernn.importers import layers
from ernn.importers.assemble import assemble
from ernn.importers.network import ImportedNetwork, checked
from ernn.importers.onnx.network import from_onnx
from ernn.importers.settings import model_settings
from ernn.importers.torch.module import from_torch
from ernn.importers.torch.state_dict import from_state_dict
from ernn.recipe import Recipe
from ernn.recipe.toml import to_toml

FEATURES, HIDDEN, CLASSES = 5, 6, 3


class Source(torch.nn.Module):
    """What a user trained: a GRU, and a linear layer if it is a classifier."""

    def __init__(self, classifier: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.gru = torch.nn.GRU(FEATURES, HIDDEN, batch_first=True)
        self.linear = torch.nn.Linear(HIDDEN, CLASSES) if classifier else torch.nn.Identity()

    @torch.no_grad()
    def forward(self, frames: np.ndarray) -> np.ndarray:
        return self.linear(self.gru(torch.from_numpy(frames)[None])[0])[0].numpy()


def imported(source: Source) -> ImportedNetwork:
    held = {name: value.numpy() for name, value in source.state_dict().items()}
    weights = (held[f"gru.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    items: list[layers.Item] = [layers.gru("gru", *weights, layers.TORCH["gru"], reset_after=True)]
    if "linear.weight" in held:
        items.append(layers.linear("linear", held["linear.weight"], held["linear.bias"]))
    return checked("a module", assemble(items, FEATURES), source)


def written(folder: Path, network: ImportedNetwork, block: int = 1, **changes) -> Path:
    """Write a network, its data and its recipe."""
    rng = np.random.default_rng(0)
    outputs = network.model.labels
    splits = np.array(["train"] * 20 + ["dev"] * 5 + ["test"] * 5)
    frames = rng.standard_normal((30, 12, FEATURES)).astype(np.float32)
    targets = rng.integers(0, outputs, (30, 12))
    np.savez(folder / "data.npz", frames=frames, targets=targets, splits=splits)
    network.save(folder / "network.safetensors")
    recipe = {
        "name": "own",
        "source": {"kind": "import", "path": str(folder / "network.safetensors")},
        "task": {"kind": "arrays", "path": str(folder / "data.npz")},
        "model": model_settings(network.model, block),
        "training": {"label_delay": 0},
        "hardware": {"part": "XC7Z020", "streams": 2},
        "simulation": {"frames_per_stream": 10},
    }
    path = folder / "recipe.toml"
    path.write_text(to_toml({**recipe, **changes}))
    return path


def ernn(*words: object):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.mark.needs("verilator")
def test_a_dense_network_is_built_as_it_is(tmp_path):
    source = Source()
    network = imported(source)
    recipe, out = written(tmp_path, network), tmp_path / "out"
    result = ernn("run", recipe, "--out", out)
    assert result.exit_code == 0, result.output
    built = CompressedModel.load(out / "compress" / "compressed.safetensors")
    theirs = network.model.tensors()
    assert built.tensors().keys() == theirs.keys()
    for name, value in built.tensors().items():
        assert np.array_equal(value, theirs[name].astype(np.float32)), name
    report = (out / "report" / "report.md").read_text()
    assert "- a module: 5 values a frame" in report
    assert "- largest difference to the source: " in report
    assert "Bit-exact" in report
    assert "Nothing was trained here." in (out / "report" / "report.html").read_text()
    again = ernn("run", recipe, "--out", out)
    assert "import: up to date" in again.output


@pytest.mark.needs("verilator")
def test_without_an_output_layer_the_last_layer_is_the_output(tmp_path):
    network = imported(Source(classifier=False))
    assert network.model.output is None
    recipe, out = written(tmp_path, network, block=4), tmp_path / "out"  # 6 values, padded to 8
    short = {"updates": 4, "updates_per_round": 2, "retrain_updates": 4}
    training = {"label_delay": 0, "chunk_frames": 8, "batch": 4}
    written(tmp_path, network, block=4, compression=short, training=training)
    result = ernn("run", recipe, "--out", out)
    assert result.exit_code == 0, result.output
    built = CompressedModel.load(out / "compress" / "compressed.safetensors")
    assert (built.labels, built.word, built.layers[0].hidden) == (HIDDEN, 4, 8)
    assert "Bit-exact" in (out / "report" / "report.md").read_text()


def test_blocks_need_a_compression_that_starts_from_the_network(tmp_path):
    short = {"updates": 4, "updates_per_round": 2, "retrain_updates": 4}
    training = {"label_delay": 0, "chunk_frames": 8, "batch": 4}
    network = imported(Source())
    recipe = written(tmp_path, network, block=2, compression=short, training=training)
    result = ernn("quantize", recipe, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    built = CompressedModel.load(tmp_path / "out" / "compress" / "compressed.safetensors")
    assert built.matrices()["layer0.input"].block == 2
    assert (tmp_path / "out" / "compress" / "admm.json").is_file()


def test_the_model_must_be_the_networks(tmp_path):
    network = imported(Source())
    model = model_settings(network.model)
    model["layers"] = [{"hidden": 8, "block": 1}]
    result = ernn("compress", written(tmp_path, network, model=model), "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "[model] has the layers gru_after of 8 tanh, output layer" in result.output
    assert "gru_after of 6 tanh, output layer" in result.output
    assert not (tmp_path / "out" / "import").exists()


def test_an_imported_network_is_not_trained(tmp_path):
    result = ernn("train", written(tmp_path, imported(Source())), "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "there is no step 'train' where [source] kind = 'import'" in result.output


def test_a_missing_network_is_one_sentence(tmp_path):
    recipe = written(tmp_path, imported(Source()))
    (tmp_path / "network.safetensors").unlink()
    result = ernn("compress", recipe, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "network.safetensors: there is no such file; paths in a recipe are" in result.output


@pytest.mark.parametrize("source", [{"kind": "import"}, {"path": "x.safetensors"}])
def test_kind_and_path_of_a_source_go_together(source):
    from ernn.recipe import SourceRecipe

    with pytest.raises(RecipeError):
        SourceRecipe.from_dict(source)


def test_a_search_keeps_the_cell_and_needs_no_targets(tmp_path):
    network = imported(Source())
    short = {"updates": 4, "updates_per_round": 2, "retrain_updates": 4}
    training = {"label_delay": 0, "chunk_frames": 8, "batch": 4}
    recipe = written(tmp_path, network, block=2, compression=short, training=training)
    frames = np.random.default_rng(1).standard_normal((12, 12, FEATURES)).astype(np.float32)
    np.save(tmp_path / "frames.npy", frames)
    recipe.write_text(recipe.read_text().replace("data.npz", "frames.npy"))
    result = ernn("search", recipe, "--worst", 1e6, "--out", tmp_path / "search")
    assert result.exit_code == 0, result.output
    assert "against 0 % dense" in result.output
    assert (tmp_path / "search" / "chosen.toml").is_file()


def of_module(module: torch.nn.Module, steps: int = 9) -> ImportedNetwork:
    return from_torch(module, torch.zeros(1, steps, FEATURES))


class TwoHeads(Source):
    """Two outputs, of which hardware has the first."""

    def forward(self, frames):
        hidden = self.gru(frames)[0]
        return self.linear(hidden), torch.relu(self.linear(hidden))


class Whole(Source):
    """The same network as a module of torch."""

    def forward(self, frames):
        return self.linear(self.gru(frames)[0])


def test_an_output_that_is_not_taken_is_told():
    notes = of_module(TwoHeads()).notes
    assert notes == ("output 2 of the module dropped: the first one is taken",)
    assert of_module(Whole()).notes == ()


def test_it_is_told_how_much_of_the_data_was_compared():
    rng = np.random.default_rng(0)
    data = [rng.standard_normal((steps, FEATURES)).astype(np.float32) for steps in (20, 5)]
    network = of_module(Whole())
    assert "over 18 of 25 frames of the data" in str(network.compared(data))
    assert "not known of the 5 frames of the data" in str(network.compared(data[1:]))


def frames_like(count: int = 3, features: int = FEATURES) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [rng.standard_normal((9, features)).astype(np.float32) for _ in range(count)]


def test_a_recipe_that_was_edited_is_not_replaced(tmp_path):
    network = of_module(Whole())
    recipe = write_recipe(network, tmp_path / "run", frames_like())
    assert write_recipe(network, tmp_path / "run", frames_like()) == recipe
    recipe.write_text(recipe.read_text() + "# mine\n")
    with pytest.raises(ProjectError, match=r"recipe\.toml was changed since ernn wrote it"):
        write_recipe(network, tmp_path / "run", frames_like())
    assert recipe.read_text().endswith("# mine\n")


def test_keys_of_every_section_get_into_the_recipe(tmp_path):
    path = write_recipe(
        of_module(Whole()),
        tmp_path / "run",
        frames_like(),
        block=4,
        layer={"block_input": 2},
        model={"structure": "circulant", "output_block": 2},
        training={"chunk_frames": 0},
        compression={"updates": 7},
    )
    recipe = Recipe.load(path)
    assert all((one.block, one.block_input) == (4, 2) for one in recipe.model.layers)
    assert (recipe.model.structure, recipe.model.output_block) == ("circulant", 2)
    assert (recipe.training.chunk_frames, recipe.training.label_delay) == (0, 0)
    assert recipe.compression.updates == 7
    with pytest.raises(RecipeError, match="updatess"):
        write_recipe(of_module(Whole()), tmp_path / "no", frames_like(), training={"updatess": 1})
    assert not (tmp_path / "no").exists()


def test_of_many_sequences_some_from_everywhere_are_compared():
    network = of_module(Whole()).compared(frames_like(1000))
    assert "over 2,250 of 9,000 frames of the data" in str(network)


def test_data_that_do_not_fit_are_refused_and_leave_nothing(tmp_path):
    network = of_module(Whole())
    with pytest.raises(CorpusError, match=r"arrays of the shapes \[\(9, 4\)\]"):
        write_recipe(network, tmp_path / "run", frames_like(features=4))
    targets = np.zeros((3, 9, CLASSES + 1), np.float32)
    np.savez(tmp_path / "more.npz", frames=np.stack(frames_like()), targets=targets)
    with pytest.raises(CorpusError, match="targets of 4 outputs"):
        write_recipe(network, tmp_path / "run", tmp_path / "more.npz")
    with pytest.raises(ModelFileError, match="a Whole is no imported network"):
        write_recipe(Whole(), tmp_path / "run", frames_like())
    assert not (tmp_path / "run").exists()


class AtEnd(Source):
    """Only what it says at the last step leaves."""

    def forward(self, frames):
        return super().forward(frames)[-1:]


@pytest.mark.parametrize("targets", [False, True])
def test_a_network_that_speaks_at_the_end_is_judged_there(tmp_path, targets):
    source = AtEnd()
    held = {name: value.numpy() for name, value in source.state_dict().items()}
    weights = (held[f"gru.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    items = [
        layers.gru("gru", *weights, layers.TORCH["gru"], reset_after=True),
        layers.LastStep("last"),
        layers.linear("linear", held["linear.weight"], held["linear.bias"]),
    ]
    network = checked("a module", assemble(items, FEATURES), source)
    frames = np.stack(frames_like(12))
    told = {"targets": np.arange(12) % CLASSES} if targets else {}
    np.savez(tmp_path / "data.npz", frames=frames, **told)
    out = tmp_path / "run"
    recipe = write_recipe(network, out, tmp_path / "data.npz")
    assert load_recipe(str(recipe)).task.at_end is not targets
    assert ernn("quantize", recipe, "--out", out).exit_code == 0
    score = json.loads(RunFolder(out, source="import").score("quantize").read_text())
    if targets:
        assert score["figures"]["decisions"] == [1, 1]
    else:
        energy = [np.square(source(one)).sum() for one in frames[-2:]]
        assert score["figures"]["energy"] == pytest.approx(energy, rel=1e-4)


def test_silence_in_one_long_recording_is_no_sequence_twice(tmp_path):
    frames = np.concatenate([np.concatenate(frames_like(100)), np.zeros((4000, FEATURES))])
    np.save(tmp_path / "long.npy", frames.astype(np.float32))
    assert write_recipe(of_module(Whole()), tmp_path / "run", tmp_path / "long.npy").is_file()


@pytest.mark.parametrize("read", [from_onnx, from_state_dict])
def test_what_is_no_path_is_refused(read):
    with pytest.raises(ModelFileError, match="a dict is no path"):
        read({})
