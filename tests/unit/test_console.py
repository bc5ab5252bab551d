"""The console: whatever the locale and whatever a file is called, no character stops a command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ernn.speech.corpus import load_split

# A locale that knows ASCII only, and a Python that is not to look beyond it.
NARROW = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
RECIPE = """
name = "narrow"
[corpus]
kind = "manifest"
path = "speech.jsonl"
[features]
mel_bands = 8
[model]
cell = "gru"
layers = [{ hidden = 16, block = 4 }]
"""


def ernn(*words: str | bytes, folder: Path, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ernn", *words]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
    return subprocess.run(
        command, cwd=folder, env=environment | variables, capture_output=True, timeout=120
    )


def test_files_are_named_in_utf8_in_any_locale(tmp_path):
    """IPA in the name of a recording, read in a locale that has no such letters."""
    lines = []
    for split in ("train", "dev", "test"):
        name = f"ʃ-{split}.wav"
        audio = np.random.default_rng(len(lines)).standard_normal(8_000) * 0.1
        soundfile.write(tmp_path / name, audio, 8_000)
        told = {"audio": name, "speaker": split, "split": split, "phones": [[0.1, 0.9, "ʃ"]]}
        lines.append(json.dumps(told, ensure_ascii=False) + "\n")
    (tmp_path / "speech.jsonl").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "narrow.toml").write_text(RECIPE)
    done = ernn("corpus", "narrow.toml", "--out", "out", folder=tmp_path, **NARROW)
    assert done.returncode == 0, done.stderr
    assert load_split(tmp_path / "out" / "corpus", "train")[0].name == "ʃ-train.wav"


@pytest.mark.parametrize("variables", [{}, NARROW, {"PYTHONIOENCODING": "latin-1"}])
@pytest.mark.parametrize("name", [b"t\xefny.toml", "ʃ.toml".encode()])
def test_any_name_can_be_told(tmp_path, name, variables):
    done = ernn("run", name, folder=tmp_path, **variables)
    assert done.returncode == 2
    assert done.stderr.startswith(b"ernn: there is no recipe"), done.stderr
