"""The tables of the benchmarks show what `ernn bench` left in benchmarks/results."""

import json
from pathlib import Path

import pytest

from ernn.flow.suites import load_rows
from ernn.report.suites import markdown
from ernn.suites.suite import load_suite

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
LAYERS = sorted((RESULTS / "layers").glob("*.json"))
ROWS = [json.loads(path.read_text())["row"] for path in LAYERS if "tiles" not in path.name]
README, HARDWARE = ((ROOT / page).read_text() for page in ("README.md", "docs/hardware.md"))
TILES = [json.loads(path.read_text())["row"] for path in LAYERS if "tiles" in path.name]
by_name = {"ids": lambda row: f"{row['layer']} on {row['part']}"}


def multipliers(run) -> str:
    return f"{run['dsp']:,}" + (f" + {run['logic_multipliers']:,}" * bool(run["logic_multipliers"]))


def mark(row):
    simulated = all(row[kind]["words_compared"] for kind in ("busy", "alone"))
    return "simulated" if simulated else "planned"


@pytest.mark.parametrize("row", ROWS, **by_name)
def test_a_row_is_as_planned(row):
    for run in (row["busy"], row["alone"]):
        assert run["cycles_simulated"] in (run["cycles_planned"], None)
        assert (run["words_compared"] > 0) == (run["cycles_simulated"] is not None)


@pytest.mark.parametrize("row", ROWS, **by_name)
def test_the_benchmark_of_the_hardware_page(row):
    busy, alone, published, derived = (
        row[key] for key in ("busy", "alone", "published", "derived")
    )
    cells = (
        *(row["layer"], row["part"], busy["streams"], f"{busy['cycles_planned']:g}"),
        *(f"{derived['frames_per_second']:,.0f}", f"{published['frames_per_second']:,.0f}"),
        *(f"{derived['frames_per_second_ratio']:.1f}", f"{alone['cycles_planned']:g}"),
        *(f"{derived['latency_us']:.3f}", f"{published['latency_us']:g}"),
        *(f"{derived['latency_ratio']:.1f}", f"{multipliers(busy)} of {row['part_dsp']:,}"),
        f"{100 * derived['roofline_share']:.0f} %",
        "met" if all(one["met"] for one in derived["verdicts"]) else "MISSED",
        mark(row),
    )
    assert f"| {' | '.join(map(str, cells))} |" in HARDWARE


@pytest.mark.parametrize("row", [row for row in ROWS if row["part"] == "XC7VX690T"], **by_name)
def test_the_table_of_the_readme(row):
    busy, published, derived = row["busy"], row["published"], row["derived"]
    cells = (
        row["layer"],
        f"{derived['frames_per_second']:,.0f} ({busy['streams']} streams)",
        f"{published['frames_per_second']:,.0f}",
        f"{derived['latency_us']:.3f} µs",
        f"{published['latency_us']:g} µs",
    )
    assert f"| {' | '.join(cells)} | {mark(row)} |" in README


@pytest.mark.parametrize("row", TILES, **by_name)
def test_the_tiles_of_the_hardware_page(row):
    busy, alone, derived = (row[key] for key in ("busy", "alone", "derived"))
    cells = (
        *(f"{busy['cycles_planned']:g}", f"{derived['frames_per_second']:,.0f}"),
        *(f"{alone['cycles_planned']:g}", f"{derived['latency_us']:.3f}", multipliers(busy)),
        *(f"{busy['bram36']:,}", f"{busy['lut']:,}", mark(row)),
    )
    assert f"| {' | '.join(cells)} |" in HARDWARE


SUITES = [load_suite(name) for name in ("stac", "vollo", "real")]
ROWS_OF_SUITES = [
    row for suite in SUITES for row in load_rows(suite, RESULTS / "suites").values() if row.alone
]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_the_tables_of_the_suites(suite):
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    for block in markdown(suite, load_rows(suite, RESULTS / "suites")).strip().split("\n\n"):
        assert block in page


@pytest.mark.parametrize("row", ROWS_OF_SUITES, ids=lambda row: row.name)
def test_a_row_of_a_suite_is_as_planned(row):
    for one in (row.alone, row.busy):
        assert one.cycles_simulated in (one.cycles_planned, None)
        assert (one.words_compared > 0) == (row.mark == "simulated")


def test_every_file_is_a_row_of_a_suite():
    known = {f"{case.name}.json" for suite in SUITES for case in suite.cases}
    assert {path.name for path in (RESULTS / "suites").iterdir()} <= known
