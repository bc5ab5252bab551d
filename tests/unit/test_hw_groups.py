"""Groups: every instance of a generated top has the name that resources and activity share."""

import re

import numpy as np
import pytest

from ernn.hdl.render import sources
from ernn.hw.build import Target, build_plan
from ernn.hw.groups import group_of
from ernn.hw.layout import Sizes
from tests.models import random_integer_model


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("", "top"),
        ("u_array", "broadcast"),
        ("u_array.u_array.gen_leaf[0].gen_row[3].gen_column[1].u_pe", "pes"),
        ("u_array.u_array.gen_leaf[0].gen_row[3].gen_column[1].u_pe.gen_mac[2].x", "pes"),
        ("u_array.u_array.gen_leaf[0].gen_row[3].u_weights", "weights"),
        ("u_array.u_rows.u_lane", "rows"),
        ("u_state_gru_reset", "state"),
        ("u_gru_reset.u_walker", "unit_gru_reset"),
    ],
)
def test_group(path, group):
    assert group_of(path) == group


def test_every_instance_of_a_top():
    model = random_integer_model(np.random.default_rng(7), cell="gru_before")
    plan = build_plan(model, Sizes(4, 3, 1, 4), Target("gru", "XC7Z020", 200.0, 2))
    top = sources(plan, model.sigmoid, model.tanh, model.twiddle_bits)["ernn_top.v"]
    instances = re.findall(r"^(?:  ernn_\w+|  \)) (u_\w+) \($", top, re.MULTILINE)
    units = {f"unit_{unit.name}" for unit in plan.units}
    memories = {f"{kind}_{m.name}" for m in plan.memories for kind in ("transform", "memory")}
    queues = {f"queue_{queue.name}" for queue in plan.queues}
    others = {"registers", "rounds", "input", "output", "monitor", "state", "broadcast"}
    assert {group_of(name) for name in instances} == units | memories | queues | others
