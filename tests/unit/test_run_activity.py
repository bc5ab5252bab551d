"""activity.json, what Verilog says about its registers, and the window of a dump."""

import json
from dataclasses import replace

import numpy as np
import pytest
from models import random_integer_model

from ernn.errors import ModelFileError, RecipeError, ToolError
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cycles import RATE_ROUNDS, rate
from ernn.hw.layout import Sizes
from ernn.recipe import QuantizationRecipe
from ernn.run.activity import FORMAT, Activity, Group, Memories, Rate, load_activity
from ernn.run.dump import steady_window
from ernn.run.rtl import module_of, read_modules, registers_only
from ernn.run.saif import Bit, Saif
from ernn.run.toggles import INSTANCE, count_toggles

PES = Group(0.5, Rate(10, 0.2), Rate(20, 0.5), Rate(0, 0.0), Memories(1, 10, 1.0, 0.1, 0.3))
MADE = Activity(
    FORMAT, "0.1", "abc", "Verilator 5", "ernn bench", "simulated", 9, 100, 4, {"pes": PES}
)


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "activity.json"
    MADE.save(path)
    assert load_activity(path) == load_activity(path, "abc") == MADE
    overall = json.loads(path.read_text())["groups"]["pes"]
    assert overall["bits"] == 40 and overall["toggles_per_bit_cycle"] == pytest.approx(15 / 40)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text[:50], "holds no switching activity"),
        (lambda text: "[]", "holds no switching activity"),
        (lambda text: text.replace(FORMAT, "ernn-activity-0"), "has the format 'ernn-activity-0'"),
        (lambda text: text.replace('"window_cycles": 100,', ""), "window_cycles"),
        (lambda text: text.replace('"window_cycles": 100', '"window_cycles": -1'), "window_cycles"),
        (lambda text: text.replace('"sampled": ', '"sampled": -'), "sampled: Input should be gr"),
        (lambda text: text.replace('"abc"', '"abd"'), "of plan abd: this design is plan abc"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, change, sentence):
    path = tmp_path / "activity.json"
    MADE.save(path)
    path.write_text(change(path.read_text()))
    with pytest.raises(ModelFileError, match=sentence):
        load_activity(path, "abc")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("activity") / "project"
    rng = np.random.default_rng(1)
    model = random_integer_model(rng, QuantizationRecipe(), cell="lstm", hidden=10, blocks=4)
    plan = build_plan(model, Sizes(3, 1, 1, 4, logic_macs=1), Target("test", "xc7a35t", 200.0, 2))
    write_project(plan, model, folder)
    return plan, sorted((folder / "rtl").glob("*.v"))


def test_registers_and_instances_of_the_verilog(project):
    _, files = project
    modules = read_modules(files)
    pe = modules["ernn_pe"].registers
    assert pe["operands_q"] == pe["weights_q"] == "operand"
    assert pe["product_q"] == pe["sum_q"] == "result"
    assert pe["shadow_q"] == pe["valid_q2"] == "register"
    assert modules["ernn_logic_product"].registers.get("product_q") == "register"
    assert set(modules["ernn_ram"].registers) == {"rdata_o"}  # the words of a memory are none
    assert "spectrum_q" in modules["ernn_row_lane"].registers  # an array of registers is
    assert "last_word" not in modules["ernn_unit_lstm"].registers  # it is assigned with =
    assert modules["ernn_sigmoid"].registers["product_q3"] == "result"
    path = "u_core.u_array.u_array.gen_leaf[0].gen_row[1].gen_column[0].u_pe.gen_mac[2].gen_dsp"
    assert module_of(modules, "ernn_top", path) == "ernn_pe"
    assert module_of(modules, "ernn_top", "") == "ernn_top"
    assert module_of(modules, "ernn_top", "u_array.u_strange") is None


def test_only_registers_are_dumped(project):
    _, files = project
    control = registers_only(files)
    [pe] = [file for file in files if file.stem == "ernn_pe"]
    off = {
        int(line.split()[-1])
        for line in control.splitlines()
        if line.startswith('tracing_off -file "*/ernn_pe.v"')
    }
    kinds = ("wire", "reg", "input", "output", "parameter", "localparam", "genvar")
    for number, line in enumerate(pe.read_text().splitlines(), 1):
        declares = line.strip().startswith(kinds)
        assert (number in off) <= declares
        if line.strip().startswith("reg "):
            assert number not in off, line


def test_macs_without_a_dsp_block_are_told_apart(project):
    """The first one of each PE here: its operands are not in the DSP block, its sum is fabric."""
    plan, files = project
    pe = f"{INSTANCE}.u_core.u_array.u_array.gen_leaf[0].gen_row[0].gen_column[0].u_pe"
    bit, width = Bit(50, 10), plan.operand_bits
    scopes = {
        pe: {"operands_q": dict.fromkeys(range(plan.macs * width), bit)},
        f"{pe}.gen_mac[0]": {"sum_q": {0: bit}},
        f"{pe}.gen_mac[1]": {"sum_q": {0: bit, 1: Bit(0, 0)}},
        f"{INSTANCE}.u_core.u_array.u_array.gen_leaf[0].gen_row[0].u_weights": {
            "rdata_o": {0: bit},
            "we_i": {0: Bit(0, 0)},
            "re_i": {0: Bit(75, 2)},
        },
    }
    groups = count_toggles(Saif("", 100, scopes), plan, files, cycles=20)
    assert plan.logic_macs == 1
    assert groups["pes"].operands == Rate((plan.macs - 1) * width, 0.5)
    assert groups["pes"].registers == Rate(1, 0.5)
    assert groups["pes"].results == Rate(2, 0.25)
    assert groups["pes"].sampled == 1 / plan.pes
    assert groups["weights"].memories == Memories(1, 1, 0.75, 0.0, 0.5)


@pytest.mark.parametrize("scope", ["u_strange", "u_array.u_strange"])
def test_a_saif_of_another_design_is_told(project, scope):
    plan, files = project
    saif = Saif("", 100, {f"{INSTANCE}.{scope}": {"a_q": {0: Bit(0, 0)}}})
    with pytest.raises(ToolError, match="which this design has not"):
        count_toggles(saif, plan, files, 20)
    with pytest.raises(ToolError, match="no PE"):
        count_toggles(replace(saif, scopes={"other": {}}), plan, files, 20)


def test_a_window_is_whole_rounds(project):
    plan, _ = project
    length = rate(plan).cycles_per_frame * plan.streams
    window = steady_window(plan, 50)
    assert window.cycles / length == pytest.approx(16) and window.first_cycle >= 6 * length
    assert 0 < steady_window(plan, RATE_ROUNDS).cycles < window.cycles
    with pytest.raises(RecipeError, match="frames_per_stream = 10 shows no steady state"):
        steady_window(plan, 10)
