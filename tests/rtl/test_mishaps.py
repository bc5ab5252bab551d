"""The accelerator after something went wrong: a source dies, a stop, a reset, words out of range.

ernn_input, ernn_rounds and ernn_registers together, on their ports only, by sim/mishaps.py.
"""

import json

import numpy as np
import pytest
from accelerators import Accelerator, Design
from conftest import ICARUS
from models import random_frames, turned

from ernn.errors import ToolError
from ernn.hdl.registers import register_map
from ernn.hw.layout import Sizes
from ernn.run.registers import COUNTERS, load_writes
from ernn.run.simulate import simulation_top
from ernn.run.testbench import run_testbench
from ernn.run.traffic import beats_of
from ernn.run.vectors import vector_files

MODEL = {"cell": "lstm", "hidden": 8, "features": 11, "blocks": 4, "labels": 5}
DESIGN = Design(MODEL, Sizes(4, 2, 1, 4))
EARLY = Design(MODEL, Sizes(4, 2, 1, 4, recurrent_first=True), streams=1)
SHORT, VALUE_RANGE = 1, 16  # bits of register error

pytestmark = pytest.mark.parametrize("simulator", [ICARUS])


class Story:
    """Steps of the testbench and the answers that are expected."""

    def __init__(self, folder, design=DESIGN):
        self.made = Accelerator.write(design, folder)
        self.plan, self.model = self.made.plan, self.made.model
        self.at = {register.name: register.address for register in self._map.registers}
        self.steps, self.expected = [], []

    @property
    def _map(self):
        return register_map(self.plan)

    def frames(self, count, seed=1):
        return random_frames(np.random.default_rng(seed), self.model.features, 1, count)[0]

    def packet(self, frame, stream=0, fresh=False):
        words = beats_of(self.plan, self.model.quantize_features(frame[None, None])[0, 0])
        return [
            [word, place == len(words) - 1, stream, fresh and place == 0]
            for place, word in enumerate(words)
        ]

    def do(self, *step, expect=None):
        self.steps.append(list(step))
        if expect is not None:
            self.expected.append(expect)

    def send(self, frames, stream=0, fresh=True):
        for time, frame in enumerate(frames):
            self.do("beats", self.packet(frame, stream, fresh and time == 0))

    def take(self, frames, stream=0, model=None, skip=0):
        """Expect the answers to frames of an utterance, but the first ones."""
        told = vector_files(self.plan, model or self.model, [[frames]] * self.plan.streams)[
            "expected.mem"
        ]
        words = [int(line, 16) for line in told.splitlines()[1:]]
        size = self.plan.output_words
        answers = [[stream, words[t * size : (t + 1) * size]] for t in range(len(frames))]
        self.do("take", len(frames) - skip, expect=answers[skip:])

    def write(self, name, value, expect="OKAY"):
        self.do("write", self.at[name], value, expect=expect)

    def read(self, name, value):
        self.do("read", self.at[name], expect=["OKAY", value])

    def flush(self):
        self.write("control", 1 | 1 << 2)

    def run(self, simulator):
        folder = self.made.folder / "work"
        folder.mkdir(exist_ok=True)
        top, vectors, results = (
            folder / name for name in ("ernn_testbench.v", "vectors.json", "results.json")
        )
        top.write_text(simulation_top(self.plan))
        results.unlink(missing_ok=True)
        vectors.write_text(json.dumps({"steps": self.steps, "results": str(results)}))
        run_testbench(
            [*sorted(self.made.rtl.glob("*.v")), top],
            "ernn_testbench",
            "mishaps",
            folder,
            simulator=simulator,
            environment={"ERNN_VECTORS": str(vectors)},
            run_in=self.made.rtl,
        )
        found = json.loads(results.read_text())
        asked = [step for step in self.steps if step[0] in ("offer", "write", "read", "take")]
        for step, answer, expected in zip(asked, found, self.expected, strict=True):
            assert answer == expected, f"{step}: {answer}, not {expected}"


@pytest.fixture
def story(request):
    return Story(request.config.cache.mkdir("mishaps"))


@pytest.fixture
def early(request):
    return Story(request.config.cache.mkdir("mishaps-early"), EARLY)


