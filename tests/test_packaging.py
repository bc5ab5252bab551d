"""The wheel carries everything: installed elsewhere, run from an empty folder, it works."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("hw_templates", "sim", "asr_models", "vivado_scripts")


def call(*command: object, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A fresh environment that holds ernn, and borrows what ernn depends on; its bin folder."""
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    call(sys.executable, "-m", "venv", "--without-pip", home, cwd=home.parent)
    pip = (sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--quiet")
    call(*pip, "--no-deps", "--no-index", wheel, cwd=home.parent)
    # A .pth line adds a folder without reading the .pth files in it: no editable ernn comes along.
    site = next((home / "lib").glob("python*")) / "site-packages"
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
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
