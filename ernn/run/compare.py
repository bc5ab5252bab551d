"""Give every word of a trace its signal, stream, frame and element, and compare it with the golden.

The weight address of a pass's last step names its job and number, rows follow their passes in
order, and the n-th vector of a unit's job and stream belongs to that stream's n-th frame.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np

from ernn.errors import MismatchError
from ernn.fixed import QFormat
from ernn.hw.plan import HardwarePlan, JobPlan
from ernn.quant.frames import stack
from ernn.quant.integer_model import IntegerModel
from ernn.run.trace import Event, OutputBeat, PassEnd, Rows, StateWrite, VectorWord, values
from ernn.run.traffic import Streams

OUTPUT = "output "  # in front of a signal's name: as it leaves the accelerator


class Signal(NamedTuple):
    """What the integer model says of a signal."""

    form: QFormat
    streams: list[np.ndarray]  # per stream (frames, size), raw, its utterances joined


Golden = Mapping[str, Signal]


class Word(NamedTuple):
    """Neighbouring elements of one signal in one frame, as they were found."""

    cycle: int
    stream: int
    frame: int
    signal: str
    element: int  # the first one
    found: list[int | None]


class Pass(NamedTuple):
    """A pass whose rows are still to come."""

    job: int
    number: int
    stream: int
    frame: int


def golden_signals(model: IntegerModel, utterances: Streams) -> Golden:
    """Run the integer model and return every signal that a trace shows."""
    batch, lengths = stack([utterance for stream in utterances for utterance in stream])
    hidden = (".x", ".scaled") if model.layers[0].cell == "gru_before" else (".x", ".scaled", ".z")
    taps = [name for name in model.formats if not name.endswith(hidden)]
    signals = model.run(batch, lengths, taps).signals
    golden = {}
    for name in taps:
        rows = iter(zip(signals[name], lengths, strict=True))
        streams = [
            np.concatenate([frames[:length] for frames, length in islice(rows, len(stream))])
            for stream in utterances
        ]
        golden[name] = Signal(model.formats[name], streams)
    for name in {f"layer{len(model.layers) - 1}.h", "logits"} & golden.keys():
        golden[OUTPUT + name] = golden[name]
    return golden


def compare(words: Iterable[Word], golden: Golden) -> Counter[str]:
    """Compare words in the order in which they appeared; return how many elements, by signal.

    Raises:
        MismatchError: the first word that differs, or that nobody asked for.
    """
    compared: Counter[str] = Counter()
    for word in words:
        streams = golden[word.signal].streams
        frames = streams[word.stream] if word.stream < len(streams) else ()
        if word.frame >= len(frames):
            raise MismatchError(
                f"cycle {word.cycle}: {word.signal} of frame {word.frame} of stream {word.stream}, "
                f"which was sent {len(frames)} frames"
            )
        expected = frames[word.frame][word.element : word.element + len(word.found)].tolist()
        if expected != word.found:
            raise MismatchError(_difference(word, expected, golden[word.signal].form))
        compared[word.signal] += len(expected)
    return compared


def require_whole(compared: Counter[str], golden: Golden) -> None:
    """Check that every element of every golden signal was found.

    Raises:
        MismatchError: some never appeared.
    """
    for signal, (_, streams) in golden.items():
        size = sum(frames.size for frames in streams)
        if compared[signal] != size:
            raise MismatchError(
                f"{compared[signal]} of {size} elements of {signal} appeared in the simulation"
            )


def _difference(word: Word, expected: list[int], form: QFormat) -> str:
    """Tell the first element that differs."""

    def told(raw: int | None) -> str:
        if raw is None:
            return "unknown bits"
        return f"{raw} ({float(form.to_float(np.array(raw))):.6g})"

    at = next(i for i, value in enumerate(word.found) if value != expected[i])
    layer, dot, _ = word.signal.removeprefix(OUTPUT).partition(".")
    return (
        f"{layer if dot else 'output layer'}, frame {word.frame} of stream {word.stream}, signal "
        f"{word.signal}, element {word.element + at}: expected {told(expected[at])}, found "
        f"{told(word.found[at])} in cycle {word.cycle}"
    )


class Follower:
    """Follows one run through the schedule of its plan: which event carries which words."""

    def __init__(self, plan: HardwarePlan, model: IntegerModel):
        self.plan, self.model = plan, model
        self.ends = {
            job.weight_base + (number + 1) * (job.steps // job.passes) - 1: (index, number)
            for index, job in enumerate(plan.jobs)
            for number in range(job.passes)
        }
        self.passes: deque[Pass] = deque()
        self.entry = 0  # of the first of the passes
        self.begun: Counter = Counter()  # frames, by what and stream
        self.place: Counter = Counter()  # words since the frame began, by what and stream

    def words(self, events: Iterable[Event]) -> Iterator[Word]:
        """Yield every word of a run.

        Raises:
            MismatchError: an event that the plan does not know.
        """
        for event in events:
            match event:
                case PassEnd():
                    self._expect_pass(event)
                case Rows():
                    yield from self._rows(event)
                case VectorWord():
                    yield from self._vector(event)
                case StateWrite():
                    yield self._state(event)
                case OutputBeat():
                    yield self._output(event)

    def _expect_pass(self, event: PassEnd) -> None:
        if event.address not in self.ends:
            raise MismatchError(
                f"cycle {event.cycle}: a pass ends at weight address {event.address}, "
                "where no pass of the plan ends"
            )
        job, number = self.ends[event.address]
        frame, due = divmod(self.begun["job", job, event.stream], self.plan.jobs[job].passes)
        if number != due:
            raise MismatchError(
                f"cycle {event.cycle}: pass {number} of {self.plan.jobs[job].name} for stream "
                f"{event.stream}, where pass {due} is due"
            )
        self.begun["job", job, event.stream] += 1
        self.passes.append(Pass(job, number, event.stream, frame))

    def _rows(self, event: Rows) -> Iterator[Word]:
        if not self.passes:
            raise MismatchError(f"cycle {event.cycle}: rows without a pass that they belong to")
        plan, now = self.plan, self.passes[0]
        job = plan.jobs[now.job]
        product = self.model.products[job.product]
        if event.queues != 1 << job.queue:
            raise MismatchError(
                f"cycle {event.cycle}: rows of {job.name} go to queues {event.queues:b} (a bit "
                f"each), planned is {plan.queues[job.queue].name}, number {job.queue}"
            )
        lanes, word, gates = plan.drain_lanes, plan.word, len(product.gates)
        size = product.bias.size // gates
        signal = "logits" if job.name == "logits" else f"{job.name}.row"
        found = values(event.data, plan.row.width, lanes * word)
        first = now.number * plan.pe_rows + self.entry * lanes
        for lane in range(min(lanes, gates * size // word - first)):
            place, gate = divmod(first + lane, gates)
            part = found[lane * word : (lane + 1) * word]
            element = gate * size + place * word
            yield Word(event.cycle, now.stream, now.frame, signal, element, part)
        self.entry += 1
        if self.entry == self._entries(job, now.number):
            self.passes.popleft()
            self.entry = 0

    def _entries(self, job: JobPlan, number: int) -> int:
        return job.last_entries if number == job.last_pass else self.plan.pass_cycles

    def _vector(self, event: VectorWord) -> Iterator[Word]:
        unit = self.plan.units[event.unit]
        layer = unit.jobs[event.job].layer if event.job < len(unit.jobs) else event.job
        key = ("vector", event.unit, event.job, event.stream)
        if event.start:
            self.begun[key] += 1
            self.place[key] = 0
        element = self.place[key] * self.plan.word
        self.place[key] += 1
        where = (event.cycle, event.stream, self.begun[key] - 1)
        name = f"layer{layer}.{self._vector_name(unit.name)}"
        yield Word(*where, name, element, values(event.data, unit.value_bits, self.plan.word))
        if event.gate:
            found = values(event.gate, self.plan.gate.width, self.plan.word)
            yield Word(*where, f"layer{layer}.z", element, found)

    def _vector_name(self, unit: str) -> str:
        if unit == "gru_reset":
            return "rh"
        return "m" if unit == "lstm" and "m" in self.model.layers[0].vectors else "h"

    def _state(self, event: StateWrite) -> Word:
        plan = self.plan
        unit = next(unit for unit in plan.units if unit.writes_state)
        stream, beat = divmod(event.address, 1 << unit.beat_addr_bits)
        job = [job for job in unit.jobs if job.state_base <= beat][-1]
        key = ("state", beat, stream)
        self.begun[key] += 1
        name = "c" if unit.name == "lstm" else "state"
        found = values(event.data, plan.state.width, unit.lanes)
        element = (beat - job.state_base) * unit.lanes
        signal = f"layer{job.layer}.{name}"
        return Word(event.cycle, stream, self.begun[key] - 1, signal, element, found)

    def _output(self, event: OutputBeat) -> Word:
        plan = self.plan
        packet = plan.output.vector_words + plan.output.logit_words
        key = ("output", event.stream)
        frame, beat = divmod(self.place[key], packet)
        self.place[key] += 1
        if event.last != (beat == packet - 1):
            raise MismatchError(
                f"cycle {event.cycle}: beat {beat} of an output packet of {packet} beats comes "
                f"{'with' if event.last else 'without'} TLAST"
            )
        found = values(event.data, plan.element_bits, plan.word)
        if beat < plan.output.vector_words:
            signal, element = f"layer{len(self.model.layers) - 1}.h", beat * plan.word
        else:
            signal, element = "logits", (beat - plan.output.vector_words) * plan.word
        return Word(event.cycle, event.stream, frame, OUTPUT + signal, element, found)
