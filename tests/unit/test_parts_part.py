"""Parts: shipped data, look-up by name and by file, and refusals."""

from pathlib import Path

import pytest

from ernn.errors import PlanError
from ernn.parts.part import load_part, part_names

OWN = """
name = "MY-FPGA"
family = "7-series"
node_nm = 28
dsp = 10
bram36 = 20
lut = 3000
ff = 6000
source = "my data sheet"
"""
FORMER = """
name = "MY-FPGA"
vendor = "me"
family = "mine"
node_nm = 28
dsp = 10
bram36 = 20
lut = 3000
lut_inputs = 6
ff = 6000
dsp_a_bits = 25
dsp_b_bits = 18
dsp_acc_bits = 48
source = "my data sheet"
vivado = "my-fpga-1"
"""


@pytest.mark.parametrize("name", part_names())
def test_shipped_part(name):
    part = load_part(name.lower())
    assert part.name == name
    assert part.memory_kbit == 36 * part.bram36
    assert part.lut > 0 and part.ff > 0
    assert part.source


def test_published_boards():
    """The two boards of the published designs, as in the papers' tables."""
    virtex, kintex = load_part("XC7VX690T"), load_part("xcku060")
    assert (virtex.dsp, virtex.bram36, virtex.lut, virtex.ff) == (3600, 1470, 433200, 866400)
    assert (kintex.dsp, kintex.bram36, kintex.lut, kintex.ff) == (2760, 1080, 331680, 663360)
    assert (virtex.node_nm, kintex.node_nm) == (28, 20)
    assert round(virtex.memory_kbit / 1000, 1) == 52.9


def test_unknown_part_names_the_close_and_the_known():
    with pytest.raises(PlanError, match=r"did you mean XC7VX690T\?.*LFE5U-85F.*XCU250"):
        load_part("xc7vx690")
    with pytest.raises(PlanError) as told:
        load_part("../../etc/passwd")
    assert told.value.fault.what == "'../../etc/passwd' is not a known part"
    assert told.value.fault.remedy.startswith("choose one of ")
    with pytest.raises(PlanError, match="'ULX3S' is not a known part"):  # a board, no part
        load_part("ULX3S")


def test_own_part(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    part = load_part(str(path))
    assert (part.name, part.family.name, part.full_name) == ("MY-FPGA", "7-series", "")


def test_own_part_of_an_own_family(tmp_path: Path):
    """The path of the family starts at the part's folder, not at the current one."""
    (tmp_path / "fabric.toml").write_text('name = "fabric"\nlike = "ecp5"\nlut_inputs = 5\n')
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace("7-series", "fabric.toml"))
    assert load_part(str(path)).family.lut_inputs == 5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dsp = 10", "dsp = -1", "dsp: .*greater than or equal to 0"),
        ("dsp = 10", 'dsp = "10"', "dsp: .*valid integer"),
        ("dsp = 10", "", "dsp: missing"),
        ("dsp = 10", "dsp = 10\nprice = 3", "price: not a known key"),
        ("dsp = 10", "dsp = ", "cannot be read"),
        ("7-series", "8-series", "'8-series' is not a known family .*7-series, ecp5.*ultrascale"),
        ('"7-series"', "7", "family: "),
    ],
)
def test_bad_part_is_refused(tmp_path: Path, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace(old, new))
    with pytest.raises(PlanError, match=message):
        load_part(str(path))


def test_a_part_file_of_a_former_ernn_is_told_what_to_write(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(FORMER)
    sentence = (
        "take out vendor, lut_inputs, dsp_a_bits, dsp_b_bits, dsp_acc_bits, which its family says "
        "now, and write family = one of 7-series, .*write `vivado` as `full_name`"
    )
    with pytest.raises(PlanError, match=sentence):
        load_part(str(path))


def test_missing_part_file(tmp_path: Path):
    with pytest.raises(PlanError, match="cannot be read"):
        load_part(str(tmp_path / "none.toml"))
