"""A recipe as text: the TOML that `Recipe.load` reads."""

import json
from typing import Any


def to_toml(recipe: dict[str, Any]) -> str:
    """Write a recipe as TOML: plain values first, then a table for each section."""
    lines = [f"{key} = {_value(value)}" for key, value in recipe.items() if _is_plain(value)]
    for key, value in recipe.items():
        if _is_plain(value):
            continue
        lines += ["", f"[{key}]"]
        lines += [f"{name} = {_value(one)}" for name, one in value.items() if _is_plain(one)]
        for name, tables in value.items():
            for table in [] if _is_plain(tables) else tables:
                lines += ["", f"[[{key}.{name}]]"]
                lines += [f"{inner} = {_value(one)}" for inner, one in table.items()]
    return "\n".join(lines) + "\n"


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict) and not (
        isinstance(value, list) and any(isinstance(one, dict) for one in value)
    )


def _value(value: Any) -> str:
    """Return a TOML value; JSON's strings, numbers, booleans and lists of them are TOML's too."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False)  # TOML has no surrogates
