"""ernn_pe_array: sums leave row by row, whatever rests, loads and resets come between."""

import numpy as np
import pytest
from pipelines import library, mutate
from vectors import Vectors, check, only_icarus

from ernn.errors import ToolError
from ernn.run.testbench import lint

MACS, OP_W, WEIGHT_W, ACC_W, DEPTH = 3, 6, 5, 16, 5
CYCLES = 700
FILES = library("pe_array", "pe", "logic_product", "power_product", "ram", "drain")
# rows, columns, lanes, levels of a drain, products from logic, rows of a leaf, memories from files,
# rows of a group
SIZES = [
    (2, 1, 1, 1, 0, 8, 0, 2),
    (12, 2, 2, 2, 2, 8, 1, 12),
    (5, 1, 1, 2, 3, 2, 0, 5),
    (4, 2, 4, 1, 0, 8, 1, 1),
    (12, 1, 2, 2, 0, 4, 1, 6),
    (10, 2, 2, 2, 1, 4, 0, 5),
]

MUTATIONS = {
    "weight address off by one": (
        "weight_q       <= step_weight_i;",
        "weight_q <= ~step_weight_i;",
    ),
    "operands a cycle early": ("leaf_q <= root_q[", "leaf_q <= operands_i["),
    "operands of the first group": (
        "operands[r/GROUP_ROWS*GROUP_LEAVES+r%GROUP_ROWS/FANOUT]",
        "operands[0]",
    ),
    "a leaf of another group": ("leaf/GROUP_LEAVES*OPERANDS_W", "leaf%GROUPS*OPERANDS_W"),
    "a gap ends a pass": ("step_valid_i && step_last_i", "step_last_i"),
    "gaps counted": ("leaf_valid_q   <= valid_q", "leaf_valid_q <= 1'b1"),
    "a reset not seen by the root": ("step_last_i && !rst_i", "step_last_i"),
    "a reset not seen by the leaves": ("last_q && !rst_i", "last_q"),
    "read without need": (".re_i   (leaf_read_q)", ".re_i (1'b1)"),
    "every row loaded": ("leaf_target_q == TARGET[15:0]", "1'b1"),
    "a load that a reset leaves in the root": ("if (rst_i) load_we_q <= 1'b0;", ""),
    "a load that a reset leaves in the leaves": ("if (rst_i) leaf_we_q <= 1'b0;", ""),
    "a load during a reset": ("== TARGET[15:0] && !rst_i", "== TARGET[15:0]"),
    "rows of another lane": ("shadow[r*LANES+lane]", "shadow[lane*ENTRIES+r]"),
    "columns and lanes swapped": ("drain_o[(lane*COLUMNS+c)", "drain_o[(c*LANES+lane)"),
}


def parameters(rows, columns, lanes, levels, logic, fanout, files, group):
    widths = {"MACS": MACS, "OP_W": OP_W, "WEIGHT_W": WEIGHT_W, "ACC_W": ACC_W}
    sizes = {"ROWS": rows, "COLUMNS": columns, "LANES": lanes, "LEVELS": levels, "LOGIC": logic}
    tree = {"FANOUT": fanout, "GROUP_ROWS": group}
    return widths | sizes | tree | {"DEPTH": DEPTH, "ADDR_W": 3, "FILES": files}


def packed(values, width):
    """Return an array's values as one word, the first in the lowest bits."""
    return sum((int(v) & (1 << width) - 1) << n * width for n, v in enumerate(np.ravel(values)))


def draw(rng, width, *shape):
    """Return random signed values, the lowest one often: it makes the largest products."""
    low = -(1 << width - 1)
    return np.where(rng.random(shape) < 0.2, low, rng.integers(low, -low, shape))


def schedule(rng, entries, rows, filled):
    """Return what every cycle asks for; passes end ``entries`` apart, or a reset lies between.

    Each cycle is a dict of: valid, first, last, read and address of its step, load (target and
    address) and reset.
    """
    cycles, since = [], entries

    def add(**given):
        nonlocal since
        since += 1
        cycles.append(given)

    def gap():
        """Add a cycle without a step, with controls that say nothing."""
        add(last=rng.random() < 0.5, first=rng.random() < 0.5)

    def reset_after(wait):
        """Reset ``wait`` cycles after the cycle that was added last."""
        for _ in range(wait):
            gap()
        cycles[-1]["reset"] = True
        nonlocal since
        since = entries

    add(reset=True)
    add()  # weights are asked for two cycles before the first step
    for place in [] if filled else np.ndindex(rows, DEPTH):
        add(load=place)
    while len(cycles) < CYCLES:
        for _ in range(rng.choice([0, 0, 1, entries + 9])):
            gap()
        steps = int(rng.choice([1, 1, 2, 3, 4]))
        for step in range(steps):
            while rng.random() < 0.2 or (step == steps - 1 and since < entries - 1):
                gap()
            read = len(cycles) < 150 or rng.random() < 0.9  # else the word that was read last
            given = {"valid": True, "first": step == 0, "last": step == steps - 1, "read": read}
            add(**given, address=int(rng.integers(DEPTH)))
        since = 0
        if rng.random() < 0.2:
            reset_after(rng.choice([0, 1, rng.integers(entries + 5)]))
        elif rng.random() < 0.3:  # the array rests
            for target in rng.choice([*range(rows), rows, 1 << 15], 2):  # some are no row's
                add(load=(int(target), int(rng.integers(DEPTH))))
            if rng.random() < 0.7:
                reset_after(rng.integers(3))
    return cycles


