"""The generated PYNQ driver on stand-ins for bus and DMAs, with the integer model behind them."""

import sys
import types

import numpy as np
import pytest
from models import random_frames, random_integer_model

from ernn.hdl.package import package_files
from ernn.hdl.registers import register_files, register_map
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.recipe import QuantizationRecipe
from ernn.run.traffic import beats_of

KINDS = {
    "LSTM, 16 bits, logits": ({"cell": "lstm", "projection": 8}, QuantizationRecipe()),
    "GRU, 24 bits": (
        {"cell": "gru_before", "labels": 0},
        QuantizationRecipe(weight_bits=16, activation_bits=16),
    ),
}


class Board:
    """Registers and streams of an accelerator: what it gets it answers by the integer model."""

    def __init__(self, plan, model):
        self.plan, self.model, self.map = plan, model, register_map(plan)
        self.bus = {r.address: sum(f.reset << f.low for f in r.fields) for r in self.map.registers}
        self.frames = {stream: [] for stream in range(plan.streams)}

    def write(self, address, value):
        assert address == self.map.register("state_reset").address
        for stream in self.frames:
            if value >> stream & 1:
                self.frames[stream] = []

    def answer(self, stream, packet):
        """Take a frame's bytes, return those of its answer."""
        plan, size = self.plan, self.plan.element_bits // 8
        assert len(packet) == plan.input_words * plan.word * size
        raw = [
            int.from_bytes(packet[i : i + size].tobytes(), "little", signed=True)
            for i in range(0, len(packet), size)
        ]
        assert not any(raw[self.model.features :])
        values = plan.feature.to_float(np.array(raw[: self.model.features]))
        self.frames[stream].append(values)
        signals = self.model.run(np.array(self.frames[stream])[None]).signals
        out = b""
        for name in (f"layer{len(self.model.layers) - 1}.h", "logits"):
            if name in signals:
                vector = signals[name][0, -1]
                for beat in beats_of(plan, np.pad(vector, (0, -len(vector) % plan.word))):
                    out += beat.to_bytes(plan.word * size, "little")
        return np.frombuffer(out, np.uint8)


class Dma:
    """A DMA of pynq: a transfer that is started has to be waited for."""

    def __init__(self, board, stream):
        self.board, self.stream = board, stream
        self.sendchannel, self.recvchannel = Channel(self.sent), Channel(self.received)
        self.answers = []

    def sent(self, buffer):
        self.answers.append(self.board.answer(self.stream, buffer))

    def received(self, buffer):
        buffer[:] = self.answers.pop(0)


class Channel:
    def __init__(self, act):
        self.act, self.buffer = act, None

    def transfer(self, buffer):
        assert self.buffer is None, "a transfer is on its way"
        self.buffer = buffer

    def wait(self):
        self.act(self.buffer)
        self.buffer = None


@pytest.fixture(params=KINDS)
def driver(request, monkeypatch):
    """The module ernn_pynq as a package holds it, with its board."""
    kinds, bits = KINDS[request.param]
    model = random_integer_model(np.random.default_rng(7), bits, **kinds)
    plan = build_plan(model, Sizes(4, 2, 2, 2), Target("test", "XC7Z020", 200.0, 2))
    assert f"{plan.element_bits} bits" in request.param
    text = package_files(plan, register_files(plan), {}, name="one", frames=1, source="")
    registers, module = types.ModuleType("ernn_registers"), types.ModuleType("ernn_pynq")
    exec(text["software/ernn_registers.py"], registers.__dict__)
    monkeypatch.setitem(sys.modules, "ernn_registers", registers)
    exec(text["software/ernn_pynq.py"], module.__dict__)
    return module, Board(plan, model)


def opened(module, board, dmas):
    bus = module.Registers(board.bus.__getitem__, board.write)
    return module.Accelerator(bus, [Dma(board, s) for s in range(dmas)], np.zeros)


@pytest.mark.parametrize("dmas", [1, 2])
def test_it_answers_as_the_integer_model(driver, dmas):
    """Utterances of several lengths, the last features far outside the format."""
    module, board = driver
    rng, model = np.random.default_rng(3), board.model
    utterances = [random_frames(rng, model.features, 1, n)[0] for n in (3, 1, 4)]
    utterances[-1] *= 1000.0
    answers = opened(module, board, dmas).run(utterances)
    for frames, (vectors, logits) in zip(utterances, answers, strict=True):
        trace = model.run(frames[None])
        np.testing.assert_array_equal(vectors, trace.to_float(f"layer{len(model.layers) - 1}.h")[0])
        assert logits.shape == (len(frames), model.labels)
        if model.labels:
            np.testing.assert_array_equal(logits, trace.to_float("logits")[0, :, : model.labels])


def test_features_are_rounded_as_ernn_rounds(driver):
    module, board = driver
    step, size = board.plan.feature.step, board.plan.element_bits // 8
    row = np.zeros((1, board.model.features))
    row[0, :5] = [0.5 * step, -0.5 * step, -1.5 * step, 1e9, -1e9]
    packed = module.pack(row).reshape(-1, size)
    raw = [int.from_bytes(value.tobytes(), "little", signed=True) for value in packed]
    assert (
        raw[: len(row[0])] == board.model.quantize_features(row[None])[0, 0].tolist()[: len(row[0])]
    )


def test_wrong_use_is_refused(driver):
    module, board = driver
    with pytest.raises(ValueError, match="give 1 to 2"):
        opened(module, board, 3)
    with pytest.raises(ValueError, match="give \\(frames"):
        module.pack(np.zeros((2, 1)))
    with pytest.raises(ValueError, match="NaN"):
        module.pack(np.full((1, board.model.features), np.nan))
    accelerator = opened(module, board, 1)
    board.bus[board.map.register("error").address] = 4
    with pytest.raises(RuntimeError, match="unknown_stream"):
        accelerator.run([np.zeros((1, board.model.features))])
    board.bus[board.map.register("plan").address] ^= 1
    with pytest.raises(RuntimeError, match="is of plan"):
        opened(module, board, 1)


def test_it_opens_a_bitstream(driver, monkeypatch):
    module, board = driver
    pynq = types.ModuleType("pynq")
    core = types.SimpleNamespace(read=board.bus.__getitem__, write=board.write)
    names = {"ernn_test_0": types.SimpleNamespace(mmio=core), "dma": Dma(board, 0)}
    pynq.Overlay = lambda path: types.SimpleNamespace(**names)
    pynq.allocate = np.zeros
    monkeypatch.setitem(sys.modules, "pynq", pynq)
    accelerator = module.Accelerator.open("design.bit", "ernn_test_0", ["dma"])
    vectors, _ = accelerator.run([np.zeros((2, board.model.features))])[0]
    assert len(vectors) == 2
