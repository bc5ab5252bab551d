"""ernn_vector_memory and ernn_vector_copies against small models, cycle by cycle.

The accelerators of test_accelerator.py use the first, those of test_left_out_steps.py the second.
"""

import numpy as np
import pytest
from vectors import Vectors, check, only_icarus, verilog

CYCLES = 300


@only_icarus
@pytest.mark.parametrize("banks", [1, 3])
def test_vector_memory(simulator, folder, banks):
    """Word w lies in bank w modulo BANKS; a token per group, also for one that is not full."""
    rng, v, mem, tokens, read = np.random.default_rng(6), Vectors(), {}, None, None
    place, stream, parity, base, length, late = 0, 0, 0, 0, 4, {}
    for cycle in range(CYCLES):
        reset = cycle < 1
        valid = not reset and rng.random() < 0.7
        start, last, word = place == 0, place == length - 1, int(rng.integers(256))
        asked = (int(rng.integers(2)), int(rng.integers(2)), int(rng.integers(6)))
        enabled = bool(rng.random() < 0.7)
        take = bool(tokens and tokens[0] and rng.random() < 0.5)
        v.cycle(
            {
                "rst_i": reset,
                "word_valid_i": valid,
                "word_start_i": start,
                "word_last_i": last,
                "word_stream_i": stream,
                "word_parity_i": parity,
                "word_base_i": base,
                "word_data_i": late.get("word", 0),  # a cycle behind the others
                "read_i": enabled,
                "read_addr_i": asked[0] << 4 | asked[1] << 3 | asked[2],
                "take_i": take,
                "stream_i": 0,
                "next_i": 0,
                "next_stream_i": 0,
            },
            {
                "read_data_o": read,
                "have_o": tokens[0] > 0 if cycle > 1 else None,
            },
        )
        group = [mem.get((*asked, bank)) for bank in range(banks)]
        known = None not in group
        if enabled:
            read = sum(w << (8 * bank) for bank, w in enumerate(group)) if known else None
        if tokens:
            tokens[0] -= take
        if late:
            mem[late["at"]] = late["word"]
        late = {}
        if valid:
            late = {"at": (stream, parity, base + place // banks, place % banks), "word": word}
            tokens[stream] += (place + 1) % banks == 0 or last
            place = (place + 1) % length
            if place == 0:
                stream, parity, base = (int(n) for n in rng.integers(2, size=3))
        if reset:
            tokens = [0, 0]
    parameters = {"BANKS": banks, "WORD_W": 8, "OFFSET_W": 3, "STREAMS": 2, "COUNT_W": 10}
    files = verilog("vector_memory", "tokens", "ram")
    check("ernn_vector_memory", parameters, v, folder, simulator, files=files)


@only_icarus
@pytest.mark.parametrize(("paths", "slices"), [(1, 1), (3, 1), (4, 2), (4, 4)])
def test_vector_copies(simulator, folder, paths, slices):
    """Every path has its slice of every word; a token for each word that is not silent."""
    rng, v, mem, tokens = np.random.default_rng(6), Vectors(), {}, None
    place, stream, parity, base, length, silent, late = 0, 0, 0, 0, 4, 0b110100, {}
    read = [None] * paths
    for cycle in range(CYCLES):
        reset = cycle < 1
        valid = not reset and rng.random() < 0.7
        start, last, word = place == 0, place == length - 1, int(rng.integers(1 << 16))
        asked = int(rng.integers(2))
        parities, offsets = rng.integers(2, size=paths), rng.integers(6, size=paths)
        enabled = rng.random(paths) < 0.7
        take = bool(tokens and tokens[0] and rng.random() < 0.5)
        v.cycle(
            {
                "rst_i": reset,
                "word_valid_i": valid,
                "word_start_i": start,
                "word_last_i": last,
                "word_stream_i": stream,
                "word_parity_i": parity,
                "word_base_i": base,
                "word_data_i": late.get("word", 0),  # a cycle behind the others
                "read_i": sum(int(on) << n for n, on in enumerate(enabled)),
                "read_stream_i": asked,
                "read_parity_i": sum(int(one) << n for n, one in enumerate(parities)),
                "read_offset_i": sum(int(one) << (4 * n) for n, one in enumerate(offsets)),
                "take_i": take,
                "stream_i": 0,
                "next_i": 0,
                "next_stream_i": 0,
            },
            {
                "read_data_o": None if None in read else _joined(read, 16 // slices),
                "have_o": tokens[0] > 0 if cycle > 1 else None,
            },
        )
        for path in np.flatnonzero(enabled):
            held = mem.get((asked, parities[path], offsets[path]))
            units = [] if held is None else [held >> (4 * u) & 15 for u in range(4)]
            read[path] = _joined(units[path % slices :: slices], 4) if units else None
        if tokens:
            tokens[0] -= take
        if late:
            mem[late["at"]] = late["word"]
        late = {}
        if valid:
            late = {"at": (stream, parity, base + place), "word": word}
            tokens[stream] += not silent >> (base + place) & 1
            place = (place + 1) % length
            if place == 0:
                stream, parity, base = (int(n) for n in rng.integers(2, size=3))
        if reset:
            tokens = [0, 0]
    assert sum(found is not None for found in v.outputs["read_data_o"]) > CYCLES // 4
    parameters = {"PATHS": paths, "SLICES": slices, "UNITS": 4, "WORD_W": 16, "OFFSET_W": 3}
    parameters |= {"READ_W": 4, "STREAMS": 2, "COUNT_W": 10, "SILENT": silent}
    files = verilog("vector_copies", "tokens", "ram")
    check("ernn_vector_copies", parameters, v, folder, simulator, files=files)


def _joined(values, bits):
    """Return values side by side, the first in the low bits."""
    return sum(int(value) << (bits * n) for n, value in enumerate(values))
