"""A backend: what a flow's tools do for the parts of its families, and the options that it has.

Every folder of `ernn.backends` is one, and holds a `BACKEND`; a family of parts names it as `flow`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic.fields import FieldInfo

import ernn.backends
from ernn.backends.build_result import BuildRequest, BuildResult
from ernn.datafile import parse
from ernn.errors import Fault, PlanError, ToolError
from ernn.hw.cost import Resources
from ernn.parts.part import Part, load_part, part_names
from ernn.timing.library import Library


@dataclass(frozen=True)
class Option:
    """An option of `ernn build` that a flow has."""

    name: str  # "vivado_part": --vivado-part
    kind: type  # str, int, bool or Path
    help: str  # one sentence

    @property
    def flag(self) -> str:
        """As the command line has it."""
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True)
class Backend:
    """A flow."""

    name: str  # its folder
    tools: str  # for `ernn build --help`
    options: type  # a frozen dataclass, a field for each option: type, sentence, default
    build: Callable[[BuildRequest, Any], BuildResult]  # the second is of the type `options`
    synthesis: Callable[[], list[str]]  # Yosys' commands that keep the hierarchy
    cells: Mapping[str, Resources]  # what a cell of its library takes; free ones are not named
    # Delays, for the analysis of a netlist's clock; an error says what parts have none.
    delays: Callable[[Part], Library] | None = None
    # Moves registers into the blocks beside them, in a netlist as JSON: what Yosys leaves to do
    registers: Callable[[Path], None] | None = None
    netlist_cells: str = ""  # glob of sim/cells: its cells for a simulator; empty: none

    @property
    def table(self) -> tuple[Option, ...]:
        """The options."""
        hints = get_type_hints(self.options, include_extras=True)
        return tuple(_option(one.name, hints[one.name]) for one in fields(self.options))

    def delays_of(self, part: Part) -> Library:
        """Return the delays of a part.

        Raises:
            ToolError: nobody has given ernn any.
        """
        if self.delays is None:
            raise ToolError(
                f"the clock of {part.name} cannot be analysed",
                given=f"ernn has no delays of {part.family.name}",
                remedy="leave --timing out, or take a part of AMD's 7-series or an ECP5",
            )
        return self.delays(part)

    def parse(self, part: Part, values: Mapping[str, Any]) -> Any:
        """Return the flow's options with these values, the others as they are without.

        Raises:
            PlanError: an option of another flow, or a value that is not allowed.
        """
        own = {option.name for option in self.table}
        for name in values:
            if name not in own:
                raise PlanError(_foreign(name, self, part))
        return parse(dict(values), self.options, PlanError, "the command")


def _option(name: str, hint: Any) -> Option:
    """Return an option from an annotated type: `Annotated[int, Field(description="...")]`."""
    (told,) = (one for one in hint.__metadata__ if isinstance(one, FieldInfo))
    kind = getattr(hint.__origin__, "__args__", (hint.__origin__,))[0]  # of `Path | None`: Path
    return Option(name, kind, told.description or "")


def _foreign(name: str, backend: Backend, part: Part) -> Fault:
    flag = "--" + name.replace("_", "-")
    others = [one for one in backend_names() if name in {o.name for o in load(one).table}]
    whose = f"an option of the flow {' and '.join(others)}" if others else "no option of any flow"
    what = f"{flag} is {whose}, and {part.name} is built by {backend.name}"
    return Fault(what, remedy="leave it out, or give another --part")


def backend_names() -> list[str]:
    """Return the names of all flows, sorted."""
    return sorted(one.name for one in pkgutil.iter_modules(ernn.backends.__path__) if one.ispkg)


def load(name: str) -> Backend:
    """Return a flow of `backend_names`."""
    backend: Backend = importlib.import_module(f"ernn.backends.{name}").BACKEND
    return backend


def backend_of(part: Part) -> Backend:
    """Return the flow of a part.

    Raises:
        ToolError: there is none.
    """
    if part.family.flow in backend_names():
        return load(part.family.flow)
    able = ", ".join(name for name in part_names() if load_part(name).family.flow)
    raise ToolError(
        f"ernn has no tools for {part.name}, a {part.family.vendor} {part.family.name}",
        remedy=f"take one of {able}, or name one of the flows {', '.join(backend_names())} in its "
        "family's file",
    )
