"""docs/energy.md shows what benchmarks/ese.py prints."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "energy.md").read_text()


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("benchmark_ese", ROOT / "benchmarks" / "ese.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "benchmark_ese", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["published_layer", "crossbar_table", "table"])
def test_the_tables_of_ese(benchmark, name):
    lines = [line for line in getattr(benchmark, name)() if line.startswith("|")]
    assert "\n".join(lines) in PAGE
