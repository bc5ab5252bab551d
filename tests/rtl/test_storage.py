"""Control and storage modules against small models, cycle by cycle, idle, stalled and reset.

ernn_ram, ernn_valid_delay, ernn_skid, ernn_tokens, ernn_row_queue, ernn_walker and ernn_rounds; the
accelerators of test_accelerator.py use them together.
"""

from collections import deque
from pathlib import Path

import numpy as np
import pytest
from vectors import LIB, Vectors, check, only_icarus, verilog

from ernn.errors import ToolError

CYCLES = 300


def skid_vectors(seed=1):
    """A stream through two places; a reset in the middle empties them."""
    rng, v, held = np.random.default_rng(seed), Vectors(), deque()
    for cycle in range(CYCLES):
        reset = cycle < 2 or cycle == CYCLES // 2
        word, valid, ready = rng.integers(256), rng.random() < 0.6, rng.random() < 0.6
        known = cycle > 0
        v.cycle(
            {"rst_i": reset, "in_valid_i": valid, "in_data_i": word, "out_ready_i": ready},
            {
                "in_ready_o": len(held) < 2 if known else None,
                "out_valid_o": len(held) > 0 if known else None,
                "out_data_o": held[0] if held else None,
            },
        )
        took = valid and len(held) < 2
        if held and ready:
            held.popleft()
        if took:
            held.append(word)
        if reset:
            held.clear()
    return v


@only_icarus
def test_skid(simulator, folder):
    check("ernn_skid", {"WIDTH": 8}, skid_vectors(), folder, simulator, files=verilog("skid"))


@only_icarus
def test_a_ready_tied_high_is_found(simulator, tmp_path):
    text = (LIB / "ernn_skid.v").read_text()
    broken = tmp_path / "ernn_skid.v"
    broken.write_text(text.replace("in_ready_o = !spare_valid_q", "in_ready_o = 1'b1"))
    assert broken.read_text() != text
    with pytest.raises(ToolError, match="clocked"):
        check("ernn_skid", {"WIDTH": 8}, skid_vectors(), tmp_path, simulator, files=[broken])


@only_icarus
@pytest.mark.parametrize("cycles", [1, 4])
def test_valid_delay(simulator, folder, cycles):
    rng, v, line = np.random.default_rng(2), Vectors(), deque([None] * cycles)
    for cycle in range(CYCLES):
        reset, bit = cycle < 1 or cycle == 100, bool(rng.integers(2))
        v.cycle({"rst_i": reset, "in_i": bit}, {"out_o": line[0]})
        line.popleft()
        line.append(bit)
        if reset:
            line = deque([False] * cycles)
    files = verilog("valid_delay")
    check("ernn_valid_delay", {"CYCLES": cycles}, v, folder, simulator, files=files)


@only_icarus
def test_ram_reads_what_was_there_before_the_write(simulator, folder):
    rng, v, mem, read = np.random.default_rng(3), Vectors(), {}, None
    for _ in range(CYCLES):
        we, waddr, raddr, word = rng.random() < 0.5, *rng.integers(6, size=2), rng.integers(256)
        enabled = bool(rng.random() < 0.7)  # otherwise it keeps what it read before
        v.cycle(
            {
                "we_i": we,
                "waddr_i": waddr,
                "wdata_i": word,
                "re_i": enabled,
                "raddr_i": raddr,
            },
            {"rdata_o": read},
        )
        read = mem.get(int(raddr)) if enabled else read
        if we:
            mem[int(waddr)] = word
    parameters = {"WIDTH": 8, "DEPTH": 6, "ADDR_W": 3}
    check("ernn_ram", parameters, v, folder, simulator, files=verilog("ram"))


@only_icarus
def test_tokens(simulator, folder):
    """The stream that is looked at has a token or not, while tokens come, go and it changes."""
    rng, v, counts, looked = np.random.default_rng(4), Vectors(), None, 0
    for cycle in range(CYCLES):
        reset = cycle < 1 or cycle == 150
        put, take, change = rng.random(3) < (0.4, 0.6, 0.3)
        source, other = (int(s) for s in rng.integers(3, size=2))
        take = bool(counts and take and counts[looked])
        put = bool(counts and put and counts[source] < 6)
        known = counts is not None and cycle not in (1, 151)  # from before the reset
        v.cycle(
            {
                "rst_i": reset,
                "put_i": put,
                "put_stream_i": source,
                "take_i": take,
                "stream_i": looked,
                "next_i": change,
                "next_stream_i": other,
            },
            {"have_o": counts[looked] > 0 if known else None},
        )
        if counts:
            counts[source] += put
            counts[looked] -= take
        if reset:
            counts = [2] * 3
        looked = other if change else looked
    parameters = {"STREAMS": 3, "STREAM_W": 2, "COUNT_W": 3, "INITIAL": 2}
    check("ernn_tokens", parameters, v, folder, simulator, files=verilog("tokens"))


