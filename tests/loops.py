"""A project whose top hands its input back: as an accelerator's ports are, but placed in seconds.

Whole accelerators are built by hand (docs/build.md).
"""

from pathlib import Path

import numpy as np
from models import random_integer_model

from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes

BODY = """
  ernn_skid #(.WIDTH(41)) u_skid (
      .clk_i(clk_i), .rst_i(rst_i),
      .in_valid_i(s_axis_tvalid), .in_ready_o(s_axis_tready),
      .in_data_i({s_axis_tlast, s_axis_tid, s_axis_tdata}),
      .out_valid_o(m_axis_tvalid), .out_ready_i(m_axis_tready),
      .out_data_o({m_axis_tlast, m_axis_tid, m_axis_tdata})
  );
  reg [31:0] product_q;
  always @(posedge clk_i) product_q <= s_axil_wdata[31:16] * s_axil_wdata[15:0];
  assign s_axil_rdata = product_q;
endmodule
"""


def loop_folder(place: Path, part: str, clock_mhz: float) -> Path:
    """Write a run's folder with a project whose top was replaced; return it."""
    model = random_integer_model(
        np.random.default_rng(1), cell="gru_before", hidden=4, blocks=2, features=4, labels=0
    )
    plan = build_plan(model, Sizes(1, 1, 1, 1), Target("small", part, clock_mhz, 1))
    write_project(plan, model, place / "generate")
    top = place / "generate" / "rtl" / "ernn_top.v"
    text = top.read_text()
    top.write_text(text[: text.index("\n);") + 3] + BODY)
    return place
