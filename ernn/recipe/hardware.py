"""The sections of the machine: part, objective, sizes; and its simulation."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ernn.errors import RecipeError
from ernn.parts.part import load_part
from ernn.parts.speed import fastest
from ernn.recipe.section import Count, Section

MAX_STREAMS = 16


class HardwareRecipe(Section):
    """The target and what to optimise; None lets the planner choose."""

    part: str = "XC7VX690T"
    clock_mhz: Annotated[float, Field(ge=1, le=1000)] = 200.0
    streams: Annotated[int, Field(ge=1, le=MAX_STREAMS)] = 2
    objective: Literal["throughput", "latency", "energy", "smallest"] = "throughput"
    realtime_fps: Annotated[float, Field(gt=0, le=1e9)] | None = None  # objective = "smallest"
    headroom: Annotated[float, Field(ge=0, le=0.9)] = 0.2  # share of LUTs and flip-flops left free
    word: Literal[1, 2, 4, 8, 16, 32] | None = None  # values that move together
    pe_rows: Count | None = None  # output blocks computed side by side
    pe_columns: Count | None = None  # column split: input blocks per row and cycle
    drain_lanes: Annotated[int, Field(ge=1, le=8)] | None = None  # inverse FFT units
    cell_lanes: Count | None = None  # cell elements per cycle
    weights: Literal["once", "thrice"] | None = None  # how often memories hold one of a block

    @field_validator("part")
    @classmethod
    def _known_part(cls, part: str) -> str:
        load_part(part)
        return part

    @model_validator(mode="after")
    def _clock_can_be_reached(self) -> "HardwareRecipe":
        found = fastest(load_part(self.part))
        if found and self.clock_mhz > found[0]:
            raise RecipeError(
                f"clock_mhz = {self.clock_mhz:g}, which no registers reach on {self.part}",
                given=f"the fastest is {found[0]} MHz, where {found[1]} ends",
                remedy=f"ask for at most {found[0]}",
            )
        return self

    @model_validator(mode="after")
    def _smallest_is_fast_enough(self) -> "HardwareRecipe":
        if (self.objective == "smallest") != (self.realtime_fps is not None):
            pair = (
                'objective = "smallest" and realtime_fps, the frames/s that it has to reach, go '
                "together"
            )
            raise RecipeError(pair, remedy="give both or neither")
        return self


class SimulationRecipe(Section):
    """How the generated Verilog is simulated."""

    simulator: Literal["verilator", "icarus"] = "verilator"
    testbench: Literal["cocotb", "compiled"] = "cocotb"  # compiled: quicker, with Verilator only
    frames_per_stream: Annotated[int, Field(ge=2, le=100_000)] = 50