def test_a_stop_answers_what_was_taken(story, simulator):
    """So that another model is loaded between packets: each is of one model, whole."""
    old, new = story.frames(2), story.frames(2, seed=2)
    story.do("hold", 1)
    story.send(old)
    story.write("control", 0)
    story.do("wait", 400)
    story.read("status", 0)  # the output is not taken
    first, *others = story.packet(new[0], fresh=True)
    for beat in (first, others[0]):
        story.do("offer", beat, 20, expect=True)  # two beats wait in the input's registers
    story.do("offer", others[1], 20, expect=False)
    story.do("hold", 0)
    story.take(old)
    story.do("wait", 20)
    story.read("status", 1)
    other = turned(story.model)
    for address, value in load_writes(story.plan, other, story._map)[1:-1]:
        story.do("write", address, value, expect="OKAY")
    story.read("error", 0)
    story.write("control", 1)
    story.do("beats", others[1:])
    story.send(new[1:], fresh=False)
    story.take(new, model=other)
    story.run(simulator)


def operations(story):
    """Yield every operation of the registers that could meet a packet that does not end."""
    yield lambda: None
    yield lambda: [story.write("control", 0), story.write("control", 1)]
    yield lambda: story.write("control", 3)  # clears the counters
    yield lambda: story.write("state_reset", 3)
    yield lambda: [story.write("interrupt_enable", 3), story.write("interrupt_enable", 0)]
    yield lambda: [story.write("error", 31), story.read("error", 0)]
    yield lambda: [story.do("wait", 4), story.read("status", 0)]
    yield lambda: story.read("frames_high", 0)
    yield lambda: story.write("load_target", 0)


def test_a_source_that_dies_in_a_packet(story, simulator):
    """A flush ends the packet, wherever it is and whatever else is done; nothing else does."""
    frames = story.frames(1)
    beats = story.packet(frames[0], 0, fresh=True)
    assert len(beats) >= 3
    for count in range(1, len(beats)):
        for operation in operations(story):
            story.do("beats", beats[:count])
            operation()
            story.flush()
            story.send(frames, stream=1)
            story.take(frames, stream=1)
            story.read("error", SHORT)
            story.write("error", SHORT)
    story.flush()  # where no packet has begun, it does nothing
    story.send(frames)
    story.take(frames)
    story.read("error", 0)
    story.run(simulator)


def test_what_comes_behind_a_flush(story, simulator):
    """The rest of a slow packet is one too short; a state reset that it took is given back."""
    frames = story.frames(3)
    story.send(frames[:2])
    story.take(frames[:2])
    beats = story.packet(frames[2])
    story.write("state_reset", 1)
    story.do("beats", beats[:1])
    story.flush()
    story.do("beats", beats[1:])
    story.send(frames[2:], fresh=False)
    story.take(frames[2:])
    story.read("error", SHORT)
    story.run(simulator)


@pytest.mark.parametrize("wait", [0, 40, 90])
def test_a_reset_forgets(wait, story, simulator):
    """States, packets and counts; the first packet begins an utterance even without TUSER."""
    frames = story.frames(3)
    story.send(frames[:2])
    story.do("beats", story.packet(frames[2])[:1])
    story.do("wait", wait)
    story.do("reset", 1)
    for name in COUNTERS:
        story.read(f"{name}_low", 0)
        story.read(f"{name}_high", 0)
    story.read("status", 1)
    story.send(frames[:2], fresh=False)
    story.take(frames[:2])
    story.send(frames[:1], stream=1, fresh=False)
    story.take(frames[:1], stream=1)
    story.read("frames_low", 3)
    story.read("steps_low", 3 * story.plan.steps)
    story.run(simulator)


def test_what_a_dropped_packet_began(simulator, early):
    """A round that begins with its packet is the next one's, whose utterance and weights count."""
    assert early.plan.early
    frames, other = early.frames(4), turned(early.model)

    def load(model):
        early.write("control", 0)
        for address, value in load_writes(early.plan, model, early._map)[1:-1]:
            early.do("write", address, value, expect="OKAY")
        early.write("control", 1)

    def drop(fresh):
        early.do("beats", early.packet(frames[0], fresh=fresh)[:1])
        early.do("wait", 60)
        early.flush()
        early.do("wait", 10)
        early.read("status", 1)  # what waits is no frame on its way

    early.send(frames[:2])
    early.take(frames[:2])
    drop(fresh=True)
    early.send(frames[2:3], fresh=False)
    early.take(frames[:3], skip=2)
    load(other)
    drop(fresh=False)
    load(early.model)
    early.send(frames[3:], fresh=False)
    early.take(frames, skip=3)
    drop(fresh=False)
    early.send(frames[:2])
    early.take(frames[:2])
    early.write("error", SHORT)
    early.read("error", 0)
    early.run(simulator)


