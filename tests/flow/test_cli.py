"""The command line: help, exit codes, and one sentence for everything a user can get wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deadlines import until
from typer.testing import CliRunner

from ernn import __version__, cli
from ernn.flow import chain
from ernn.resources import folder
from ernn.tools import Tool

GOOD = """
name = "good"
[corpus]
train_minutes = 0.5
[model]
cell = "gru"
layers = [{ hidden = 16, block = 4 }]
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def ernn(*words: object):
    """Run the command line in this process."""
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def refused(*words: object, code: int = 2) -> str:
    """Run the command line, expect one sentence and nothing left behind; return the sentence."""
    before = sorted(Path.cwd().rglob("*"))
    result = ernn(*words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stderr.startswith("ernn: ")
    assert sorted(Path.cwd().rglob("*")) == before
    return result.stderr


def test_the_steps_are_the_flow():
    assert list(cli.STEPS) == [step.name for step in chain.STEPS]


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "import",
        "bench",
        "search",
        "synth",
        "build",
        "compare",
        "package",
        "doctor",
        *cli.STEPS,
    ],
)
def test_every_help_has_an_example(command):
    result = ernn(command, "--help")
    assert result.exit_code == 0
    assert f"Example: ernn {command}" in result.output


def test_the_help_lists_the_steps_in_their_order():
    listed = [info.name or info.callback.__name__ for info in cli.app.registered_commands]
    assert listed[: len(cli.STEPS) + 2] == ["run", "import", *cli.STEPS]


def test_a_misspelt_recipe_is_told_the_one_that_was_meant():
    assert "did you mean quickstart? " in refused("run", "quikstart")
    assert "did you mean" not in refused("run", "nothing")


def test_version():
    assert ernn("--version").output == f"ernn {__version__}\n"


@pytest.mark.parametrize(
    "words", [(), ("fly",), ("train",), ("train", "a", "b"), ("run", "--fast")]
)
def test_wrong_use_is_exit_code_2(words):
    assert ernn(*words).exit_code == 2


def test_every_shipped_recipe_is_good():
    shipped = sorted(path.stem for path in folder("asr_models").glob("*.toml"))
    assert {"quickstart", "tiny"} <= set(shipped)
    for name in shipped:
        assert chain.load_recipe(name).name == name


@pytest.mark.parametrize("name", ["nothing.toml", "nothing", "../asr_models/tiny", "tiny;ls", ""])
def test_a_missing_recipe_names_the_shipped_ones(name):
    told = refused("train", name)
    assert all(shipped in told for shipped in ("shipped recipes", "quickstart", "tiny"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", None),
        ("[model", "cannot be read as a TOML recipe"),
        ("speed = 9", "speed: not a known key"),
        ("seed = 'one'", "seed = 'one'"),
        ("seed = -1", "seed = -1"),
        ("per_bound_points = -0.1", "task.bound = -0.1"),
        ("name = '../../etc'", "name = '../../etc'"),
        ("name = 'a;rm -r b'", "name = 'a;rm -r b'"),
        ("model.cell = 'gpt'", "model.cell = 'gpt'"),
        ("model.layers = [{ hidden = 16, block = 12 }]", "model.layers[0].block = 12"),
        ("model.layers = [{ hidden = 4, block = 8 }]", "larger than the matrix"),
        ("model.layers = []", "model.layers"),
        ("quantization.weight_bits = 40", "quantization.weight_bits = 40"),
        ("hardware.part = 'XC7VX691T'", "did you mean XC7VX690T?"),
        ("hardware.clock_mhz = nan", "hardware.clock_mhz = nan"),
        ("corpus.kind = 'timit'", "needs path"),
        ("corpus.test_minutes = 0", "corpus.test_minutes = 0"),
    ],
)
def test_a_bad_recipe_is_one_clear_sentence(tmp_path, line, told):
    path = tmp_path / "bad.toml"
    path.write_text(bad_recipe(line))
    if told is None:
        chain.load_recipe(str(path))
    else:
        assert told in refused("run", path)


def bad_recipe(line: str) -> str:
    """Return a good recipe with one line added, in place of the line of the same key."""
    good = ("name = 'good'", "model.cell = 'gru'", "model.layers = [{ hidden = 16, block = 4 }]")
    key = line.partition("=")[0]
    return "\n".join([*(kept for kept in good if not kept.startswith(key or "-")), line]) + "\n"


def test_all_problems_are_told_at_once(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(bad_recipe("seed = -1\nspeed = 9\nquantization.weight_bits = 40"))
    told = refused("run", path)
    assert len(told.splitlines()) == 3


def test_a_path_that_is_no_timit_leaves_an_empty_folder(tmp_path):
    (tmp_path / "timit.toml").write_text(
        bad_recipe("corpus = { kind = 'timit', path = 'no/where' }")
    )
    result = ernn("corpus", "timit.toml", "--out", "o")
    assert result.exit_code == 2
    assert "no/where" in result.stderr
    assert [path.name for path in Path("o").iterdir()] == ["ernn.lock"]


def test_too_little_memory_is_a_sentence(monkeypatch):
    def hungry(*words):
        raise MemoryError

    monkeypatch.setattr("ernn.flow.chain.load_recipe", hungry)
    result = ernn("train", "tiny")
    assert result.exit_code == 2 and "not enough memory; close other programs" in result.stderr


def test_frames_of_a_waveform_need_one():
    result = ernn("simulate", "tiny", "--frames", "3")
    assert result.exit_code == 2 and "--frames" in result.stderr


def test_debug_shows_the_traceback():
    result = ernn("train", "nothing.toml", "--debug")
    assert result.exit_code == 1
    assert result.exception is not None


@pytest.mark.parametrize("out", ["good.toml", "full"])
def test_an_output_folder_must_be_ours(tmp_path, out):
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    refused("corpus", "good.toml", "--out", out)


def test_an_output_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    assert "Not a directory" in refused("corpus", "good.toml", "--out", "good.toml/deeper")


def test_doctor_fails_where_a_needed_tool_is_missing(monkeypatch):
    monkeypatch.setattr("ernn.doctor.find", lambda name: Tool(name, "1.0", Path(name), "system"))
    assert ernn("doctor").exit_code == 0
    monkeypatch.setattr("ernn.doctor.find", lambda name: None)
    result = ernn("doctor")
    assert result.exit_code == 3
    assert "missing: g++" in result.output


def test_ctrl_c_while_processes_speak(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    command = [sys.executable, "-m", "ernn.cli", "corpus", "good.toml", "--out", "o"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until(Path("o/corpus.part").exists, "no step began", process)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told == "ernn: interrupted; the same command continues from the last complete step\n"
    assert not Path("o/corpus.part").exists()
