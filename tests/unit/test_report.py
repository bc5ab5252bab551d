"""The report: three files that say the same, for people, for screen readers and for programs."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from deadlines import each
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright
from report_example import SCHEDULE, example

from ernn.energy.published import load_published
from ernn.errors import ErnnError
from ernn.report.bars import Bar, Point, Row, bar_chart
from ernn.report.gantt import gantt
from ernn.report.marks import Origin
from ernn.report.plot import Band, Dot, Level, Panel, Series, plot
from ernn.report.render import format_number, load_report, write_report
from ernn.report.svg import axis_around
from ernn.tools import require

# By id: what a chart draws of `example`, by the class of its elements
CHARTS = {
    "accuracy-chart": {"rect.bar": 3, "line.whisker": 9},
    "blocks-chart": {"svg.shape": 5, "line.level": 1},
    "training-chart": {"polyline.line": 3, "rect.band": 1},
    "error-chart": {"svg.shape": 6},
    "front-chart": {"svg.shape": 12, "svg.chosen": 4},
    "resources-chart": {"rect.bar": 6},
    "schedule-chart": {"path.s0": 2, "path.s1": 1},
    "energy-chart": {"rect.bar": 9, "svg.derived": 7},
    "comparison-chart": {"rect.bar": 29},
}

NASTY = "<script>alert('x')</script>|`a`&\"b\""


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
    assert len(text) < 200_000


def test_page_is_built_for_people(folder: Path):
    page = Page((folder / "report.html").read_text())
    assert page.all("html")[0]["lang"] == "en"
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for link in each(page.all("a")):
        assert link["href"].removeprefix("#") in ids
    assert len(page.all("table")) == len(page.all("caption")) >= 9
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    charts = [attrs for attrs in page.all("svg") if attrs.get("class") == "chart"]
    assert len(charts) == len(CHARTS)
    for chart in each(charts):
        assert chart["role"] == "img"
        assert set(chart["aria-labelledby"].split()) <= set(ids)


def test_synthetic_speech_is_labelled(folder: Path, tmp_path: Path):
    for name in ("report.html", "report.md"):
        assert "SYNTHETIC speech" in (folder / name).read_text()
    report = example()
    timit = replace(report.accuracy.judged, data="TIMIT", notice="")
    real = replace(report, accuracy=replace(report.accuracy, judged=timit))
    write_report(real, tmp_path)
    assert "synthetic" not in (tmp_path / "report.html").read_text().lower()


def test_names_of_users_are_escaped(tmp_path: Path):
    report = example()
    origin = Origin("estimated", NASTY)
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
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [5, 11, 11]


def test_a_mismatch_cannot_be_overlooked(tmp_path: Path):
    report = example()
    assert report.passed
    wrong = replace(report, timing=replace(report.timing, mismatches=3))
    late = replace(report, timing=replace(report.timing, latency_cycles_simulated=242))
    empty = replace(report, timing=replace(report.timing, words_compared=0))
    bound = replace(report, accuracy=replace(report.accuracy, bound=0.5))
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
    broken = replace(report.accuracy.dense, value=float("nan"))
    with pytest.raises(ErnnError, match=r"accuracy\.dense\.value"):
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
        for name, content in each(CHARTS.items()):
            drawn = page.locator(f"svg[aria-labelledby^={name}]")
            assert drawn.is_visible() and 200 < drawn.bounding_box()["width"] <= width
            found = {kind: drawn.locator(kind).count() for kind in content}
            assert found == content, name
        for link in each(page.get_by_role("navigation").get_by_role("link").all()):
            link.click()
            assert page.locator(link.get_attribute("href")).is_visible()
        header = page.get_by_role("banner").bounding_box()
        assert width < 1280 or header["y"] + header["height"] <= 800
        assert page.get_by_role("heading", level=1).inner_text() == "quickstart"
        browser.close()
    assert not said
    assert loaded == [(folder / "report.html").as_uri()]


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=5), st.booleans())
def test_axes_hold_their_values(values, logarithmic):
    axis = axis_around(values, logarithmic)
    assert all(-1e-6 <= axis(value) <= 1 + 1e-6 for value in values)
    assert axis(axis.ticks[0]) == 0 and axis(axis.ticks[-1]) == pytest.approx(1)
    assert 2 <= len(axis.ticks) <= (13 if logarithmic else 8)


@given(st.text("<>&\"' |aé", max_size=20), st.floats(0.1, 1e6))
def test_charts_are_well_formed(text, value):
    bar = Bar(value, text, text, value / 2, value * 2, "estimated")
    rows = [Row(text, (bar,), (Point(value, "derived", text),)), Row(text, (), (Point(1, "step"),))]
    ElementTree.fromstring(bar_chart("a", text, text, rows, logarithmic=True))
    dots = (Dot(0.5, value, value / 2, value * 2, text, text, True), Dot(1, 2 * value))
    axis = axis_around([0, value])
    panel = Panel(text, axis, (Series(text, dots),), ((0.5, text),), text, (Level(1, text),), dots)
    ElementTree.fromstring(plot("b", text, text, [panel], [Band(text, 0.0, 0.5)]))


def test_the_schedule_is_drawn_cycle_by_cycle():
    root = ElementTree.fromstring(gantt(SCHEDULE))
    paths = {path.find("title").text: path for path in root.iter("path")}
    told = "layer0.zr, stream 1, frame 8: cycles 1,091 to 1,190, works in 98"
    assert paths[told].get("class") == "s1"
    assert paths[told].get("d") == "M91 4H191v5H91ZM91 0h60v13h-60ZM153 0h38v13h-38Z"
    (begun_before,) = [path for title, path in paths.items() if "cycles 990 to" in title]
    assert begun_before.get("d").startswith("M0 4H91")  # only what lies in the window


def test_figures_of_tools_have_their_mark_and_command(folder: Path):
    page, text = ((folder / f"report.{kind}").read_text() for kind in ("html", "md"))
    assert "| DSP of LFE5U-85F-6BG381C | 150 of 156, 96.2 % | routed | ernn build |" in text
    assert "| LUT of XC7VX690T | 58,210 of 433,200, 13.4 % | synthesized | ernn synth |" in text
    assert "13 % synthesized" in page and "nextpnr 0.11" in page
    for told in (page, text):
        assert "Left out: build-old/build.json is of plan 0123, this run has 4567." in told


def test_without_results_beside_it_the_report_says_how_to_get_them(tmp_path: Path):
    bare = replace(example(), blocks=None, front=None, working=None, builds=(), left_out=())
    page = write_report(bare, tmp_path).read_text()
    assert "<code>ernn search quickstart --bound 1.5 --part XC7VX690T</code>" in page
    assert "<code>ernn synth</code>" in page
    assert 'id="schedule"' not in page and "schedule-chart" not in page
    assert load_report(tmp_path / "report.json") == bare


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


def test_bars_of_values_below_zero_end_at_zero():
    rows = [Row(str(value), (Bar(value, "dense", "text"),)) for value in (-30.0, -3.0)]
    drawn = str(bar_chart("decibels", "title", "description", rows))
    places = re.findall(r'<rect x="([\d.]+)%" width="([\d.]+)%"', drawn)
    ends = [float(x) + float(width) for x, width in places]
    widths = [float(width) for _, width in places]
    assert ends == pytest.approx([100, 100]) and widths == pytest.approx([100, 10])
