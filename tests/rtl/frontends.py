"""What front ends of vendors refuse, told by slang, the strictest reader of Verilog that is free.

Vivado and Questa are not at hand. What is known to stop them, and Verilator, Icarus and Yosys let
pass: ports without a net type under `default_nettype none`, names that are used before they are
declared, words that SystemVerilog or VHDL reserve, memory files that are not where tools run.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pyslang import TextDiagnosticClient
from pyslang.ast import (
    Compilation,
    InstanceBodySymbol,
    InstanceSymbol,
    ParameterSymbol,
    PortSymbol,
    Symbol,
)
from pyslang.driver import Driver

# Plain Verilog, which the files are, and the language that tools read them as when told nothing.
STANDARDS = ("1364-2005", "1800-2023")

# Warnings of slang that are none here. No other is left out, and errors never are.
WAIVED = {
    "sign-conversion": "a part of a vector is unsigned, and goes to a signed word of its width",
    "arith-op-mismatch": "factors of a product have the widths of their formats",
    "sign-compare": "a parameter is an integer, a stream's number a vector",
    "case-default": "the registers' choice lists all four values of two bits",
    "unused-net": "nets called unused... take what a design needs only with other parameters",
    "unused-but-set-net": "the same",
}

# IEEE 1076-2008 and 1076-2019; SystemVerilog's own words end the parsing.
VHDL = frozenset(
    "abs access after alias all and architecture array assert assume assume_guarantee attribute "
    "begin block body buffer bus case component configuration constant context cover default "
    "disconnect downto else elsif end entity exit fairness file for force function generate "
    "generic group guarded if impure in inertial inout is label library linkage literal loop map "
    "mod nand new next nor not null of on open or others out package parameter port postponed "
    "private procedure process property protected pure range record register reject release rem "
    "report restrict restrict_guarantee return rol ror select sequence severity shared signal sla "
    "sll sra srl strong subtype then to transport type unaffected units until use variable view "
    "vmode vpkg vprop vunit wait when while with xnor xor".split()
)
RAM_STYLES = {"auto", "block", "distributed"}  # of what Vivado takes


def elaborate(
    files: Sequence[Path], top: str, standard: str = STANDARDS[0]
) -> tuple[Compilation, str]:
    """Return a design and all that slang says about it; nothing is as it should be.

    The files are read in their order, each on its own, as Vivado and Questa do.
    """
    driver = Driver()
    driver.addStandardArgs()
    waived = " ".join(f"-Wno-{name}" for name in WAIVED)
    names = " ".join(f'"{file}"' for file in files)
    options = f"slang --std {standard} -Weverything {waived} --top {top} {names}"
    assert driver.parseCommandLine(options) and driver.processOptions(), options
    driver.parseAllSources()
    compilation = driver.createCompilation()
    client = TextDiagnosticClient()
    driver.diagEngine.clearClients()
    driver.diagEngine.addClient(client)
    for diagnostic in compilation.getAllDiagnostics():
        driver.diagEngine.issue(diagnostic)
    if not compilation.hasIssuedErrors:
        for diagnostic in driver.runAnalysis(compilation).getDiagnostics():
            driver.diagEngine.issue(diagnostic)
    return compilation, client.getString()


def symbols(compilation: Compilation) -> list[Symbol]:
    """Return everything that has a name."""
    found: list[Symbol] = []
    compilation.getRoot().visit(
        lambda node: found.append(node) if isinstance(node, Symbol) and node.name else None
    )
    return found


def reserved_names(compilation: Compilation) -> list[str]:
    """Return names that VHDL reserves or does not allow, or takes for one and the same.

    A module's name, ports and parameters are seen by a design in VHDL around it; nets and
    instances, by a netlist that is written in VHDL.
    """
    every = symbols(compilation)
    wrong = {f"{symbol.kind.name} {symbol.name}" for symbol in every if not _is_free(symbol.name)}
    bodies = {symbol.name: symbol for symbol in every if isinstance(symbol, InstanceBodySymbol)}
    for body in bodies.values():
        outside = [s.name for s in body if isinstance(s, PortSymbol) or _is_open(s)]
        lower = [name.lower() for name in outside]
        wrong |= {f"{body.name}.{n}, twice" for n in outside if lower.count(n.lower()) > 1}
    return sorted(wrong)


def _is_free(name: str) -> bool:
    return name.lower() not in VHDL and "__" not in name and name.strip("_") == name


def _is_open(symbol: Symbol) -> bool:
    return isinstance(symbol, ParameterSymbol) and not symbol.isLocalParam


def memories(compilation: Compilation) -> Iterator[dict[str, str | int]]:
    """Yield the parameters of every instance of ernn_ram."""
    for symbol in symbols(compilation):
        if isinstance(symbol, InstanceSymbol) and symbol.definition.name == "ernn_ram":
            parameters = {p.name: p.value for p in symbol.body if isinstance(p, ParameterSymbol)}
            yield {
                name: _text(value) if name in ("INIT_FILE", "RAM_STYLE") else int(value.value)
                for name, value in parameters.items()
            }


def _text(value) -> str:
    number = int(value.value)
    return number.to_bytes((number.bit_length() + 7) // 8, "big").decode()


def memory_faults(compilation: Compilation, folder: Path) -> list[str]:
    """Return what is wrong with memories and the files of `folder` that fill them."""
    wrong, named = [], []
    for memory in memories(compilation):
        name = str(memory["INIT_FILE"])
        if memory["RAM_STYLE"] not in RAM_STYLES:
            wrong.append(f"a memory has the style {memory['RAM_STYLE']}")
        if not memory["FILLED"]:
            continue
        named.append(name)
        if not (folder / name).is_file() or "/" in name or "\\" in name:
            wrong.append(f"{name} is no file beside the Verilog")
            continue
        words = (folder / name).read_text(encoding="ascii").splitlines()[1:]
        digits = -(-int(memory["WIDTH"]) // 4)
        if len(words) != memory["DEPTH"] or {len(word) for word in words} != {digits}:
            wrong.append(f"{name} has not {memory['DEPTH']} words of {digits} digits")
    files = {path.name for path in folder.glob("*.mem")}
    wrong += [f"{name} is read twice" for name in set(named) if named.count(name) > 1]
    return wrong + [f"nothing reads {name}" for name in files - set(named)]
