"""Static timing analysis: longest ways by hand and by brute force, through modules and around."""

import importlib.util
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.backends.backend import backend_of
from ernn.backends.vivado.timing import Series7, delays
from ernn.errors import ToolError
from ernn.parts.part import load_part
from ernn.parts.speed import fastest, slowness
from ernn.timing.analysis import Analysis
from ernn.timing.graph import flatten
from ernn.timing.library import CellTiming
from ernn.timing.wires import SPREAD, delays_over, wire_lengths

ROOT = Path(__file__).parents[2]
CELLS = {
    "LUT": CellTiming(arcs={("A", "Y"): 1.0, ("B", "Y"): 2.0}),
    "WIDE": CellTiming(arcs={("A", "Y"): 5.0}),
    "BITS": CellTiming(arcs={("A[0]", "Y[1]"): 3.0}),
    "FF": CellTiming(
        launches={"Q": 0.5}, captures={"D": 0.25, "E": 0.75}, near={"D": frozenset({"LUT"})}
    ),
}


class Toy:
    """A wire to n sinks takes n tenths."""

    about = "toy"

    def cell(self, kind, parameters):
        return CELLS[kind]

    def wires(self, fan_out, blocks, tiles):
        return fan_out / 10 + blocks

    def block(self, kind):
        return kind == "BITS"

    def fills(self, kind):
        return 1.0

    def outside(self):
        return 0.125, 0.0625


def cell(kind, **connections):
    return {
        "type": kind,
        "connections": {
            port: bits if isinstance(bits, list) else [bits] for port, bits in connections.items()
        },
    }


def module(cells, **ports):
    found = {
        name: {"direction": way, "bits": bits if isinstance(bits, list) else [bits]}
        for name, (way, bits) in ports.items()
    }
    return {"ports": found, "cells": cells}


def analysed(modules, top="top") -> Analysis:
    return Analysis(flatten(modules, top, Toy()), Toy())


def test_a_way_by_hand():
    """FF - LUT - LUT - FF: the slower input counts, wires by fan-out, none before the near FF."""
    found = analysed(
        {
            "top": module(
                {
                    "a": cell("FF", D="x", Q=1),
                    "b": cell("LUT", A=1, B=1, Y=2),
                    "c": cell("LUT", A=2, B="1", Y=3),
                    "d": cell("FF", D=3, E=2, Q=4),
                }
            )
        }
    )
    # A net at two pins of a cell has two sinks.
    assert found.period == pytest.approx(0.5 + 0.2 + 2.0 + 0.2 + 1.0 + 0.25)
    path = found.worst(1, lambda name: "all")["all"]
    assert [(one.cell, one.kind) for one in path.pieces] == [
        ("a", "FF"),
        ("b", "LUT"),
        ("c", "LUT"),
        ("d", "FF"),
    ]
    assert [one.fan_out for one in path.pieces] == [0, 2, 2, 0]
    assert (path.ns, path.wires) == (pytest.approx(found.period), pytest.approx(0.4))


def test_instances_have_nets_of_their_own_and_share_those_at_their_ports():
    inner = module(
        {"ff": cell("FF", D=2, Q=3), "wide": cell("WIDE", A=[3, 3], Y=[4, 5])},
        d=("input", 2),
        y=("output", [4, 5]),
        through=("output", 2),
    )
    found = analysed(
        {
            "inner": inner,
            "top": module(
                {
                    "one": cell("inner", d=7, y=[8, 9], through=10),
                    "two": cell("inner", d=8, y=[11, 12]),
                    "end": cell("FF", D=10, E=12),
                },
                i=("input", 7),
                o=("output", 9),
            ),
        }
    )
    ends = {
        found.graph.name(int(cell))[0]: time
        for cell, time in zip(found.graph.captures.cell, found.needed, strict=True)
        if cell >= 0
    }
    # The input goes into the first instance and, through it, to the register behind: two sinks.
    assert ends["one.ff"] == pytest.approx(0.125 + 0.2 + 0.25)
    # Net 4 of the first instance goes to the second one's register.
    assert ends["two.ff"] == pytest.approx(0.5 + 0.2 + 5.0 + 0.1 + 0.25)
    assert max(ends["end"], found.period) == pytest.approx(0.5 + 0.2 + 5.0 + 0.1 + 0.75)
    outside = found.needed[found.graph.captures.cell == -1]
    assert outside == pytest.approx([0.5 + 0.2 + 5.0 + 0.1 + 0.0625])


