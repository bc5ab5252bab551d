"""Every design as slang reads it, and what else front ends of vendors are known to refuse."""

from pathlib import Path

import pytest
from accelerators import Accelerator, Design
from frontends import STANDARDS, WAIVED, elaborate, memory_faults, reserved_names
from hypothesis import HealthCheck, Phase, assume, given, settings
from test_accelerator import designs
from test_board import DESIGN, SHELL
from test_project import KINDS, made

from ernn.errors import PlanError
from ernn.hdl.board import board_files
from ernn.hdl.package import package_files
from ernn.hdl.project import write_project
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan


@pytest.fixture(scope="module", params=KINDS)
def project(request, tmp_path_factory):
    return write_project(*made(request.param), tmp_path_factory.mktemp("project") / "p")


def require_clean(files: list[Path], top: str) -> None:
    for standard in STANDARDS:
        compilation, told = elaborate(files, top, standard)
        assert not told, f"as {standard}:\n{told}"
    assert not reserved_names(compilation)


def verilog(project: Path) -> list[Path]:
    return sorted((project / "rtl").glob("*.v"))


def test_a_design_is_clean(project):
    require_clean(verilog(project), "ernn_top")
    assert not memory_faults(elaborate(verilog(project), "ernn_top")[0], project / "rtl")


@pytest.mark.parametrize("cell", ["mgu", "rnn", "dense"])
def test_every_cell_is_clean(cell, tmp_path):
    made = Accelerator.write(Design({"cell": cell, "blocks": 4}, Sizes(4, 2, 2, 2)), tmp_path)
    require_clean(verilog(tmp_path / "project"), "ernn_top")
    assert not memory_faults(elaborate(verilog(tmp_path / "project"), "ernn_top")[0], made.rtl)


@pytest.mark.parametrize("kind", ["binary", "powers", "2bit"])
def test_weights_of_few_levels_are_clean(kind, tmp_path):
    model = {"cell": "rnn", "hidden": 8, "features": 8, "labels": 8, "blocks": 1}
    design = Design({**model, "levels": kind, "output_levels": kind}, Sizes(4, 2, 2, 2, word=4))
    made = Accelerator.write(design, tmp_path)
    require_clean(verilog(tmp_path / "project"), "ernn_top")
    assert not memory_faults(elaborate(verilog(tmp_path / "project"), "ernn_top")[0], made.rtl)


def test_the_packages_testbench_is_clean(project, tmp_path):
    plan = HardwarePlan.load(project / "plan.json")
    texts = {f"rtl/{path.name}": path.read_text() for path in verilog(project)}
    package = package_files(plan, texts, {}, name="two", frames=2, source="nothing")
    for path, text in package.items():
        if path.endswith(".v"):
            (tmp_path / Path(path).name).write_text(text)
    require_clean(sorted(tmp_path.glob("*.v")), "two_package_tb")


def test_the_board_is_clean(tmp_path):
    accelerator = Accelerator.write(DESIGN, tmp_path)
    for name, text in board_files(accelerator.plan, SHELL).items():
        (tmp_path / name).write_text(text)
    require_clean([*verilog(tmp_path / "project"), *sorted(tmp_path.glob("*.v"))], "ernn_board")


@settings(
    derandomize=True,
    database=None,
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(design=designs())
def test_random_designs_are_clean(design, tmp_path_factory):
    try:
        accelerator = Accelerator.write(design, tmp_path_factory.mktemp("random"))
    except PlanError:
        assume(False)
    files = verilog(accelerator.folder / "project")
    require_clean(files, "ernn_top")
    assert not memory_faults(elaborate(files, "ernn_top")[0], accelerator.rtl)


PLANTED = [  # file, text, what it becomes, how it is told
    ("ernn_tanh.v", "input  wire clk_i", "input clk_i", "implicit net port disallowed"),
    ("ernn_output.v", "task_valid, task_ready;", "task_valid;", "task_ready"),
    ("ernn_output.v", "  assign task_ready     =", "  wire task_ready =", "task_ready"),
    ("ernn_ram.v", "mem", "byte", "byte"),  # reserved by SystemVerilog
    ("ernn_skid.v", "spare_q", "buffer", "Variable buffer"),  # reserved by VHDL
    ("ernn_rounds.v", "free_q", "free__q", "Variable free__q"),
    ("ernn_delay.v", "parameter integer WIDTH", "parameter integer IN_I", "twice"),
    ("ernn_delay.v", "in_i,", "in_i, input wire in_i,", "in_i"),
    ("ernn_rows.v", '"bias.mem"', '"rtl/bias.mem"', "is no file beside"),
    ("ernn_rows.v", '"bias.mem"', '"weights_000.mem"', "read twice"),
    ("ernn_rows.v", '.RAM_STYLE("distributed")', '.RAM_STYLE("lutram")', "style lutram"),
    ("bias.mem", "\n0", "\n00", "has not"),
]


@pytest.mark.parametrize(("file", "before", "after", "told"), PLANTED)
def test_a_planted_fault_is_found(file, before, after, told, tmp_path):
    project = write_project(*made("dense"), tmp_path)
    path = project / "rtl" / file
    text = path.read_text()
    assert before in text, f"{file} has no {before!r} to change"
    path.write_text(text.replace(before, after))
    found = []
    for standard in STANDARDS:
        compilation, said = elaborate(verilog(project), "ernn_top", standard)
        found.append(said)
    found += reserved_names(compilation)
    if not said:
        found += memory_faults(compilation, project / "rtl")
    assert told in "\n".join(found)


def test_every_waiver_is_needed(tmp_path, monkeypatch):
    """What slang would not say anyway is not waived."""
    told = ""
    files = [verilog(write_project(*made(kind), tmp_path / kind)) for kind in KINDS]
    monkeypatch.setattr("frontends.WAIVED", {})
    for design in files:
        told += elaborate(design, "ernn_top")[1]
    assert [name for name in WAIVED if f"[-W{name}]" not in told] == []
