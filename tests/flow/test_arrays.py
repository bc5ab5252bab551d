"""A task without speech, from an .npz file to bit-exact Verilog and a report."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ernn import cli
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.resources import folder

pytestmark = pytest.mark.needs("iverilog")

RECIPE = """
name = "waves"
[task]
kind = "arrays"
path = "{path}"
bound = 60.0
[model]
{model}
[training]
updates = {updates}
batch = 32
evaluate_every = 20
[compression]
updates = 20
updates_per_round = 10
retrain_updates = 40
[quantization]
search = {search}
search_bits_min = 11
search_bits_max = 12
fine_tune_updates = 4
[hardware]
part = "XC7A35T"
{hardware}
[simulation]
simulator = "icarus"
frames_per_stream = {frames}
"""

GRU = """
cell = "gru"
[[model.layers]]
hidden = 8
block = 2
"""
MIXED = """
cell = "gru"
reset = "after"
[[model.layers]]
hidden = 8
block = 2
[[model.layers]]
cell = "mgu"
hidden = 8
block = 4
[[model.layers]]
cell = "rnn"
hidden = 6
block = 2
[[model.layers]]
cell = "dense"
cell_activation = "relu"
hidden = 8
block = 4
"""


def written(path: Path | str, updates: int, model: str = GRU) -> str:
    """Return the text of a recipe; that of many cells searches no bits and simulates little."""
    more = {"search": "true", "frames": 20, "hardware": ""}
    if model == MIXED:
        smallest = 'objective = "smallest"\nrealtime_fps = 1000.0'
        more = {"search": "false", "frames": 8, "hardware": smallest}
    return RECIPE.format(path=path, updates=updates, model=model, **more)


def waveforms(path: Path, each_step: bool) -> None:
    """Make data as the script of the example recipe does, less of it."""
    script = folder("asr_models") / "make_waveforms.py"
    spec = importlib.util.spec_from_file_location("make_waveforms", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    arrays = module.make(1, {"train": 200, "dev": 40, "test": 40})
    if each_step:
        arrays["targets"] = np.repeat(arrays["targets"], arrays["lengths"])
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("each_step", "model", "updates"),
    [(False, GRU, 120), (True, GRU, 60), (False, MIXED, 90)],
    ids=["a class each", "a class each step", "every kind of layer"],
)
def test_sequences_become_an_accelerator(tmp_path, each_step, model, updates):
    waveforms(tmp_path / "data.npz", each_step)
    recipe, out = tmp_path / "waves.toml", tmp_path / "out"
    recipe.write_text(written(tmp_path / "data.npz", updates, model))
    last = "quantize" if each_step else "report"
    words = ["run" if last == "report" else last, str(recipe), "--out", str(out)]
    told = CliRunner().invoke(cli.app, words)
    assert told.exit_code == 0, told.output
    run = RunFolder(out)
    scores = [read_score(run.score(step)) for step in ("train", "compress", "quantize")]
    assert scores[0].measure.name == "accuracy"
    assert scores[0].over.sum() == (json_lengths(run) if each_step else 40)
    assert scores[0].value > 35  # of four classes
    texts = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for path, text in texts.items():
        assert not re.search(rb"phone|\bPER\b", text), path
    if last == "report":
        report = json.loads(run.report.read_text())
        assert report["derived"]["passed"] and report["report"]["timing"]["words_compared"] > 0
        assert "accuracy on own sequences" in run.report.with_suffix(".md").read_text()
        again = CliRunner().invoke(cli.app, words)
        assert again.output.count("up to date") == len(cli.STEPS)


def json_lengths(run: RunFolder) -> int:
    """Return the frames of the test set."""
    return sum(read_score(run.score("train")).figures["decisions"].tolist())


def test_another_bound_makes_only_the_report_anew(tmp_path):
    waveforms(tmp_path / "data.npz", False)
    text = written(tmp_path / "data.npz", 2)
    told = []
    for name, change in (("a", ""), ("b", "bound = 60.0"), ("c", "data.npz")):
        recipe = tmp_path / f"{name}.toml"
        recipe.write_text(text.replace(change, "bound = 50.0") if name == "b" else text)
        if name == "c":
            waveforms(tmp_path / "data.npz", True)
        told.append(CliRunner().invoke(cli.app, ["corpus", str(recipe), "--out", f"{tmp_path}/o"]))
    assert [one.exit_code for one in told] == [0, 0, 0]
    assert "corpus: up to date" in told[1].output and "data.npz changed" in told[2].output


def test_recipes_of_arrays_say_what_is_wrong(tmp_path):
    text = written("data.npz", 2)
    for change, sentence in (
        (('kind = "arrays"', 'kind = "waves"'), "task.kind = 'waves'"),
        (('path = "data.npz"', ""), 'kind = "arrays" needs path'),
        (("[model]", "[corpus]\ntrain_minutes = 1.0\n[model]"), "[corpus] say nothing to [task]"),
        (
            ('name = "waves"', 'name = "waves"\nper_bound_points = 1.0'),
            "write [task] bound instead",
        ),
        (("bound = 60.0", ""), "needs [task] bound"),
        (("path", "paths"), "task.paths: not a known key"),
    ):
        recipe = tmp_path / "waves.toml"
        recipe.write_text(text.replace(*change, 1))
        told = CliRunner().invoke(cli.app, ["corpus", str(recipe), "--out", str(tmp_path / "o")])
        assert told.exit_code == 2 and sentence in told.stderr, told.stderr
    assert not (tmp_path / "o").exists()
