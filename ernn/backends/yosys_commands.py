"""Commands of Yosys that every flow gives."""

TOP = "ernn_top"


def keep_leaves() -> list[str]:
    """Return the commands that keep a register of the broadcast tree for every leaf.

    Yosys would take them for copies of each other, which they are on purpose.
    """
    return ["proc", "setattr -set keep 1 */w:*.leaf_* %ci1 */t:$*dff* %i"]


def dissolve(module: str) -> list[str]:
    """Return the commands that put a module's logic into all modules that use it, and no other's.

    Tools optimize nothing across modules that stay.
    """
    return [
        "setattr -mod -set keep_hierarchy 1 *",
        f"setattr -mod -unset keep_hierarchy *{module}*",
        "flatten -noscopeinfo",
        "setattr -mod -unset keep_hierarchy *",
    ]
