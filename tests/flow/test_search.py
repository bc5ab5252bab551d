"""`ernn search` on a recipe whose accuracy means nothing: finished, killed, shared, refused."""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from deadlines import LONG_S, until
from typer.testing import CliRunner

from ernn import cli
from ernn.flow.chain import load_recipe
from ernn.report.search_content import SearchReport, load

pytestmark = pytest.mark.needs("espeak-ng")

RECIPE = """
name = "small"
corpus = { train_minutes = 0.4, dev_minutes = 0.2, test_minutes = 0.2 }
features = { mel_bands = 8, keep_every = 4 }
model = { cell = "gru", layers = [{ hidden = 16 }] }
training = { updates = 10, batch = 4, chunk_frames = 16, evaluate_every = 5, threads = 1 }
compression = { updates = 10, updates_per_round = 5, retrain_updates = 10 }
"""
WIDE = ("--per-bound", "100")  # anything goes


def ernn(*words: object):
    return CliRunner().invoke(cli.app, ["search", *(str(word) for word in words)])


def start(*words: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "ernn.cli", "search", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def chain(report: SearchReport) -> list[tuple]:
    """Return what a search came to, without what differs from run to run: seconds and places."""
    trials = [(t.words, t.why, t.score, t.loss, t.step) for t in report.trials if t.step]
    return [report.decisions, report.chosen, report.test, *trials]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("search") / "out"
    result = ernn(recipe, *WIDE, "--out", out)
    assert result.exit_code == 0, result.output
    return out


def test_it_leaves_its_files(finished):
    report = load(finished / "search.json")
    assert {path.name for path in finished.iterdir()} == {
        *("ernn.lock", "trials", "search.db"),
        *("search.json", "search.md", "search.html", "chosen.toml"),
    }
    assert [trial.step for trial in report.trials] == list(range(1, report.trainings + 1))
    assert report.trainings <= 6
    assert report.trials[0].words == "dense GRU"
    assert report.chosen.startswith("GRU with blocks of")
    assert report.test is not None
    assert report.test.loss.low <= report.test.loss.value <= report.test.loss.high


def test_the_chosen_recipe_continues_where_the_search_ended(finished):
    chosen = finished / "chosen.toml"
    name = tomllib.loads(chosen.read_text())["name"]
    assert load_recipe(str(chosen)).name == name
    folder = finished / "trials" / name.removeprefix("small-")
    words = ["compress", str(chosen), "--out", str(folder)]
    told = CliRunner().invoke(cli.app, words).output
    assert told == "corpus: up to date\ntrain: up to date\ncompress: up to date\n"
    words = ["plan", *words[1:]]
    assert CliRunner().invoke(cli.app, words).exit_code == 0


def test_again_takes_no_training(finished):
    before = load(finished / "search.json")
    result = ernn(finished.parent / "no.toml", *WIDE)
    assert result.exit_code == 2
    shutil.copy(finished / "chosen.toml", finished.parent / "small.toml")
    again = finished.parent / "small.toml"
    again.write_text(RECIPE)
    result = ernn(again, *WIDE, "--out", finished)
    assert result.exit_code == 0, result.output
    assert "starting" not in result.output
    assert load(finished / "search.json") == before


def test_killed_and_continued_it_finds_the_same(recipe, finished, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(finished / "trials" / "data", out / "trials" / "data")
    (out / "ernn.lock").touch()
    for mark in ("gru-dense/train.part", "gru-4-4/compress.part"):
        process = start(recipe, *WIDE, "--out", out)
        until((out / "trials" / mark).exists, f"no {mark}", process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=LONG_S)
    result = ernn(recipe, *WIDE, "--out", out)
    assert result.exit_code == 0, result.output
    assert chain(load(out / "search.json")) == chain(load(finished / "search.json"))


def test_two_processes_share_the_work(recipe, finished, tmp_path):
    """Each trial is done by one of them, which may do several at a time; both decide alike."""
    out = tmp_path / "out"
    shutil.copytree(finished / "trials" / "data", out / "trials" / "data")
    (out / "ernn.lock").touch()
    place = ("--storage", f"sqlite:///{tmp_path / 'team.db'}", "--out", out)
    both = [start(recipe, *WIDE, *place, "--jobs", jobs) for jobs in (1, 2)]
    told = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    lines = [line for text in told for line in text.splitlines() if line.startswith("trial ")]
    started = [line.split(":")[0] for line in lines if not line.endswith(" %")]
    assert len(started) == len(set(started))
    assert chain(load(out / "search.json")) == chain(load(finished / "search.json"))


@pytest.mark.needs("ray")
def test_a_ray_cluster_finds_the_same(recipe, finished, cluster, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(finished / "trials" / "data", out / "trials" / "data")
    (out / "ernn.lock").touch()
    result = ernn(recipe, *WIDE, "--out", out, "--ray", cluster.address, "--jobs", 2)
    assert result.exit_code == 0, result.output
    assert chain(load(out / "search.json")) == chain(load(finished / "search.json"))


def refused(*words: object, code: int) -> str:
    result = ernn(*words)
    assert result.exit_code == code, result.output
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def test_a_bound_that_the_dense_model_does_not_meet(recipe, finished):
    told = refused(recipe, "--per-max", "1", "--out", finished, code=1)
    assert "the dense GRU itself has a phone error rate of" in told
    assert "above the bound of 1.00 %" in told
    report = load(finished / "search.json")
    assert report.chosen == ""
    assert "Nothing meets the bound" in (finished / "search.html").read_text()


def test_a_study_of_another_recipe(recipe, finished, tmp_path):
    changed = tmp_path / "small.toml"
    changed.write_text(RECIPE.replace("retrain_updates = 10", "retrain_updates = 15"))
    told = refused(changed, *WIDE, "--out", finished, code=2)
    assert "compression.retrain_updates was 10 and is 15" in told


def test_a_ray_address_that_does_not_answer(recipe, tmp_path):
    place = ("--out", tmp_path / "out", "--ray", "127.0.0.1:1")
    assert "no Ray cluster answers at" in refused(recipe, *WIDE, *place, code=3)


def test_a_folder_of_somebody_else(recipe, tmp_path):
    (tmp_path / "thesis.tex").touch()
    assert "files that ernn did not write" in refused(recipe, *WIDE, "--out", tmp_path, code=2)
