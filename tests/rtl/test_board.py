"""The board shell, bit by bit on its serial line: the integer model's words, registers, and errors.

ernn_uart_rx, ernn_uart_tx, ernn_serial_in and ernn_serial_out around a whole accelerator.
"""

import json

import numpy as np
import pytest
from accelerators import Accelerator, Design

from ernn.errors import PlanError, ToolError
from ernn.hdl.board import Shell, board_files
from ernn.hdl.registers import register_map
from ernn.hw.layout import Sizes
from ernn.parts.board import boards
from ernn.run.testbench import lint, run_testbench

BIT_CLOCKS, TIMEOUT_CLOCKS = 8, 2000
MODEL = {"cell": "gru_before", "hidden": 4, "blocks": 2, "features": 6, "labels": 3}
DESIGN = Design(MODEL, Sizes(1, 1, 1, 1), streams=1)
SHELL = Shell(
    boards()["ulx3s"], clock_mhz=100.0, baud=12_500_000, timeout_s=TIMEOUT_CLOCKS / 100e6, pll=False
)
ERROR = {"unknown": "4501", "broken off": "4502", "stop bit": "4503", "too fast": "4504"}

pytestmark = pytest.mark.needs("verilator", "g++", "make", "perl")


class Talk:
    """A board in a folder that keeps its build, and the bytes to and from it."""

    def __init__(self, folder):
        self.accelerator = Accelerator.write(DESIGN, folder)
        self.plan, self.model = self.accelerator.plan, self.accelerator.model
        self.folder, self.steps = folder, []
        place = folder / "board"
        place.mkdir(exist_ok=True)
        for name, text in board_files(self.plan, SHELL).items():
            (place / name).write_text(text)
        self.files = [*sorted(self.accelerator.rtl.glob("*.v")), *sorted(place.glob("*.v"))]
        self.software = place / "ernn_serial.py"
        self.registers = register_map(self.plan)

    def speech(self, length, seed=7):
        """Return (features as requests, answers as bytes) of an utterance, of the integer model."""
        (utterance,) = self.accelerator.speech([length])[0]
        utterance = np.random.default_rng(seed).permutation(utterance)
        return self.bytes_of(utterance)

    def bytes_of(self, utterance):
        plan, bits = self.plan, self.plan.element_bits // 8
        raw = self.model.quantize_features(utterance[None])[0]
        trace = self.model.run(utterance[None], np.array([len(utterance)]), ["layer0.h", "logits"])

        def packed(values):
            return b"".join(int(v).to_bytes(bits, "little", signed=True) for v in values)

        out = [trace.signals[name][0] for name in ("layer0.h", "logits")]
        asked = [bytes([ord("F"), 0, time == 0]) + packed(row) for time, row in enumerate(raw)]
        told = [b"O\0" + packed(np.concatenate(rows)) for rows in zip(*out, strict=True)]
        assert len(asked[0]) == 3 + plan.input_words * plan.word * bits
        return [one.hex() for one in asked], [one.hex() for one in told]

    def send(self, data):
        self.steps.append(["send", data])

    def expect(self, data):
        self.steps.append(["expect", data])

    def rest(self, kind, value):
        self.steps.append([kind, value])

    def exchange(self, asked, told):
        for request, answer in zip(asked, told, strict=True):
            self.send(request)
            self.expect(answer)

    def read(self, name, value, response=0):
        address = self.registers.register(name).address
        self.send(f"52{address.to_bytes(2, 'little').hex()}")
        self.expect(f"72{response:02x}{value.to_bytes(4, 'little').hex()}")

    def write(self, address, value, response=0):
        self.send(f"57{address.to_bytes(2, 'little').hex()}{value.to_bytes(4, 'little').hex()}")
        self.expect(f"77{response:02x}")

    def run(self, stretch=0, files=None, folder=None):
        folder = folder or self.folder / "board"
        vectors = folder / "vectors.json"
        content = {"bit_clocks": BIT_CLOCKS, "steps": self.steps, "stretch": stretch}
        vectors.write_text(json.dumps(content | {"quiet_cycles": 20_000}))
        run_testbench(
            files or self.files,
            "ernn_board",
            "serial_line",
            folder,
            environment={"ERNN_VECTORS": str(vectors)},
            run_in=self.accelerator.rtl,
        )


@pytest.fixture
def talk(request):
    return Talk(request.config.cache.mkdir("board"))


@pytest.mark.parametrize("stretch", [0, 30, -30])
def test_frames_are_the_integer_models(talk, stretch):
    """Two utterances; the sender's bits exact, 3 % longer and 3 % shorter."""
    for seed in (1, 2):
        talk.exchange(*talk.speech(4, seed))
    talk.run(stretch)


