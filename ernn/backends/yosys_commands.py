"""Commands of Yosys that every flow gives."""

TOP = "ernn_top"


def keep_leaves() -> list[str]:
    """Return the commands that keep a register of the broadcast tree for every leaf.

    Yosys would take them for copies of each other, which they are on purpose.
    """
    return ["proc", "setattr -set keep 1 */w:*.leaf_* %ci1 */t:$*dff* %i"]
