"""Tiles, purification and unused paths in a whole run, to Verilog of a smaller network."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from ernn import cli
from ernn.compressed import CompressedModel, padded
from ernn.flow.run_folder import RunFolder
from ernn.quant.integer_model import IntegerModel

pytestmark = pytest.mark.needs("iverilog")

RECIPE = """
name = "tiled"
[task]
kind = "arrays"
path = "{folder}/signal.npz"
bound = 1000.0
[model]
cell = "gru"
keep = 0.3
tile = [4, 1]
[[model.layers]]
hidden = 32
block = 2
[[model.layers]]
hidden = 8
block = 2
[training]
updates = 20
evaluate_every = 20
[compression]
updates = 20
updates_per_round = 10
progressive = 0.5
retrain_updates = 20
purify = 1000.0
[hardware]
part = "XC7A35T"
streams = 1
[simulation]
simulator = "icarus"
frames_per_stream = 6
"""


def test_a_network_loses_what_does_not_matter(tmp_path):
    sent = np.random.default_rng(0).uniform(-1, 1, (800, 2)).astype(np.float32)
    np.savez(tmp_path / "signal.npz", frames=sent, targets=sent[:, ::-1] * sent)
    path, out = tmp_path / "tiled.toml", tmp_path / "run"
    path.write_text(RECIPE.format(folder=tmp_path))
    done = CliRunner().invoke(cli.app, ["run", str(path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    run = RunFolder(out)
    removed = json.loads((run.compressed_model.parent / "removed.json").read_text())
    assert removed["columns"]["layer1.input"]
    gone = removed["values"]["layer0.cells"]
    model = CompressedModel.load(run.compressed_model)
    assert model.layers[0].hidden == 32 - len(gone) < 32
    integer = IntegerModel.load(run.integer_model)  # filled up
    assert integer.layers[0].hidden == padded(model.layers[0].hidden, integer.word)
