"""Switching activity of a simulation, by group: the format of activity.json.

What is counted are registers, because a register is one thing in the Verilog, in a netlist and on a
chip; nets between registers merge, split and glitch as a synthesizer likes. Groups are those of
`ernn.hw.groups`. A power model multiplies, group by group, what a synthesizer counted with what
toggled:

- flip-flops (and the LUTs in front of them) with `Group.registers`;
- DSP blocks with `Group.operands` (their A and B inputs) and `Group.results` (products, sums);
- block RAM with `Group.memories`: accesses per cycle and word, and the toggles of what is read.

`Rate.bits` is what was traced. Where only a sample of a group's instances was, `Group.sampled` is
their share, and the whole group has ``bits / sampled``; rates need no correction.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ernn.datafile import Count, NotNegative, Positive, parse
from ernn.errors import ModelFileError
from ernn.files import write_text

FORMAT = "ernn-activity-1"


@dataclass(frozen=True)
class Rate:
    """How often bits of one kind toggle."""

    bits: Count = 0  # traced
    toggles_per_bit_cycle: NotNegative = 0.0  # 1: every bit in every clock cycle


@dataclass(frozen=True)
class Memories:
    """What the memories of a group do (instances of ernn_ram)."""

    count: Count = 0  # traced
    bits: Count = 0  # of a word of each, added up
    # Of one memory on average: cycles in which it is enabled to read.
    reads_per_cycle: NotNegative = 0.0
    writes_per_cycle: NotNegative = 0.0
    output_toggles_per_bit_cycle: NotNegative = 0.0  # of the register behind the read port


@dataclass(frozen=True)
class Group:
    """What was counted of one group."""

    sampled: Positive  # share of its instances that was traced
    registers: Rate  # flip-flops outside of DSP blocks and memories
    operands: Rate  # operand registers of multipliers in DSP blocks, where they are known as such
    results: Rate  # product and sum registers in DSP blocks
    memories: Memories

    @property
    def bits(self) -> int:
        """All register bits traced."""
        return self.registers.bits + self.operands.bits + self.results.bits + self.memories.bits

    @property
    def toggles_per_bit_cycle(self) -> float:
        """The rate of all of them."""
        kinds = (self.registers, self.operands, self.results)
        toggles = sum(kind.bits * kind.toggles_per_bit_cycle for kind in kinds)
        toggles += self.memories.bits * self.memories.output_toggles_per_bit_cycle
        return toggles / self.bits if self.bits else 0.0


@dataclass(frozen=True)
class Activity:
    """Switching activity of a design in steady state; clock nets are not among it."""

    format: str
    ernn: str  # version
    plan: str  # digest
    simulator: str  # with version
    command: str  # that made it
    mark: str  # "simulated"
    first_cycle: Count  # of the window, counted from the end of the reset
    window_cycles: Count
    frames: Count  # that left the accelerator in the window
    groups: dict[str, Group]

    def save(self, path: Path) -> None:
        """Write activity.json; each group with its overall bits and rate."""
        content = asdict(self)
        for name, group in self.groups.items():
            overall = {"bits": group.bits, "toggles_per_bit_cycle": group.toggles_per_bit_cycle}
            content["groups"][name] = overall | content["groups"][name]
        write_text(path, json.dumps(content, indent=1) + "\n")


def load_activity(path: Path, plan: str | None = None) -> Activity:
    """Read activity.json.

    Args:
        path: of the file.
        plan: digest of the plan that it must be of, if given.

    Raises:
        ModelFileError: it cannot be read, is not of this format, or is another design's.
    """
    again = "run `ernn simulate` again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for group in content["groups"].values():
            for derived in ("bits", "toggles_per_bit_cycle"):
                group.pop(derived, None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{path} holds no switching activity", given=str(error), remedy=again
        ) from None
    if content.get("format") != FORMAT:
        raise ModelFileError(
            f"{path} has the format {content.get('format')!r}", allowed=FORMAT, remedy=again
        )
    activity = parse(content, Activity, ModelFileError, str(path), again)
    if plan is not None and activity.plan != plan:
        raise ModelFileError(
            f"{path} is of plan {activity.plan}", given=f"this design is plan {plan}", remedy=again
        )
    return activity
