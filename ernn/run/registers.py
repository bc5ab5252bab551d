"""What a simulation does with the registers: rewrite the memories, and read errors and counters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ernn.errors import MismatchError, PlanError
from ernn.hdl.memory import memory_bytes
from ernn.hdl.register_map import RegisterMap
from ernn.hw.build import Target, build_plan
from ernn.hw.explore import sizes_of
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.run.traffic import Bad

ERROR_BITS = {"short": 1, "long": 2, "unknown": 4}  # of register error
COUNTERS = ("frames", "steps", "saturated_rows", "saturated_states", "saturated_vectors")


def require_plan(plan: HardwarePlan, model: IntegerModel) -> None:
    """Check that a model is one of the plan.

    Raises:
        PlanError: the plan of the model is another one: its sizes or its formats differ.
    """
    if model.shift_bits > plan.shift_bits:
        raise PlanError(
            "weights of rows have binary points of their own, shifted by up to "
            f"{(1 << model.shift_bits) - 1} bits",
            allowed=f"the accelerator shifts by at most {(1 << plan.shift_bits) - 1}",
            remedy="generate and build it again",
        )
    asked = Target(plan.name, plan.part, plan.clock_mhz, plan.streams)
    built = build_plan(model, sizes_of(plan), asked)
    if replace(built, rams=plan.rams) != plan:  # the planner may move memories to LUTs or back
        raise PlanError(
            "the model's sizes or formats differ from those that the accelerator was built for",
            remedy="generate and build it again",
        )


def load_writes(
    plan: HardwarePlan, model: IntegerModel, registers: RegisterMap
) -> list[tuple[int, int]]:
    """Return the (address, value) of every write that gives the accelerator another model.

    Raises:
        PlanError: the plan of the model is another one: its sizes or its formats differ.
    """
    require_plan(plan, model)
    at = {register.name: register.address for register in registers.registers}
    writes = [(at["control"], 0)]
    contents = memory_bytes(plan, model)
    for number, target in enumerate(plan.load_targets):
        writes.append((at["load_target"], number))
        for address, row in enumerate(contents[target.name]):
            word = int.from_bytes(row.tobytes(), "big")
            pieces = reversed(range(-(-target.bits // 32)))
            writes += [(at["load_data"], word >> 32 * piece & 0xFFFFFFFF) for piece in pieces]
            writes.append((at["load_write"], address))
    return [*writes, (at["control"], 1)]


def reads(registers: RegisterMap) -> dict[str, int]:
    """Return {name: address} of what is read at the end; the low half of a counter first."""
    halves = [f"{name}_{half}" for name in COUNTERS for half in ("low", "high")]
    return {name: registers.register(name).address for name in ("error", *halves)}


def require_registers(
    values: Mapping[str, int],
    plan: HardwarePlan,
    saturated: Mapping[str, int],
    frames: int,
    bad: Sequence[Bad],
) -> None:
    """Check errors and counters against what was sent and `Trace.saturated`.

    Raises:
        MismatchError: one differs.
    """
    expected = {
        "error": sum({ERROR_BITS[kind] for kind in bad}),
        "frames": frames,
        "steps": frames * plan.steps,
        "saturated_rows": _at_ends(saturated, ("row", "logits")),
        "saturated_states": _at_ends(saturated, ("c", "state")),
        "saturated_vectors": _at_ends(saturated, ("h", "m", "rh")),
    }
    for name, value in expected.items():
        low = name if name == "error" else f"{name}_low"
        read = values[low] | values.get(f"{name}_high", 0) << 32
        if read != value:
            raise MismatchError(f"register {name} holds {read} at the end, not {value}")


def _at_ends(saturated: Mapping[str, int], kinds: Sequence[str]) -> int:
    """Count the values at either end of their range, of the signals that end so."""
    return sum(count for name, count in saturated.items() if name.rpartition(".")[2] in kinds)