@only_icarus
@pytest.mark.parametrize(
    ("lanes", "gates", "direct"),
    [(1, 1, 0), (1, 4, 1), (2, 4, 0), (4, 4, 1), (4, 2, 0), (4, 1, 0)],
)
def test_row_queue(simulator, folder, lanes, gates, direct):
    """Words come out in order; the ones that fill up a job's last entry are skipped."""
    rng, v = np.random.default_rng(5), Vectors()
    size, depth = max(1, lanes // gates), 3
    words, rows, due, left = deque(), [], deque([None] * (2 - direct)), 0
    for cycle in range(CYCLES):
        reset = cycle < 1
        entry = [int(r) for r in rng.integers(16, size=lanes)]
        room = len(words) + len(rows) // gates <= (depth - 1) * size
        we = not reset and room and rng.random() < 0.5
        pop = bool(words) and rng.random() < 0.5
        flush = pop and rng.random() < 0.3
        v.cycle(
            {
                "rst_i": reset,
                "we_i": we,
                "rows_i": sum(row << (4 * lane) for lane, row in enumerate(entry)),
                "pop_i": pop,
                "flush_i": flush,
            },
            {"valid_o": bool(words) if cycle else None, "word_o": due.popleft()},
        )
        popped = None
        if pop:
            popped = words.popleft()
            left = (left - 1) % size
            while flush and left:
                words.popleft()
                left -= 1
        due.append(popped)
        if we:
            rows += entry
            while len(rows) >= gates:
                words.append(sum(row << (4 * g) for g, row in enumerate(rows[:gates])))
                del rows[:gates]
    parameters = {"LANES": lanes, "GATES": gates, "ROW_W": 4, "DEPTH": depth, "ADDR_W": 2}
    parameters |= {"COUNT_W": 4, "DIRECT": direct}
    files = verilog("row_queue", "ram")
    check("ernn_row_queue", parameters, v, folder, simulator, files=files)


@only_icarus
def test_walker(simulator, folder):
    """For each job one task per active stream; rounds alternate between the two masks."""
    jobs, streams, masks = 3, 4, [0b1011, 0b0100, 0b1111, 0b0001, 0b1000]
    tasks = [
        (job, s, round_ % 2, s == first, last)
        for round_, mask in enumerate(masks)
        for job in range(jobs)
        for s in range(streams)
        if mask >> s & 1
        for first in [mask.bit_length() - 1]
        for last in [job == jobs - 1 and mask >> (s + 1) == 0]
    ]
    ends = [0]
    for mask in masks:
        ends.append(ends[-1] + jobs * mask.bit_count())
    rng, v, offered, begun = np.random.default_rng(7), Vectors(), None, 0
    for cycle in range(CYCLES):
        reset, ready = cycle < 1, rng.random() < 0.5
        done = sum(begun >= end for end in ends[1:])  # rounds the walker is through with
        issued = min(len(masks), cycle // 20, done + 2)
        slots = {0: 0, 1: 0}
        for round_ in range(issued):
            slots[round_ % 2] = masks[round_]
        both = slots[1] << streams | slots[0]
        heads = sum(
            1 << (streams * odd + mask.bit_length() - 1) for odd, mask in slots.items() if mask
        )
        told = offered or (None,) * 5
        v.cycle(
            {
                "rst_i": reset,
                "issued_i": issued % 4,
                "active_i": both,
                "parity_i": (2**streams - 1) << streams,
                "fresh_i": heads,
                "task_ready_i": ready,
            },
            {
                "task_valid_o": offered is not None if cycle else None,
                "task_job_o": told[0],
                "task_stream_o": told[1],
                "task_parity_o": told[2],
                "task_fresh_o": told[3],
                "task_last_o": told[4],
            },
        )
        if offered is None or ready:
            offered = None
            if not reset and begun < ends[issued]:
                offered, begun = tasks[begun], begun + 1
    assert begun == len(tasks)
    parameters = {"JOBS": jobs, "JOB_W": 2, "STREAMS": streams, "STREAM_W": 2}
    check("ernn_walker", parameters, v, folder, simulator, files=verilog("walker"))


@only_icarus
def test_rounds(simulator, folder):
    """A round takes every stream with a whole vector, when the array is free and one is open."""
    rng, v = np.random.default_rng(8), Vectors()
    full, fresh = [[0, 0] for _ in range(2)], [[0, 0] for _ in range(2)]  # by parity, stream
    issued, parity, free, opened = 0, [0, 0], True, 0
    active, parities, marks, idle = [0, 0], [0, 0], [0, 0], True
    for cycle in range(CYCLES):
        reset = cycle < 1
        for frame in range(2):
            for s in range(2):
                taken = frame != parity[s]
                if reset or (full[frame][s] and taken):
                    full[frame][s] = 0
                elif not full[frame][s] and not taken and rng.random() < 0.2:
                    full[frame][s], fresh[frame][s] = 1, int(rng.random() < 0.5)
        advance = bool(not reset and not free and rng.random() < 0.3)
        done = bool(not reset and opened and rng.random() < 0.3)
        empty = cycle % 100 < 70
        v.cycle(
            {
                "rst_i": reset,
                "empty_i": empty,
                "full_i": bits(full),
                "fresh_i": bits(fresh),
                "advance_i": advance,
                "done_i": done,
            },
            {
                "issued_o": issued % 4 if cycle else None,
                "idle_o": idle if cycle else None,
                "active_o": active[1] << 2 | active[0] if issued > 1 else None,
                "parity_o": parities[1] << 2 | parities[0] if issued > 1 else None,
                "fresh_o": marks[1] << 2 | marks[0] if issued > 1 else None,
            },
        )
        ready = [s for s in range(2) if full[parity[s]][s]]
        issue = bool(ready) and free and opened < 2 and not reset
        idle = opened == 0 and not issue and empty
        free = (free or advance) and not issue
        opened += issue - done
        if issue:
            slot = issued % 2
            active[slot] = sum(1 << s for s in ready)
            parities[slot] = sum(p << s for s, p in enumerate(parity))
            marks[slot] = sum(fresh[parity[s]][s] << s for s in range(2))
            issued += 1
            for s in ready:
                parity[s] ^= 1
    assert issued > 20
    check("ernn_rounds", {"STREAMS": 2}, v, folder, simulator, files=verilog("rounds"))


@only_icarus
def test_rounds_that_begin_early(simulator, folder):
    """What waits for its features is idle; where an utterance begins is known when they come."""
    v = Vectors()

    def cycle(expected=None, **inputs):
        names = ("rst_i", "full_i", "fresh_i", "advance_i", "done_i", "waits_i", "begin_i")
        quiet = dict.fromkeys((*names, "begin_parity_i"), 0) | {"empty_i": 1}
        v.cycle(quiet | inputs, dict.fromkeys(("issued_o", "idle_o", "fresh_o")) | (expected or {}))

    cycle(rst_i=1)
    cycle({"idle_o": 1}, full_i=1)  # the packet begins
    cycle({"issued_o": 1, "idle_o": 0}, full_i=1, empty_i=0, advance_i=1)
    cycle({"idle_o": 0}, waits_i=1)  # and is dropped
    cycle({"idle_o": 1}, waits_i=1)
    cycle({"idle_o": 1}, full_i=1, empty_i=0, waits_i=1)  # another one of the same frame
    cycle({"issued_o": 1, "idle_o": 0}, full_i=1, fresh_i=1, empty_i=0, begin_i=1)
    cycle({"idle_o": 0}, full_i=3, fresh_i=2, empty_i=0)
    cycle({"issued_o": 2, "idle_o": 0}, full_i=3, empty_i=0, begin_i=1, begin_parity_i=1)
    cycle({"fresh_o": 1}, empty_i=0, done_i=1)
    cycle({"issued_o": 2}, done_i=1)
    cycle({"idle_o": 0})
    cycle({"idle_o": 1})
    check("ernn_rounds", {"EARLY": 1}, v, folder, simulator, files=verilog("rounds"))


def bits(by_parity):
    return sum(
        value << (2 * frame + s)
        for frame, row in enumerate(by_parity)
        for s, value in enumerate(row)
    )


@only_icarus
def test_ram_begins_with_its_file(simulator, folder):
    """The words of its file, one cycle after their address, until they are overwritten."""
    words = [3, 1, 4, 1, 5]
    wrapper = Path(folder) / "ram_testbench.v"
    (Path(folder) / "words.mem").write_text("".join(f"{w:x}\n" for w in words))
    wrapper.write_text(
        "module ram_testbench (input wire clk_i, input wire we_i, input wire [2:0] waddr_i,\n"
        "    input wire [3:0] wdata_i, input wire [2:0] raddr_i, output wire [3:0] rdata_o);\n"
        "  ernn_ram #(.WIDTH(4), .DEPTH(5), .ADDR_W(3), .FILLED(1),\n"
        '      .INIT_FILE("words.mem")) u_ram (\n'
        "      .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i),\n"
        "      .re_i(1'b1), .raddr_i(raddr_i), .rdata_o(rdata_o));\nendmodule\n"
    )
    rng, v, read = np.random.default_rng(9), Vectors(), None
    for cycle in range(80):
        address, written, value = (int(rng.integers(n)) for n in (5, 5, 16))
        write = cycle > 40 and rng.random() < 0.3
        v.cycle(
            {"raddr_i": address, "waddr_i": written, "wdata_i": value, "we_i": write},
            {"rdata_o": read},
        )
        read = words[address]
        if write:
            words[written] = value
    check("ram_testbench", {}, v, folder, simulator, files=[wrapper, *verilog("ram")])
