"""The cycle model: when every beat enters and leaves, exactly as the generated Verilog does it.

All units walk the same tasks in the same order and only ever wait for something that comes earlier
in that order (docs/hardware.md), so the model needs no clock: each event is the latest of what it
waits for, plus a fixed latency. A time is the number of the clock cycle in which a handshake or a
decision takes place; a register written in cycle c is visible in c + 1.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.hw.array_plan import JobPlan
from ernn.hw.plan import HardwarePlan
from ernn.hw.unit_plan import UnitPlan

OUTPUT_ROOM = 8  # words between a pop and the output register (ernn_output)
NEVER = -(10**9)
SETTLED_ROUNDS, SPAN_ROUNDS = 8, 4  # a rate is taken over the second, behind the first
RATE_ROUNDS = SETTLED_ROUNDS + SPAN_ROUNDS + 4  # the last ones lack streams that are done


@dataclass(frozen=True)
class Packet:
    """One feature vector of a stream."""

    stream: int
    fresh: bool = False  # first of an utterance; it has no influence on time


@dataclass(frozen=True)
class Prediction:
    """Cycles of the beats that cross the two AXI4-Streams, per packet in the order of each bus."""

    inputs: list[list[int]]
    outputs: list[list[int]]
    output_streams: list[int]  # stream of every output packet

    @property
    def latencies(self) -> list[int]:
        """Cycles from a frame's first input beat to its last output beat, both counted."""
        first: dict[int, list[int]] = defaultdict(list)
        for packet, stream in zip(self.inputs, self._input_streams, strict=True):
            first[stream].append(packet[0])
        seen: dict[int, int] = defaultdict(int)
        result = []
        for stream, beats in zip(self.output_streams, self.outputs, strict=True):
            result.append(beats[-1] - first[stream][seen[stream]] + 1)
            seen[stream] += 1
        return result

    _input_streams: tuple[int, ...] = ()


def predict(
    plan: HardwarePlan, packets: Sequence[Packet], start: int = 0, gap: int | None = None
) -> Prediction:
    """Return when every beat is accepted, the sender and the receiver never waiting.

    Args:
        plan: the accelerator.
        packets: feature vectors in the order in which they are sent.
        start: cycle in which the first beat is offered.
        gap: None: packets back to back. Otherwise each packet is offered this many cycles after the
            last output beat of the packet before it.
    """
    return _Machine(plan, packets, start, gap).run()


@dataclass(frozen=True)
class Rate:
    """Speed of a plan with every stream busy, and of a single frame."""

    cycles_per_round: float  # one frame of each stream
    cycles_per_frame: float
    latency_cycles: int  # of a frame in an idle accelerator

    def frames_per_second(self, clock_mhz: float) -> float:
        """All streams together."""
        return clock_mhz * 1e6 / self.cycles_per_frame


def rate(plan: HardwarePlan) -> Rate:
    """Return throughput with all streams busy, and the latency of a frame that comes alone.

    Throughput is taken between two rounds in the middle of a long run, when the first frames'
    start and the last frames' end have no influence.
    """
    order = range(plan.streams)
    busy = predict(plan, [Packet(stream) for _ in range(RATE_ROUNDS) for stream in order])
    ends = [
        beats[-1]
        for stream, beats in zip(busy.output_streams, busy.outputs, strict=True)
        if stream == plan.streams - 1
    ]
    single = predict(plan, [Packet(0), Packet(0)], gap=64)
    per_round = round_cycles(ends)
    return Rate(per_round, per_round / plan.streams, single.latencies[-1])


def round_cycles(ends: Sequence[int]) -> float:
    """Return cycles per round of the last output beats of at least RATE_ROUNDS rounds."""
    return (ends[SETTLED_ROUNDS + SPAN_ROUNDS] - ends[SETTLED_ROUNDS]) / SPAN_ROUNDS


class _Walker:
    """When ernn_walker offers a unit its next task."""

    def __init__(self) -> None:
        self.taken = NEVER  # when the task before was taken

    def offered(self, issued: int) -> int:
        return max(self.taken, issued + 1) + 1


