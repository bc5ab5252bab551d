"""The parts of an accelerator that resources, activity and power are told by.

A group is a name for the instances below `ernn_top` (hw_templates/ernn_core.v.j2 and those that it
holds) that do one thing: what a synthesizer counts and what a simulator sees toggle meet under the
same name.
"""

from ernn.hw.plan import HardwarePlan

CORE = "u_core"  # in `ernn_top`
FIRST_PE = f"{CORE}.u_array.u_array.gen_leaf[0].gen_row[0].gen_column[0].u_pe"
_ARRAY = {"u_sequencer": "sequencer", "u_operands": "operands", "u_rows": "rows"}
_PE_ARRAY = {"u_pe": "pes", "u_weights": "weights", "u_weight_sums": "weights", "u_drain": "drain"}


def group_of(path: str) -> str:
    """Return the group of an instance.

    Args:
        path: instance names below `ernn_top` with dots between them, such as
            ``"u_core.u_array.u_array.gen_leaf[0].gen_row[3].gen_column[1].u_pe"``; empty: the
            top itself.

    Returns:
        "top" (the core's wires with it), "registers", "rounds", "input", "output", "monitor",
        "state", "sequencer", "operands", "rows", "broadcast", "weights", "pes", "drain", or
        "transform_NAME", "memory_NAME", "queue_NAME", "unit_NAME".
    """
    first, *inner = path.removeprefix(CORE).removeprefix(".").split(".")
    if not first.startswith("u_"):
        return "top"  # a net or a generated block of the top or the core itself
    if first.startswith("u_store_"):
        kind = inner[0] if inner else "u_memory"
        return f"{kind.removeprefix('u_')}_{first.removeprefix('u_store_')}"
    if first.startswith("u_cell_"):
        if inner and inner[0].startswith(("u_queue_", "u_state")):
            return inner[0].removeprefix("u_")
        return f"unit_{first.removeprefix('u_cell_')}"
    if first != "u_array":
        return first.removeprefix("u_")
    if inner and inner[0] in _ARRAY:
        return _ARRAY[inner[0]]
    for name, group in _PE_ARRAY.items():
        if name in inner:
            return group
    return "broadcast"


def core_instances(plan: HardwarePlan) -> set[str]:
    """Return the names of the instances in a plan's core."""
    return {
        *("u_rounds", "u_input", "u_array", "u_output", "u_monitor"),
        *(f"u_store_{memory.name}" for memory in plan.memories),
        *(f"u_cell_{unit.name}" for unit in plan.units),
        *(f"u_queue_{queue.name}" for queue in plan.output_queues),
    }
