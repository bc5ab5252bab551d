"""The netlist of a whole accelerator gives the integer model's words in the planned cycles."""

import re

import numpy as np
import pytest
from accelerators import Accelerator, Design

from ernn.backends.ecp5.registers import use_block_registers
from ernn.backends.ecp5.synthesis import flat
from ernn.backends.gowin.synthesis import flat as gowin_flat
from ernn.errors import MismatchError
from ernn.flow.build import NETLIST_FRAMES, netlist_check
from ernn.hdl.project import open_project
from ernn.hw.layout import Sizes
from ernn.resources import folder as shipped
from ernn.run.simulate import simulate
from ernn.run.yosys import run_yosys
from ernn.speech.corpus import save_split
from ernn.speech.utterance import Utterance

CELLS = shipped("sim") / "cells"
FLOWS = {"ecp5": flat, "gowin": gowin_flat}
MODEL = {"cell": "gru_before", "hidden": 4, "blocks": 2, "features": 4, "labels": 0}
DESIGN = Design(MODEL | {"scales": False}, Sizes(1, 1, 1, 1), streams=1)

pytestmark = pytest.mark.needs("yosys", "iverilog")


@pytest.fixture(scope="module")
def accelerator(tmp_path_factory):
    """An accelerator and its netlist for ECP5."""
    made = Accelerator.write(DESIGN, tmp_path_factory.mktemp("netlist"))
    synthesize(made, "ecp5")
    return made


def synthesize(made, flow):
    """Write the netlist of a flow beside the accelerator; return it."""
    files = " ".join(path.name for path in sorted(made.rtl.glob("*.v")))
    netlist = made.folder / ("netlist.v" if flow == "ecp5" else f"{flow}.v")
    found = netlist.with_suffix(".json")
    commands = [f"read_verilog -defer {files}", *FLOWS[flow](), f"write_json {found}"]
    run_yosys(commands, made.rtl, made.folder / f"{flow}.ys")
    if flow == "ecp5":
        use_block_registers(found)
    commands = [f"read_json {found}", "splitnets", f"write_verilog -noattr {netlist}"]
    run_yosys(commands, made.rtl, made.folder / f"{flow}-netlist.ys")
    return netlist


def run(accelerator, netlist, work, flow="ecp5"):
    return simulate(
        accelerator.folder / "project",
        accelerator.plan,
        accelerator.model,
        accelerator.speech([3, 2]),
        work_folder=work,
        simulator="icarus",
        netlist=[netlist, *sorted(CELLS.glob(f"{flow}_*.v"))],
    )


@pytest.mark.parametrize("flow", FLOWS)
def test_every_output_word_is_the_integer_models(accelerator, tmp_path, flow):
    made = accelerator.folder / "netlist.v" if flow == "ecp5" else synthesize(accelerator, flow)
    if flow == "ecp5":  # the multipliers' registers are used
        assert '.REG_INPUTA_CLK("CLK0")' in made.read_text()
    found = run(accelerator, made, tmp_path, flow)
    assert found.elements == {"output layer0.h": 5 * 4}


def test_one_wrong_table_is_found(accelerator, tmp_path):
    """That of a LUT in the candidate's activation, whatever input it meets."""
    text = (accelerator.folder / "netlist.v").read_text()
    unit = r"\\?u_core\.u_cell_gru_update\.u_unit\.\S+u_n\.intercept\S+"
    table = re.search(rf"LUT4 #\(\s+\.INIT\(16'h(\w{{4}})\)\s+\) {unit}", text)
    assert table
    wrong = format(int(table[1], 16) ^ 0xFFFF, "04x")
    bad = tmp_path / "bad.v"
    bad.write_text(text[: table.start(1)] + wrong + text[table.end(1) :])
    with pytest.raises(MismatchError, match=r"signal output layer0\.h"):
        run(accelerator, bad, tmp_path)


@pytest.mark.needs("verilator", "g++", "make", "perl")
def test_a_build_simulates_it_on_the_runs_test_speech(accelerator, tmp_path):
    """In Verilator: a whole accelerator takes Icarus a quarter of an hour."""
    run = accelerator.folder
    (run / "quantize").mkdir()
    accelerator.model.save(run / "quantize" / "integer.safetensors")
    (run / "corpus").mkdir()
    ((features,),) = accelerator.speech([NETLIST_FRAMES])
    silence = np.zeros(NETLIST_FRAMES, np.int16)
    spoken = Utterance("one", "somebody", features.astype(np.float32), silence, silence[:1])
    save_split(run / "corpus", "test", [spoken], ["nobody 1.0"])
    project = open_project(run / "project", force=False)
    netlist, work = run / "netlist.v", tmp_path / "simulation"
    assert netlist_check(project, work, "ecp5_*.v")(netlist) == NETLIST_FRAMES * 4
    assert not work.exists()
