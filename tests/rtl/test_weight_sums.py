"""ernn_weight_sums against the words of the bilinear form."""

import numpy as np
import pytest
from pipelines import Case, compare, library, mutate

from ernn.bilinear import spectral
from ernn.errors import ToolError
from ernn.run.testbench import lint

SIZES = [(4, 4, 5, 6), (8, 4, 3, 5), (8, 8, 6, 6), (16, 16, 4, 5)]  # word, block, bits of both

MUTATIONS = [
    ("d - c", "c - d"),
    ("c + d", "c - d"),
    ("{WEIGHT_W{stored[WORD_W-1]}}", "{WEIGHT_W{1'b0}}"),
    ("b*POINTS+2*p+1", "2*p+1"),
    ("b*POINTS+p", "p"),
    ("words_q <= words_i", "words_q <= ~words_i"),
]


def parameters(word: int, block: int, stored: int, bits: int) -> dict[str, int]:
    return {"WORD": word, "POINTS": block, "WORD_W": stored, "WEIGHT_W": bits}


def packed(values: np.ndarray, bits: int) -> np.ndarray:
    """Pack rows of values, the first in the lowest bits."""
    raw = (values & ((1 << bits) - 1)).astype(object)
    return (raw * [1 << bits * place for place in range(raw.shape[1])]).sum(axis=1)


def case(word: int, block: int, stored: int, bits: int) -> Case:
    rng, low = np.random.default_rng(word), -(1 << stored - 1)
    words = rng.integers(low, -low, (60, word))
    words[:20] = rng.choice([low, -low - 1], (20, word))
    form = np.kron(np.eye(word // block, dtype=np.int64), spectral(block).words)
    weights = words @ form.T
    return Case(
        "ernn_weight_sums",
        inputs={"words_i": (word * stored, packed(words, stored))},
        outputs={"weights_o": (weights.shape[1] * bits, packed(weights, bits))},
        latency_cycles=1,
        parameters=parameters(word, block, stored, bits),
    )


CASES = [case(*sizes) for sizes in SIZES]


def test_matches_golden(simulator, folder):
    compare(CASES, library("weight_sums"), folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("weight_sums"), before, after, tmp_path)
    with pytest.raises(ToolError, match="expected 0x"):
        compare(CASES, [mutant], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("sizes", SIZES)
def test_is_lint_clean(sizes):
    lint(library("weight_sums"), "ernn_weight_sums", parameters(*sizes))
