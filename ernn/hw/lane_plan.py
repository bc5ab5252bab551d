"""The lane of a cell unit: when each operation of a region begins, and which values wait how long.

All inputs of a lane enter in cycle 0 and all outputs leave in its last one. Everything begins as
early as it can, with one exception: an operation of one value waits for its readers where that
value is no wider than the result, because waiting is registers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from ernn.fixed import QFormat
from ernn.graphs.cell import SQUASHING, Act, Dot2, Lerp, Move, Mul, Operation, Region, reads
from ernn.hw.latency import operation_cycles


@dataclass(frozen=True)
class LaneValue:
    """A value that enters or leaves a lane."""

    name: str
    format: str  # a key of LanePlan.formats


@dataclass(frozen=True)
class Operand:
    """What a circuit reads: a value, and the cycle in which it does."""

    name: str
    format: str
    cycle: int


@dataclass(frozen=True)
class Step:
    """One operation of a lane and its circuit."""

    circuit: str  # "sigmoid", "tanh", "relu", "none", "multiply", "dot2", "lerp" or "move"
    out: str
    format: str
    operands: tuple[Operand, ...]  # in the order of the operation's fields
    cycle: int  # in which it begins
    ready: int  # in which its result is there
    equation: str


@dataclass(frozen=True)
class Wait:
    """Registers that keep a value from one cycle to a later one."""

    name: str
    format: str
    cycle: int
    until: int

    @property
    def cycles(self) -> int:
        """How long."""
        return self.until - self.cycle


@dataclass(frozen=True)
class LanePlan:
    """One element of a region per cycle."""

    formats: dict[str, QFormat]  # by name: of everything in the lane
    inputs: tuple[LaneValue, ...]
    outputs: tuple[LaneValue, ...]
    steps: tuple[Step, ...]  # in the order in which they begin
    waits: tuple[Wait, ...]
    cycles: int  # latency

    def form(self, value: LaneValue | Operand | Step | Wait) -> QFormat:
        """Return the format of a value."""
        return self.formats[value.format]

    def wire(self, name: str, cycle: int) -> str:
        """Return the Verilog name of a value in a cycle: the value's own where it is made."""
        first = next((step.ready for step in self.steps if step.out == name), 0)
        return name if cycle == first else f"{name}_at{cycle}"

    @property
    def lines(self) -> list[Step | Wait]:
        """Steps and waits in an order in which everything is made before it is read."""
        lines: list[Step | Wait] = [*self.waits, *self.steps]
        return sorted(lines, key=_needed_by)

    def first_read(self, name: str) -> int:
        """Return the cycle in which an input is read first."""
        read = (one.cycle for step in self.steps for one in step.operands if one.name == name)
        return min(read, default=self.cycles)

    @property
    def rounded(self) -> list[str]:
        """Formats whose binary point some circuit is told: not the tables' for their own."""
        told = [step for step in self.steps if step.circuit in ("multiply", "dot2", "lerp", "move")]
        used = {step.format for step in told} | {one.format for s in told for one in s.operands}
        return [name for name in self.formats if name in used]

    @property
    def multipliers(self) -> int:
        """Multipliers, those of the activations included."""
        each = {"multiply": 1, "dot2": 2, "lerp": 1} | dict.fromkeys(SQUASHING, 1)
        return sum(each.get(step.circuit, 0) for step in self.steps)


def _needed_by(line: Step | Wait) -> int:
    """Return the cycle in which a step has all that it reads, or a value has waited."""
    if isinstance(line, Wait):
        return line.until
    return max(operand.cycle for operand in line.operands)


def lane_plan(region: Region, names: Mapping[str, str], formats: Mapping[str, QFormat]) -> LanePlan:
    """Return the lane of a region.

    Args:
        region: of a cell.
        names: format names of the region's values (`ernn.graphs.cell.Cell.formats`).
        formats: by those names.
    """
    for node in region.nodes:  # a is added behind the rounding
        assert not isinstance(node, Lerp) or names[node.a] == node.to, equation(node)
    begins, readies, last = _schedule(region, {name: formats[to] for name, to in names.items()})
    inputs = tuple(LaneValue(name, names[name]) for name in region.reads)
    outputs = tuple(LaneValue(name, names[name]) for name in region.writes)
    steps = [
        Step(
            circuit=_circuit(node),
            out=node.out,
            format=names[node.out],
            operands=tuple(
                Operand(name, names[name], begins[node.out] + _lag(node, name))
                for name in reads(node)
            ),
            cycle=begins[node.out],
            ready=readies[node.out],
            equation=equation(node),
        )
        for node in region.nodes
    ]
    needs: dict[str, set[int]] = {name: set() for name in readies}
    for operand in (one for step in steps for one in step.operands):
        needs[operand.name].add(operand.cycle)
    for value in outputs:
        needs[value.name].add(last)
    waits = [
        wait
        for name, cycles in needs.items()
        for wait in _waits(name, names[name], readies[name], sorted(cycles))
    ]
    used = dict.fromkeys([*(one.format for one in inputs), *(one.format for one in steps)])
    return LanePlan(
        formats={name: formats[name] for name in used},
        inputs=inputs,
        outputs=outputs,
        steps=tuple(sorted(steps, key=lambda step: step.cycle)),
        waits=tuple(sorted(waits, key=lambda wait: wait.until)),
        cycles=last,
    )


def _schedule(
    region: Region, forms: Mapping[str, QFormat]
) -> tuple[dict[str, int], dict[str, int], int]:
    """Return when each operation begins, when each value is ready, and the last cycle."""
    begins: dict[str, int] = {}
    readies = dict.fromkeys(region.reads, 0)
    for node in region.nodes:
        begins[node.out] = max(0, *(readies[name] - _lag(node, name) for name in reads(node)))
        readies[node.out] = begins[node.out] + operation_cycles(node)
    last = max(readies[name] for name in region.writes)
    for node in reversed(region.nodes):
        entering = reads(node)
        if len(entering) == 1 and forms[entering[0]].width <= forms[node.out].width:
            readers = [
                begins[other.out] + _lag(other, node.out)
                for other in region.nodes
                if node.out in reads(other)
            ]
            readies[node.out] = min([*readers, *([last] if node.out in region.writes else [])])
            begins[node.out] = readies[node.out] - operation_cycles(node)
    return begins, readies, last


def _lag(node: Operation, name: str) -> int:
    """Return how many cycles behind its begin a circuit reads a value."""
    return int(isinstance(node, Lerp) and name == node.weight and name not in (node.a, node.b))


def _waits(name: str, form: str, ready: int, cycles: list[int]) -> list[Wait]:
    """Return the registers of a value that is read in several cycles, one row of them."""
    times = [ready, *(cycle for cycle in cycles if cycle > ready)]
    return [Wait(name, form, *pair) for pair in pairwise(times)]


def _circuit(node: Operation) -> str:
    match node:
        case Act(function=function):
            return function
        case Mul():
            return "multiply"
        case Dot2():
            return "dot2"
        case Lerp():
            return "lerp"
        case Move():
            return "move"


def equation(node: Operation) -> str:
    """Return an operation as people write it."""
    match node:
        case Act(out, function, row):
            return f"{out} = {row}" if function == "none" else f"{out} = {function}({row})"
        case Mul(out, _, a, b, add):
            return f"{out} = {a} * {b}" + (f" + {add}" if add else "")
        case Dot2(out, _, a, b, c, d):
            return f"{out} = {a} * {b} + {c} * {d}"
        case Lerp(out, _, a, b, weight):
            return f"{out} = {a} + {weight} * ({b} - {a})"
        case Move(out, _, a):
            return f"{out} = {a}"
