"""The compiled testbench reports what cocotb's does, and sees what it sees."""

import json
import os
from dataclasses import replace

import pytest
from accelerator_designs import DESIGNS
from accelerators import Accelerator
from conftest import VERILATOR

from ernn.errors import ErnnError, MismatchError, RecipeError, ToolError
from ernn.run import simulate as simulating
from ernn.run.simulate import RESULTS, TRACE
from ernn.run.traffic import with_bad

TESTBENCHES = ("cocotb", "compiled")
TRAFFIC = {
    "saturated": {},
    "single": {"mode": "single"},
    "pauses": {"idle": 0.3, "stall": 0.5},
    "reset": {"reset_cycle": 77},
    "held": {"hold": (100, 3000)},
    "dropped": {"bad": ((0, "unknown"), (2, "short"), (3, "long"))},
    "loaded": {"load": True},
}


@pytest.mark.parametrize("simulator", [VERILATOR])
class TestBoth:
    """Both testbenches on one accelerator."""

    @pytest.fixture
    def made(self, request: pytest.FixtureRequest) -> Accelerator:
        """Always the same project in the same folder, so that each process builds it once."""
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        folder = request.config.cache.mkdir(f"rtl-compiled-{worker}")
        return Accelerator.write(DESIGNS["lstm-projected-mixed"], folder)

    @pytest.mark.parametrize("name", TRAFFIC)
    def test_they_report_the_same(self, made, simulator, name):
        """The report, what came back, registers, and the cycle of every event, whatever comes."""
        lengths = [(3, 2)] if name == "single" else [(3, 2), (4,)]
        seen = []
        for testbench in TESTBENCHES:
            report = made.run(*lengths, testbench=testbench, **TRAFFIC[name])
            work = made.work(testbench)
            results = json.loads((work / RESULTS).read_text())
            seen.append((report, results, (work / TRACE).read_text()))
        assert seen[0] == seen[1]

    def test_a_changed_weight_is_told(self, made, simulator):
        weights = made.rtl / "weights_000.mem"
        legend, word, *more = weights.read_text().splitlines()
        changed = f"{int(word, 16) ^ 1 << 8:0{len(word)}x}"
        weights.write_text("\n".join([legend, changed, *more, ""]))
        first, second = told(made, MismatchError)
        assert first == second and "expected" in first

    def test_a_changed_input_is_told(self, made, simulator, monkeypatch):
        def changed(packets, *more):
            words = packets[3].words
            packets[3] = replace(packets[3], words=[words[0] ^ 1 << 7, *words[1:]])
            return with_bad(packets, *more)

        monkeypatch.setattr(simulating, "with_bad", changed)
        first, second = told(made, MismatchError)
        assert first == second and "expected" in first

    def test_a_packet_that_never_comes_is_told(self, made, simulator, monkeypatch):
        monkeypatch.setattr(simulating, "with_bad", lambda packets, *more: packets[:-1])
        _, compiled = told(made, ToolError)
        assert "behind 8 of 9" in compiled


def told(made: Accelerator, kind: type[ErnnError]) -> list[str]:
    """Return what each testbench's simulation fails with."""
    texts = []
    for testbench in TESTBENCHES:
        with pytest.raises(kind) as caught:
            made.run((3, 2), (4,), testbench=testbench)
        texts.append(str(caught.value))
    return texts


def test_it_is_verilators_alone(folder):
    made = Accelerator.write(DESIGNS["lstm"], folder)
    with pytest.raises(RecipeError, match="does not run on icarus"):
        made.run((1,), simulator="icarus", testbench="compiled")
