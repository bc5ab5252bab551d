"""What a project's Verilog says about itself: instances, registers, and which of them are a DSP's.

It reads the house's own Verilog, templates and PyRTL alike, and no other: a declaration begins a
line; registers are what is assigned with ``<=``; every instance is named ``u_...``. A register that
takes a product (``product_q <= a * b``) is taken to lie in a DSP block.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["register", "operand", "result"]  # outside of DSP blocks; their inputs; behind them

_MODULE = re.compile(r"^module\s+(\w+)", re.MULTILINE)
_REG = re.compile(
    r"^\s*(?:\(\*.*?\*\)\s*)?(?:output\s+)?reg\b(?:\s+signed)?[ \t]*(?:\[[^\]]*\])?([^;\n]*)",
    re.MULTILINE,
)
_DECLARED = re.compile(r"(\w+)\s*(\[[^\]]*\])?(?:\s*=[^,]*)?")
_INSTANCE = re.compile(r"^\s*(ernn_\w+)\s*(?:#\(.*?\)\s*)?\b(u_\w+)\s*\(", re.MULTILINE | re.DOTALL)
_TARGET = (  # of an assignment, alone or among others in braces
    r"(?:^|[;):{{,]|\bbegin\b|\belse\b)\s*{name}\b\s*"
    r"(?P<index>\[[^;]*?\])?\s*(?:,[^;=]*\}}|\}})?\s*<="
)
_NUMBER = re.compile(r"\[\d+\]")
_PRODUCTS = ("ernn_logic_product", "ernn_power_product")  # of MACs without a DSP block
# The MACs of ernn_pe, whose sums are added up inside their DSP blocks
_PE_OPERANDS = ("operands_q", "weights_q")
_PE_RESULTS = ("product_q", "sum_q")


@dataclass(frozen=True)
class Module:
    """One module."""

    registers: dict[str, Kind]  # without the words of memories
    instances: dict[str, str]  # name -> its module


def read_modules(files: Sequence[Path]) -> dict[str, Module]:
    """Return the modules of Verilog files, one in each."""
    modules = {}
    for file in files:
        text = re.sub(r"//[^\n]*", "", file.read_text(encoding="utf-8"))
        found = _MODULE.search(text)
        if found:
            modules[found[1]] = _read(found[1], text)
    return modules


def _read(name: str, text: str) -> Module:
    registers: dict[str, Kind] = {}
    for declared in _REG.finditer(text):
        for register, array in _DECLARED.findall(declared[1]):
            if _is_register(text, register, bool(array)):
                registers[register] = _kind(name, text, register)
    instances = {found[2]: found[1] for found in _INSTANCE.finditer(text)}
    return Module(registers, instances)


def _is_register(text: str, name: str, array: bool) -> bool:
    """Tell whether a ``reg`` is assigned with ``<=``; an array also with constant indices only."""
    targets = list(re.finditer(_TARGET.format(name=name), text, re.MULTILINE))
    if array:
        return bool(targets) and all(_NUMBER.fullmatch(found["index"] or "") for found in targets)
    return bool(targets)


def _kind(module: str, text: str, name: str) -> Kind:
    if module == "ernn_pe" and name in _PE_OPERANDS:
        return "operand"
    if module == "ernn_pe" and name in _PE_RESULTS:
        return "result"
    product = name.startswith("product_q") or re.search(rf"\b{name}\s*<=\s*\w+ \* \w+;", text)
    return "result" if product and module not in _PRODUCTS else "register"


def module_of(modules: dict[str, Module], top: str, path: str) -> str | None:
    """Return the module of an instance below ``top``, generated blocks on its path skipped.

    None: the path leads out of the modules.
    """
    module = top
    for step in path.split(".") if path else ():
        if step in modules[module].instances:
            module = modules[module].instances[step]
            if module not in modules:
                return None
        elif step.startswith("u_"):
            return None
    return module


_DECLARATION = re.compile(
    r"\s*(?:\(\*.*?\*\)\s*)?(?:input|inout|output|wire|reg|integer|genvar|localparam|parameter)\b"
)


# Of which a waveform shows registers only, and which it leaves out: their ports are shown outside.
_SPARSE = ("ernn_pe",)
_INNER = (
    *_PRODUCTS,
    "ernn_weight_sums",
    "ernn_adder_tree",
    "ernn_requant",
    "ernn_sigmoid",
    "ernn_tanh",
)


def registers_only(files: Sequence[Path]) -> str:
    """Return a Verilator control file: dump registers, and what enables a memory.

    Dumping all nets takes three times as long to compile, for nets that a synthesizer renames.
    """
    lines = [line for file in files for line in _without_nets(file)]
    return "\n".join(["`verilator_config", *lines, ""])


def for_waves(files: Sequence[Path]) -> str:
    """Return a Verilator control file: dump all but the inside of arithmetic."""
    lines = ["`verilator_config"]
    for file in files:
        if file.stem.startswith((*_INNER, "ernn_fft", "ernn_ifft")):
            lines.append(f'tracing_off -file "*/{file.name}"')
        elif file.stem in _SPARSE:
            lines += _without_nets(file)
    return "\n".join([*lines, ""])


def _without_nets(file: Path) -> Iterator[str]:
    """Yield what leaves all but registers out of a dump."""
    text = file.read_text(encoding="utf-8")
    kept = {*_read(file.stem, text).registers}
    kept |= {"we_i", "re_i"} if file.stem == "ernn_ram" else set()
    for number, line in enumerate(text.splitlines(), 1):
        words = re.findall(r"\w+", line.partition("//")[0])
        if _DECLARATION.match(line) and kept.isdisjoint(words):
            yield f'tracing_off -file "*/{file.name}" -lines {number}'
