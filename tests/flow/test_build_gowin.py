"""ernn build for a GW2A on the Tang Nano 20K: a real bitstream of a small design."""

import re

import pytest
from loops import loop_folder

from ernn.backends.build_result import BuildResult
from ernn.errors import PlanError
from ernn.flow.build import build
from ernn.hdl.project import open_project

CLOCK = 54.0  # twice the board's, so that there is a PLL


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """A project whose top was replaced."""
    return loop_folder(tmp_path_factory.mktemp("loop") / "run", "GW2AR-18", CLOCK)


@pytest.mark.needs("yosys", "nextpnr-himbaechel-gowin", "gowin_pack")
def test_a_bitstream_with_its_figures(loop):
    told = []
    result = build(loop, force=True, seeds=1, say=told.append)
    place = loop / "build-gw2ar-18"
    assert BuildResult.load(place) == result
    assert result.part == "GW2AR-LV18QN88C8/I7" and result.top == "ernn_board"
    assert result.command == f"ernn build {loop} --part GW2AR-18 --seeds 1 --force"
    assert result.plan == open_project(loop, force=True).plan.digest
    assert result.met and result.fmax_mhz > CLOCK
    there = {"dsp": 48, "bsram": 46, "lut": 20736, "alu": 15552, "ram16": 648, "ff": 15552}
    assert result.available == there
    assert 0 < result.used["dsp"] < 4 and 300 < result.used["ff"] < 2000
    assert all((place / file).is_file() for file in result.files.values())
    # A line of ones and zeros a frame of the chip, behind a header that names it
    frames = (place / "ernn_board.fs").read_text().splitlines()
    assert len(frames) > 1000 and all(re.fullmatch("[01]*", line) for line in frames[-1000:])
    assert 'IO_LOC "clk_i" 4;' in (place / "board" / "ernn_board.cst").read_text()
    assert ".FBDIV_SEL(1)" in (place / "board" / "ernn_pll.v").read_text()
    assert "54 MHz were asked for: met" in "\n".join(told)
    assert not place.with_name(place.name + ".part").exists()


@pytest.mark.needs("yosys", "nextpnr-himbaechel-gowin", "gowin_pack")
def test_a_clock_that_no_pll_makes_is_refused_before_synthesis(loop, tmp_path):
    with pytest.raises(PlanError, match=r"the PLL makes .* choose --clock-mhz so that it can"):
        build(loop, force=True, out=tmp_path / "out", clock_mhz=50.0)
    assert not (tmp_path / "out").exists()
    assert not list((tmp_path / "out.part").glob("synth.*"))
