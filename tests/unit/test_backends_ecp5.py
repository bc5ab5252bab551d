"""Registers that move into an ECP5's blocks, in netlists written by hand; their times."""

import json

import pytest

from ernn.backends.ecp5.registers import use_block_registers
from ernn.backends.ecp5.timing import Ecp5
from ernn.parts.part import load_part

CLOCK, OTHER_CLOCK, NEXT, OUT = 2, 3, 100, 500  # nets: clocks, the first of words, one that leaves


def flop(before, after, clock=CLOCK, **parameters):
    plain = {"CLKMUX": "CLK", "CEMUX": "1 ", "LSRMUX": "LSR", "REGSET": "RESET"}
    nets = {"CLK": clock, "DI": before, "LSR": "0", "Q": after}
    return cell("TRELLIS_FF", plain | parameters, nets, "Q")


def cell(kind, parameters, nets, *outputs):
    return {
        "type": kind,
        "parameters": parameters,
        "port_directions": {pin: "output" if pin in outputs else "input" for pin in nets},
        "connections": {pin: [net] for pin, net in nets.items()},
    }


def multiplier(first, second, product, bits=2):
    """Return a multiplier of narrow words, which begin at these nets; their signs are copied."""
    words = {"A": first, "B": second}
    nets = {
        f"{port}{bit}": net + min(bit, bits - 1) for port, net in words.items() for bit in range(18)
    }
    results = {f"P{bit}": product + bit for bit in range(36)}
    return cell("MULT18X18D", {}, nets | results, *results)


def registers(before, after, bits, **options):
    return {f"r{before + n}": flop(before + n, after + n, **options) for n in range(bits)}


def product(**options):
    """Return a multiplier of two bits by two between registers."""
    return {
        **registers(10, 20, 2),
        **registers(30, 40, 2, **options),
        "m": multiplier(20, 40, NEXT),
        **registers(NEXT, OUT, 4),
    }


def moved(tmp_path, cells, leaving=(OUT, OUT + 1, OUT + 2, OUT + 3)):
    """Return the cells of a module whose registers moved."""
    ports = {"out": {"direction": "output", "bits": list(leaving)}}
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": cells}}}))
    use_block_registers(path)
    return json.loads(path.read_text())["modules"]["top"]["cells"]


def clocks(found):
    return [found["parameters"].get(f"REG_{name}_CLK") for name in ("INPUTA", "INPUTB", "OUTPUT")]


def test_a_multiplier_takes_operands_and_product(tmp_path):
    found = moved(tmp_path, product())
    assert list(found) == ["m"]
    nets = found["m"]["connections"]
    assert clocks(found["m"]) == ["CLK0"] * 3
    assert [nets[pin] for pin in ("A0", "A1", "A17", "B0", "B17")] == [[10], [11], [11], [30], [31]]
    assert [nets[f"P{bit}"] for bit in range(4)] == [[OUT + bit] for bit in range(4)]
    assert (nets["CLK0"], nets["CE0"], nets["RST0"]) == ([CLOCK], ["1"], ["0"])


@pytest.mark.parametrize(
    "options",
    [{"clock": OTHER_CLOCK}, {"CEMUX": "CE"}, {"REGSET": "SET"}, {"LSRMUX": "INV"}],
    ids=str,
)
def test_operands_of_another_kind_stay(tmp_path, options):
    found = moved(tmp_path, product(**options))
    assert clocks(found["m"]) == [None, None, "CLK0"]
    assert set(found) == {"m", "r10", "r11", "r30", "r31"}


@pytest.mark.parametrize("reader", ["port", "logic"])
def test_operands_that_others_read_stay(tmp_path, reader):
    extra = {"l": cell("LUT4", {}, {"A": 20, "Z": 99}, "Z")} if reader == "logic" else {}
    leaving = (OUT, 20) if reader == "port" else (OUT,)
    found = moved(tmp_path, product() | extra, leaving)
    assert clocks(found["m"]) == [None, None, "CLK0"]