def vectors(rows, columns, lanes, levels, logic, fanout, files, group, folder):
    """Ports of every cycle; memories that begin with files get them in ``folder``."""
    rng, v, entries = np.random.default_rng(rows), Vectors(), rows // lanes
    memory = np.zeros((rows, DEPTH, columns, MACS), np.int64)
    if files:
        memory = draw(rng, WEIGHT_W, *memory.shape)
        for row, words in enumerate(memory):
            text = "".join(f"{packed(word, WEIGHT_W):x}\n" for word in words)
            (folder / f"weights_{row:03}.mem").write_text(text)
    asked = schedule(rng, entries, rows, files)
    operands = draw(rng, OP_W, len(asked), rows // group, columns, MACS)
    loaded = draw(rng, WEIGHT_W, len(asked), columns, MACS)
    resets = [bool(now.get("reset")) for now in asked]
    expected = [None] * (len(asked) + 100)
    known = read = sums = out = None
    afters = [*asked[2:], {}, {}]
    for cycle, (now, after) in enumerate(zip(asked, afters, strict=True)):
        weights, known = known, read
        if after.get("read"):  # two cycles early, and before this cycle's load
            read = memory[:, after["address"]].copy()
        if now.get("valid"):
            products = operands[cycle].repeat(group, axis=0) * weights
            sums = products if now["first"] else sums + products
            if now["last"]:
                for entry in range(entries):
                    expected[cycle + 5 + levels + entry] = sums[lanes * entry :][:lanes]
        if "load" in now and not any(resets[cycle : cycle + 3]) and now["load"][0] < rows:
            memory[now["load"]] = loaded[cycle]
        if resets[cycle]:  # nothing is left of what was under way
            expected[cycle + 1 :] = [None] * len(expected[cycle + 1 :])
    for cycle, (now, after) in enumerate(zip(asked, afters, strict=True)):
        target, address = now.get("load", (0, 0))
        out = out if expected[cycle] is None else expected[cycle]  # the last row stays
        v.cycle(
            {
                "rst_i": resets[cycle],
                "step_valid_i": now.get("valid", False),
                "step_first_i": now.get("first", False),
                "step_last_i": now.get("last", False),
                "step_read_i": after.get("read", False),
                "step_weight_i": after.get("address", 0),
                "operands_i": packed(operands[cycle], OP_W),
                "load_we_i": "load" in now,
                "load_target_i": target,
                "load_address_i": address,
                "load_data_i": packed(loaded[cycle], WEIGHT_W),
            },
            {"drain_o": None if out is None else packed(out, ACC_W)},
        )
        out = None if resets[cycle] else out
    assert sum(word is not None for word in v.outputs["drain_o"]) > len(asked) // 3
    return v


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_sums_leave_row_by_row(simulator, folder, size):
    given = vectors(*size, folder)
    check("ernn_pe_array", parameters(*size), given, folder, simulator, files=FILES)


@only_icarus
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(simulator, tmp_path, name):
    size = SIZES[-1]
    files = [mutate(FILES[0], *MUTATIONS[name], tmp_path), *FILES[1:]]
    with pytest.raises(ToolError, match="drain_o is"):
        given = vectors(*size, tmp_path)
        check("ernn_pe_array", parameters(*size), given, tmp_path, simulator, files=files)


@only_icarus
def test_files_of_other_rows_are_found(simulator, tmp_path):
    size = SIZES[1]
    before, after = "TENS[7:0], ONES[7:0]", "ONES[7:0], TENS[7:0]"
    files = [mutate(FILES[0], before, after, tmp_path), *FILES[1:]]
    given = vectors(*size, tmp_path)
    with pytest.raises(ToolError, match="drain_o is"):
        check("ernn_pe_array", parameters(*size), given, tmp_path, simulator, files=files)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_is_lint_clean(size):
    lint(FILES, "ernn_pe_array", parameters(*size))
