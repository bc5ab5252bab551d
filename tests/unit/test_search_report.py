"""The report of a search: its numbers, its file, its page, and the chosen recipe as TOML."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright
from report_example import SPEECH

from ernn.errors import ErnnError
from ernn.recipe import Recipe
from ernn.recipe.toml import to_toml
from ernn.report.blocks import block_chart, places
from ernn.report.plot import Dot, Level, Series
from ernn.report.search_content import (
    FinalResult,
    Rate,
    SearchReport,
    SizeRow,
    TrialRow,
    load,
    save,
)
from ernn.report.search_page import to_html, to_markdown
from ernn.search.space import Point, variant
from ernn.tools import require


def trial(cell: str, block: int, wide: int, percent: float, step: int | None) -> TrialRow:
    rate = Rate(percent, percent - 1.5, percent + 1.4)
    loss = None if block == 1 else Rate(percent - 20, percent - 20.6, percent - 19.5)
    words = f"{cell.upper()} with blocks of {block}, of {wide} outside"
    return TrialRow(cell, block, wide, words, "it is next", rate, loss, 9000, 800, 61.0, step)


def example() -> SearchReport:
    blocks = (1, 2, 4, 8, 16, 32)
    sizes = tuple(
        SizeRow(
            k,
            200_000 // k,
            100 * (k.bit_length() - 1),
            300,
            90_000 // k,
            600 // k,
            2 <= k <= 16,
            "",
        )
        for k in blocks
    )
    trials = (
        trial("lstm", 1, 1, 20.0, 1),
        trial("lstm", 4, 4, 20.6, 2),
        trial("lstm", 16, 16, 22.5, 3),
        trial("lstm", 8, 8, 21.2, 4),
        trial("gru", 8, 8, 21.1, 5),
        trial("gru", 8, 16, 21.4, 6),
        trial("lstm", 2, 2, 20.2, None),
    )
    test = FinalResult(Rate(19.0, 17.0, 21.0), Rate(20.3, 18.2, 22.1), Rate(1.3, 0.2, 2.4))
    return SearchReport(
        recipe="example",
        seed=0,
        data_name="synthetic",
        about=SPEECH,
        version="1.0",
        study="example",
        storage="sqlite:///search.db",
        part="XC7Z020",
        memory_blocks=140,
        bound="a loss of 1.5 points against dense",
        limit=21.5,
        lower=2,
        why_lower="blocks of 2 need little",
        upper=16,
        why_upper="blocks of 32 save little",
        sizes=sizes,
        trials=trials,
        decisions=("First <this>.", "Then that."),
        chosen="GRU with blocks of 8",
        failure="",
        test=test,
    )


def test_the_file_round_trips(tmp_path):
    save(example(), tmp_path / "search.json")
    assert load(tmp_path / "search.json") == example()
    assert example().trainings == 6


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "ernn-search-1"}', "\x00"])
def test_a_foreign_file_is_refused(tmp_path, text):
    (tmp_path / "search.json").write_text(text)
    with pytest.raises(ErnnError, match="search"):
        load(tmp_path / "search.json")


def test_both_texts_tell_what_was_found():
    html, markdown = to_html(example()), to_markdown(example())
    for text in (html, markdown):
        assert "GRU with blocks of 8" in text
        assert "in 6 trainings" in text
        assert "blocks of 32 save little" in text
        assert "SYNTHETIC" in text
    assert "First &lt;this&gt;." in html
    assert html == to_html(example())


def test_a_search_without_a_result():
    report = replace(example(), chosen="", failure="no model is within it", test=None)
    for text in (to_html(report), to_markdown(report)):
        assert "Nothing meets the bound" in text
        assert "no model is within it" in text


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser(tmp_path: Path, scheme, width):
    """Nothing is loaded, nothing is complained about, and the page never scrolls sideways."""
    path, said, loaded = tmp_path / "search.html", [], []
    path.write_text(to_html(example()))
    with sync_playwright() as session:
        chromium = require("chromium").path
        browser = session.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: loaded.append(request.url))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.get_by_role("img").count() == 3
        browser.close()
    assert not said
    assert loaded == [path.as_uri()]


@given(st.text("<>&\"' aé", max_size=9), st.floats(0.1, 1e5))
def test_a_chart_is_well_formed(text, value):
    dots = (Dot(0.2, value, value / 2, value * 2, text), Dot(0.8, value))
    series, level = [Series("ours", dots)], Level(1.0, text)
    ElementTree.fromstring(block_chart("a", text, text, (1, 8), series, (1, 8), level, dots))


def test_the_path_is_drawn_in_its_order():
    across = places((1, 2, 4, 8))
    dots = tuple(Dot(across[block], value) for block, value in ((8, 3.0), (1, 1.0), (4, 2.0)))
    chart = block_chart("a", "t", "d", (1, 2, 4, 8), [Series("ours", dots)], path=dots)
    (path,) = [
        line
        for line in ElementTree.fromstring(chart).iter("polyline")
        if "path" in line.get("class")
    ]
    assert [point.split(",")[0] for point in path.get("points").split()] == [
        "875.0",
        "125.0",
        "625.0",
    ]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_recipe_round_trips_through_toml(cell):
    layers = [{"hidden": 32, "projection": 16}, {"hidden": 16}]
    told = {"name": "a", "model": {"cell": "lstm", "layers": layers}}
    recipe = Recipe.from_dict(told | {"corpus": {"kind": "timit", "path": 'C:\\"TIMIT" é'}})
    chosen = variant(recipe, Point(cell, 4, 8))
    text = to_toml(chosen.model_dump(mode="json", exclude_none=True))
    assert Recipe.from_dict(tomllib.loads(text)) == chosen
    assert json.dumps(tomllib.loads(text))  # plain values only
