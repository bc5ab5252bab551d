"""The Jinja environment of everything that is generated."""

from functools import lru_cache

import jinja2

from ernn.resources import folder


@lru_cache
def environment() -> jinja2.Environment:
    """Return the Jinja environment of all templates; a misspelt name is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("hw_templates")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
