"""Render the Verilog of a plan: templates, PyRTL circuits and the fixed library modules."""

from ernn.graphs.activation import Piecewise
from ernn.graphs.fourier import forward, inverse
from ernn.hdl.datapath import activation, transform
from ernn.hdl.link import LINK
from ernn.hdl.registers import register_map, register_verilog
from ernn.hdl.templates import aligned, environment
from ernn.hw.array_plan import TransformPlan
from ernn.hw.lane_plan import LanePlan
from ernn.hw.plan import HardwarePlan
from ernn.resources import folder

# One file each; the templates of stores and cells are rendered once for each of them.
_SINGLE = (
    "ernn_array",
    "ernn_sequencer",
    "ernn_operands",
    "ernn_rows",
    "ernn_row_lane",
    "ernn_monitor",
)
# Circuits of lanes that a plan has only where some cell needs them.
_CIRCUITS = {
    "multiply": ("ernn_multiply",),
    "dot2": ("ernn_dot2",),
    "lerp": ("ernn_lerp", "ernn_multiply"),
    "move": ("ernn_move",),
}


def sources(plan: HardwarePlan, sigmoid: Piecewise, tanh: Piecewise, twiddle_bits: int) -> dict:
    """Return every Verilog file of a plan: {file name: text}, the same text for the same plan."""
    files = {f"{name}.v": _render(name, plan) for name in _SINGLE}
    files["ernn_top.v"] = _render("ernn_top", plan, map=register_map(plan))
    files["ernn_core.v"] = _render("ernn_core", plan)
    files["ernn_pe_array.v"] = pe_array_verilog(plan)
    files["ernn_registers.v"] = register_verilog(plan)
    for memory in plan.memories:
        for template in ("ernn_store", "ernn_transform"):
            files[f"{template}_{memory.name}.v"] = _render(template, plan, memory=memory)
    for unit in plan.units:
        for template in ("ernn_cell", "ernn_unit"):
            files[f"{template}_{unit.name}.v"] = _render(template, plan, unit=unit)
        files[f"{unit.lane_module}.v"] = lane_verilog(
            unit.lane_module, f"unit {unit.name} of {unit.cell}", plan.header, unit.lane
        )
    for net in _transforms(plan):
        make = inverse if net.inverse else forward
        circuit = make(net.block, twiddle_bits)
        files[f"{net.module}.v"] = transform(circuit, net.in_bits, net.out_bits, net.module)
    circuits = {step.circuit for unit in plan.units for step in unit.lane.steps}
    for piecewise in (sigmoid, tanh):
        if piecewise.name in circuits:
            files[f"ernn_{piecewise.name}.v"] = activation(piecewise)
    needed = {name for circuit in circuits for name in _CIRCUITS.get(circuit, ())}
    unneeded = {name for names in _CIRCUITS.values() for name in names} - needed
    unneeded.add("ernn_vector_memory" if plan.gather else "ernn_vector_copies")
    unneeded.update(LINK)
    unneeded.add("ernn_logic_product" if plan.weight_powers else "ernn_power_product")
    if not plan.once_bits:
        unneeded.add("ernn_weight_sums")
    for path in sorted((folder("hw_templates") / "lib").glob("*.v")):
        if path.stem not in unneeded:
            files[path.name] = path.read_text(encoding="utf-8")
    return dict(sorted(files.items()))


def lane_verilog(name: str, about: str, header: str, lane: LanePlan) -> str:
    """Return the Verilog of one lane of a cell unit.

    Args:
        name: of the module.
        about: whose operations they are, for its first line.
        header: first comment of a generated file.
        lane: what to print.
    """
    template = environment().get_template("ernn_lane.v.j2")
    return aligned(template.render(name=name, about=about, header=header, lane=lane))


def pe_array_verilog(plan: HardwarePlan) -> str:
    """Return ernn_pe_array: a module of the library but for how weights are stored."""
    return environment().get_template("ernn_pe_array.v.j2").render(plan=plan)


def _render(template: str, plan: HardwarePlan, **context) -> str:
    return aligned(environment().get_template(f"{template}.v.j2").render(plan=plan, **context))


def _transforms(plan: HardwarePlan) -> list[TransformPlan]:
    """Every transform module once."""
    every = [net for memory in plan.memories for net in memory.networks]
    every += plan.inverse_networks
    return list({net.module: net for net in every if net.module}.values())
