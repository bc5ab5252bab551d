"""Render the Verilog of a plan: templates, PyRTL circuits and the fixed library modules."""

from ernn.hdl.datapath import activation, transform
from ernn.hdl.registers import register_map, register_verilog
from ernn.hdl.templates import environment
from ernn.hw.array_plan import NetworkPlan
from ernn.hw.plan import HardwarePlan
from ernn.quant.activation import Piecewise
from ernn.quant.network import forward, inverse
from ernn.resources import folder

# One file each; the templates of memories and units are rendered once per memory and unit.
_SINGLE = (
    "ernn_array",
    "ernn_sequencer",
    "ernn_operands",
    "ernn_rows",
    "ernn_row_lane",
    "ernn_monitor",
)
_LANES = {
    "lstm": ("ernn_lstm_lane",),
    "gru_reset": ("ernn_gru_reset_lane",),
    "gru_update": ("ernn_gru_update_lane",),
    "gru_after": ("ernn_gru_after_lane", "ernn_gru_update_lane"),
    "projection": (),
}
_CELL_LIBRARY = {name for names in _LANES.values() for name in names}


def sources(plan: HardwarePlan, sigmoid: Piecewise, tanh: Piecewise, twiddle_bits: int) -> dict:
    """Return every Verilog file of a plan: {file name: text}, the same text for the same plan."""
    files = {f"{name}.v": _render(name, plan) for name in _SINGLE}
    files["ernn_top.v"] = _render("ernn_top", plan, map=register_map(plan))
    files["ernn_registers.v"] = register_verilog(plan)
    for memory in plan.memories:
        name = f"ernn_transform_{memory.name}"
        files[f"{name}.v"] = _render("ernn_transform", plan, memory=memory)
    for unit in plan.units:
        files[f"ernn_unit_{unit.name}.v"] = _render("ernn_unit", plan, unit=unit)
    for network in _networks(plan):
        make = inverse if network.inverse else forward
        circuit = make(network.block, twiddle_bits)
        files[f"{network.module}.v"] = transform(
            circuit, network.in_bits, network.out_bits, network.module
        )
    needed = {name for unit in plan.units for name in _LANES[unit.name]}
    if needed:
        files["ernn_sigmoid.v"] = activation(sigmoid)
        files["ernn_tanh.v"] = activation(tanh)
    for path in sorted((folder("hw_templates") / "lib").glob("*.v")):
        if path.stem not in _CELL_LIBRARY or path.stem in needed:
            files[path.name] = path.read_text(encoding="utf-8")
    return dict(sorted(files.items()))


def _render(template: str, plan: HardwarePlan, **context) -> str:
    return environment().get_template(f"{template}.v.j2").render(plan=plan, **context)


def _networks(plan: HardwarePlan) -> list[NetworkPlan]:
    """Every transform module once."""
    every = [net for memory in plan.memories for net in memory.networks]
    every += plan.inverse_networks
    return list({net.module: net for net in every if net.module}.values())
