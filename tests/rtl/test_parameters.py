"""Parameters that a module cannot be built with: every tool stops and says what is needed."""

import re
import subprocess
from pathlib import Path

import pytest
from pipelines import library

from ernn.errors import ToolError
from ernn.resources import folder
from ernn.run.testbench import lint
from ernn.tools import require

LIBRARY = [*sorted((folder("hw_templates") / "lib").glob("*.v")), *library("pe_array")]
BOARD = sorted((folder("hw_templates") / "board").glob("*.v"))
BAD = {
    "ernn_adder_tree": [{"TERMS": 5, "LEVELS": 2}, {"IN_W": 8, "OUT_W": 7}],
    "ernn_counter": [{"INC_W": 9, "HALF_W": 8}, {"HALF_W": 33}],
    "ernn_drain": [{"ROWS": 5, "LEVELS": 1}, {"ROWS": 1, "LEVELS": 0}],
    "ernn_vector_copies": [{"PATHS": 3, "SLICES": 2, "UNITS": 2}, {"OFFSET_W": 3, "READ_W": 2}],
    "ernn_end_count": [{"VALUES": 16, "COUNT_W": 4}],
    "ernn_link_receive": [{"INDICES": 1}, {"INDEX_W": 3}],
    "ernn_link_restore": [{"INDICES": 1}, {"VALUE_W": 17}],
    "ernn_output": [{"VECTOR_W": 17}, {"LOGIT_W": 17}, {"VECTOR_WORDS": 3, "COUNT_W": 1}],
    "ernn_pe": [
        {"OP_W": 16, "WEIGHT_W": 13, "ACC_W": 28},
        {"OP_W": 16, "WEIGHT_W": 2, "ODD": 1, "ACC_W": 18},
    ],
    "ernn_pe_array": [{"ROWS": 3, "LANES": 2}, {"ROWS": 4, "LANES": 2, "GROUP_ROWS": 3}],
    "ernn_power_product": [{"EXPONENT_W": 0}, {"EXPONENT_W": 3}],
    "ernn_ram": [{"DEPTH": 1}, {"DEPTH": 5, "ADDR_W": 2}],
    "ernn_requant": [{"IN_W": 0}, {"OUT_W": 0}],
    "ernn_row_queue": [
        {"LANES": 3},
        {"GATES": 3},
        {"DEPTH": 5, "ADDR_W": 2},
        {"LANES": 2, "DIRECT": 1},
    ],
    "ernn_rounds": [{"STREAMS": 2, "EARLY": 1}],
    "ernn_valid_delay": [{"CYCLES": 0}],
    "ernn_weight_sums": [{"POINTS": 2}, {"WORD_W": 14, "WEIGHT_W": 13}],
    "ernn_serial_in": [{"BEAT_BYTES": 1}],
    "ernn_uart_rx": [{"BIT_CLOCKS": 3}],
    "ernn_uart_tx": [{"BIT_CLOCKS": 1}],
}
CASES = [(module, values) for module, cases in BAD.items() for values in cases]


def elaborate(module: str, values: dict[str, int]) -> str:
    """Return what Icarus says of a module with some parameters; empty: it was built."""
    command = [str(require("iverilog").path), "-g2005", "-s", module, "-o", "/dev/null"]
    command += [f"-P{module}.{name}={value}" for name, value in values.items()]
    told = subprocess.run([*command, *LIBRARY, *BOARD], capture_output=True, text=True)
    return told.stderr if told.returncode else ""


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("module", "values"), CASES, ids=str)
def test_what_cannot_be_built_is_named(module, values):
    assert f"{module}_needs_" in elaborate(module, values)


@pytest.mark.needs("iverilog")
def test_what_a_pe_leaves_to_its_product_is_named_there():
    assert "ernn_power_product_needs_" in elaborate("ernn_pe", {"WEIGHT_W": 4, "POWERS": 1})


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("module", BAD)
def test_the_defaults_can_be_built(module):
    assert not elaborate(module, {})


@pytest.mark.needs("verilator")
def test_verilator_names_it_too():
    with pytest.raises(ToolError, match="ernn_adder_tree_needs_LEVELS_of_clog2_TERMS"):
        lint([*LIBRARY], "ernn_adder_tree", {"TERMS": 5, "LEVELS": 2})


@pytest.mark.parametrize("path", [*LIBRARY, *BOARD], ids=lambda path: path.stem)
def test_every_check_has_a_case(path: Path):
    """And so has every condition that a header puts on a parameter."""
    text = path.read_text(encoding="utf-8")
    checked = re.findall(rf"\b{path.stem}_needs_\w+ u_fault", text)
    assert bool(checked) == (path.stem in BAD)
    assert len(BAD.get(path.stem, ())) >= len(checked)
