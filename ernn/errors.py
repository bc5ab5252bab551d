"""Every error that a user can cause, and the exit code that `ernn` ends with.

A message is one sentence: what was given, what is allowed, what to change.
"""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, as data; `str` makes the sentence."""

    what: str  # the file, key or object that it is about
    given: str = ""  # what is there
    allowed: str = ""  # what may be there
    remedy: str = ""  # what to do about it

    def __str__(self) -> str:
        told = ": ".join(filter(None, (self.what, self.given)))
        limit = f" (allowed: {self.allowed})" if self.allowed else ""
        return f"{told}{limit}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True)
class Setting(Fault):
    """A key that the user set: ``what`` is its place, ``given`` its value."""

    def __str__(self) -> str:
        told = f"{self.what} = {self.given}: {self.allowed}"
        return told + (f"; {self.remedy}" if self.remedy else "")


class ErnnError(Exception):
    """Something a user can act on; `exit_code` is what the command line returns."""

    exit_code = 2

    def __init__(self, *faults: Fault | str, given: str = "", allowed: str = "", remedy: str = ""):
        """Take what is wrong; a string is the ``what`` of a fault with the fields named here."""
        super().__init__(*faults)
        self.faults = tuple(
            Fault(one, given, allowed, remedy) if isinstance(one, str) else one for one in faults
        )

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))

    @property
    def fault(self) -> Fault:
        """The first of the faults, and mostly the only one."""
        return self.faults[0]

    def at(self, where: str) -> Self:
        """Return the same error, each of its faults told to be at this place."""
        return type(self)(*(replace(one, what=f"{where}: {one.what}") for one in self.faults))


class RecipeError(ErnnError, ValueError):
    """A recipe that cannot be used; the message lists every problem found in it."""


class CorpusError(ErnnError, ValueError):
    """Speech data that is missing, empty or damaged."""


class ShapeError(ErnnError, ValueError):
    """Arrays whose sizes do not fit each other."""


class ModelFileError(ErnnError, ValueError):
    """A model file that is truncated, foreign or holds values no model can have."""


class PlanError(ErnnError, ValueError):
    """A model that cannot be built on the part as asked."""


class ProjectError(ErnnError, RuntimeError):
    """A folder that ernn must not write to or can no longer trust."""


class MismatchError(ErnnError, RuntimeError):
    """Simulation and integer model (or plan) disagree."""

    exit_code = 1


class BoundError(ErnnError, RuntimeError):
    """A result outside the bound that the user set."""

    exit_code = 1


class ToolError(ErnnError, RuntimeError):
    """An outside tool that is missing or failed."""

    exit_code = 3
