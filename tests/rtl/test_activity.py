"""Toggles: Verilator's SAIF against the waves of Icarus, bit by bit; the window; the files."""

import pytest
from accelerators import Accelerator, Design
from deadlines import each
from vcd import read_vcd, toggles

from ernn.errors import ToolError
from ernn.flow.activity import ACTIVITY, SAIF, design_name, keep_activity
from ernn.hw.cycles import rate
from ernn.hw.layout import Sizes
from ernn.run.activity import load_activity
from ernn.run.dump import Dump, steady_window
from ernn.run.rtl import module_of, read_modules
from ernn.run.saif import parse_saif, read_text
from ernn.run.simulate import simulate
from ernn.run.toggles import INSTANCE
from ernn.run.waves import by_unit, gtkwave_view, read_signals, surfer_view

pytestmark = pytest.mark.needs("verilator", "g++", "make", "perl", "iverilog")

ROUNDS = 14
DESIGN = Design(
    {"cell": "gru_before", "hidden": 8, "features": 6, "blocks": 4},
    Sizes(2, 2, 1, 2, logic_macs=1),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The accelerator, its window, what Verilator dumped, and what Icarus did."""
    accelerator = Accelerator.write(DESIGN, tmp_path_factory.mktemp("activity"))
    window = steady_window(accelerator.plan, ROUNDS)
    speech = accelerator.speech((9, ROUNDS - 9), (ROUNDS,))
    runs = [
        simulate(
            accelerator.folder / "project",
            accelerator.plan,
            accelerator.model,
            speech,
            work_folder=accelerator.folder / simulator,
            simulator=simulator,
            dump=Dump(kind, window.first_cycle, window.cycles),
        )
        for simulator, kind in (("verilator", "saif"), ("icarus", "vcd"))
    ]
    return accelerator, window, runs


@pytest.fixture(scope="module")
def kept(made):
    """What stays of it."""
    accelerator, window, (run, _) = made
    folder, project = accelerator.folder, accelerator.folder / "project"
    arguments = (window, accelerator.plan, project, folder / "verilator", folder, "ernn test")
    return keep_activity(run, *arguments), folder


def test_both_simulate_the_same(made):
    _, _, (verilator, icarus) = made
    assert verilator.ends == icarus.ends and verilator.elements == icarus.elements


def test_every_bit_toggles_as_often_as_in_the_waves(made, kept):
    """Verilator lets every bit begin at 0: one that begins at 1 has a toggle more."""
    accelerator, _, _ = made
    _, folder = kept
    saif = parse_saif(folder / SAIF, read_text(folder / SAIF))
    assert saif.design == design_name(accelerator.plan)
    modules = read_modules(sorted(accelerator.rtl.glob("*.v")))
    waves = read_vcd(folder / "icarus" / "dump.vcd", lambda name: name.startswith(INSTANCE))
    compared = 0
    for scope, nets in each(saif.scopes.items()):
        if not scope.startswith(INSTANCE):
            continue
        module = module_of(modules, "ernn_top", scope.removeprefix(INSTANCE).removeprefix("."))
        for net, bits in nets.items():
            values = waves.values.get(f"{scope}.{net}")
            if net not in modules[module].registers or values is None:
                continue
            for index, bit in bits.items():
                first, count = toggles(values, index)
                known = {"0": (count,), "1": (count + 1,)}.get(first, (count, count + 1))
                assert bit.toggles in known, f"{scope}.{net}[{index}] {first} {count}"
                compared += 1
    assert compared > 0.9 * accelerator.plan.pes * accelerator.plan.macs * accelerator.plan.acc_bits


def test_the_window_is_steady(made, kept):
    accelerator, window, _ = made
    activity, folder = kept
    assert activity.window_cycles == window.cycles
    per_frame = rate(accelerator.plan).cycles_per_frame
    assert abs(activity.frames - window.cycles / per_frame) < 1.01
    assert load_activity(folder / ACTIVITY, accelerator.plan.digest) == activity


def test_every_group_is_there(made, kept):
    accelerator, _, _ = made
    groups = kept[0].groups
    plan = accelerator.plan
    assert {"pes", "weights", "broadcast", "operands", "rows", "sequencer", "state"} <= set(groups)
    assert {f"memory_{memory.name}" for memory in plan.memories} <= set(groups)
    assert {f"unit_{unit.name}" for unit in plan.units} <= set(groups)
    pes = groups["pes"]
    assert pes.sampled == 1
    assert pes.operands.bits == plan.pes * (plan.macs - 1) * (plan.operand_bits + plan.weight_bits)
    assert groups["weights"].memories.bits == plan.pe_rows * plan.row_weight_bits
    assert all(0 <= group.toggles_per_bit_cycle <= 1 for group in groups.values())


def test_memories_are_read_only_when_needed(made, kept):
    """Weights in the cycles in which the array multiplies, a vector's word once per use."""
    accelerator, _, _ = made
    groups, plan = kept[0].groups, accelerator.plan
    busy = plan.steps / rate(plan).cycles_per_frame
    assert groups["weights"].memories.reads_per_cycle == pytest.approx(busy, rel=0.02)
    words = sum(
        groups[f"memory_{memory.name}"].memories.reads_per_cycle for memory in plan.memories
    )
    assert words <= busy * 1.02
    assert groups["weights"].memories.writes_per_cycle == 0


def test_another_window_is_told(made):
    accelerator, window, (run, _) = made
    folder = accelerator.folder
    other = Dump("saif", window.first_cycle, window.cycles + 1)
    with pytest.raises(ToolError, match="toggles of the clock") as told:
        keep_activity(
            run, other, accelerator.plan, folder / "project", folder / "verilator", folder, "test"
        )
    assert told.value.fault.allowed.endswith(f"in a window of {other.cycles} cycles")


def test_views_show_signals_of_the_waveform_by_unit(made):
    accelerator, _, _ = made
    waveform = accelerator.folder / "icarus" / "dump.vcd"
    signals, vcd = read_signals(waveform), read_vcd(waveform, lambda name: False)
    units = by_unit(signals)
    assert next(iter(units)) == "ports" and {"sequencer", "first PE", "output"} <= set(units)
    assert {f"queue_{queue.name}" for queue in accelerator.plan.queues} <= set(units)
    assert {f"unit_{unit.name}" for unit in accelerator.plan.units} <= set(units)
    shown = {f"{one.scope}.{one.name}": one.bits for own in units.values() for one in own}
    assert shown.items() <= vcd.widths.items()
    assert all(own for own in units.values()) and len(shown) < 400
    surfer = surfer_view(units).splitlines()
    named = {line.split()[1] for line in surfer if line.startswith("variable_add")}
    assert named == set(shown)
    gtkwave = gtkwave_view("waves.fst", units).splitlines()
    paths = {line for line in gtkwave if line.startswith("ernn_testbench")}
    assert paths == {one.path for own in units.values() for one in own}
    assert sum(line in ("@800200", "@c00200") for line in gtkwave) == len(units)


def test_what_is_no_waveform_is_told(tmp_path):
    path = tmp_path / "a.vcd"
    for text in ("", "$scope module\n", "$date\n$end\n"):
        path.write_text(text)
        with pytest.raises(ToolError, match="simulate again"):
            read_signals(path)
