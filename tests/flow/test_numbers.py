"""Networks that tell numbers, or that nobody has targets for: to Verilog, or to integers."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from ernn import cli
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from tests.flow.test_import import FEATURES, Source, imported, written

RECIPE = """
name = "amplifier"
[task]
kind = "arrays"
path = "{folder}/signal.npz"
bound = 20.0
{task}
[model]
cell = "gru"
[[model.layers]]
hidden = 8
block = 2
[training]
updates = {updates}
evaluate_every = 40
[compression]
updates = 20
updates_per_round = 10
retrain_updates = 160
distillation = 0.5
[quantization]
fine_tune_updates = 2
[hardware]
part = "XC7A35T"
streams = 1
[simulation]
simulator = "icarus"
frames_per_stream = 8
"""


def ernn(*words: object):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def amplifier(folder, updates=120, task="", targets=True):
    """Write a recipe, and what goes into an amplifier with memory and what comes out of it."""
    sent = np.random.default_rng(0).uniform(-1, 1, (800, 2)).astype(np.float32)
    power = np.square(sent).sum(1, keepdims=True)
    before = np.concatenate([np.zeros((1, 2)), sent[:-1]])
    received = 0.8 * sent - 0.2 * power * sent + 0.2 * before
    np.savez(folder / "signal.npz", frames=sent, **({"targets": received} if targets else {}))
    path = folder / "amplifier.toml"
    path.write_text(RECIPE.format(folder=folder, updates=updates, task=task))
    return path


@pytest.mark.needs("iverilog")
def test_numbers_become_an_accelerator(tmp_path):
    recipe, out = amplifier(tmp_path), tmp_path / "out"
    told = ernn("run", recipe, "--out", out)
    assert told.exit_code == 0, told.output
    assert "cut in time, 560 steps of train, then 120 of dev and 120 of test" in told.output
    run = RunFolder(out)
    scores = [read_score(run.score(step)) for step in ("train", "compress", "quantize")]
    assert all(score.measure.name == "NMSE" and score.value < -6 for score in scores)
    report = json.loads(run.report.read_text())
    assert report["derived"]["passed"] and report["report"]["timing"]["words_compared"] > 0
    text = run.report.with_suffix(".md").read_text()
    assert "Normalised mean squared error: lower is better; the recipe allows a loss of 20.00 dB"
    assert re.search(r"\| NMSE on own sequences, dense \| \N{MINUS SIGN}\d+\.\d\d dB", text)
    page = run.report.with_suffix(".html").read_text()
    assert "(lower is better) on the test set: <data" in page and "energy, own" not in page
    assert ernn("run", recipe, "--out", out).output.count("up to date") == len(cli.STEPS)


def test_a_bound_that_is_not_met_is_told_in_its_unit(tmp_path):
    recipe = amplifier(tmp_path, 120, 'score = "mse"')
    recipe.write_text(recipe.read_text().replace("bound = 20.0", "bound = 1e-9"))
    recipe.write_text(recipe.read_text().replace("fine_tune_updates = 2", "search = true"))
    recipe.write_text(recipe.read_text().replace("retrain_updates = 160", "retrain_updates = 1"))
    told = ernn("quantize", recipe, "--out", tmp_path / "out")
    assert told.exit_code == 1, told.output
    sentence = re.search(
        r"the integer model has a mean squared error of (\S+) on the development set, (\S+) worse "
        r"than the dense model .*a bound of (\S+) is met",
        told.stderr.replace("\n", " "),
    )
    assert sentence is not None, told.stderr
    assert float(sentence[3]) >= float(sentence[2]) > 1e-9


def test_a_new_network_needs_targets(tmp_path):
    told = ernn("train", amplifier(tmp_path, targets=False), "--out", tmp_path / "out")
    assert told.exit_code == 2
    assert "give targets to train a new network, or import a trained one" in told.stderr
    assert not (tmp_path / "out" / "train").exists()


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (
            "accuracy",
            'task.score = "accuracy": it cannot judge numbers for each step (allowed: nmse',
        ),
        ("snr", "choose one of accuracy, edit, auc"),
        ("metrics:raises", "metrics.py:raises: it raised ValueError: too quiet for sequence 0"),
    ],
)
def test_a_score_that_cannot_be_is_one_sentence(tmp_path, score, sentence):
    (tmp_path / "metrics.py").write_text(
        "def raises(outputs, targets):\n    raise ValueError('too quiet\\nby far')\n"
    )
    told = ernn("train", amplifier(tmp_path, 2, f'score = "{score}"'), "--out", tmp_path / "out")
    assert told.exit_code == 2 and sentence in told.stderr, told.stderr
    assert "Traceback" not in told.output


def test_another_score_of_a_user_measures_anew(tmp_path):
    metric = tmp_path / "metrics.py"
    metric.write_text("def worst(outputs, targets):\n    return abs(outputs - targets).max()\n")
    recipe, out = amplifier(tmp_path, 2, 'score = "metrics:worst"'), tmp_path / "out"
    assert ernn("train", recipe, "--out", out).exit_code == 0
    found = read_score(RunFolder(out).score("train"))
    assert found.measure.name == "metrics:worst" and found.value > 0
    assert "train: up to date" in ernn("train", recipe, "--out", out).output
    metric.write_text(metric.read_text().replace("return", "return 2 *"))
    assert "metrics.py changed" in ernn("train", recipe, "--out", out).output
    assert read_score(RunFolder(out).score("train")).value == pytest.approx(2 * found.value)


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        ("cross_entropy", "the targets to follow are numbers (allowed: squared_error, cosine, b"),
        ("hinge", "choose one of cross_entropy, binary_cross_entropy, squared_error"),
        ("losses:raises", "losses.py:raises: it raised ValueError: too quiet; let it return a"),
        ("losses:array", "losses.py:array: it returned '[1.0]'; let it return the mean over the"),
        ("losses:constant", "losses.py:constant: what it returned has no gradient; compute it"),
        ("losses:absent", "losses.py:absent: no such function; name a function of (outputs, targ"),
    ],
)
def test_a_loss_that_cannot_be_is_one_sentence(tmp_path, loss, sentence):
    (tmp_path / "losses.py").write_text(
        "import torch\ndef raises(outputs, targets):\n    raise ValueError('too quiet\\nby far')\n"
        "def array(outputs, targets):\n    return [1.0]\n"
        "def constant(outputs, targets):\n    return torch.tensor(1.0)\n"
    )
    told = ernn("train", amplifier(tmp_path, 2, f'loss = "{loss}"'), "--out", tmp_path / "out")
    assert told.exit_code == 2 and sentence in told.stderr, told.stderr
    assert "Traceback" not in told.output
    assert not (tmp_path / "out" / "train").exists() or "losses" in loss


def test_another_loss_of_a_user_trains_anew(tmp_path):
    own = tmp_path / "losses.py"
    own.write_text("def own(told, wanted):\n    return 2 * (told - wanted).square().mean()\n")
    recipe, out = amplifier(tmp_path, 60, 'loss = "losses:own"'), tmp_path / "out"
    assert ernn("compress", recipe, "--out", out).exit_code == 0
    first = json.loads(RunFolder(out).history("compress", "retrain").read_text())
    assert "compress: up to date" in ernn("compress", recipe, "--out", out).output
    own.write_text(own.read_text().replace("return 2", "return 4"))
    assert "losses.py changed" in ernn("compress", recipe, "--out", out).output
    again = json.loads(RunFolder(out).history("compress", "retrain").read_text())
    assert again[-1]["dev_loss"] == pytest.approx(2 * first[-1]["dev_loss"], rel=0.5)


def test_when_targets_are_told_is_said_once(tmp_path):
    told = ernn("train", amplifier(tmp_path, 2, "at_end = true"), "--out", tmp_path / "out")
    assert told.exit_code == 2 and "targets of each step, which say when they are" in told.stderr


@pytest.mark.parametrize("task", [{}, {"score": "decisions"}, {"at_end": True, "loss": "cosine"}])
def test_an_imported_network_is_followed_where_there_are_no_targets(tmp_path, task):
    frames = np.random.default_rng(1).normal(size=(30, 12, FEATURES)).astype(np.float32)
    np.save(tmp_path / "frames.npy", frames)
    recipe = written(
        tmp_path,
        imported(Source()),
        block=2,
        task={"kind": "arrays", "path": str(tmp_path / "frames.npy"), **task},
        compression={"updates": 60, "updates_per_round": 10, "retrain_updates": 150},
        training={"label_delay": 0, "chunk_frames": 8, "evaluate_every": 50},
        quantization={"fine_tune_updates": 4},
    )
    told = ernn("quantize", recipe, "--out", tmp_path / "out")
    assert told.exit_code == 0, told.output
    run = RunFolder(tmp_path / "out", source="import")
    dense, *others = (read_score(run.score(step)) for step in ("import", "compress", "quantize"))
    assert dense.value == 0 and dense.measure.unit == "%"
    assert all(0 <= one.value < 25 and one.loss(dense).value == one.value for one in others)
    history = json.loads(run.history("compress", "retrain").read_text())
    assert history[-1]["dev_loss"] < history[0]["dev_loss"]
