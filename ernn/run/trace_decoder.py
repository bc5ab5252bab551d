"""Decode a trace by the schedule: which signal, stream, frame and element every word is.

The weight address of a pass's last step names its job and number, rows follow their passes in
order, and the n-th vector of a unit's job and stream belongs to that stream's n-th frame.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ernn.errors import MismatchError
from ernn.hw.plan import HardwarePlan, JobPlan
from ernn.quant.integer_model import IntegerModel
from ernn.run.trace import Event, OutputBeat, Packed, PassEnd, Rows, StateWrite, VectorWord

OUTPUT = "output "  # in front of a signal's name: as it leaves the accelerator


class Word(NamedTuple):
    """Neighbouring elements of one signal in one frame, as the trace holds them."""

    cycle: int
    stream: int
    frame: int
    signal: str
    element: int  # the first one
    packed: Packed


class Pass(NamedTuple):
    """A pass whose rows are still to come."""

    job: int
    number: int
    stream: int
    frame: int


def pass_ends(plan: HardwarePlan) -> dict[int, tuple[int, int]]:
    """Return job and number of every pass by the weight address of its last step."""
    return {
        job.weight_base + end: (index, number)
        for index, job in enumerate(plan.jobs)
        for number, end in enumerate(job.order.ends)
    }


def pass_entries(plan: HardwarePlan, job: JobPlan, number: int) -> int:
    """Return how often rows go to their queue behind a pass."""
    return job.last_entries if number == job.last_pass else plan.pass_cycles


class TraceDecoder:
    """Decodes the trace of one run by the schedule of its plan: which words an event carries."""

    def __init__(self, plan: HardwarePlan, model: IntegerModel):
        self.plan, self.model = plan, model
        self.ends = pass_ends(plan)
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
        rows = Packed.read(event.data, plan.row.width, lanes * word)
        first = now.number * plan.pe_rows + self.entry * lanes
        for lane in range(min(lanes, gates * size // word - first)):
            place, gate = divmod(first + lane, gates)
            element, part = gate * size + place * word, rows.part(lane * word, word)
            yield Word(event.cycle, now.stream, now.frame, signal, element, part)
        self.entry += 1
        if self.entry == pass_entries(plan, job, now.number):
            self.passes.popleft()
            self.entry = 0

    def _vector(self, event: VectorWord) -> Iterator[Word]:
        unit = self.plan.units[event.unit]
        if event.job >= len(unit.jobs):
            raise MismatchError(
                f"cycle {event.cycle}: {unit.name} works on job {event.job} of {len(unit.jobs)}"
            )
        layer = unit.jobs[event.job].layer
        key = ("vector", event.unit, event.job, event.stream)
        if event.start:
            self.begun[key] += 1
            self.place[key] = 0
        element = self.place[key] * self.plan.word
        self.place[key] += 1
        where = (event.cycle, event.stream, self.begun[key] - 1)
        name = f"layer{layer}.{unit.vector}"
        yield Word(*where, name, element, Packed.read(event.data, unit.value_bits, self.plan.word))
        for given, data in zip(unit.given, event.given, strict=True):
            elements = Packed.read(data, given.bits, self.plan.word)
            yield Word(*where, f"layer{layer}.{given.name}", element, elements)

    def _state(self, event: StateWrite) -> Word:
        plan = self.plan
        state = plan.states[event.memory]
        unit = next(unit for unit in plan.units if unit.name == state.writer)
        stream, beat = divmod(event.address, 1 << state.beat_bits)
        job = [job for job in unit.jobs if job.state_base <= beat][-1]
        key = ("state", event.memory, beat, stream)
        self.begun[key] += 1
        elements = Packed.read(event.data, plan.state.width, state.lanes)
        element = (beat - job.state_base) * state.lanes
        signal = f"layer{job.layer}.{state.signal}"
        return Word(event.cycle, stream, self.begun[key] - 1, signal, element, elements)

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
        elements = Packed.read(event.data, plan.element_bits, plan.word)
        if beat < plan.output.vector_words:
            signal, element = f"layer{len(self.model.layers) - 1}.h", beat * plan.word
        else:
            signal, element = "logits", (beat - plan.output.vector_words) * plan.word
        return Word(event.cycle, event.stream, frame, OUTPUT + signal, element, elements)
