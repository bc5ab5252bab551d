"""The open flow for ECP5: Yosys, nextpnr, ecppack; from a project to a bitstream."""

from ernn.errors import ToolError
from ernn.run.build_result import BuildRequest, BuildResult


def build_ecp5(request: BuildRequest) -> BuildResult:
    """Synthesize, place, route and pack a project for an ECP5.

    Raises:
        ToolError: a tool is missing or fails, or the design is too large for the part.
    """
    raise ToolError(f"{request.part.name}: the open flow is not there yet")
