"""A window of a simulation in which its inside is dumped: toggles as SAIF, or waves as VCD."""

from dataclasses import dataclass

from ernn.errors import RecipeError
from ernn.hw import cycles
from ernn.hw.plan import HardwarePlan
from ernn.run.verilator import DumpKind

SETTLING_ROUNDS = 6  # until all streams are on their way and buffers are full
LEFT_ROUNDS = 4  # at the end, where streams run out of frames
FRAMES = 32  # that a window of switching activity should hold


@dataclass(frozen=True)
class Dump:
    """What to dump."""

    kind: DumpKind
    first_cycle: int = 0  # behind which the window begins, counted from the end of the reset
    cycles: int = 0  # clock edges in the window; 0: the simulation could dump, but does not

    @property
    def file(self) -> str:
        """Name of the file in the simulation's work folder."""
        return f"dump.{self.kind}"

    def plusargs(self, folder: str) -> list[str]:
        """Return what tells ernn_testbench."""
        if not self.cycles:
            return []
        return [
            f"+dump={folder}/{self.file}",
            f"+dump_first={self.first_cycle}",
            f"+dump_cycles={self.cycles}",
        ]


def steady_window(plan: HardwarePlan, rounds: int, kind: DumpKind = "saif") -> Dump:
    """Return a window of whole rounds in which every stream is busy.

    Args:
        plan: of the accelerator.
        rounds: frames of every stream that are simulated, all streams at full speed.
        kind: of dump.

    Raises:
        RecipeError: there are too few rounds.
    """
    most = rounds - SETTLING_ROUNDS - LEFT_ROUNDS
    if most < 1:
        raise RecipeError(
            f"simulation.frames_per_stream = {rounds} shows no steady state",
            remedy=f"give at least {SETTLING_ROUNDS + LEFT_ROUNDS + 1}",
        )
    length = cycles.rate(plan).cycles_per_frame * plan.streams  # of a round
    wanted = min(most, -(-FRAMES // plan.streams))
    return Dump(kind, round(SETTLING_ROUNDS * length), round(wanted * length))
