"""A published layer at full size: the plan found, the Verilog simulated, every word compared."""

import pytest

from ernn.flow.bench import LAYERS, make_model, make_speech
from ernn.hdl.project import write_project
from ernn.hw.explore import explore
from ernn.recipe import HardwareRecipe
from ernn.run.simulate import simulate
from ernn.run.traffic import deal_out

FRAMES = 20  # of each of two streams
FRAMES_PER_SECOND = {"lstm16": 1.7e6}  # with two streams; `ernn bench` simulates all of them


@pytest.mark.needs("verilator", "g++", "make", "perl")
@pytest.mark.parametrize("name", FRAMES_PER_SECOND)
def test_a_published_layer(name, request, tmp_path):
    layer = next(layer for layer in LAYERS if layer.name == name)
    train, test = make_speech(tmp_path / "speech", seed=0)
    model = make_model(layer, 0, train)
    hardware = HardwareRecipe(part="XC7VX690T", clock_mhz=200.0, streams=2)
    chosen = explore(model, hardware, name).chosen
    assert chosen.frames_per_second >= FRAMES_PER_SECOND[name]
    project = write_project(chosen.plan, model, tmp_path / "project")
    streams = deal_out(test, 2, FRAMES)
    work = request.config.cache.mkdir(f"rtl-full-size-{name}")
    run = simulate(project, chosen.plan, model, streams, work_folder=work)
    assert run.frames == 2 * FRAMES
    assert run.frame_cycles == chosen.rate.cycles_per_frame
