"""Kept objects: used where they are whole, made again where they are damaged or gone."""

from pathlib import Path

import pytest

from ernn.run import objects
from ernn.run.objects import kept_objects
from ernn.tools import Tool

VERILATOR = Tool("verilator", "5.48", Path("/nowhere/verilator"), "system")
NAMES = ("verilated.o", "verilated_vpi.o")
pytestmark = pytest.mark.needs("g++")


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Path:
    """The cache of a test."""
    monkeypatch.setattr(objects, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def build(folder: Path, args=("-O3",), tool=VERILATOR) -> list[str]:
    """Compile what is not there, as make would; return the names of what was."""
    folder.mkdir()
    with kept_objects(tool, folder, args):
        made = [name for name in NAMES if not (folder / name).exists()]
        for name in made:
            (folder / name).write_text(f"{name} {args}")
    assert all((folder / name).read_text() == f"{name} {args}" for name in NAMES)
    return made


def test_the_second_build_compiles_nothing(kept, tmp_path):
    assert build(tmp_path / "first") == list(NAMES)
    assert build(tmp_path / "second", ("-O3",)) == []
    assert (tmp_path / "second" / NAMES[0]).stat().st_mtime > kept.stat().st_mtime + 60
    assert not list(kept.rglob("*.part"))


def test_another_build_has_objects_of_its_own(kept, tmp_path):
    build(tmp_path / "first")
    assert build(tmp_path / "second", ("-O3", "--trace-saif")) == list(NAMES)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"half")])
def test_what_is_gone_or_damaged_is_made_again(kept, tmp_path, spoil):
    build(tmp_path / "first")
    [victim] = kept.rglob("verilated.o.*")
    spoil(victim)
    assert build(tmp_path / "second") == ["verilated.o"]
    assert build(tmp_path / "third") == []


def test_nothing_is_kept_of_another_simulator(kept, tmp_path):
    build(tmp_path / "first", tool=Tool("iverilog", "12", Path("/nowhere"), "system"))
    assert not kept.exists()
