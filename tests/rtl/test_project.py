"""A whole generated project: same bytes each time, its own folder, every tool's approval."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from deadlines import each
from test_synthesizable import synthesize

from ernn.cells import CELLS
from ernn.errors import Fault, ProjectError
from ernn.hdl.memory import memory_files
from ernn.hdl.project import open_project, write_project
from ernn.hdl.render import sources
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.run.testbench import lint
from ernn.tools import require
from tests.models import random_integer_model

MIXED = {"input": 2, "recurrent": 8, "candidate": 4, "output": 1}
FOLDER = Path(__file__).parents[1] / "golden"
KINDS = {
    "lstm": ({"cell": "lstm", "projection": 8, "layers": 2}, (4, 2, 2, 2), 2),
    "gru_before": ({"cell": "gru_before", "hidden": 20, "blocks": MIXED}, (4, 3, 1, 4), 3),
    "gru_after": ({"cell": "gru_after", "labels": 0, "scales": False}, (4, 3, 4, 4), 1),
    "mixed": (
        {"cell": ["dense", "lstm", "mgu", "rnn", "gru_before", "gru_after"], "blocks": MIXED},
        (4, 2, 2, 2),
        2,
    ),
    "two_layers": (
        {
            "cell": "gru_before",
            "hidden": 8,
            "layers": 2,
            "blocks": MIXED,
            "features": 6,
            "labels": 3,
        },
        (2, 1, 1, 2),
        2,
    ),
    "dense": ({"cell": "lstm", "hidden": 3, "blocks": 1, "peepholes": False}, (2, 1, 1, 1), 2),
}


def made(kind):
    kinds, sizes, streams = KINDS[kind]
    model = random_integer_model(np.random.default_rng(7), **kinds)
    return build_plan(model, Sizes(*sizes), Target(kind, "XC7Z020", 200.0, streams)), model


@pytest.fixture(scope="module", params=KINDS)
def project(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("projects") / request.param
    return write_project(*made(request.param), folder)


def verilog(project):
    return sorted((project / "rtl").glob("*.v"))


@pytest.mark.needs("verilator")
def test_verilator_has_nothing_to_say(project):
    lint(verilog(project), "ernn_top")


@pytest.mark.needs("iverilog")
def test_icarus_compiles(project, tmp_path):
    command = [str(require("iverilog").path), "-g2005", "-Wall", "-Wno-timescale", "-s", "ernn_top"]
    command += ["-o", str(tmp_path / "top.vvp"), *map(str, verilog(project))]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


@pytest.mark.needs("yosys")
@pytest.mark.parametrize("kind", ["lstm", "gru_before"])
def test_yosys_elaborates(kind, tmp_path, monkeypatch):
    """Memory files are named relative to the folder that the tools run in."""
    project = write_project(*made(kind), tmp_path / "project")
    monkeypatch.chdir(project / "rtl")
    synthesize(verilog(project), "ernn_top")


def test_same_input_same_bytes(tmp_path):
    first, second = (write_project(*made("lstm"), tmp_path / name) for name in "ab")
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    for name in each(names):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_text_looks_written(project):
    """No doubled blank lines, no trailing space, no date; every file says what it is."""
    for path in each(verilog(project)):
        text = path.read_text()
        assert text.startswith("// SPDX-License-Identifier: Apache-2.0\n"), path.name
        assert "`default_nettype none" in text and text.endswith("`default_nettype wire\n")
        assert "\n\n\n" not in text, path.name
        lines = text.splitlines()
        assert not [line for line in lines if line != line.rstrip() or line.startswith(".")]


GOLDEN = {"dense": "project", "two_layers": "project_two_layers"}


@pytest.mark.parametrize("kind", GOLDEN)
def test_golden_project(tmp_path, kind):
    """The smallest plan's whole output, and that of a GRU of two layers, mixed blocks and scales.

    ERNN_UPDATE_GOLDEN=1 rewrites them for the reviewer.
    """
    golden = FOLDER / GOLDEN[kind]
    project = write_project(*made(kind), tmp_path)
    files = {p.name: p for folder in ("rtl", "registers") for p in (project / folder).iterdir()}
    generated = {name: p.read_text() for name, p in files.items() if library(name) is None}
    if os.environ.get("ERNN_UPDATE_GOLDEN"):
        golden.mkdir(parents=True, exist_ok=True)
        for old in golden.iterdir():
            old.unlink()
        for name, text in generated.items():
            (golden / name).write_text(text)
    assert sorted(generated) == sorted(p.name for p in golden.iterdir())
    for name, text in each(generated.items()):
        assert text == (golden / name).read_text(), name


@pytest.mark.parametrize("cell", CELLS)
def test_golden_units(cell):
    """The unit and the lane of every cell, smallest plan; ERNN_UPDATE_GOLDEN=1 rewrites them."""
    kinds = {"cell": cell, "hidden": 2, "blocks": 1, "features": 2}
    model = random_integer_model(np.random.default_rng(7), **kinds)
    plan = build_plan(model, Sizes(2, 1, 1, 1), Target(cell, "XC7Z020", 200.0, 2))
    files = sources(plan, model.sigmoid, model.tanh, model.twiddle_bits)
    made = {name: t for name, t in files.items() if name.startswith(("ernn_unit_", "ernn_lane_"))}
    folder = FOLDER / "units" / cell
    if os.environ.get("ERNN_UPDATE_GOLDEN"):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, text in made.items():
            (folder / name).write_text(text)
    assert sorted(made) == sorted(p.name for p in folder.iterdir())
    for name, text in made.items():
        assert text == (folder / name).read_text(), name


def library(name):
    path = Path(__file__).parents[2] / "hw_templates" / "lib" / name
    return path if path.is_file() else None


def test_memory_files_have_every_word(tmp_path):
    plan, model = made("gru_before")
    for name, text in each(memory_files(plan, model).items()):
        header, *lines = text.splitlines()
        assert header.startswith(f"// {len(lines)} words"), name
        assert len({len(line) for line in lines}) == 1, name
    files = memory_files(plan, model)
    assert sum(name.startswith("weights_") for name in files) == plan.pe_rows
    weights = files["weights_000.mem"].splitlines()[1:]
    assert len(weights) == plan.weight_depth == plan.steps
    assert len(weights[0]) == -(-plan.row_weight_bits // 4)


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ProjectError, match="files that ernn did not write"):
        write_project(*made("dense"), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_own_folder_is_replaced(tmp_path):
    write_project(*made("lstm"), tmp_path)
    write_project(*made("dense"), tmp_path)
    names = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert "rtl/ernn_unit_projection.v" not in names
    assert names - {"manifest.json"} == set(open_project(tmp_path).files)


def test_an_edited_file_is_named(tmp_path):
    write_project(*made("dense"), tmp_path)
    path = tmp_path / "rtl" / "ernn_pe.v"
    path.write_text(path.read_text() + "// improved\n")
    with pytest.raises(ProjectError, match=r"ernn_pe\.v changed after generation") as told:
        open_project(tmp_path)
    assert told.value.fault.remedy == "run `ernn generate` again, or go on with --force"
    assert open_project(tmp_path, force=True).edited == ("rtl/ernn_pe.v",)


@pytest.mark.parametrize("name", ["../victim.txt", "/etc/hostname"])
def test_a_manifest_cannot_reach_outside(tmp_path, name):
    folder = write_project(*made("dense"), tmp_path / "project")
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ProjectError) as told:
        open_project(folder, force=True)
    what = f"{folder / 'manifest.json'} names {name!r} outside its folder"
    assert told.value.fault == Fault(what, remedy="run `ernn generate` again")
    with pytest.raises(ProjectError, match="outside its folder"):
        write_project(*made("dense"), folder)
    assert victim.read_text() == "mine"


def test_a_link_does_not_lead_outside(tmp_path):
    folder = write_project(*made("dense"), tmp_path / "project")
    (folder / "rtl").rename(tmp_path / "elsewhere")
    (folder / "rtl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match="outside its folder"):
        open_project(folder)
    with pytest.raises(ProjectError, match="outside its folder"):
        write_project(*made("dense"), folder)
    assert (tmp_path / "elsewhere" / "ernn_top.v").is_file()


@pytest.mark.parametrize("text", ["", "[]", '{"format": "ernn-project-0", "files": {}}', "\ufffd{"])
def test_a_damaged_manifest_is_named(tmp_path, text):
    folder = write_project(*made("dense"), tmp_path / "project")
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ProjectError) as told:
        open_project(folder)
    what = f"{folder / 'manifest.json'} is damaged or of another version of ernn"
    assert told.value.fault == Fault(what, remedy="run `ernn generate` again")


def test_files_that_were_added_and_removed(tmp_path):
    """Verilog that was added would be synthesized: it is an edit like any other."""
    folder = write_project(*made("dense"), tmp_path / "project")
    (folder / "rtl" / "notes.txt").write_text("no tool reads this")
    assert not open_project(folder).edited
    (folder / "rtl" / "more.v").write_text("module more; endmodule\n")
    with pytest.raises(ProjectError, match=r"more\.v added after generation"):
        open_project(folder)
    (folder / "rtl" / "ernn_ram.v").rename(folder / "rtl" / "ram.v")
    with pytest.raises(ProjectError, match=r"ernn_ram\.v and 2 more removed after generation"):
        open_project(folder)
    opened = open_project(folder, force=True)
    assert opened.edited == ("rtl/ernn_ram.v", "rtl/more.v", "rtl/ram.v")
    assert {"more.v", "ram.v"} <= {path.name for path in opened.verilog}
    assert "rtl/ernn_ram.v" not in opened.files
    (folder / "rtl" / "ernn_top.v").unlink()
    with pytest.raises(ProjectError, match=r"ernn_top\.v is not there") as told:
        open_project(folder, force=True)
    assert told.value.fault.remedy == "run `ernn generate` again"
