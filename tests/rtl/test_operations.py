"""ernn_dot2, ernn_lerp and ernn_move, operations of lanes, against ernn.quant.operations."""

import numpy as np
import pytest
from pipelines import Case, compare, draw, library, mutate

from ernn.errors import ToolError
from ernn.fixed import QFormat
from ernn.graphs.cell import Dot2, Lerp, Move, Operation, reads
from ernn.hw.latency import DOT2_CYCLES, LERP_CYCLES, MOVE_CYCLES
from ernn.quant.operations import IntegerOperations
from ernn.run.testbench import lint

MODULES = ("ernn_dot2", "ernn_lerp", "ernn_move")  # each has cases of its own
SOURCES = {name: library(name, "requant") for name in ("dot2", "move")}
SOURCES["lerp"] = library("lerp", "multiply", "requant")
FORMATS = [  # of a and b; of c and d, or a weight; of the result
    ("Q0.15", "Q3.12", "Q0.15", "Q3.12"),
    ("Q0.11", "Q4.4", "Q0.11", "Q4.4"),
    ("Q2.5", "Q0.17", "Q-1.14", "Q0.17"),
    ("Q0.15", "Q1.17", "Q0.9", "Q3.2"),
    ("Q0.15", "Q0.15", "Q0.15", "Q0.15"),  # both products may be at their end at once
]
MUTATIONS = [
    ("dot2", "ab_wide + cd_wide", "ab_wide - cd_wide"),
    ("dot2", "ab_q} << AB_SHIFT", "ab_q}"),
    ("dot2", "{(SUM_W - CD_W) {cd_q[CD_W-1]}}", "{(SUM_W - CD_W) {1'b0}}"),
    ("dot2", "SUM_W = 1 +", "SUM_W = 0 +"),
    ("lerp", "b_wide - a_wide", "a_wide - b_wide"),
    ("lerp", "{(DIFF_W - A_W) {a_i[A_W-1]}}", "{(DIFF_W - A_W) {1'b0}}"),
    ("lerp", "DIFF_W = 1 +", "DIFF_W = 0 +"),  # no room for b - a
    ("lerp", ".add_i(a_q)", ".add_i(a_i)"),
    ("move", "out_o <= out_d", "out_o <= ~out_d"),
    ("move", "always @(posedge clk_i) out_o <= out_d;", "always @* out_o = out_d;"),
]


def golden(node: Operation, forms: dict[str, QFormat], values: dict) -> np.ndarray:
    class NoTables:
        sigmoid = tanh = None

    IntegerOperations(NoTables(), forms).run([node], values)
    return values[node.out]


def case(module: str, texts: tuple[str, ...], seed: int) -> Case:
    """An instance; a weight enters a cycle behind the others."""
    first, second, third, out = map(QFormat.parse, texts)
    if module == "dot2":
        node: Operation = Dot2("out", "state", "a", "b", "c", "d")
        forms = {"a": first, "b": second, "c": third, "d": third, "out": out}
        cycles = DOT2_CYCLES
    elif module == "lerp":
        node = Lerp("out", "state", "a", "b", "weight")
        forms = {"a": second, "b": first, "weight": third, "out": second}
        cycles = LERP_CYCLES
    else:
        node = Move("out", "state", "in")
        forms = {"in": first, "out": out}
        cycles = MOVE_CYCLES
    names = reads(node)
    drawn = draw(np.random.default_rng(seed), 400, *(forms[name] for name in names))
    values = dict(zip(names, drawn, strict=True))
    result = golden(node, forms, dict(values))
    if module == "lerp":
        values = {name: np.append(words, words[-1]) for name, words in values.items()}
        values["weight"] = np.roll(values["weight"], 1)
    widths = {f"{name.upper()}_W": forms[name].width for name in (*names, "out")}
    fracs = {f"{name.upper()}_FRAC": forms[name].frac_bits for name in (*names, "out")}
    if module == "dot2":
        frac = {name: forms[name].frac_bits for name in names}
        fracs = {"AB_FRAC": frac["a"] + frac["b"], "CD_FRAC": frac["c"] + frac["d"]}
        fracs["OUT_FRAC"] = out.frac_bits
    elif module == "lerp":
        widths.pop("OUT_W")
        fracs.pop("OUT_FRAC")
    return Case(
        f"ernn_{module}",
        inputs={f"{name}_i": (forms[name].width, values[name]) for name in names},
        outputs={"out_o": (forms["out"].width, result)},
        latency_cycles=cycles,
        parameters=widths | fracs,
    )


def cases(module: str) -> list[Case]:
    return [case(module, texts, seed) for seed, texts in enumerate(FORMATS)]


@pytest.mark.parametrize("module", SOURCES)
def test_matches_golden(module, simulator, folder):
    compare(cases(module), SOURCES[module], folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation[2])
def test_a_planted_bug_is_found(mutation, tmp_path):
    module, before, after = mutation
    own, *others = SOURCES[module]
    with pytest.raises(ToolError, match="expected 0x"):
        compare(cases(module), [mutate(own, before, after, tmp_path), *others], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("module", SOURCES)
@pytest.mark.parametrize("number", range(len(FORMATS)))
def test_is_lint_clean(module, number):
    lint(SOURCES[module], f"ernn_{module}", cases(module)[number].parameters)
