"""ernn_end_count against a count of the values that equal an end of their range."""

import numpy as np
import pytest
from pipelines import Case, compare, library

from ernn.fixed import QFormat
from ernn.hw.array_plan import bits_for
from ernn.run.testbench import lint

SIZES = [(1, 12), (8, 16), (5, 4), (32, 12), (4, 12, 3)]  # values, bits of each, more of count


def case(values: int, bits: int, more: int = 0) -> Case:
    """Words with many values at their ends; a count may be wider than it needs to be."""
    rng, form = np.random.default_rng(values), QFormat(0, bits - 1)
    drawn = rng.integers(form.min_raw, form.max_raw + 1, (300, values))
    ends = np.array([form.min_raw, form.max_raw, form.min_raw + 1, form.max_raw - 1])
    drawn = np.where(rng.random(drawn.shape) < 0.6, rng.choice(ends, drawn.shape), drawn)
    valid = rng.random(300) < 0.7
    count = ((drawn == form.min_raw) | (drawn == form.max_raw)).sum(axis=1) * valid
    words = [sum((int(v) & (1 << bits) - 1) << bits * i for i, v in enumerate(w)) for w in drawn]
    return Case(
        "ernn_end_count",
        inputs={
            "rst_i": (1, np.zeros(300, int)),
            "valid_i": (1, valid.astype(int)),
            "values_i": (values * bits, np.array(words, object)),
        },
        outputs={"count_o": (bits_for(values + 1) + more, count)},
        latency_cycles=1 + (values - 1).bit_length(),
        parameters={"VALUES": values, "WIDTH": bits, "COUNT_W": bits_for(values + 1) + more},
    )


SOURCES = library("end_count", "adder_tree", "valid_delay")


def test_matches_the_count(simulator, folder):
    compare([case(*size) for size in SIZES], SOURCES, folder, simulator)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_is_lint_clean(size):
    lint(SOURCES, "ernn_end_count", case(*size).parameters)
