"""Which unit works in which cycle: the schedule of a saturated run, taken from its trace.

A unit works in a cycle in which it takes something new: a beat, a word, a step or a row. The trace
shows the beats, the words in front of every transform and the array's steps themselves. Rows and
the words of the cell units it shows where they leave; they entered a fixed number of cycles
earlier, which the plan states exactly (``rows_cycles``, ``latency_cycles``).
"""

import json
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from ernn import __version__
from ernn.datafile import parse
from ernn.errors import ModelFileError
from ernn.files import write_text
from ernn.hw.cycles import RATE_ROUNDS, SETTLED_ROUNDS, SPAN_ROUNDS
from ernn.hw.plan import HardwarePlan
from ernn.run.trace import (
    Event,
    InputBeat,
    InputWord,
    OutputBeat,
    PassEnd,
    Rows,
    Stepping,
    VectorWord,
)
from ernn.run.trace_decoder import Pass, pass_ends, pass_entries

FORMAT = "ernn-schedule-1"
SHOWN_ROUNDS = 2  # whose frames are listed one by one

SEEN = "seen in the trace"
AT_WORDS = "words seen in the trace; each is in memory {} cycles later, by the plan"
AT_ROWS = "rows seen where they leave, {} cycles after they entered, by the plan"
AT_VECTOR = "words seen where they leave, {} cycles after their rows were taken, by the plan"

Runs = Annotated[str, Field(pattern=r"^\d+-\d+( \d+-\d+)*$")]


@dataclass(frozen=True)
class Share:
    """A unit's work for one frame of one stream."""

    job: str  # "layer0.zr" of the array, "layer0" of a cell unit, or empty
    stream: int
    frame: int
    cycles: Runs  # in which it took something: "4211-4219 4223-4223", both ends counted
    until: int  # cycle in which the last of it had left

    @property
    def runs(self) -> list[tuple[int, int]]:
        """First and last cycle of every run of cycles in which it took something."""
        ends = (run.split("-") for run in self.cycles.split())
        return [(int(first), int(last)) for first, last in ends]

    @property
    def first(self) -> int:
        """First cycle of work."""
        return self.runs[0][0]

    @property
    def busy(self) -> int:
        """Cycles in which it took something."""
        return sum(last - first + 1 for first, last in self.runs)


@dataclass(frozen=True)
class UnitSchedule:
    """A unit's work in the window."""

    unit: str  # "input", "transform_x", "array", "rows", "unit_lstm", "output"
    job: str  # of the array, which is listed once for each job; else empty
    how: str  # how its cycles are known
    busy: int  # cycles of the whole window in which it took something
    shares: tuple[Share, ...]  # those that touch the first `SHOWN_ROUNDS` rounds

    @property
    def name(self) -> str:
        """The unit, with the array's job."""
        return f"{self.unit} {self.job}".rstrip()


@dataclass(frozen=True)
class Schedule:
    """What every unit did in a window of whole rounds, all streams busy."""

    first: int  # cycle of the simulation
    last: int
    shown: int  # last cycle of the rounds whose shares are listed
    rounds: int
    units: tuple[UnitSchedule, ...]

    @property
    def cycles(self) -> int:
        """Length of the window."""
        return self.last - self.first + 1

    def percent(self, unit: UnitSchedule) -> float:
        """Return the share of the window's cycles in which a unit took something."""
        return 100 * unit.busy / self.cycles

    @property
    def array_percent(self) -> float:
        """Of the array, all jobs together."""
        return sum(self.percent(unit) for unit in self.units if unit.unit == "array")


def save_schedule(schedule: Schedule, plan: HardwarePlan, simulator: str, path: Path) -> None:
    """Write schedule.json."""
    content = {
        "format": FORMAT,
        "ernn": __version__,
        "plan": plan.digest,
        "tool": simulator,
        "command": f"ernn simulate {plan.name}",
        "mark": "simulated",
        "schedule": asdict(schedule),
    }
    write_text(path, json.dumps(content, indent=1) + "\n")