def test_a_pin_may_be_a_bit():
    found = analysed(
        {
            "top": module(
                {
                    "a": cell("FF", Q=1),
                    "b": cell("BITS", A=[1, 1], Y=[2, 3]),
                    "c": cell("FF", D=2),
                    "d": cell("FF", D=3),
                }
            )
        }
    )
    way = 0.5 + (0.2 + 1) + 3.0 + (0.1 + 1) + 0.25  # BITS is a block: its wires are longer
    assert found.needed.tolist() == [-np.inf, pytest.approx(way)]


def test_what_cannot_be_analysed_is_refused():
    loop = {"top": module({"a": cell("LUT", A=1, Y=2), "b": cell("LUT", A=2, Y=1)})}
    with pytest.raises(ToolError, match="depends on itself: no register is"):
        analysed(loop)
    with pytest.raises(ToolError, match="the netlist of top holds CELL: no cell whose delays"):
        analysed({"top": module({"a": cell("CELL", A=1)})})
    with pytest.raises(ToolError, match="XCKU060 cannot be analysed: ernn has no delays of ultra"):
        delays(load_part("XCKU060"))


@settings(max_examples=200)
@given(st.data())
def test_the_longest_way_is_that_of_all_ways(data):
    """Random logic between registers, cut into modules at random or not at all."""
    count = data.draw(st.integers(1, 12))
    sources = {net: data.draw(st.integers(0, 3)) for net in range(4)}  # FFs drive nets 0 to 3
    luts = [
        tuple(data.draw(st.integers(0, 3 + index)) for _ in "AB") for index in range(count)
    ]  # LUT i drives net 4 + i
    ends = data.draw(st.lists(st.integers(0, 3 + count), min_size=1, max_size=4))
    wrapped = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    cells = {f"s{net}": cell("FF", D="x", Q=net + 1) for net in sources}
    for index, (a, b) in enumerate(luts):
        kind = "wrap" if wrapped[index] else "LUT"
        cells[f"l{index}"] = cell(kind, A=a + 1, B=b + 1, Y=index + 5)
    for index, net in enumerate(ends):
        cells[f"e{index}"] = cell("FF", D=net + 1)
    wrap = module(
        {"lut": cell("LUT", A=2, B=3, Y=4)}, A=("input", 2), B=("input", 3), Y=("output", 4)
    )
    found = analysed({"wrap": wrap, "top": module(cells)})
    sinks = [0] * (4 + count)
    for net in (*(net for pair in luts for net in pair), *ends):
        sinks[net] += 1

    @cache
    def arrival(net):
        if net < 4:
            return 0.5
        inputs = zip(luts[net - 4], (1.0, 2.0), strict=True)
        return max(arrival(one) + sinks[one] / 10 + time for one, time in inputs)

    expected = [arrival(net) + (0 if net >= 4 else sinks[net] / 10) + 0.25 for net in ends]
    assert found.period == pytest.approx(max(expected))
    path = found.worst(1, lambda name: "")[""]
    assert path.ns == pytest.approx(found.period)


def test_registers_of_a_multiplier_stop_the_way_through_it():
    library = Series7("artix-1")
    registers = {"AREG": 1, "BREG": 1, "MREG": 1, "PREG": 1}
    bits = {name: f"{value:032b}" for name, value in registers.items()}
    whole, open_ = library.cell("DSP48E1", bits), library.cell("DSP48E1", {})
    assert not [pins for pins in whole.arcs if pins[0] != "C"]
    assert (whole.captures["A"], whole.launches["P"]) == (0.362, 0.434)
    assert open_.arcs["A", "P"] == 3.841 and not open_.launches
    late = library.cell("DSP48E1", {"MREG": "1"})
    assert (late.captures["B"], late.launches["P"]) == (1.743, 2.305)


