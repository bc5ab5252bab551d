"""Cycles of a simulation at its ports: each as planned, and the figures that follow from them."""

from collections.abc import Sequence
from itertools import pairwise

from ernn.errors import MismatchError
from ernn.hw.cycles import RATE_ROUNDS, Prediction, round_cycles
from ernn.hw.plan import HardwarePlan
from ernn.run.trace import InputBeat, OutputBeat


def require_planned(
    inputs: Sequence[InputBeat], outputs: Sequence[OutputBeat], planned: Prediction
) -> None:
    """Check the cycle of every beat.

    Raises:
        MismatchError: one came earlier or later than planned.
    """
    _require_cycles("input", inputs, planned.inputs)
    _require_cycles("output", outputs, planned.outputs)


def _require_cycles(
    what: str, beats: Sequence[InputBeat | OutputBeat], planned: list[list[int]]
) -> None:
    flat = [(number, cycle) for number, packet in enumerate(planned) for cycle in packet]
    for beat, (number, cycle) in zip(beats, flat, strict=True):
        if beat.cycle != cycle:
            raise MismatchError(
                f"a beat of {what} packet {number}, stream {beat.stream}, passed in cycle "
                f"{beat.cycle}; planned is cycle {cycle}"
            )


def frame_cycles(plan: HardwarePlan, outputs: Sequence[OutputBeat]) -> float | None:
    """Return cycles per frame of a saturated run, taken like `ernn.hw.cycles.rate`.

    None: fewer than RATE_ROUNDS rounds with a frame of every stream.
    """
    ends = [[b.cycle for b in outputs if b.last and b.stream == s] for s in range(plan.streams)]
    if min(map(len, ends)) < RATE_ROUNDS:
        return None
    return round_cycles(ends[-1]) / plan.streams


def latency_cycles(inputs: Sequence[InputBeat], outputs: Sequence[OutputBeat]) -> int:
    """Return the longest latency of frames that are each alone in the design.

    Counted are the cycle of a frame's first input beat, that of its last output beat, and all
    between.
    """
    starts = [inputs[0].cycle]
    starts += [after.cycle for beat, after in pairwise(inputs) if beat.last]
    ends = [beat.cycle for beat in outputs if beat.last]
    return max(end - start + 1 for start, end in zip(starts, ends, strict=True))
