"""The page of the structures shows what benchmarks/structures.py prints."""

import importlib.util
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from ernn.score import PER, Score

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench(monkeypatch):
    """Return benchmarks/structures.py as a module."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("front", ROOT / "benchmarks" / "structures.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "front", module)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_the_results(bench):
    page = (ROOT / "docs" / "structures.md").read_text()
    shown = page.partition("<!-- table -->\n")[2].partition("\n<!-- /table -->")[0]
    assert shown == "\n".join(bench.table())
    assert bench.CHART.read_text() == bench.chart(list(map(bench.load, bench.FORMS)))


def test_a_form_that_has_not_run_says_so(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    rows = "\n".join(bench.table()).splitlines()[2:]
    assert len(rows) == len(bench.FORMS)
    assert all(bench.MISSING in row for row in rows)
    ET.fromstring(bench.chart([bench.load(form) for form in bench.FORMS]))


def test_rows_are_pooled_over_their_seeds_and_compared_in_pairs(bench, monkeypatch):
    def score(errors):
        figures = {name: np.zeros(20) for name in PER.counted}
        figures |= {"substitutions": np.full(20, errors), "phones": np.full(20, 100)}
        return Score(PER, tuple(map(str, range(20))), figures)

    made = {
        bench.SIXTEEN: bench.Row(bench.SIXTEEN, 20000, 19000, {0: score(20), 1: score(22)}),
        bench.FORMS[1]: bench.Row(bench.FORMS[1], 21000, 18000, {0: score(19)}),
    }
    monkeypatch.setattr(bench, "load", lambda form: made.get(form, bench.Row(form)))
    rows = list(bench.table())[1:]
    name = bench.FORMS[1].name
    assert rows[0] == f"| {name} | 21,000 | 216 | 19.00 | 19.00 | -1.00 [-1.00, -1.00] |"
    assert rows[1] == "| blocks of 16 | 20,000 | 228 | 21.00 | 20.00, 22.00 |  |"
    drawn = ET.fromstring(bench.chart(list(made.values())))
    assert sum(one.tag.endswith("title") for one in drawn.iter()) == 4
