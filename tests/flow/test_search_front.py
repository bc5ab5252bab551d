"""`ernn search --method generator` on a recipe whose accuracy means nothing."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from deadlines import LONG_S, until
from test_search import RECIPE, ernn, start

from ernn.flow.chain import load_recipe

pytestmark = pytest.mark.needs("espeak-ng")

HOW = ("--method", "generator", "--trainings", 3, "--blocks", "1,4", "--keep", "1,0.5")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("search") / "out"
    result = ernn(recipe, *HOW, "--out", out)
    assert result.exit_code == 0, result.output
    return out


def content(out: Path) -> dict:
    """Return front.json without what differs from run to run."""
    found = json.loads((out / "front.json").read_text())
    for trial in found["trials"]:
        del trial["seconds"]
    return found | {"storage": ""}


def test_it_leaves_its_front(finished):
    found = content(finished)
    trials = {trial["name"]: trial for trial in found["trials"]}
    assert found["trials"][0]["name"] == "gru-dense"
    assert {trial["fraction"] for trial in trials.values()} == {1, 4}
    assert found["trainings"] == 3
    assert found["chosen"] in found["front"]
    places = [(trials[name]["cycles"], trials[name]["score"]) for name in found["front"]]
    assert places == sorted(places)
    assert found["test"]["loss"]["low"] <= found["test"]["loss"]["value"]
    assert "uJ per frame" in (finished / "front.md").read_text()
    assert load_recipe(str(finished / "chosen.toml")).model.cell == "gru"


def test_killed_and_continued_it_finds_the_same(recipe, finished, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(finished / "trials" / "data", out / "trials" / "data")
    (out / "ernn.lock").touch()
    first = next(t["name"] for t in content(finished)["trials"] if t["fraction"] == 4)
    process = start(recipe, *HOW, "--out", out)
    until((out / "trials" / first / "compress.part").exists, "no training", process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=LONG_S)
    result = ernn(recipe, *HOW, "--out", out)
    assert result.exit_code == 0, result.output
    assert content(out) == content(finished)


def test_another_method_is_refused(recipe, finished):
    result = ernn(recipe, "--method", "random", *HOW[2:], "--out", finished)
    assert result.exit_code == 2
    assert "method was 'generator' and is 'random'" in result.stderr
