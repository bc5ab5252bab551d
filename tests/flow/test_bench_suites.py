"""A suite of one small network, through the real simulator."""

import json
from dataclasses import replace

import pytest

from ernn.errors import MismatchError
from ernn.flow import measure
from ernn.flow.suites import Job, load_rows, run_suite
from ernn.suites.suite import Network, Suite, System

pytestmark = pytest.mark.needs("verilator")

SMALL = Network("small", layers=2, hidden=12, inputs=5, outputs=1)
THEIRS = System(
    *("theirs", "2026-11", "one step", "mean", "bf16", "PCIe", "audited", "https://example.org"),
    latency_us={"small": 1.5},
)
SUITE = Suite("tiny", "A small suite", "made up", (SMALL,), (THEIRS,))
DENSE, *_, LAST = SUITE.cases
JOB = Job(SUITE, (DENSE,), frames=20, board="XC7A35T")


def test_a_row_is_planned_simulated_kept_and_printed(tmp_path):
    told: list[str] = []
    out, results = tmp_path / "bench", tmp_path / "results"
    row = run_suite(JOB, out, results, told.append)[DENSE.name]
    assert row.part == "XC7A35T" and row.mark == "simulated" and not row.refusal
    for one in (row.alone, row.busy):
        assert one.cycles_simulated == one.cycles_planned
        assert one.frames == 20 and one.words_compared > 20 * SMALL.layers * SMALL.hidden
    assert row.alone.cycles_planned > row.busy.cycles_planned > 0
    [path] = results.iterdir()
    assert json.loads(path.read_text())["row"]["name"] == "small-dense"

    table = (out / "tiny" / "table.md").read_text()
    lines = [line for line in table.splitlines() if line.startswith("| small")]
    assert len(lines) == 4 and all(line.endswith("1.5 [1] |") for line in lines)
    assert "| simulated |" in lines[0] and all("| not run |" in line for line in lines[1:])
    assert table in "\n".join(told)

    planned = replace(JOB, simulated=False, cases=(DENSE, LAST))
    rows = run_suite(planned, out, results, told.append)  # loses no simulation
    assert rows[DENSE.name] == row == load_rows(SUITE, results)[DENSE.name]
    assert rows[LAST.name].mark == "planned"

    with pytest.MonkeyPatch.context() as patched:
        real = measure.simulate
        patched.setattr(
            measure, "simulate", lambda *a, **k: replace(real(*a, **k), latency_cycles=1)
        )
        with pytest.raises(MismatchError, match="takes 1 cycles; planned are"):
            run_suite(replace(JOB, frames=21), out, results, told.append)