def test_two_multipliers_share_an_operand(tmp_path):
    """Its register goes where both have it."""
    cells = product() | registers(50, 60, 2) | {"n": multiplier(20, 60, 700)}
    found = moved(tmp_path, cells | registers(700, 800, 4), (OUT, 800))
    assert set(found) == {"m", "n"}
    assert found["n"]["connections"]["A0"] == found["m"]["connections"]["A0"] == [10]


def test_an_operand_stays_for_a_multiplier_that_cannot_take_it(tmp_path):
    cells = product() | registers(50, 60, 2, CEMUX="CE") | {"n": multiplier(20, 60, 700)}
    found = moved(tmp_path, cells, (OUT, 700))
    assert clocks(found["n"]) == [None] * 3
    assert found["n"]["connections"]["A0"] == [20]
    assert {"r10", "r11"} <= set(found)


@pytest.mark.parametrize(
    "extra",
    [
        {"s": flop(NEXT, 900)},  # two registers of one bit
        {"l": cell("LUT4", {}, {"A": NEXT + 1, "Z": 99}, "Z")},
        {f"r{NEXT}": flop(NEXT, OUT, clock=OTHER_CLOCK)},
    ],
    ids=["twice", "read", "clock"],
)
def test_products_that_more_than_registers_read_stay(tmp_path, extra):
    found = moved(tmp_path, product() | extra)
    assert clocks(found["m"]) == ["CLK0", "CLK0", None]


def ram(width, **pins):
    nets = {"CLKA": CLOCK, "CLKB": CLOCK, "RSTA": "0", "RSTB": "0", "OCEA": "0", "OCEB": "1"}
    outputs = {
        f"DO{side}{bit}": NEXT + 18 * (side == "B") + bit for side in "AB" for bit in range(18)
    }
    parameters = {"DATA_WIDTH_B": f"{width:032b}", "REGMODE_A": "NOREG", "REGMODE_B": "NOREG"}
    return cell("DP16KD", parameters, nets | outputs | pins, *outputs)


def modes(found):
    return found["r"]["parameters"]["REGMODE_A"], found["r"]["parameters"]["REGMODE_B"]


def test_a_block_ram_takes_a_wide_word(tmp_path):
    found = moved(tmp_path, {"r": ram(36)} | registers(NEXT, OUT, 30), range(OUT, OUT + 30))
    assert list(found) == ["r"]
    assert modes(found) == ("OUTREG", "OUTREG")
    nets = found["r"]["connections"]
    assert (nets["DOA17"], nets["DOB0"], nets["OCEA"], nets["OCEB"]) == ([517], [518], ["1"], ["1"])


def test_half_a_wide_word_is_none(tmp_path):
    leaving = (*range(OUT, OUT + 18), NEXT + 18)
    found = moved(tmp_path, {"r": ram(36)} | registers(NEXT, OUT, 18), leaving)
    assert modes(found) == ("NOREG", "NOREG")


def test_ports_of_narrow_words_are_by_themselves(tmp_path):
    cells = {"r": ram(18)} | registers(NEXT + 18, OUT, 18)
    assert modes(moved(tmp_path, cells, (OUT, NEXT))) == ("NOREG", "OUTREG")


def test_a_block_ram_with_reset_takes_no_word(tmp_path):
    found = moved(tmp_path, {"r": ram(18, RSTB=77)} | registers(NEXT + 18, OUT, 18))
    assert modes(found) == ("NOREG", "NOREG")


def test_times_of_blocks_follow_their_registers():
    library = Ecp5(load_part("LFE5U-85F"))

    def times(**parameters):
        found = library.cell("MULT18X18D", parameters)
        return found.arcs.get(("A0", "P0")), found.captures.get("B17"), found.launches.get("P35")

    assert times() == (3.927, None, None)
    assert times(REG_INPUTA_CLK="CLK0") == (None, 0.084, 3.864)
    assert times(REG_OUTPUT_CLK="CLK0") == (None, 3.486, 0.735)
    assert times(REG_INPUTA_CLK="CLK0", REG_OUTPUT_CLK="CLK0") == (None, 0.084, 0.735)
    words = library.cell("DP16KD", {"REGMODE_A": "NOREG", "REGMODE_B": "OUTREG"}).launches
    assert (words["DOA3"], words["DOB3"]) == (5.830, 0.973)