def test_registers_are_read_and_written_between_frames(talk):
    asked, told = talk.speech(2)
    identity = talk.registers.field("id", "value").reset
    talk.read("id", identity)
    talk.exchange(asked[:1], told[:1])
    talk.write(0xFFC, 1, response=2)  # no register: SLVERR, and nothing happens
    talk.read("id", identity)
    talk.exchange(asked[1:], told[1:])
    talk.run()


def test_whatever_goes_wrong_is_told_and_the_next_request_is_right(talk):
    asked, told = talk.speech(5)
    talk.rest("glitch", BIT_CLOCKS // 2 - 2)
    talk.exchange(asked[:1], told[:1])
    for length in (2, 4, 6, 12):  # characters: a request breaks off before, in and behind a beat
        talk.send(asked[1][: length + 6])
        talk.rest("gap", TIMEOUT_CLOCKS)
        talk.expect(ERROR["broken off"])
    talk.exchange(asked[1:2], told[1:2])
    talk.send(f"58{asked[2]}")  # what comes behind an unknown request is no request
    talk.expect(ERROR["unknown"])
    talk.rest("quiet", TIMEOUT_CLOCKS + 10 * BIT_CLOCKS)
    talk.exchange(asked[2:3], told[2:3])
    talk.send(asked[3][:10])
    talk.rest("broken", asked[3][10:12])
    talk.send(asked[3][12:])
    talk.expect(ERROR["stop bit"])
    talk.rest("quiet", TIMEOUT_CLOCKS + 10 * BIT_CLOCKS)
    talk.exchange(asked[3:], told[3:])
    talk.rest("reset", 50)  # the recurrence begins again
    talk.exchange(*talk.speech(2))
    talk.run()


def test_frames_that_come_too_fast_are_dropped_and_told(talk):
    """Answers take longer than requests here, so that some frame finds no room."""
    asked, told = talk.speech(3)
    for _ in range(16):
        talk.send("".join(asked))
    talk.rest("contains", ERROR["too fast"])
    talk.rest("gap", TIMEOUT_CLOCKS)
    talk.exchange(asked, told)
    talk.run()


def test_a_planted_bug_is_found(talk, tmp_path):
    """Bytes of a beat in the wrong order."""
    path = next(file for file in talk.files if file.name == "ernn_serial_in.v")
    mutant = tmp_path / path.name
    mutant.write_text(path.read_text().replace("{byte_i, beat_q};", "{beat_q, byte_i};"))
    assert mutant.read_text() != path.read_text()
    talk.exchange(*talk.speech(1))
    with pytest.raises(ToolError, match="expected 0x"):
        talk.run(files=[mutant if file == path else file for file in talk.files], folder=tmp_path)


def test_the_shell_is_clean(talk):
    lint(talk.files, "ernn_board")


def test_a_clock_too_slow_for_the_line_is_told(talk):
    with pytest.raises(PlanError, match="4 MHz") as told:
        board_files(talk.plan, Shell(SHELL.board, clock_mhz=4.0))
    assert (told.value.fault.allowed, told.value.fault.remedy) == (
        "8 or more",
        "use a faster clock",
    )


def test_software_talks_to_a_line(talk):
    """Frames, registers between them, and errors, against a line that plays the board's part."""
    namespace = {}
    exec(compile(talk.software.read_text(), str(talk.software), "exec"), namespace)
    asked, told = talk.speech(2)
    answers = bytes.fromhex("".join([told[0], "7200", "efbeadde", told[1], "7700", "4502"]))

    class Line:
        sent, left = b"", answers

        def write(self, data):
            self.sent += data

        def read(self, count):
            found, self.left = self.left[:count], self.left[count:]
            return found

    line = Line()
    accelerator = namespace["Accelerator"](line)
    (utterance,) = talk.accelerator.speech([2])[0]
    utterance = np.random.default_rng(7).permutation(utterance)
    trace = talk.model.run(utterance[None], np.array([2]), ["layer0.h", "logits"])
    for time, frame in enumerate(utterance):
        accelerator.send_frame(namespace["quantize"](frame), fresh=time == 0)
    assert line.sent.hex() == "".join(asked)
    first = accelerator.receive()
    assert first.vector == trace.signals["layer0.h"][0, 0].tolist()
    assert first.logits == trace.signals["logits"][0, 0, : talk.plan.labels].tolist()
    assert accelerator.read_register(0) == 0xDEADBEEF
    accelerator.write_register(4, 1)  # the second frame comes first, and is kept
    assert accelerator.receive().vector == trace.signals["layer0.h"][0, 1].tolist()
    namespace["time"].sleep = lambda seconds: None
    with pytest.raises(OSError, match="broke off"):
        accelerator.receive()
    with pytest.raises(TimeoutError, match="0 of 1 bytes"):
        accelerator.receive()
