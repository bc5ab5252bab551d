"""The parts of an accelerator that resources, activity and power are told by.

A group is a name for the instances below `ernn_top` (hw_templates/ernn_top.v.j2) that do one thing:
what a synthesizer counts and what a simulator sees toggle meet under the same name.
"""

_ARRAY = {"u_sequencer": "sequencer", "u_operands": "operands", "u_rows": "rows"}
_PE_ARRAY = {"u_pe": "pes", "u_weights": "weights", "u_drain": "drain"}


def group_of(path: str) -> str:
    """Return the group of an instance.

    Args:
        path: instance names below `ernn_top` with dots between them, such as
            ``"u_array.u_array.gen_leaf[0].gen_row[3].gen_column[1].u_pe"``; empty: the top itself.

    Returns:
        "top", "registers", "rounds", "input", "output", "monitor", "state", "sequencer",
        "operands", "rows", "broadcast", "weights", "pes", "drain", or "transform_NAME",
        "memory_NAME", "queue_NAME", "unit_NAME".
    """
    first, *inner = path.split(".")
    if not first.startswith("u_"):
        return "top"  # a net or a generated block of the top itself
    if first != "u_array":
        name = first.removeprefix("u_")
        if name.startswith("state_"):
            return "state"
        known = ("registers", "rounds", "input", "output", "monitor")
        whole = name in known or name.startswith(("transform_", "memory_", "queue_"))
        return name if whole else f"unit_{name}"
    if inner and inner[0] in _ARRAY:
        return _ARRAY[inner[0]]
    for name, group in _PE_ARRAY.items():
        if name in inner:
            return group
    return "broadcast"
