"""ernn_output: a packet per frame, whatever waits in front of it and stalls behind it."""

from collections import deque
from itertools import cycle as endless

import numpy as np
import pytest
from pipelines import library, mutate
from vectors import Vectors, check, only_icarus

from ernn.errors import ToolError
from ernn.run.testbench import lint

CYCLES = 700
ROOM = 8  # words between a pop and the register in front of the port
WORD = 2
FILES = library("output", "walker", "skid")
# streams, words of the vector and of the logits, bits of a value: on the bus, of both
SIZES = [(1, 1, 0, 8, 8, 3), (3, 2, 3, 8, 6, 7), (2, 3, 0, 16, 5, 8), (4, 1, 1, 8, 3, 8)]

MUTATIONS = {
    "output of another stream": ("stream_q  <= task_stream;", "stream_q <= ~task_stream;"),
    "no room looked for": ("room_q != {(ROOM_W + 1) {1'b0}}", "1'b1"),
    "the other queue looked at": ("in_logits ? logit_valid_i : vector_valid_i", "vector_valid_i"),
    "chosen a cycle early": ("logits_q[1]\n", "logits_q[0]\n"),
    "sign of a vector lost": ("{vector_word_i[e*VECTOR_W+VECTOR_W-1]}", "{1'b0}"),
    "sign of a logit lost": ("{logit_word_i[e*LOGIT_W+LOGIT_W-1]}", "{1'b0}"),
    "end told a word early": ("last_q[2], data_q", "last_q[1], data_q"),
    "vector never flushed": ("vector_pop_o && count_q == VECTOR_LAST", "vector_pop_o && at_end"),
    "every logit flushed": ("logit_pop_o && at_end", "logit_pop_o"),
    "done with each stream": ("done_o <= task_ready && task_last", "done_o <= task_ready"),
    "empty while a word waits": ("room_q[ROOM_W] && !m_axis_tvalid", "room_q[ROOM_W]"),
    "words that outlive a reset": ("valid_q <= 3'd0;", ""),
    "a place that outlives a reset": ("write_q  <= {ROOM_W{1'b0}};", ""),
}


def parameters(streams, vector, logits, element, vector_bits, logit_bits):
    count = max(1, (vector + logits - 1).bit_length())
    sizes = {"STREAMS": streams, "STREAM_W": max(1, (streams - 1).bit_length()), "WORD": WORD}
    words = {"VECTOR_WORDS": vector, "LOGIT_WORDS": logits, "COUNT_W": count}
    widths = {"ELEMENT_W": element, "VECTOR_W": vector_bits, "LOGIT_W": logit_bits}
    return sizes | words | widths


def packed(values, width):
    return sum((int(value) & (1 << width) - 1) << n * width for n, value in enumerate(values))


class Model:
    """What is between the queues and the port, since the last reset."""

    def __init__(self, rng, streams):
        self.rng, self.streams = rng, streams
        self.opened, self.done = [], 0  # masks issued; rounds that have left
        self.tasks, self.offered = deque(), None  # (stream, last of its round)
        self.count, self.room, self.told = 0, ROOM, False
        self.stages, self.buffer, self.port = deque([None] * 3), deque(), deque()

    def issue(self):
        mask = int(self.rng.integers(1, 1 << self.streams))
        self.opened.append(mask)
        active = [stream for stream in range(self.streams) if mask >> stream & 1]
        self.tasks += [(stream, stream == active[-1]) for stream in active]

    @property
    def active(self):
        """Return the masks of the even and of the odd round, one above the other."""
        slots = [0, 0]
        for number, mask in enumerate(self.opened):
            slots[number % 2] = mask
        return slots[1] << self.streams | slots[0]

    def step(self, popped, last, ready):
        """Go on by a cycle; ``popped`` is the beat made of a word, None without one."""
        moved = bool(self.buffer) and len(self.port) < 2
        if self.port and ready:
            self.port.popleft()
        if moved:
            self.port.append(self.buffer.popleft())
        arrived = self.stages.popleft()
        self.buffer += [] if arrived is None else [arrived]
        self.stages.append(popped)
        self.room += moved - (popped is not None)
        self.told = bool(last and self.offered[1])
        self.done += self.told
        if self.offered is None or last:
            self.offered = self.tasks.popleft() if self.tasks else None


def vectors(streams, vector, logits, element, vector_bits, logit_bits):
    """Phases of traffic: free, few words, a slow port, a shut port, both; resets anywhere."""
    rng, v = np.random.default_rng(streams), Vectors()
    model, due, last_word = Model(rng, streams), deque([None] * 2), vector + logits - 1
    phases = endless([(1, 1), (0.3, 1), (1, 0.4), (1, 0), (0.5, 0.5)])
    resets, beats = {0, 1, *map(int, rng.integers(CYCLES, size=8))}, 0
    for cycle in range(CYCLES):
        if cycle % 40 == 0:
            filled, taken = next(phases)
        reset, ready = cycle in resets, bool(rng.random() < taken)
        waiting = bool(rng.random() < filled), bool(rng.random() < filled)
        if len(model.opened) < model.done + 2 and rng.random() < 0.4:
            model.issue()
        in_logits, at_end = model.count >= vector, model.count == last_word
        pop = bool(model.offered and model.room and waiting[in_logits])
        width = logit_bits if in_logits else vector_bits
        values = rng.integers(-(1 << width - 1), 1 << width - 1, WORD)
        arrived = due.popleft()  # (of the logits, word), popped two cycles ago
        words = [int(rng.integers(1 << WORD * width)) for width in (vector_bits, logit_bits)]
        if arrived:
            words[arrived[0]] = arrived[1]
        stream, ends, data = model.port[0] if model.port else (None,) * 3
        outputs = {
            "done_o": model.told,
            "empty_o": model.room == ROOM and not model.port,
            "vector_pop_o": pop and not in_logits,
            "vector_flush_o": pop and model.count == vector - 1,
            "logit_pop_o": pop and in_logits,
            "logit_flush_o": pop and in_logits and at_end,
            "m_axis_tvalid": bool(model.port),
            "m_axis_tdata": data,
            "m_axis_tlast": ends,
            "m_axis_tid": stream,
        }
        v.cycle(
            {
                "rst_i": reset,
                "issued_i": len(model.opened) % 4,
                "active_i": model.active,
                "parity_i": int(rng.integers(1 << 2 * streams)),
                "fresh_i": int(rng.integers(1 << 2 * streams)),
                "vector_valid_i": waiting[0],
                "vector_word_i": words[0],
                "logit_valid_i": waiting[1],
                "logit_word_i": words[1],
                "m_axis_tready": ready,
            },
            outputs if cycle else dict.fromkeys(outputs),
        )
        beats += bool(model.port) and ready
        beat = (model.offered[0], at_end, packed(values, element)) if pop else None
        due.append((in_logits, packed(values, width)) if pop else None)
        model.step(beat, pop and at_end, ready)
        if pop:
            model.count = 0 if at_end else model.count + 1
        if reset:
            model = Model(rng, streams)
    assert beats > CYCLES // 5
    return v


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_packets_leave_in_order(simulator, folder, size):
    check("ernn_output", parameters(*size), vectors(*size), folder, simulator, files=FILES)


@only_icarus
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(simulator, tmp_path, name):
    size = SIZES[1]
    files = [mutate(FILES[0], *MUTATIONS[name], tmp_path), *FILES[1:]]
    with pytest.raises(ToolError, match="expected"):
        check("ernn_output", parameters(*size), vectors(*size), tmp_path, simulator, files=files)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_is_lint_clean(size):
    lint(FILES, "ernn_output", parameters(*size))
