"""Groups: every instance of a generated top has the name that resources and activity share."""

import re

import numpy as np
import pytest

from ernn.hdl.render import sources
from ernn.hw.build import Target, build_plan
from ernn.hw.groups import CORE, core_instances, group_of
from ernn.hw.layout import Sizes
from tests.models import random_integer_model


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("", "top"),
        ("u_core", "top"),
        ("u_registers", "registers"),
        ("u_core.u_array", "broadcast"),
        ("u_core.u_array.u_array.gen_leaf[0].gen_row[3].gen_column[1].u_pe", "pes"),
        ("u_core.u_array.u_array.gen_leaf[0].gen_row[3].gen_column[1].u_pe.gen_mac[2].x", "pes"),
        ("u_core.u_array.u_array.gen_leaf[0].gen_row[3].u_weights", "weights"),
        ("u_core.u_array.u_rows.u_lane", "rows"),
        ("u_core.u_store_x.u_transform.u_scale", "transform_x"),
        ("u_core.u_store_x.u_memory", "memory_x"),
        ("u_core.u_cell_gru_reset.u_state", "state"),
        ("u_core.u_cell_gru_reset.u_queue_zr", "queue_zr"),
        ("u_core.u_cell_gru_reset.u_unit.u_walker", "unit_gru_reset"),
        ("u_core.u_queue_vector", "queue_vector"),
    ],
)
def test_group(path, group):
    assert group_of(path) == group


def instances(verilog):
    """The instances of a module, by name: their modules."""
    found = re.findall(
        r"^  (ernn_\w+) (?:#\(.*?^  \) )?(u_\w+) \(", verilog, re.MULTILINE | re.DOTALL
    )
    return {name: module for module, name in found}


def test_every_instance_has_a_group():
    model = random_integer_model(np.random.default_rng(7), cell="gru_before")
    plan = build_plan(model, Sizes(4, 3, 1, 4), Target("gru", "XC7Z020", 200.0, 2))
    files = sources(plan, model.sigmoid, model.tanh, model.twiddle_bits)
    core = instances(files["ernn_core.v"])
    assert core.keys() == core_instances(plan)
    paths = [*instances(files["ernn_top.v"])]
    for name, module in core.items():
        inner = instances(files[f"{module}.v"]) if module.startswith(("ernn_st", "ernn_ce")) else ()
        paths += [f"{CORE}.{name}.{one}" for one in inner] or [f"{CORE}.{name}"]
    units = {f"unit_{unit.name}" for unit in plan.units}
    memories = {f"{kind}_{m.name}" for m in plan.memories for kind in ("transform", "memory")}
    queues = {f"queue_{queue.name}" for queue in plan.queues}
    others = {"top", "registers", "rounds", "input", "output", "monitor", "state", "broadcast"}
    assert {group_of(path) for path in paths} == units | memories | queues | others
