"""The registers: one SystemRDL description, and all that is made from it.

The description is compiled here; Verilog, C header, Python class and page are printed from what the
compiler says, so an address or a bit is written down once.
"""

import tempfile
from functools import lru_cache
from pathlib import Path

from peakrdl_cheader.exporter import CHeaderExporter
from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode, FieldNode, Node, RegfileNode, RegNode
from systemrdl.rdltypes import AccessType, OnWriteType

from ernn import __version__
from ernn.hdl.register_map import Counter, Field, Register, RegisterMap
from ernn.hdl.templates import aligned, environment
from ernn.hw.plan import HardwarePlan


def register_map(plan: HardwarePlan) -> RegisterMap:
    """Return the registers of a plan."""
    added_bits = {
        "saturated_rows": plan.saturated_rows_bits,
        "saturated_states": plan.saturated_states_bits,
        "saturated_vectors": plan.saturated_vectors_bits,
    }
    top, _ = _compile(description(plan))
    counters = tuple(
        Counter(name, node.get_property("name"), _text(node), added_bits.get(name, 1))
        for node in top.children()
        if isinstance(node, RegfileNode) and (name := node.inst_name)
    )
    registers = [_register(node) for node in top.descendants() if isinstance(node, RegNode)]
    made = RegisterMap(tuple(sorted(registers, key=lambda r: r.address)), counters)
    assert made.choice_bits < made.index_bits, "a register lies outside the window"
    return made


def register_verilog(plan: HardwarePlan) -> str:
    """Return ernn_registers.v."""
    return aligned(_render("ernn_registers.v.j2", plan, map=register_map(plan)))


def register_files(plan: HardwarePlan) -> dict[str, str]:
    """Return what software needs: description, C header, Python class and page, by path."""
    rdl = description(plan)
    registers = register_map(plan)
    first = f"// SPDX-License-Identifier: Apache-2.0\n// {plan.header}\n"
    return {
        "registers/ernn.rdl": rdl,
        "registers/ernn.h": first + _compile(rdl)[1],
        "registers/ernn.html": _render("ernn_registers.html.j2", plan, map=registers),
        "registers/ernn_registers.py": _render("ernn_registers.py.j2", plan, map=registers),
    }


def description(plan: HardwarePlan) -> str:
    """Return the registers of a plan in SystemRDL."""
    version = [int(part) for part in __version__.split(".")[:3]]
    return _render("ernn_registers.rdl.j2", plan, version=version)


def _render(template: str, plan: HardwarePlan, **context) -> str:
    found = environment().get_template(template)
    return found.render(plan=plan, **context)


@lru_cache(maxsize=4)
def _compile(rdl: str) -> tuple[AddrmapNode, str]:
    """Return the compiled registers and their C header; both tools know only files."""
    with tempfile.TemporaryDirectory() as folder:
        source, header = Path(folder) / "ernn.rdl", Path(folder) / "ernn.h"
        source.write_text(rdl, encoding="utf-8")
        compiler = RDLCompiler()
        compiler.compile_file(str(source))
        top = compiler.elaborate().top
        # No bit-fields: C promises nothing about the order of their bits.
        CHeaderExporter().export(top, str(header), reuse_typedefs=False)
        return top, header.read_text(encoding="utf-8")


def _register(node: RegNode) -> Register:
    """Read a compiled register; one of a counter is called after the counter."""
    pair = node.parent if isinstance(node.parent, RegfileNode) else None
    own = node.get_property("name")
    return Register(
        f"{pair.inst_name}_{node.inst_name}" if pair else node.inst_name,
        node.absolute_address,
        f"{pair.get_property('name')}, {own}" if pair else own,
        _text(node),
        tuple(map(_field, node.fields())),
    )


def _field(node: FieldNode) -> Field:
    """Read a compiled field."""
    reset = node.get_property("reset") or 0
    assert isinstance(reset, int), "a reset value is a number"
    return Field(node.inst_name, _kind(node), node.low, node.width, reset, _text(node))


def _text(node: Node) -> str:
    """Return what the description says about a part of it."""
    return node.get_property("desc") or ""


def _kind(node: FieldNode) -> str:
    """Tell the kind of a field from its properties."""
    software = node.get_property("sw")
    if node.get_property("singlepulse"):
        return "pulse"
    if node.get_property("onwrite") == OnWriteType.woclr:
        return "sticky"
    if software == AccessType.rw:
        return "storage"
    if software == AccessType.w:
        return "write"
    return "input" if node.get_property("hw") == AccessType.w else "constant"
