"""Write the Verilog."""

from ernn.flow.work import Work
from ernn.hdl.project import write_project
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel


def run(work: Work) -> None:
    """Write the Verilog of the plan, its memories and its manifest."""
    model = IntegerModel.load(work.run.integer_model)
    write_project(HardwarePlan.load(work.run.plan), model, work.folder)
