"""Which unit worked in which cycle: from a simulation, checked against the plan."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from accelerators import Accelerator, Design
from deadlines import each

from ernn.errors import ModelFileError
from ernn.hw.cycles import RATE_ROUNDS, SPAN_ROUNDS
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.run.schedule import Schedule, load_schedule, make_schedule, save_schedule
from ernn.run.trace import Event, OutputBeat, PassEnd, Rows, Stepping, read_trace

DESIGNS = {
    "gru": Design(
        {"cell": "gru_before", "hidden": 16, "layers": 2, "features": 9, "blocks": 4},
        Sizes(3, 2, 1, 2),
    ),
    "lstm": Design(
        {"cell": "lstm", "hidden": 12, "features": 9, "blocks": 4, "projection": 8},
        Sizes(4, 1, 2, 2),
        streams=3,
    ),
}

pytestmark = pytest.mark.needs("iverilog")


@pytest.fixture(scope="module", params=DESIGNS)
def simulated(request, tmp_path_factory) -> tuple[HardwarePlan, list[Event], Schedule]:
    """A plan, the events of its simulation, and the schedule in them."""
    made = Accelerator.write(DESIGNS[request.param], tmp_path_factory.mktemp("schedule"))
    frames = [(RATE_ROUNDS,)] * made.plan.streams
    found = made.run(*frames, simulator="icarus").schedule
    (*_, events) = map(list, read_trace(made.folder / "work" / "trace.txt"))
    return made.plan, events, found


def expected(plan: HardwarePlan) -> Counter:
    """Return the cycles of work for one frame, by unit, from the plan alone."""
    cycles = Counter({"input": plan.input_words, "output": plan.output_words})
    for job in plan.jobs:
        cycles[f"array {job.name}"] = job.steps
        cycles["rows"] += job.entries
    vectors = {"input": [plan.input_words]}
    for unit in plan.units:
        vectors[unit.name] = [job.words for job in unit.jobs]
        cycles[f"unit_{unit.name}"] = unit.beats * sum(vectors[unit.name])
    for memory in plan.memories:
        kept = zip(memory.views, vectors[memory.maker], strict=True)
        cycles[f"transform_{memory.name}"] = sum(words for view, words in kept if view.enabled)
    return cycles


def found_in(schedule: Schedule) -> dict[str, int]:
    return {unit.name: unit.busy for unit in schedule.units}


def per_window(plan: HardwarePlan) -> dict[str, int]:
    frames = SPAN_ROUNDS * plan.streams
    return {name: frames * cycles for name, cycles in expected(plan).items()}


def test_every_unit_works_as_often_as_planned(simulated):
    plan, _, schedule = simulated
    assert found_in(schedule) == per_window(plan)
    assert schedule.array_percent == pytest.approx(
        100 * plan.steps * plan.streams * SPAN_ROUNDS / schedule.cycles
    )


def test_a_step_that_the_trace_lacks_is_missed(simulated):
    """Planted: the array is said to begin one step late, or to rest through a whole pass."""
    plan, events, schedule = simulated
    begins = next(e for e in events if isinstance(e, Stepping) and e.cycle > schedule.first)
    late = [e._replace(cycle=e.cycle + 1) if e is begins else e for e in events]
    assert found_in(make_schedule(plan, late)) != per_window(plan)
    rests = [e for e in events if not isinstance(e, Stepping)]
    told = found_in(make_schedule(plan, rests))
    assert not any(name.startswith("array") for name in told)


def test_rows_follow_the_pass_that_they_belong_to(simulated):
    """The first row of a pass is taken as long after its last step as the plan says."""
    plan, events, schedule = simulated
    ends = [e.cycle for e in events if isinstance(e, PassEnd)]
    left = [e.cycle for e in events if isinstance(e, Rows)]
    rows = next(unit for unit in schedule.units if unit.unit == "rows")
    firsts = {end + plan.drain_cycles for end in ends}
    taken = {cycle - plan.rows_cycles for cycle in left}
    assert firsts <= taken
    assert {run[0] for share in rows.shares[1:] for run in share.runs} <= firsts
    wrong = make_schedule(replace(plan, inverse_cycles=plan.inverse_cycles + 1), events)
    moved = next(unit for unit in wrong.units if unit.unit == "rows")
    assert not {run[0] for share in moved.shares[1:] for run in share.runs} <= firsts


def test_a_unit_works_for_one_frame_at_a_time(simulated):
    _, _, schedule = simulated
    for unit in each(schedule.units):
        runs = sorted(run for share in unit.shares for run in share.runs)
        assert all(one[1] < other[0] for one, other in pairwise(runs)), unit
        for share in unit.shares:
            assert share.first <= schedule.shown and share.runs[-1][1] <= share.until


def test_a_frame_goes_from_unit_to_unit(simulated):
    """What a frame needs is done before: the first steps, then rows, cells, and its output."""
    plan, _, schedule = simulated
    stages = ["array", "rows", f"unit_{plan.units[0].name}", "output"]
    frames = {(s.stream, s.frame) for u in schedule.units for s in u.shares}
    whole = 0
    for stream, frame in each(frames):
        begins = [
            min((s.first for s in unit.shares if (s.stream, s.frame) == (stream, frame)), default=0)
            for stage in stages
            for unit in [u for u in schedule.units if u.unit == stage][:1]
        ]
        if all(begins) and begins[0] > schedule.first + 2:
            assert begins == sorted(begins)
            whole += 1
    assert whole >= plan.streams


def test_the_window_is_that_of_the_rate(simulated):
    plan, events, schedule = simulated
    ends = [
        e.cycle
        for e in events
        if isinstance(e, OutputBeat) and e.last and e.stream == plan.streams - 1
    ]
    assert schedule.cycles == ends[12] - ends[8]
    few = [e for e in events if e.cycle <= ends[RATE_ROUNDS - 2]]
    assert make_schedule(plan, few) is None


def test_the_file_round_trips_and_a_foreign_one_is_refused(simulated, tmp_path):
    plan, _, schedule = simulated
    path = tmp_path / "schedule.json"
    save_schedule(schedule, plan, "icarus", path)
    assert load_schedule(path) == schedule
    path.write_text(path.read_text().replace("ernn-schedule-1", "other"))
    with pytest.raises(ModelFileError, match=r"schedule\.json"):
        load_schedule(path)
    path.unlink()
    with pytest.raises(ModelFileError, match="simulate again"):
        load_schedule(path)
