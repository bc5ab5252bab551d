"""Count toggles: from the SAIF of a simulation to its switching activity by group."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ernn.errors import ToolError
from ernn.hw.groups import group_of
from ernn.hw.plan import HardwarePlan
from ernn.run.activity import Group, Memories, Rate
from ernn.run.rtl import Kind, Module, module_of, read_modules
from ernn.run.saif import Bit, Saif

TOP = "ernn_top"
INSTANCE = "ernn_testbench.u_top"  # of the accelerator in the SAIF


@dataclass
class _Sum:
    """Bits and toggles of one kind."""

    bits: int = 0
    toggles: int = 0

    def add(self, bits: Sequence[Bit]) -> None:
        self.bits += len(bits)
        self.toggles += sum(bit.toggles for bit in bits)

    def rate(self, cycles: int) -> Rate:
        return Rate(self.bits, self.toggles / self.bits / cycles if self.bits else 0.0)


@dataclass
class _Tally:
    """What was found of one group."""

    kinds: dict[Kind, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    outputs: _Sum = field(default_factory=_Sum)  # of memories
    memories: int = 0
    reads: float = 0.0  # per cycle, of all memories together
    writes: float = 0.0

    def group(self, cycles: int, sampled: float) -> Group:
        per_memory = 1 / self.memories if self.memories else 0.0
        outputs = self.outputs.rate(cycles)
        return Group(
            sampled,
            self.kinds["register"].rate(cycles),
            self.kinds["operand"].rate(cycles),
            self.kinds["result"].rate(cycles),
            Memories(
                self.memories,
                outputs.bits,
                self.reads * per_memory,
                self.writes * per_memory,
                outputs.toggles_per_bit_cycle,
            ),
        )


def count_toggles(
    saif: Saif, plan: HardwarePlan, files: Sequence[Path], cycles: int
) -> dict[str, Group]:
    """Return what toggled, by group.

    Args:
        saif: registers, and the enables of memories, of `INSTANCE`.
        plan: of the accelerator.
        files: its Verilog.
        cycles: of the window that the SAIF covers.

    Raises:
        ToolError: it does not show the plan's accelerator.
    """
    modules = read_modules(files)
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    pes = set()
    for scope, nets in saif.scopes.items():
        if scope != INSTANCE and not scope.startswith(INSTANCE + "."):
            continue
        path = scope.removeprefix(INSTANCE).removeprefix(".")
        module = module_of(modules, TOP, path)
        if module is None:
            raise ToolError(
                f"the SAIF tells of {scope}, which this design has not", remedy="simulate again"
            )
        tally = tallies[group_of(path)]
        if module == "ernn_ram":
            _add_memory(tally, nets, saif.duration)
        else:
            _add_registers(tally, nets, modules[module], _Pe(plan, module, path))
        if module == "ernn_pe":
            pes.add(f"{path}.".partition(".u_pe.")[0])
    if not pes:
        raise ToolError(f"the SAIF tells of no PE below {INSTANCE}", remedy="simulate again")
    return {
        name: tally.group(cycles, len(pes) / plan.pes if name == "pes" else 1.0)
        for name, tally in sorted(tallies.items())
    }


def _add_memory(tally: _Tally, nets: dict[str, dict[int, Bit]], duration: int) -> None:
    """Add a memory: enables are counted by the share of the time in which they are high."""
    tally.memories += 1
    tally.outputs.add(list(nets["rdata_o"].values()))
    tally.writes += nets["we_i"][0].high / duration
    tally.reads += nets["re_i"][0].high / duration if "re_i" in nets else 1.0


@dataclass(frozen=True)
class _Pe:
    """What of a PE is in DSP blocks: not its first MACs, which are built from logic.

    A block has a register for weights that leave their memory: it is none of the fabric.
    """

    plan: HardwarePlan
    module: str
    path: str

    @property
    def built(self) -> int:
        """MACs without a DSP block."""
        return self.plan.macs - self.plan.dsp_macs

    def there(self, name: str, bit: int) -> bool:
        """Tell whether a bit of a register is there, and counted."""
        widths = {"operands_q": self.plan.operand_bits, "weights_q": self.plan.weight_bits}
        if name == "words_q":
            return bit < self.built * self.plan.weight_bits
        return bit >= self.built * widths.get(name, 0)

    @property
    def logic(self) -> bool:
        """Whether the path is inside a MAC that is built from logic."""
        _, _, mac = self.path.rpartition("gen_mac[")
        return bool(mac) and int(mac.partition("]")[0]) < self.built


def _add_registers(tally: _Tally, nets: dict[str, dict[int, Bit]], module: Module, pe: _Pe) -> None:
    for net, bits in nets.items():
        name = net.partition("[")[0]  # an array's words are nets of their own
        kind = module.registers.get(name)
        if kind is None:
            continue
        if pe.module == "ernn_pe":
            bits = {index: bit for index, bit in bits.items() if pe.there(name, index)}
            kind = "register" if kind == "result" and pe.logic else kind
        tally.kinds[kind].add(list(bits.values()))
