"""Wheel and sdist carry everything: installed elsewhere, run from an empty folder, they work."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ernn.extras import EXTRAS
from tests.runs import small_model, write_run

ROOT = Path(__file__).resolve().parents[1]
EXTRA_MODULES = [module for _, modules in EXTRAS.values() for module in modules]
SHIPPED = ("hw_templates", "sim", "asr_models", "vivado_scripts")


def call(*command: object, cwd: Path) -> str:
    left_out = ("PYTHONPATH", "VIRTUAL_ENV", "PIP_CONSTRAINT")  # `make` sets a relative path
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def built(kind: str, folder: Path, source: Path = ROOT) -> Path:
    call(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=source)
    return next(folder.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A fresh environment that holds ernn, and borrows what ernn depends on; its bin folder."""
    return install(wheel, tmp_path_factory.mktemp("elsewhere") / "venv")


@pytest.fixture(scope="module")
def base(wheel, tmp_path_factory) -> Path:
    """The same without what the extras bring."""
    return install(wheel, tmp_path_factory.mktemp("base") / "venv", hidden=EXTRA_MODULES)


def install(wheel: Path, home: Path, hidden: Sequence[str] = ()) -> Path:
    call(sys.executable, "-m", "venv", "--without-pip", home, cwd=home.parent)
    pip = (sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--quiet")
    call(*pip, "--no-deps", "--no-index", wheel, cwd=home.parent)
    # A .pth line adds a folder without reading the .pth files in it: no editable ernn comes along.
    site = next((home / "lib").glob("python*")) / "site-packages"
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    hide = f"import sys; sys.modules.update(dict.fromkeys({list(hidden)}))"
    (site / "hidden.pth").write_text(f"{hide}\n")
    return home / "bin"


def test_the_wheel_holds_the_shipped_folders_and_no_rubbish(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for folder in SHIPPED:
        assert any(name.startswith(f"ernn/_shipped/{folder}/") for name in names), folder
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ernn"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_every_data_file_of_the_package_is_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    data = [p for p in (ROOT / "ernn").rglob("*") if p.suffix in (".toml", ".j2", ".css")]
    assert data
    assert {path.relative_to(ROOT).as_posix() for path in data} <= names


def test_it_runs_from_its_own_folder(installed, tmp_path):
    code = (
        "import ernn, ernn.resources as r; print(ernn.__file__); "
        f"[print(r.folder(name)) for name in {SHIPPED}]"
    )
    places = call(installed / "python", "-c", code, cwd=tmp_path).split()
    assert len(places) == 1 + len(SHIPPED)
    assert all(Path(place).is_relative_to(installed.parent) for place in places)


def test_templates_parts_and_recipes_are_found_there(installed, tmp_path):
    code = (
        "from ernn.parts.part import load_part; from ernn.flow.chain import find_recipe; "
        "from ernn.hdl.render import environment; load_part('xc7vx690t'); "
        "print(find_recipe('quickstart'), environment().get_template('ernn_top.v.j2').filename)"
    )
    places = call(installed / "python", "-c", code, cwd=tmp_path).split()
    assert all(Path(place).is_relative_to(installed.parent) for place in places)


def test_the_command_line_works_anywhere(installed, tmp_path):
    assert call(installed / "ernn", "--version", cwd=tmp_path).startswith("ernn ")
    assert str(installed.parent) in call(installed / "ernn", "doctor", cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_wheel_of_the_sdist_is_the_same(wheel, tmp_path):
    """Byte for byte: who builds from the source archive gets what PyPI has."""
    with tarfile.open(built("sdist", tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = [path.parent for path in tmp_path.glob("*/pyproject.toml")]
    again = zipfile.ZipFile(built("wheel", tmp_path / "wheel", source))
    first = zipfile.ZipFile(wheel)
    assert again.namelist() == first.namelist()
    assert all(again.read(name) == first.read(name) for name in first.namelist())
    assert {path.name for path in source.iterdir()} >= {"tests", "docs", "LICENSE", "Makefile"}


def test_every_extra_is_explained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert extras.keys() == EXTRAS.keys() | {"all", "dev", "networks"}
    base = " ".join(project["dependencies"])
    for name, (_, modules) in EXTRAS.items():
        lines = [line for line in extras[name] if not line.startswith("ernn[")]
        brought = {re.split(r"[^\w.-]", line)[0].replace("-", "_") for line in lines}
        assert brought == set(modules)
        assert not any(module.replace("_", "-") in base for module in modules)


BASE = """
import numpy as np, ernn
import ernn.flow.steps.plan, ernn.flow.steps.generate, ernn.flow.steps.simulate
import ernn.flow.steps.report, ernn.flow.package, ernn.flow.compare, ernn.flow.waves
model = ernn.IntegerModel.load("integer.safetensors")
plan = ernn.plan(model, {"part": "XC7Z020"})
project = ernn.generate(plan, model, "project")
frames = [np.random.default_rng(0).normal(size=(3, model.features))]
print(ernn.simulate(project, model, frames, simulator="icarus").frames)
"""


@pytest.mark.needs("iverilog")
def test_the_base_plans_generates_and_simulates(base, tmp_path):
    small_model().save(tmp_path / "integer.safetensors")
    assert call(base / "python", "-c", BASE, cwd=tmp_path) == "3\n"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("speech", ("corpus", "tiny")),
        ("search", ("search", "tiny", "--per-bound", "9")),
        ("synth", ("synth", "run")),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(base, tmp_path, extra, words):
    write_run(tmp_path / "run")
    done = subprocess.run([base / "ernn", *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    [sentence] = done.stderr.strip().splitlines()
    assert f"pip install 'ernn[{extra}]'" in sentence
    assert f"ernn[{extra}]" in call(base / "ernn", "doctor", cwd=tmp_path)


def test_a_function_names_the_extra_that_it_lacks(base, tmp_path):
    code = """
import ernn
try:
    ernn.fit(ernn.load_recipe("tiny"), [], [], 2)
except ernn.ErnnError as error:
    print(error)
"""
    told = call(base / "python", "-c", code, cwd=tmp_path)
    remedy = "pip install 'ernn[train]'"
    assert told == f"torch, which trains and compresses, is not installed; {remedy}\n"
