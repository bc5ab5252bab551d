"""A network that was trained elsewhere: through a whole run, dense and compressed, and refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ernn import cli
from ernn.compressed import CompressedModel
from ernn.errors import RecipeError
from ernn.importers import layers
from ernn.importers.assemble import assemble
from ernn.importers.network import ImportedNetwork, checked
from ernn.importers.settings import model_settings
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
    assert "network.safetensors" in result.output
    assert "Traceback" not in result.output


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
