"""Reading Vivado's reports: numbers of two versions and families, and what is refused."""

from pathlib import Path

import pytest

from ernn.backends.vivado.reports import open_report, power, require_of, timing, utilization
from ernn.errors import ToolError

SAMPLES = Path(__file__).parents[1] / "reports"
PARTS = {"2023.2": "xc7vx690tffg1761-2", "2019.1": "xcku060-ffva1156-2-e"}
NAMES = ("utilization", "timing_summary", "power")
READ = {"utilization": utilization, "timing_summary": timing, "power": power}


def sample(name, version="2023.2"):
    return SAMPLES / version / f"{name}.rpt"


def changed(tmp_path, name, old, new, version="2023.2"):
    text = sample(name, version).read_text()
    assert old in text
    (tmp_path / f"{name}.rpt").write_text(text.replace(old, new))
    return open_report(tmp_path / f"{name}.rpt")


@pytest.mark.parametrize("version", PARTS)
@pytest.mark.parametrize("name", NAMES)
def test_the_header_says_what_a_report_is_of(version, name):
    report = open_report(sample(name, version))
    assert (report.version, report.design) == (version, "ernn_top")
    require_of(report, version, "ernn_top", PARTS[version])


def test_utilization():
    used, available = utilization(open_report(sample("utilization")))
    assert used == {"lut": 41236, "ff": 24810, "bram36": 44, "dsp": 212}
    assert available == {"lut": 433200, "ff": 866400, "bram36": 1470, "dsp": 3600}
    used, available = utilization(open_report(sample("utilization", "2019.1")))
    assert used == {"lut": 187401, "ff": 201877, "bram36": 322.5, "dsp": 2648}
    assert available["dsp"] == 2760


def test_timing():
    found = timing(open_report(sample("timing_summary")))
    assert (found.wns_ns, found.tns_ns, found.whs_ns) == (0.187, 0.0, 0.041)
    assert found.fmax_mhz == pytest.approx(1000 / (5.0 - 0.187))
    assert found.slowest[1] == "Source: u_array/u_rows/lane_q_reg[0]/C"
    missed = timing(open_report(sample("timing_summary", "2019.1")))
    assert missed.wns_ns == -0.412 and missed.tns_ns == -1894.23
    assert missed.fmax_mhz == pytest.approx(1000 / 5.412)


def test_power():
    found = power(open_report(sample("power")))
    assert (found.total_w, found.dynamic_w, found.static_w) == (1.972, 1.594, 0.378)
    assert found.confidence == "High" and found.nets_matched.startswith("91%")
    hot = power(open_report(sample("power", "2019.1")))  # with a remark behind the number
    assert hot.total_w == 31.318 and hot.nets_matched == "NA"


@pytest.mark.parametrize(
    ("version", "design", "part", "told"),
    [
        ("2022.1", "ernn_top", PARTS["2023.2"], "is of Vivado 2023.2, and this build of 2022.1"),
        ("2023.2", "board", PARTS["2023.2"], "is of design 'ernn_top', and this build of 'board'"),
        ("2023.2", "ernn_top", "xc7vx690tffg1157-2", "is of device .*7vx690t-?ffg1761"),
        ("2023.2", "ernn_top", "xc7k325tffg900-2", "and this build of xc7k325tffg900-2"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_report_of_something_else(name, version, design, part, told):
    with pytest.raises(ToolError, match=told):
        require_of(open_report(sample(name)), version, design, part)


def test_a_design_that_is_not_routed(tmp_path):
    report = changed(tmp_path, "utilization", "Fully Routed", "Fully Placed")
    with pytest.raises(ToolError, match="is of a design that is fully placed"):
        require_of(report, "2023.2", "ernn_top", PARTS["2023.2"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        ("", "is no report of Vivado"),
        ("| Tool Version : Quartus 23.1\n| Design : a\n| Device : b\n", "is no report of Vivado"),
        ("| Tool Version : Vivado v.2014.4 (lin64)\n| Design : a\n| Device : b\n", "does not know"),
    ],
)
def test_no_report(tmp_path, text, told):
    path = tmp_path / "power.rpt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ToolError, match=told):
        open_report(path)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("utilization", "| DSPs ", "| Math ", "has no row DSPs"),
        ("utilization", "Slice LUTs", "ALMs", "has no row Slice LUTs or CLB LUTs"),
        ("utilization", "| 41236 |", "|     ? |", "says '\\?' for Slice LUTs"),
        ("utilization", "Used", "Placed", "says '' for"),
        ("timing_summary", "Design Timing Summary", "Timing", "no summary of its timing"),
        ("timing_summary", "WNS(ns)", "WNS(ps)", "no summary of its timing"),
        ("timing_summary", "  0.187     ", "     NA     ", "no constrained path"),
        ("timing_summary", "Max Delay Paths", "Paths", "does not show the slowest path"),
        ("power", "Total On-Chip Power (W)", "Total Power (mW)     ", "says '' for Total On-Chip"),
        ("power", "| 1.594  ", "| NA     ", "says 'NA' for Dynamic"),
    ],
)
def test_another_layout_is_refused(tmp_path, name, old, new, told):
    report = changed(tmp_path, name, old, new)
    with pytest.raises(ToolError, match=told) as caught:
        READ[name](report)
    assert "\n" not in str(caught.value)