class _Machine:
    def __init__(self, plan, packets, start, gap) -> None:
        self.plan, self.packets, self.gap = plan, list(packets), gap
        # Input
        self.accepted: list[int] = []  # beats on the bus
        self.moved: list[int] = []  # beats leaving the skid register
        self.inputs: list[list[int]] = []
        self.next_packet, self.offer = 0, start
        self.sent: dict[int, int] = defaultdict(int)  # packets by stream
        self.begun: dict[tuple[int, int], int] = {}  # (stream, frame): its first beat, visible
        self.full: dict[tuple[int, int], int] = {}  # (stream, frame): visible
        self.released: dict[tuple[int, int], int] = {}
        # Array
        self.walker = _Walker()
        self.load, self.job_end, self.pass_end = NEVER, NEVER, NEVER
        self.tokens: dict[tuple[int, int], list[int]] = defaultdict(list)  # put, in order
        self.used: dict[tuple[int, int], int] = defaultdict(int)
        for index, memory in enumerate(plan.memories):
            for stream in range(plan.streams):
                self.tokens[index, stream] = [NEVER] * memory.initial_tokens
        # Queues: when each word can be popped
        self.words: list[list[int]] = [[] for _ in plan.queues]
        self.drained = [0] * len(plan.queues)  # rows
        self.popped = [0] * len(plan.queues)
        # Units
        self.unit_walkers = {unit.name: _Walker() for unit in plan.units}
        self.beat = dict.fromkeys(self.unit_walkers, NEVER)
        # Output
        self.output_walker = _Walker()
        self.pops: list[int] = []
        self.leaves: list[int] = []
        self.outputs: list[list[int]] = []
        self.output_streams: list[int] = []

    def run(self) -> Prediction:
        frames: dict[int, int] = defaultdict(int)  # next frame of each stream
        free = NEVER  # when the array can take a round
        found = self.begun if self.plan.early else self.full
        issued: list[int] = []
        closed: list[int] = []  # rounds, when all was out
        while True:
            self._send()
            ready = {
                stream: found[stream, frames[stream]]
                for stream in range(self.plan.streams)
                if (stream, frames[stream]) in found
            }
            if not ready:
                break
            issue = max(min(ready.values()), free)
            if len(issued) >= 2:
                issue = max(issue, closed[len(issued) - 2])
            if issued:
                issue = max(issue, issued[-1] + 1)
            active = [stream for stream, at in sorted(ready.items()) if at <= issue]
            issued.append(issue)
            free, done = self._round(active, frames, issue)
            closed.append(done)
            for stream in active:
                frames[stream] += 1
        streams = tuple(packet.stream for packet in self.packets)
        return Prediction(self.inputs, self.outputs, self.output_streams, streams)

    # Input: ernn_skid, ernn_input, the transform and memory of the features

    def _send(self) -> None:
        """Send every packet whose buffer is known to become free."""
        latency = self.plan.last_stored.token_cycles
        while self.next_packet < len(self.packets):
            stream = self.packets[self.next_packet].stream
            frame = self.sent[stream]
            if frame >= 2 and (stream, frame - 2) not in self.released:
                return
            if self.gap is not None and self.next_packet:
                if len(self.outputs) < self.next_packet:
                    return
                self.offer = self.outputs[-1][-1] + self.gap
            free = self.released.get((stream, frame - 2), NEVER)
            for beat in range(self.plan.input_words):
                self._beat(free if beat == 0 else NEVER)
            self.inputs.append(self.accepted[-self.plan.input_words :])
            self.begun[stream, frame] = self.moved[-self.plan.input_words] + 1
            self.full[stream, frame] = self.moved[-1] + 1 + latency + 1
            self.sent[stream] += 1
            self.next_packet += 1

    def _beat(self, free: int) -> None:
        accepted, moved = self.accepted, self.moved
        at = self.offer
        if accepted:
            at = max(at, accepted[-1] + 1)
        if len(moved) >= 2:
            at = max(at, moved[-2] + 1)  # the spare register of the skid
        accepted.append(at)
        moved.append(max(at + 1, free, moved[-1] + 1 if moved else NEVER))

    # A round

    def _round(self, active: list[int], frames: dict[int, int], issue: int) -> tuple[int, int]:
        """Run a frame of every active stream; return when the array is free and all is out."""
        plan = self.plan
        for job in plan.jobs:
            for stream in active:
                self._job(job, stream, frames[stream], issue)
                for unit in plan.units:
                    if self._feeds_last(unit, job):
                        self._unit(unit, job.layer, stream, issue)
                if job is plan.jobs[-1]:
                    self._output(stream, issue)
        return self.load + 2, self.output_walker.taken + 2

    def _feeds_last(self, unit: UnitPlan, job: JobPlan) -> bool:
        """Whether this job is the last of its layer that fills a queue of the unit."""
        queues = {*unit.queues, *unit.paired_queues}
        feeding = [j for j in self.plan.jobs if j.layer == job.layer and j.queue in queues]
        return bool(feeding) and feeding[-1] is job

    # The array: ernn_sequencer to the row queues

    def _job(self, job: JobPlan, stream: int, frame: int, issue: int) -> None:
        plan = self.plan
        taken = max(self.walker.offered(issue), self.load)
        self.walker.taken = taken
        self.load = max(taken + 1, self.job_end)
        step = self.load
        for index, length in enumerate(job.order.lengths):
            done = -1  # the last step of the pass whose cycle is known
            for place, ready in self._waits(job, stream, frame) if index == 0 else ():
                step, done = max(step + place - done, ready), place
            step += length - 1 - done
            step = max(step, self.pass_end + plan.pass_cycles)
            self.pass_end = step
            last = index == job.passes - 1
            entries = job.last_entries if last else plan.pass_cycles
            first_row = step + 1 + plan.drain_cycles + plan.rows_cycles
            self._rows(job.queue, first_row, entries)
        self.job_end = step
        if job.releases_input:
            self.released[stream, frame] = step + 2

    def _waits(self, job: JobPlan, stream: int, frame: int) -> Iterator[tuple[int, int]]:
        """Yield the steps of a first pass that wait for something, and until when."""
        for place, number, _ in job.order.tokens:
            if job.segments[number].first_use:
                key = job.segments[number].memory, stream
                yield place, self.tokens[key][self.used[key]] + 1
                self.used[key] += 1
        if self.plan.early and job is self.plan.jobs[0]:
            yield job.order.subs * job.order.groups[0], self.full[stream, frame]

    def _rows(self, index: int, first: int, entries: int) -> None:
        """Note when the words of drained entries can be popped."""
        queue = self.plan.queues[index]
        for entry in range(entries):
            self.drained[index] += queue.lanes
            complete = self.drained[index] // queue.gates - len(self.words[index])
            self.words[index] += [first + entry + 1] * complete

    # Units and the memories behind them

    def _unit(self, unit: UnitPlan, layer: int, stream: int, issue: int) -> None:
        walker = self.unit_walkers[unit.name]
        number = next(i for i, job in enumerate(unit.jobs) if job.layer == layer)
        job = unit.jobs[number]
        queues = [*unit.queues, *(unit.paired_queues if job.paired else ())]
        beat = max(walker.offered(issue) - 1, self.beat[unit.name])
        offered = []
        for _ in range(job.words):
            ready = max(self._pop(queue) for queue in queues)
            first = max(beat + 1, ready)
            beat = first + unit.beats - 1
            offered.append(first + unit.latency_cycles)
        for queue in queues:
            self._flush(queue)
        walker.taken = self.beat[unit.name] = beat
        for index in unit.memories:
            self._store(index, number, stream, offered)
        for given in unit.given:
            self.words[given.queue] += [at + 1 for at in offered]
        if job.top:
            self.words[self.plan.output.vector_queue] += [at + 1 for at in offered]

    def _pop(self, queue: int) -> int:
        self.popped[queue] += 1
        return self.words[queue][self.popped[queue] - 1]

    def _flush(self, queue: int) -> None:
        """Skip the words that fill up a job's last entry."""
        plan = self.plan.queues[queue]
        self.popped[queue] = -(-self.popped[queue] // plan.words) * plan.words

    def _store(self, index: int, number: int, stream: int, offered: list[int]) -> None:
        """Put a token for every group of words that reaches a memory."""
        memory = self.plan.memories[index]
        if not memory.views[number].enabled:
            return
        columns = 1 if self.plan.gather else self.plan.pe_columns  # words of an address
        base = memory.views[number].base
        for place, at in enumerate(offered):
            complete = (place + 1) % columns == 0 or place == len(offered) - 1
            if complete and base + place // columns not in memory.silent:
                self.tokens[index, stream].append(at + memory.token_cycles)

    # The output: ernn_output

    def _output(self, stream: int, issue: int) -> None:
        plan = self.plan.output
        pop = self.output_walker.offered(issue) - 1
        if self.pops:
            pop = max(pop, self.pops[-1])
        beats = []
        for word in range(plan.vector_words + plan.logit_words):
            queue = plan.vector_queue if word < plan.vector_words else plan.logit_queue
            assert queue is not None
            pop = max(pop + 1, self._pop(queue))
            if len(self.leaves) >= OUTPUT_ROOM:
                pop = max(pop, self.leaves[-OUTPUT_ROOM] + 1)
            self.pops.append(pop)
            leave = max(pop + 4, self.leaves[-1] + 1 if self.leaves else NEVER)
            self.leaves.append(leave)
            beats.append(leave + 1)
        if plan.logit_queue is not None:
            self._flush(plan.logit_queue)
        self.output_walker.taken = pop
        self.outputs.append(beats)
        self.output_streams.append(stream)
