"""The benchmark on a small stand-in layer, through the real simulator."""

import json
from dataclasses import replace

import pytest

from ernn.errors import MismatchError
from ernn.flow import bench, measure
from ernn.flow.bench import Benchmark, Layer, run
from ernn.report.bench import Target

pytestmark = pytest.mark.needs("verilator", "espeak-ng")

SMALL = Benchmark(
    layers=(Layer("small", "lstm", 4, hidden=16, projection=8),),
    boards=("XC7A35T",),
    streams=(2, 3),
    frames=20,
)


@pytest.fixture
def out(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "OTHERWISE", Target(frames_per_second=1.0))
    return tmp_path / "bench"


def test_a_small_layer_is_planned_simulated_and_told(out):
    told: list[str] = []
    [row] = run(SMALL, out, say=told.append)
    assert row.busy.streams == 2  # enough for the target
    assert row.busy.cycles_simulated == row.busy.cycles_planned
    assert row.alone.cycles_simulated == row.alone.cycles_planned
    assert (row.busy.frames, row.alone.frames) == (40, 20)
    assert row.busy.words_compared > 0 and row.alone.words_compared > 0
    assert row.published is None
    results = json.loads((out / "results.json").read_text())
    assert results["rows"][0]["derived"]["verdicts"] == [{"words": ">= 1 frames/s", "met": True}]
    table = (out / "table.md").read_text()
    assert "| LSTM 16/8, k = 4 | XC7A35T" in table and "weights are random (seed 0)" in table
    assert table.splitlines()[-3] in "\n".join(told)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(measure, "simulate", None)  # the same Verilog is not simulated again
        assert run(SMALL, out, say=told.append) == [row]
        [planned] = run(replace(SMALL, simulated=False), out, say=told.append)
        assert planned == row
    for kept in out.glob("results/*.json"):
        kept.write_text(kept.read_text().replace(row.busy.rtl, "of other Verilog"))

    keys = {path: path.stat().st_mtime_ns for path in out.rglob("build.key")}
    assert len(keys) in (1, 2)  # one where no accelerator has a shorter latency than the first
    for manifest in out.rglob("manifest.json"):
        manifest.unlink()  # as if interrupted while writing a project
    assert run(SMALL, out, say=told.append) == [row]
    assert {path: path.stat().st_mtime_ns for path in out.rglob("build.key")} == keys

    with pytest.MonkeyPatch.context() as patched:
        real = measure.simulate
        patched.setattr(
            measure, "simulate", lambda *a, **k: replace(real(*a, **k), frame_cycles=1.0)
        )
        with pytest.raises(MismatchError, match=r"takes 1\.0 cycles; planned are"):
            run(replace(SMALL, frames=21), out, say=told.append)


def test_without_simulation_nothing_is_built(out, monkeypatch):
    monkeypatch.setattr(bench, "OTHERWISE", Target(frames_per_second=1e12))
    [row] = run(replace(SMALL, simulated=False), out, say=lambda line: None)
    assert row.busy.streams == 3  # none is enough: the fastest
    assert not row.verdicts[0].met
    assert row.busy.cycles_simulated is row.alone.cycles_simulated is None
    assert not list(out.rglob("build.key"))