def test_grades_scale_all_times():
    slow, fast = delays(load_part("XC7Z020")), delays(load_part("XC7VX690T"))
    assert (slow.about, fast.about) == ("7-series, artix-1", "7-series, virtex-2")
    ratio = 0.732
    for kind in ("LUT6", "FDRE", "CARRY4", "RAM64M", "SRL16E", "RAMB36E1", "MUXF7"):
        one, other = slow.cell(kind, {}), fast.cell(kind, {})
        for mine, theirs in ((one.arcs, other.arcs), (one.launches, other.launches)):
            assert {key: ratio * time for key, time in mine.items()} == pytest.approx(theirs)
    sinks = np.array([1, 10, 1000])
    blocks = np.array([False, True, False])
    one, other = (library.wires(sinks, blocks, 1000) for library in (slow, fast))
    assert other == pytest.approx(ratio * one) and one[0] < one[2] < one[1]


def test_the_interval_holds_all_routed_designs():
    """benchmarks/timing_fit.py: a router's clock over the analysed one."""
    results = Path(__file__).parents[2] / "benchmarks" / "results" / "timing"
    found = [json.loads(path.read_text()) for path in results.glob("*.json")]
    assert found
    ratios = [one["routed_mhz"] / one["predicted_mhz"] for one in found]
    assert SPREAD[0] <= min(ratios) and max(ratios) <= SPREAD[1]
    page = (results.parents[2] / "docs" / "hardware.md").read_text()
    for one, ratio in zip(found, ratios, strict=True):
        assert f"| {one['routed_mhz']:.1f} | {ratio:.2f} |" in page, one["name"]


def clocks():
    """Return benchmarks/timing_layers.py as a module."""
    path = ROOT / "benchmarks" / "timing_layers.py"
    spec = importlib.util.spec_from_file_location("benchmark_clocks", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_page_shows_the_analysed_clocks():
    found = clocks()
    assert found.table() in found.PAGE.read_text()
    for path in found.RESULTS.glob("*.json"):
        one = json.loads(path.read_text())
        assert one["mhz"][0] > one["clock_mhz"], f"{one['title']} is slower than asked for"


def test_no_recipe_asks_for_more_than_the_sequencer_allows():
    """ernn/parts/speed.toml: the nanoseconds of the quickest sequencer, at the interval's end."""
    results = [json.loads(path.read_text()) for path in clocks().RESULTS.glob("*.json")]
    quickest = min(one["units"]["sequencer"][0] / slowness(one["grade"]) for one in results)
    mhz, _ = fastest(load_part("XC7Z020"))
    assert mhz == pytest.approx(1000 * SPREAD[1] / quickest, rel=0.02)
    assert fastest(load_part("XC7VX690T"))[0] == pytest.approx(mhz / slowness("virtex-2"), rel=0.01)
    assert fastest(load_part("XCKU060")) is None


def test_wires_grow_with_sinks_and_end_with_the_design():
    lengths = wire_lengths(np.array([1, 2, 50, 1, 10_000]), np.array([0, 0, 0, 1, 0], bool), 36)
    assert (np.diff(lengths[:3]) > 0).all() and lengths[3] > lengths[0] and lengths[-1] == 6
    table = [[0, 0.5], [1, 1.5], [6, 2.5]]
    assert delays_over(np.array([0, 0.5, 3.5, 9]), table).tolist() == [0.5, 1.0, 2.0, 2.5]


@pytest.mark.parametrize("part", ["XC7Z020", "LFE5U-85F"])
def test_every_cell_that_is_counted_has_delays(part):
    chip = load_part(part)
    backend = backend_of(chip)
    library = backend.delays_of(chip)
    latches = {"LDCE", "LDPE"}  # which ernn has none of
    missing = []
    for kind in backend.cells:
        try:
            library.cell(kind, {})
        except KeyError:
            missing.append(kind)
    assert set(missing) <= latches, missing
