"""The report: three files that say the same, for people, for screen readers and for programs."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from ernn.device import load_part
from ernn.energy.estimate import estimate_power
from ernn.energy.published import load_published
from ernn.errors import ErnnError
from ernn.report import content as c
from ernn.report.charts import Bar, Line, Row, bar_chart, line_chart, linear_axis, log_axis
from ernn.report.render import format_number, load_report, write_report
from ernn.tools import require

NASTY = "<script>alert('x')</script>|`a`&\"b\""


def example() -> c.Report:
    """Return a report of realistic size: GRU, 2 layers of 128, on real-looking numbers."""
    run = "ernn run quickstart.toml --out runs/quickstart"
    part = load_part("XC7VX690T")
    used = {"dsp": 704, "bram36": 146, "lut": 61_240, "ff": 48_310}
    power = estimate_power(part, 200.0, used)
    dense = [
        c.TrainingPoint("dense", 250 * n, 3.4 * 0.72**n + 0.6, None, 60 * 0.7**n + 22)
        for n in range(1, 7)
    ]
    admm = [
        c.TrainingPoint("ADMM", 1500 + 20 * n, 0.9 + 0.3 * 0.95**n, 41 * 0.94**n, None)
        for n in range(1, 76)
    ]
    retrain = [
        c.TrainingPoint("retraining", 3000 + 250 * n, 0.8 - 0.02 * n, 0.0, 28.1 - 0.4 * n)
        for n in range(1, 7)
    ]
    names = [("layer0.input", 384, 160), ("layer0.recurrent", 256, 128)]
    names += [("layer0.candidate", 128, 128), ("output", 48, 128)]
    return c.Report(
        recipe="quickstart",
        seed=7,
        model="GRU, 2 layers of 128 cells, block size 8",
        version="0.1.0",
        machine="Linux x86_64, 2 cores, Python 3.11",
        simulator="Verilator 5.048",
        accuracy=c.Accuracy(
            corpus="synthetic",
            speakers=24,
            utterances=118,
            phones=4302,
            dense=c.ErrorRate("dense", 22.53, 20.4, 25.6),
            compressed=c.ErrorRate("compressed", 26.55, 24.1, 29.2),
            integer=c.ErrorRate("integer", 26.61, 24.2, 29.3),
            changes=(
                c.Change("compressed", "dense", 4.02, 3.1, 4.9),
                c.Change("integer", "compressed", 0.06, -0.05, 0.17),
            ),
            origin=c.Origin("measured", f"{run} --step quantize"),
        ),
        compression=c.Compression(
            208_896,
            27_136,
            tuple(c.MatrixSize(n, r, q, 8, r * q // 8) for n, r, q in names),
            c.Origin("measured", "ernn compress"),
        ),
        training=c.Training(
            (*dense, *admm, *retrain), c.Origin("measured", "ernn train; ernn compress")
        ),
        numbers=c.Numbers(
            12,
            12,
            (
                c.SignalFormat("features", "Q3.8", 0.00113, 0.00195),
                c.SignalFormat("layer0.state", "Q0.15", 0.0021, 0.0172),
            ),
            c.Origin("measured", "ernn quantize"),
        ),
        plan=c.Plan(
            part=part.name,
            clock_mhz=200.0,
            pes=64,
            column_split=2,
            drain_lanes=2,
            cell_lanes=16,
            streams=2,
            resources=tuple(
                c.Resource(name.upper(), count, getattr(part, name)) for name, count in used.items()
            ),
            origin=c.Origin("estimated", "ernn plan"),
        ),
        timing=c.Timing(93, 93, 241, 241, 100, 12_800, 0, c.Origin("simulated", "ernn simulate")),
        energy=c.Energy(power.chip_w, power.card_w, c.Origin("estimated", "ernn report")),
    )


class Page(HTMLParser):
    """What the tests want to know of a page."""

    void = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.values: set[float] = set()
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag == "data":
            self.values.add(float(known["value"]))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def all(self, tag: str) -> list[dict]:
        return [attrs for name, attrs in self.tags if name == tag]


def numbers(data, path=""):
    """Yield every number of a JSON tree with its path."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from numbers(value, f"{path}.{key}")
    elif isinstance(data, list):
        for value in data:
            yield from numbers(value, path)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield path, float(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report")
    write_report(example(), path)
    return path


def test_every_number_of_the_json_is_on_the_page(folder: Path):
    data = json.loads((folder / "report.json").read_text())
    shown = Page((folder / "report.html").read_text()).values
    missing = {path for path, value in numbers(data) if value not in shown}
    assert missing == {".report.seed"}  # shown as text


def test_json_reads_back(folder: Path):
    assert load_report(folder / "report.json") == example()


def test_written_again_from_json(folder: Path, tmp_path: Path):
    write_report(load_report(folder / "report.json"), tmp_path)
    assert (tmp_path / "report.json").read_bytes() == (folder / "report.json").read_bytes()


def test_same_report_same_bytes(folder: Path, tmp_path: Path):
    write_report(example(), tmp_path)
    for name in ("report.json", "report.md", "report.html"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert len(list(tmp_path.iterdir())) == 3


def test_page_loads_nothing_and_runs_nothing(folder: Path):
    text = (folder / "report.html").read_text()
    page = Page(text)
    assert not page.all("script")
    loads = [a.get("src") or a.get("href") or "" for _, a in page.tags]
    assert not [link for link in loads if link and not link.startswith(("#", "data:"))]
    assert not re.search(r"url\(|@import|https?:", text)
    assert len(text) < 150_000


def test_page_is_built_for_people(folder: Path):
    page = Page((folder / "report.html").read_text())
    assert page.all("html")[0]["lang"] == "en"
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"].removeprefix("#") in ids
    assert len(page.all("table")) == len(page.all("caption")) >= 9
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    charts = [attrs for attrs in page.all("svg") if attrs.get("class") == "chart"]
    assert len(charts) == 4
    for chart in charts:
        assert chart["role"] == "img"
        assert set(chart["aria-labelledby"].split()) <= set(ids)


def test_synthetic_speech_is_labelled(folder: Path, tmp_path: Path):
    for name in ("report.html", "report.md"):
        assert "SYNTHETIC speech" in (folder / name).read_text()
    report = example()
    real = replace(report, accuracy=replace(report.accuracy, corpus="timit"))
    write_report(real, tmp_path)
    assert "synthetic" not in (tmp_path / "report.html").read_text().lower()


def test_names_of_users_are_escaped(tmp_path: Path):
    report = example()
    origin = c.Origin("estimated", NASTY)
    resources = (replace(report.plan.resources[0], name=NASTY),)
    plan = replace(report.plan, part=NASTY, origin=origin, resources=resources)
    points = (replace(report.training.points[0], phase=NASTY),)
    training = replace(report.training, points=points)
    nasty = replace(report, recipe=NASTY, model=NASTY, plan=plan, training=training)
    write_report(nasty, tmp_path)
    page = Page((tmp_path / "report.html").read_text())
    assert not page.all("script")
    markdown = (tmp_path / "report.md").read_text()
    assert "<script" not in markdown.replace("\\<", "")
    rows = [line for line in markdown.splitlines() if line.startswith("| \\<script")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [4, 10, 10]


def test_a_mismatch_cannot_be_overlooked(tmp_path: Path):
    report = example()
    assert report.passed
    wrong = replace(report, timing=replace(report.timing, mismatches=3))
    late = replace(report, timing=replace(report.timing, latency_cycles_simulated=242))
    empty = replace(report, timing=replace(report.timing, words_compared=0))
    bound = replace(report, accuracy=replace(report.accuracy, bound_points=0.5))
    for bad, words in (
        (wrong, "Not bit-exact"),
        (empty, "Not bit-exact"),
        (late, "differ from"),
        (bound, "Accuracy bound not met"),
    ):
        assert not bad.passed
        write_report(bad, tmp_path)
        assert words in (tmp_path / "report.html").read_text()


def test_derived_figures():
    report = example()
    assert report.frames_per_second == 200e6 / 93
    assert report.latency_us == 1.205
    assert report.frames_per_second_single == 1e6 / 1.205
    energy = report.energy_uj_per_frame
    assert energy.typical == pytest.approx(report.energy.chip_w.typical * 93 / 200)
    assert energy.low < energy.typical < energy.high
    assert report.busiest.name == "DSP"


def test_scaled_column_only_where_the_layer_differs(tmp_path: Path):
    report = example()
    benchmark = load_published().dense_macs_per_frame["lstm"]
    figures = load_published()
    only_lstm = replace(
        figures, designs=tuple(one for one in figures.designs if one.cell == "lstm")
    )
    same = replace(report, compression=replace(report.compression, dense_parameters=benchmark))
    write_report(same, tmp_path, only_lstm)
    assert "Scaled to this model" not in (tmp_path / "report.html").read_text()
    write_report(report, tmp_path, only_lstm)
    assert "Scaled to this model" in (tmp_path / "report.html").read_text()


def test_numbers_that_cannot_be_are_refused(tmp_path: Path):
    report = example()
    broken = replace(report.accuracy.dense, percent=float("nan"))
    with pytest.raises(ErnnError, match=r"accuracy\.dense\.percent"):
        write_report(replace(report, accuracy=replace(report.accuracy, dense=broken)), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "ernn-report-1"}', "\x00"])
def test_foreign_json_is_refused(tmp_path: Path, text):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(ErnnError, match="report"):
        load_report(path)


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser(folder: Path, scheme, width):
    """Nothing is loaded, nothing is complained about, and the page never scrolls sideways."""
    said, loaded = [], []
    with sync_playwright() as session:
        chromium = require("chromium").path
        browser = session.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: loaded.append(request.url))
        page.goto((folder / "report.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.get_by_role("img").count() == 4
        assert page.get_by_role("heading", level=1).inner_text() == "quickstart"
        browser.close()
    assert not said
    assert loaded == [(folder / "report.html").as_uri()]


@given(st.floats(1e-9, 1e9))
def test_axes_hold_their_values(value):
    for axis, ticks in (linear_axis(value), log_axis([value])):
        assert -1e-6 <= axis(value) <= 100 + 1e-6
        assert axis(ticks[-1]) == pytest.approx(100)
        assert 2 <= len(ticks) <= 8


@given(st.text("<>&\"' |aé", max_size=20), st.floats(0.1, 1e6))
def test_charts_are_well_formed(text, value):
    rows = [Row(text, (Bar(value, text, text, value / 2, value * 2),), marker=value)]
    ElementTree.fromstring(bar_chart("a", text, text, rows, logarithmic=True))
    line = Line(text, ((1.0, value), (2.0, 0.0)))
    ElementTree.fromstring(line_chart("b", text, text, [line], [(text, 0.0, 2.0)]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (966184, "966,184"),
        (0.0123456, "0.0123"),
        (1.205, "1.21"),
        (-0.5, "\N{MINUS SIGN}0.500"),
    ],
)
def test_format_number(value, text):
    assert format_number(value) == text
