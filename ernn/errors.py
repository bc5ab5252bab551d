"""Every error that a user can cause, and the exit code that `ernn` ends with.

A message is one sentence: what was given, what is allowed, what to change.
"""


class ErnnError(Exception):
    """Something a user can act on; `exit_code` is what the command line returns."""

    exit_code = 2


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
