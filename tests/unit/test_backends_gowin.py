"""The flow for GW2A: what it writes for its tools, and what it refuses before they run."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ernn.backends.backend import backend_of
from ernn.backends.gowin import pll
from ernn.backends.gowin.build import build_gowin, constraints
from ernn.backends.netlist import count
from ernn.errors import PlanError
from ernn.hw.cost import Resources
from ernn.parts.board import boards
from ernn.parts.part import load_part

PART, BOARD = load_part("GW2AR-18"), boards()["tang_nano_20k"]
BACKEND = backend_of(PART)


@pytest.mark.parametrize("clock", [13.5, 27.0, 40.5, 51.0, 54.0, 60.0, 75.0, 99.0, 108.0])
def test_the_pll_makes_the_clock_within_its_limits(clock):
    found = pll.dividers(27.0, clock)
    made = 27.0 * found.multiply / found.divide
    assert made == pytest.approx(clock, rel=pll.WITHIN)
    assert 500 <= made * found.oscillator <= 1250
    assert 27.0 / found.divide >= 3
    text = pll.module(27.0, clock, "GW2AR-18C")
    told = {name: int(re.search(rf"\.{name}\((\d+)\)", text)[1]) for name in SELECTORS}
    assert 27.0 * (told["FBDIV_SEL"] + 1) / (told["IDIV_SEL"] + 1) == pytest.approx(made)
    assert told["ODIV_SEL"] == found.oscillator


SELECTORS = ("IDIV_SEL", "FBDIV_SEL", "ODIV_SEL")


@pytest.mark.parametrize("clock", [1.0, 50.0, 900.0])
def test_a_clock_that_the_pll_cannot_make_is_refused(clock):
    sentence = rf"makes \d+\.\d+ MHz of 27 MHz where {clock:g} are asked for; choose --clock-mhz"
    with pytest.raises(PlanError, match=sentence):
        pll.dividers(27.0, clock)


def test_every_port_of_the_shell_has_its_pin():
    lines = constraints(BOARD).splitlines()
    assert lines[0].startswith("// Tang Nano 20K: ")
    for port in ("clk_i", "reset_i", "rx_i", "tx_o", "high_o"):
        site = BOARD.pins[port].site
        assert f'IO_LOC "{port}" {site};' in lines
        assert any(line.startswith(f'IO_PORT "{port}" IO_TYPE=LVCMOS33') for line in lines)
    assert len({pin.site for pin in BOARD.pins.values()}) == len(BOARD.pins)


@pytest.mark.parametrize(
    ("part", "board", "sentence"),
    [
        (PART, "none", "nextpnr places a design for GW2AR-18 only with its pins; leave --board"),
        (PART, "ulx3s", "no board with GW2AR-18 is known as ulx3s"),
        (PART, "tang", "'tang' is not a known board; choose tang_nano_20k, ulx3s or none"),
        (replace(PART, name="GW2A-55"), "", "GW2A-55 is no GW2A that ernn routes; choose one"),
    ],
)
def test_what_it_cannot_build_is_refused_before_any_tool_runs(part, board, sentence):
    options = BACKEND.parse(part, {"board": board})
    with pytest.raises(PlanError, match=sentence):
        build_gowin(SimpleNamespace(part=part), options)


def test_cells():
    kinds = ["LUT4", "LUT1", "ALU", "MUX2_LUT5", "RAM16SDP4", "DFFRE", "DFF", "MULT18X18", "DPX9B"]
    cells = {f"u{number}": {"type": kind} for number, kind in enumerate(kinds)}
    found = count({"ernn_top": {"attributes": {}, "cells": cells}}, "ernn_top", BACKEND.cells)
    assert found.total == Resources(dsp=1, bram36=0.5, lut=1 + 1 + 1 + 4, ff=2)