def load_schedule(path: Path) -> Schedule:
    """Read a schedule.json.

    Raises:
        ModelFileError: it is missing, damaged or of another kind.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        known = told["schedule"] if told["format"] == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{path} holds no schedule", given=str(error), remedy="simulate again"
        ) from None
    return parse(known, Schedule, ModelFileError, str(path))


class _Key(NamedTuple):
    unit: str
    job: str


class _Work(NamedTuple):
    """Neighbouring cycles in which a unit took something."""

    key: _Key
    stream: int
    frame: int
    first: int
    last: int
    until: int


def make_schedule(plan: HardwarePlan, events: Sequence[Event]) -> Schedule | None:
    """Return the schedule of a saturated run, its rounds those of `ernn.hw.cycles.rate`.

    Args:
        plan: of the accelerator.
        events: from a reset to the end.

    Returns:
        None where the run has fewer than RATE_ROUNDS rounds with a frame of every stream.
    """
    frames = Counter(e.stream for e in events if isinstance(e, OutputBeat) and e.last)
    if min(frames[stream] for stream in range(plan.streams)) < RATE_ROUNDS:
        return None
    last_stream = plan.streams - 1
    ends = [
        e.cycle for e in events if isinstance(e, OutputBeat) and e.last and e.stream == last_stream
    ]
    first, last = ends[SETTLED_ROUNDS] + 1, ends[SETTLED_ROUNDS + SPAN_ROUNDS]
    shown = ends[SETTLED_ROUNDS + SHOWN_ROUNDS]
    by_key: dict[_Key, dict[tuple[int, int], list[_Work]]] = defaultdict(lambda: defaultdict(list))
    longest = max(plan.rows_cycles, *(unit.latency_cycles for unit in plan.units))
    known = last + plan.round_cycles + longest  # until then all work in these rounds has shown
    for work in _WorkDecoder(plan).works(takewhile(lambda e: e.cycle <= known, events)):
        if work.until >= first and work.first <= last:
            by_key[work.key][work.stream, work.frame].append(work)
    units = tuple(
        UnitSchedule(
            key.unit,
            key.job if key.unit == "array" else "",
            how,
            sum(_inside(work, first, last) for works in shares.values() for work in works),
            tuple(_shares(shares, shown)),
        )
        for key, how in _units(plan).items()
        if (shares := _joined(by_key, key))
    )
    return Schedule(first, last, shown, SPAN_ROUNDS, units)


def _units(plan: HardwarePlan) -> dict[_Key, str]:
    """Return every unit, in the order of the data, and how its cycles are known."""
    transforms: dict[str, dict[_Key, str]] = defaultdict(dict)
    for memory in plan.memories:
        how = AT_WORDS.format(memory.latency_cycles)
        transforms[memory.maker][_Key(f"transform_{memory.name}", "")] = how
    units = {_Key("input", ""): SEEN, **transforms["input"]}
    units |= {_Key("array", job.name): SEEN for job in plan.jobs}
    units[_Key("rows", "")] = AT_ROWS.format(plan.rows_cycles)
    for unit in plan.units:
        units[_Key(f"unit_{unit.name}", "")] = AT_VECTOR.format(unit.latency_cycles)
        units |= transforms[unit.name]
    return units | {_Key("output", ""): SEEN}


def _joined(by_key: dict, key: _Key) -> dict[tuple[str, int, int], list[_Work]]:
    """Return a unit's work by job, stream and frame; a unit other than the array has all jobs."""
    keys = [key] if key.unit == "array" else [known for known in by_key if known.unit == key.unit]
    return {
        (known.job, stream, frame): works
        for known in keys
        for (stream, frame), works in by_key[known].items()
    }


def _shares(works: dict[tuple[str, int, int], list[_Work]], shown: int) -> Iterator[Share]:
    """Yield what began before the end of the shown rounds, in the order of its begin."""
    for (job, stream, frame), parts in sorted(works.items(), key=lambda entry: entry[1][0].first):
        if parts[0].first <= shown:
            until = max(part.until for part in parts)
            yield Share(job, stream, frame, _text(parts), until)


def _text(parts: Iterable[_Work]) -> str:
    """Return the cycles of work with neighbours joined."""
    runs: list[list[int]] = []
    for part in parts:
        if runs and part.first <= runs[-1][1] + 1:
            runs[-1][1] = max(runs[-1][1], part.last)
        else:
            runs.append([part.first, part.last])
    return " ".join(f"{first}-{last}" for first, last in runs)