def test_words_outside_a_memory(story, simulator):
    """And overwrite nothing; what is read where no register is, is 0."""
    story.write("control", 0)
    targets = story.plan.load_targets
    for number, memory in enumerate(targets):
        story.write("load_target", number)
        story.write("load_data", 0xFFFFFFFF)
        for address in (memory.depth, memory.depth + 1, 1 << 16, 0xFFFFFFFF):
            story.write("load_write", address, expect="SLVERR")
    for number in (len(targets), 0xFFFF):
        story.write("load_target", number)
        story.write("load_write", 0, expect="SLVERR")
    for address in (0x48C, 0x400, 0xFFC):
        story.do("read", address, expect=["SLVERR", 0])
    story.write("control", 1)
    frames = story.frames(2)
    story.send(frames)
    story.take(frames)
    story.read("error", 0)
    story.run(simulator)


def test_a_value_beyond_its_format_is_told(story, simulator):
    """And the nearest value of the format takes its place."""
    bits, word, limit = (
        story.plan.element_bits,
        story.plan.word,
        1 << (story.plan.feature.width - 1),
    )
    assert story.plan.feature.width < bits
    for value, error in (
        (limit - 1, 0),
        (-limit, 0),
        (limit, VALUE_RANGE),
        (-limit - 1, VALUE_RANGE),
        ((1 << bits - 1) - 1, VALUE_RANGE),
    ):
        (frame,) = story.frames(1)
        frame[2 * word - 1] = 1e6 * np.sign(value)  # which the integer model saturates
        beats = story.packet(frame, fresh=True)
        place = bits * (word - 1)
        mask = (1 << bits) - 1
        beats[1][0] = beats[1][0] & ~(mask << place) | (value & mask) << place
        story.do("beats", beats)
        story.take([frame])
        story.read("error", error)
        story.write("error", error)
    story.run(simulator)


MUTATIONS = [
    ("ernn_input.v", "(run_i && (", "(1'b1 && (", test_a_stop_answers_what_was_taken),
    ("ernn_rounds.v", "&& empty_i", "", test_a_source_that_dies_in_a_packet),
    ("ernn_input.v", "if (cut) inside_q <= 1'b0;", "", test_a_source_that_dies_in_a_packet),
    ("ernn_input.v", "(cut || (beat", "(1'b0 || (beat", test_what_comes_behind_a_flush),
    ("ernn_input.v", "<= {STREAMS{1'b1}};", "<= {STREAMS{1'b0}};", test_a_reset_forgets),
    ("ernn_registers.v", "write_load_write_q && load_inside_q && !", "write_load_write_q && !",
     test_words_outside_a_memory),
    ("ernn_registers.v", "if (rst_i || outside)", "if (rst_i)", test_words_outside_a_memory),
    ("ernn_input.v", "|signs && !(&signs)", "1'b0", test_a_value_beyond_its_format_is_told),
    ("ernn_input.v", "? {data[", "? {~data[", test_a_value_beyond_its_format_is_told),
]  # fmt: skip


EARLY_MUTATIONS = [
    ("ernn_sequencer.v", "|| (at_features && features_fresh)", ""),
    ("ernn_sequencer.v", "stale_q <= (stale_q ||", "stale_q <= (1'b0 &&"),
    ("ernn_sequencer.v", "waits_o <= busy_q", "waits_o <= 1'b0"),
]


@pytest.mark.parametrize("number", range(len(EARLY_MUTATIONS)))
def test_a_planted_bug_of_early_rounds_is_found(number, simulator, tmp_path):
    file, before, after = EARLY_MUTATIONS[number]
    early = Story(tmp_path, EARLY)
    text = (early.made.rtl / file).read_text()
    assert before in text, f"{file} has no {before!r} to change"
    (early.made.rtl / file).write_text(text.replace(before, after))
    with pytest.raises((AssertionError, ToolError)):
        test_what_a_dropped_packet_began(simulator, early)


@pytest.mark.parametrize("number", range(len(MUTATIONS)))
def test_a_planted_bug_is_found(number, simulator, tmp_path):
    file, before, after, test = MUTATIONS[number]
    story = Story(tmp_path)
    text = (story.made.rtl / file).read_text()
    assert before in text, f"{file} has no {before!r} to change"
    (story.made.rtl / file).write_text(text.replace(before, after))
    more = {"wait": 90} if test is test_a_reset_forgets else {}
    with pytest.raises((AssertionError, ToolError)):
        test(story=story, simulator=simulator, **more)
