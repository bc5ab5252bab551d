"""Counting a netlist: by group, by module and in total, the same cells."""

import json

import pytest

from ernn.backends.ecp5.synthesis import CELLS as ECP5
from ernn.backends.netlist import count
from ernn.backends.vivado.synthesis import CELLS as XC7
from ernn.errors import ToolError
from ernn.hw.cost import Resources
from ernn.run.netlist import plain_name, read_netlist

DELAY = "$paramod$4f3a\\ernn_delay"


def module(**cells: str) -> dict:
    return {"attributes": {}, "cells": {name: {"type": kind} for name, kind in cells.items()}}


def netlist() -> dict:
    """Two delays and a memory below the array, a delay in a queue, one LUT of the top's own."""
    return {
        "ernn_top": module(u_array="ernn_array", u_queue_zr="ernn_row_queue", lut="LUT6"),
        "ernn_array": module(u_rows=DELAY, u_operands=DELAY, ram="RAM32M", half="RAMB18E1"),
        "ernn_row_queue": module(u_ram=DELAY, dsp="DSP48E1", inv="INV", carry="CARRY4"),
        DELAY: module(a="FDRE", b="FDSE", c="SRL16E"),
        "FDRE": {"attributes": {"blackbox": "1"}, "cells": {}},
        "unused": module(x="$add"),
    }


def test_groups_modules_and_total_are_the_same_cells():
    found = count(netlist(), "ernn_top", XC7)
    assert found.total == Resources(dsp=1, bram36=0.5, lut=1 + 4 + 3, ff=6)
    assert found.groups == {
        "top": Resources(lut=1),
        "broadcast": Resources(bram36=0.5, lut=4),
        "rows": Resources(lut=1, ff=2),
        "operands": Resources(lut=1, ff=2),
        "queue_zr": Resources(dsp=1, lut=1, ff=2),
    }
    assert found.modules["ernn_delay"] == (3, Resources(lut=3, ff=6))
    assert sum(found.groups.values(), Resources()) == found.total
    assert sum((used for _, used in found.modules.values()), Resources()) == found.total


def test_a_cell_more_is_counted_in_every_instance():
    changed = netlist()
    changed[DELAY]["cells"]["d"] = {"type": "FDRE"}
    before, after = (count(one, "ernn_top", XC7).total for one in (netlist(), changed))
    assert after.ff == before.ff + 3


def test_ecp5_cells():
    cells = {"a": "LUT4", "b": "CCU2C", "c": "TRELLIS_DPR16X4", "d": "TRELLIS_FF", "e": "DP16KD"}
    found = count({"ernn_top": module(**cells, f="MULT18X18D", g="PFUMX")}, "ernn_top", ECP5)
    assert found.total == Resources(dsp=1, bram36=0.5, lut=7, ff=1)


@pytest.mark.parametrize("kind", ["$add", "FDXE", "missing_module"])
def test_what_is_not_known_is_refused(kind):
    with pytest.raises(ToolError, match=r"ernn_delay holds .* no cell that ernn counts"):
        count(netlist() | {DELAY: module(odd=kind)}, "ernn_top", XC7)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("ernn_top", "ernn_top"),
        ("\\ernn_top", "ernn_top"),
        ("$paramod$68c4ab\\ernn_ram", "ernn_ram"),
        ("$paramod\\ernn_rounds\\STREAMS=s32'00010", "ernn_rounds"),
    ],
)
def test_names_without_parameters(name, plain):
    assert plain_name(name) == plain


@pytest.mark.parametrize("text", ["", "{", "[]", '{"creator": "Yosys"}'])
def test_a_damaged_netlist(text, tmp_path):
    path = tmp_path / "netlist.json"
    path.write_text(text)
    with pytest.raises(ToolError, match="no netlist of Yosys"):
        read_netlist(path)
    path.write_text(json.dumps({"modules": {}}))
    assert read_netlist(path) == {}