def _inside(work: _Work, first: int, last: int) -> int:
    return max(0, min(work.last, last) - max(work.first, first) + 1)


class _WorkDecoder:
    """Turns the events of a run into work."""

    def __init__(self, plan: HardwarePlan) -> None:
        self.plan, self.ends = plan, pass_ends(plan)
        self.frames: Counter = Counter()  # by what and stream
        self.passes: deque[Pass] = deque()  # whose rows are still to come
        self.entry = 0  # of the first of them
        self.steps: list[tuple[int, int]] = []  # runs of cycles since the last pass ended
        self.begin: int | None = None  # of the run that goes on

    def works(self, events: Iterable[Event]) -> Iterator[_Work]:
        """Yield all work, that of a unit in the order of its cycles."""
        for event in events:
            match event:
                case InputBeat():
                    yield self._port("input", event)
                case OutputBeat():
                    yield self._port("output", event)
                case InputWord():
                    yield self._input_word(event)
                case Stepping():
                    self._stepping(event)
                case PassEnd():
                    yield from self._pass_end(event)
                case Rows():
                    yield self._rows(event)
                case VectorWord():
                    yield from self._vector(event)

    def _port(self, name: str, beat: InputBeat | OutputBeat) -> _Work:
        frame = self.frames[name, beat.stream]
        self.frames[name, beat.stream] += beat.last
        return _Work(_Key(name, ""), beat.stream, frame, beat.cycle, beat.cycle, beat.cycle)

    def _input_word(self, word: InputWord) -> _Work:
        frame = self.frames["word", word.stream] // self.plan.input_words
        self.frames["word", word.stream] += 1
        return self._transform(0, "", word.stream, frame, word.cycle)

    def _transform(self, memory: int, job: str, stream: int, frame: int, cycle: int) -> _Work:
        planned = self.plan.memories[memory]
        until = cycle + planned.latency_cycles
        return _Work(_Key(f"transform_{planned.name}", job), stream, frame, cycle, cycle, until)

    def _stepping(self, event: Stepping) -> None:
        if event.begins:
            self.begin = event.cycle
        elif self.begin is not None:
            self._end_steps(event.cycle - 1)
            self.begin = None

    def _end_steps(self, last: int) -> None:
        if self.begin is not None and self.begin <= last:
            self.steps.append((self.begin, last))

    def _pass_end(self, event: PassEnd) -> Iterator[_Work]:
        job, number = self.ends[event.address]
        name = self.plan.jobs[job].name
        frame = self.frames[name, event.stream] // self.plan.jobs[job].passes
        self.frames[name, event.stream] += 1
        self.passes.append(Pass(job, number, event.stream, frame))
        self._end_steps(event.cycle)
        for first, last in self.steps:
            yield _Work(_Key("array", name), event.stream, frame, first, last, last)
        self.steps = []
        if self.begin is not None:
            self.begin = event.cycle + 1

    def _rows(self, event: Rows) -> _Work:
        plan, now = self.plan, self.passes[0]
        job = plan.jobs[now.job]
        self.entry += 1
        if self.entry == pass_entries(plan, job, now.number):
            self.passes.popleft()
            self.entry = 0
        taken = event.cycle - plan.rows_cycles
        return _Work(_Key("rows", job.name), now.stream, now.frame, taken, taken, event.cycle)

    def _vector(self, event: VectorWord) -> Iterator[_Work]:
        unit = self.plan.units[event.unit]
        name = f"layer{unit.jobs[event.job].layer}"
        self.frames[unit.name, name, event.stream] += event.start
        frame = self.frames[unit.name, name, event.stream] - 1
        first = event.cycle - unit.latency_cycles
        key = _Key(f"unit_{unit.name}", name)
        yield _Work(key, event.stream, frame, first, first + unit.beats - 1, event.cycle)
        for memory in unit.memories:
            if self.plan.memories[memory].views[event.job].enabled:
                yield self._transform(memory, name, event.stream, frame, event.cycle)
