"""The training steps on the tiny corpus, in other ways than the tiny recipe's."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ernn import cli
from ernn.compressed import CompressedModel
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.quant.integer_model import IntegerModel
from ernn.resources import folder

pytestmark = pytest.mark.needs("espeak-ng")

TINY = (folder("asr_models") / "tiny.toml").read_text()
LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def recipe(path: Path, **training) -> Path:
    """Write the tiny recipe with a smaller corpus and other keys of training."""
    text = re.sub(r"(train|dev|test)_minutes = .*", r"\1_minutes = 0.4", TINY)
    for key, value in training.items():
        text = re.sub(rf"(?m)^{key} = .*\n", "", text, count=1)
        text = text.replace("[training]", f"[training]\n{key} = {json.dumps(value)}")
    path.write_text(text)
    return path


def ernn(*words: object):
    result = CliRunner().invoke(cli.app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> Path:
    """A folder with the corpus step done; to be copied."""
    out = tmp_path_factory.mktemp("spoken")
    ernn("corpus", recipe(out.with_suffix(".toml")), "--out", out / "o")
    return out / "o"


def test_ctc_goes_from_phone_sequences_to_the_integer_model(spoken, tmp_path):
    out = shutil.copytree(spoken, tmp_path / "o")
    told = ernn(
        "quantize", recipe(tmp_path / "ctc.toml", loss="ctc", updates=10, batch=4), "--out", out
    )
    assert "corpus: up to date" in told.output
    assert CompressedModel.load(out / "compress" / "compressed.safetensors").labels == 40
    assert IntegerModel.load(out / "quantize" / "integer.safetensors").labels == 40
    history = json.loads((out / "train" / "dense.json").read_text())
    assert np.isfinite([entry["dev_loss"] for entry in history]).all()
    rates = [read_score(RunFolder(out).score(step)) for step in ("train", "quantize")]
    assert np.isfinite(rates[1].minus(rates[0]).value)


def test_torchrun_trains_with_all_processes_and_only_the_first_writes(spoken, tmp_path):
    outs, losses = [], []
    for name, command in (("one", [sys.executable]), ("two", LAUNCHER)):
        out = shutil.copytree(spoken, tmp_path / name)
        toml = recipe(tmp_path / "t.toml", updates=6, evaluate_every=3)
        done = subprocess.run(
            [*command, "-m", "ernn", "train", str(toml), "--out", str(out)],
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        outs.append([line.partition(" in ")[0] for line in done.stdout.splitlines()])
        losses.append([e["loss"] for e in json.loads((out / "train" / "dense.json").read_text())])
    assert outs[0] == outs[1]  # said once
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
