"""ernn_registers over AXI4-Lite, and ernn_counter: every register, field, pulse and counter."""

import json
import subprocess
from itertools import pairwise

import numpy as np
import pytest
from conftest import ICARUS
from test_project import KINDS, made
from test_storage import Vectors, check, verilog
from test_synthesizable import synthesize

from ernn import __version__
from ernn.errors import ToolError
from ernn.hdl.registers import register_map, register_verilog
from ernn.run.bench import lint, run_bench
from ernn.tools import require

HALF_W = 4  # so that the low half of a counter overflows every few cycles
EVENTS = {
    "frame_i": "frames",
    "input_stall_i": "input_stalls",
    "output_stall_i": "output_stalls",
    "step_i": "steps",
    "saturated_rows_i": "saturated_rows",
    "saturated_states_i": "saturated_states",
    "saturated_vectors_i": "saturated_vectors",
}


class Script:
    """Steps for the bench, and what the plan says that they are answered."""

    def __init__(self, plan):
        self.plan, self.map = plan, register_map(plan, plan.load_targets)
        self.steps, self.answers, self.loads, self.state_resets = [], [], [], []

    def address(self, name):
        return self.map.register(name).address

    def read(self, name, value):
        self.steps.append(["read", self.address(name)])
        self.answers.append(["OKAY", value])

    def write(self, name, data):
        self.steps.append(["write", self.address(name), data, 4])
        self.answers.append("OKAY")

    def refused_read(self, address):
        """Reading gives nothing."""
        self.steps.append(["read", address])
        self.answers.append(["SLVERR", None])

    def refused_write(self, address, data=0xFFFFFFFF, size=4):
        self.steps.append(["write", address, data, size])
        self.answers.append("SLVERR")

    def set(self, **values):
        self.steps.append(["set", values])

    def pulse(self, cycles=1, **values):
        self.steps.append(["pulse", values, cycles])

    def see(self, **values):
        self.steps.append(["see", list(values)])
        self.answers.append(list(values.values()))

    def load(self, target, address, word, done=True):
        """Write a word the way software does."""
        bits = max(memory.bits for memory in self.plan.load_targets)
        self.write("load_target", target)
        for piece in reversed(range(-(-bits // 32))):
            self.write("load_data", word >> 32 * piece & 0xFFFFFFFF)
        self.write("load_write", address)
        if done:
            self.loads.append([target, address, word])


def after_reset(script):
    """Every register reads as the plan says."""
    plan, major_minor_patch = script.plan, [int(part) for part in __version__.split(".")]
    values = {
        "id": int.from_bytes(b"ERNN", "little"),
        "version": sum(n << 8 * i for i, n in enumerate(reversed(major_minor_patch))),
        "plan": int(plan.digest[:8], 16),
        "bus": plan.word | plan.element_bits << 8 | plan.streams << 16,
        "clock_khz": round(plan.clock_mhz * 1000),
        "array": plan.pe_rows | plan.pe_columns << 16,
        "lanes": plan.macs | plan.drain_lanes << 16,
        "packets": plan.input_words | plan.output_words << 16,
        "sizes": plan.features | plan.labels << 16,
        "control": 1,
    }
    for register in script.map.readable:
        if not register.name.startswith("cycles_"):
            script.read(register.name, values.get(register.name, 0))
    script.see(run_o=1, state_reset_o=0, interrupt_o=0, load_we_o=0)


def refusals(script):
    """What no register takes is refused and changes nothing."""
    addresses = {register.address for register in script.map.registers}
    holes = set(range(0, 0x100, 4)) - addresses
    for address in [*sorted(holes), 0x400 + script.address("control"), 0xFFC]:
        script.refused_read(address)
        script.refused_write(address)
    for register in script.map.registers:
        if not register.writable:
            script.refused_write(register.address)
        elif not register.readable:
            script.refused_read(register.address)
    for size in (1, 2, 3):
        for register in script.map.writable:
            script.refused_write(register.address, 0, size)
    after_reset(script)


def storage(script):
    """What is written is read, and drives the hardware."""
    for number in (0xFFFFFFFF, 0x5A5AA5A5, 0):
        script.write("load_target", number)
        script.read("load_target", number & 0xFFFF)
        script.see(load_target_o=number & 0xFFFF)
        script.write("interrupt_enable", number)
        script.read("interrupt_enable", number & 3)
        script.write("control", number)
        script.read("control", number & 1)
        script.see(run_o=number & 1)
    for value in (1, 0):
        script.set(idle_i=value)
        script.read("status", value)
    script.write("control", 1)


def errors_and_interrupts(script):
    """Errors stay until 1 is written; interrupts follow what is enabled."""
    script.write("interrupt_enable", 1)
    for bits in range(1, 8):
        script.pulse(packet_error_i=bits)
        script.read("error", bits)
        script.read("interrupt_status", 1)
        script.see(interrupt_o=1)
        for bit in range(3):
            script.write("error", 1 << bit)
            script.read("error", bits & -(2 << bit))
        script.see(interrupt_o=1)
        script.write("interrupt_status", 2)
        script.read("interrupt_status", 1)
        script.write("interrupt_status", 1)
        script.see(interrupt_o=0)
    script.set(packet_error_i=2)  # an error that goes on cannot be cleared
    script.write("error", 2)
    script.read("error", 2)
    script.set(packet_error_i=0)
    script.write("error", 2)
    script.read("error", 0)
    script.write("interrupt_status", 3)
    script.pulse(frame_i=1)
    script.read("interrupt_status", 2)
    script.see(interrupt_o=0)  # frames are not enabled
    script.write("interrupt_enable", 2)
    script.see(interrupt_o=1)
    script.write("interrupt_status", 2)
    script.read("interrupt_status", 0)
    script.see(interrupt_o=0)


def pulses(script):
    """A pulse lasts one cycle and reads as nothing."""
    for mask in range(1 << script.plan.streams):
        script.write("state_reset", mask)
        script.state_resets += [mask] if mask else []
    script.see(state_reset_o=0)


def loading(script):
    """Words reach the memories, but only of an accelerator at rest."""
    rng = np.random.default_rng(1)
    targets = script.plan.load_targets
    bits = max(memory.bits for memory in targets)
    words = [int.from_bytes(rng.bytes(bits // 8 + 1), "little") % (1 << bits) for _ in targets]
    for run, idle in ((1, 1), (0, 0), (1, 0)):
        script.write("control", run)
        script.set(idle_i=idle)
        script.load(0, 3, words[0], done=False)
        script.read("error", 8)
        script.read("interrupt_status", 1)
        script.write("error", 8)
        script.write("interrupt_status", 3)
    script.write("control", 0)
    script.set(idle_i=1)
    for number, (memory, word) in enumerate(zip(targets, words, strict=True)):
        script.load(number, memory.depth - 1, word)
    script.write("load_write", 0xFFFFFFFF)  # the same word again
    script.loads.append([len(targets) - 1, 0xFFFFFFFF, words[-1]])
    script.read("error", 0)
    script.write("control", 1)


def counting(script):
    """Counters add what comes, and are cleared together."""
    script.write("control", 3)
    totals = dict.fromkeys(EVENTS.values(), 0)
    bits = {counter.name: counter.bits for counter in script.map.counters}
    for number, (port, name) in enumerate(EVENTS.items()):
        for added in {1, (1 << bits[name]) - 1}:
            script.pulse(number + 3, **{port: added})
            totals[name] += (number + 3) * added
    for name, total in totals.items():
        script.read(f"{name}_low", total)
        script.read(f"{name}_high", 0)
    script.write("control", 3)
    script.read("control", 1)
    for name in totals:
        script.read(f"{name}_low", 0)
    script.write("interrupt_status", 3)


PARTS = [after_reset, refusals, storage, errors_and_interrupts, pulses, loading, counting]


def run(folder, simulator, plan, scripts, files=None, idle=0.0, stall=0.0, **parameters):
    """Return what the bench saw."""
    folder.mkdir(parents=True, exist_ok=True)
    if files is None:
        files = sources(plan, folder)
    vectors, results = folder / "vectors.json", folder / "results.json"
    content = {"scripts": scripts, "idle": idle, "stall": stall, "seed": 1}
    vectors.write_text(json.dumps(content | {"results": str(results)}))
    results.unlink(missing_ok=True)
    run_bench(
        files,
        "ernn_registers",
        "registers",
        folder,
        simulator=simulator,
        parameters=parameters,
        environment={"ERNN_VECTORS": str(vectors)},
    )
    return json.loads(results.read_text())


def sources(plan, folder):
    file = folder / "ernn_registers.v"
    file.write_text(register_verilog(plan, plan.load_targets))
    return [file, *verilog("counter")]


def require_answers(script, seen, number=0):
    """Every answer is the expected one; data that comes with an error tells nothing."""
    answers = [
        ["SLVERR", None] if answer[0] == "SLVERR" else answer for answer in seen["answers"][number]
    ]
    steps = [step for step in script.steps if step[0] in ("read", "write", "see")]
    for step, answer, expected in zip(steps, answers, script.answers, strict=True):
        assert answer == expected, f"{step} answered {answer}, expected {expected}"
    assert seen["loads"] == script.loads
    assert seen["state_resets"] == script.state_resets


def whole_script(plan):
    """Everything, with resets in the middle of accesses."""
    script = Script(plan)
    for part in PARTS:
        part(script)
    for cycles in range(12):
        script.write("interrupt_enable", 3)
        script.write("load_target", 7)
        script.write("control", 0)
        script.pulse(packet_error_i=7, frame_i=1)
        under_way = [["read", script.address("id")], ["write", script.address("control"), 0, 4]]
        script.steps.append(["reset", cycles, under_way])
        script.see(run_o=1, interrupt_o=0)
    script.set(idle_i=0)
    for part in PARTS:
        part(script)
    return script


@pytest.mark.parametrize(("idle", "stall"), [(0, 0), (0.3, 0.5)])
def test_every_register(simulator, folder, idle, stall):
    """With another reader beside it, whose answers must not get mixed up."""
    plan = made("gru_before")[0]
    script, beside = whole_script(plan), [["read", 0]] * 200
    seen = run(folder, simulator, plan, [script.steps, []], idle=idle, stall=stall)
    require_answers(script, seen)
    quiet = Script(plan)
    for part in PARTS:
        part(quiet)
    seen = run(folder, simulator, plan, [quiet.steps, beside], idle=idle, stall=stall)
    require_answers(quiet, seen)
    assert seen["answers"][1] == [["OKAY", 0x4E4E5245]] * 200


@pytest.mark.parametrize("simulator", [ICARUS])
@pytest.mark.parametrize("kind", KINDS)
def test_every_plan(simulator, folder, kind):
    """Words of a memory of few bits and of many, one stream and several."""
    script = whole_script(made(kind)[0])
    require_answers(script, run(folder, simulator, script.plan, [script.steps], stall=0.2))


def require_one_moment(seen, added):
    """Halves read one after the other are of one moment: that of the low half's address."""
    reads = [answer[1] for answer in seen["answers"][0] if isinstance(answer, list)]
    values = [low | high << HALF_W for low, high in zip(reads[::2], reads[1::2], strict=True)]
    moments = seen["read_cycles"][::2]
    assert len(values) == len(moments) > 100
    for (then, was), (now, value) in pairwise(zip(moments, values, strict=True)):
        assert value - was == (now - then) * added, f"from cycle {then} to {now}"
    return moments[0], values[0]


def reads_of(plan, name, times=150):
    script = Script(plan)
    for _ in range(times):
        script.read(f"{name}_low", None)
        script.read(f"{name}_high", None)
    return script


@pytest.mark.parametrize(("idle", "stall"), [(0, 0), (0.3, 0.5)])
def test_both_halves_are_of_one_moment(simulator, folder, idle, stall):
    """However the low half overflows around the reading."""
    plan, pace = made("lstm")[0], {"idle": idle, "stall": stall, "HALF_W": HALF_W}
    script = reads_of(plan, "cycles")
    seen = run(folder, simulator, plan, [script.steps], **pace)
    moment, value = require_one_moment(seen, 1)
    assert value == moment + 1  # the cycle after the address, counted from the reset
    for added in (15, 7):
        script = reads_of(plan, "saturated_rows")
        script.steps.insert(0, ["set", {"saturated_rows_i": added}])
        # Cleared in the midst of counting: the halves must not drift apart.
        script.steps.insert(1, ["write", script.address("control"), 3, 4])
        seen = run(folder, simulator, plan, [script.steps], **pace)
        require_one_moment(seen, added)


# Planted bugs: file, text and what it becomes.
MUTATIONS = {
    "high half kept a cycle early": (
        "ernn_registers.v",
        "if (cycles_keep_q) cycles_kept_q",
        "if (read_q[0] && read_index_q == CYCLES_LOW) cycles_kept_q",
    ),
    "carry lost": ("ernn_counter.v", "<= sum[HALF_W];", "<= 1'b0;"),
    "clear wins over set": (
        "ernn_registers.v",
        "error_long_packet_q <= error_long_packet_set\n        | (error_long_packet_q &",
        "error_long_packet_q <= (error_long_packet_set\n        | error_long_packet_q) & (32'd1 &",
    ),
    "read data not held": ("ernn_registers.v", "if (read_q[0]) begin", "if (1'b1) begin"),
    "read answer not held": (
        "ernn_registers.v",
        "if (s_axil_rvalid && !s_axil_rready) read_q",
        "if (1'b0) read_q",
    ),
    "byte strobes ignored": ("ernn_registers.v", " && &wstrb_q;", ";"),
    "high address bits ignored": ("ernn_registers.v", "found[32] && !outside", "found[32]"),
    "memories written while running": (
        "ernn_registers.v",
        "write_load_write_q && !load_refused",
        "write_load_write_q",
    ),
    "data of a write not held": ("ernn_registers.v", "= !w_held_q;", "= 1'b1;"),
    "pulse that stays": (
        "ernn_registers.v",
        "control_clear_q <= wdata_q[1:1] & {1{write_control_q}}",
        "control_clear_q <= control_clear_q | (wdata_q[1:1] & {1{write_control_q}})",
    ),
}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(name, tmp_path):
    file, before, after = MUTATIONS[name]
    plan, pace = made("lstm")[0], {"idle": 0.3, "stall": 0.5}
    files = []
    for path in sources(plan, tmp_path):
        text = path.read_text()
        assert path.name != file or before in text, f"{file} has no {before!r} to mutate"
        files.append(tmp_path / path.name)
        files[-1].write_text(text.replace(before, after) if path.name == file else text)
    with pytest.raises((AssertionError, ToolError)):
        script = whole_script(plan)
        require_answers(script, run(tmp_path / "a", "icarus", plan, [script.steps], files, **pace))
        script = reads_of(plan, "cycles")
        script.steps.insert(0, ["write", script.address("control"), 3, 4])
        seen = run(tmp_path / "b", "icarus", plan, [script.steps], files, **pace, HALF_W=HALF_W)
        require_one_moment(seen, 1)


def counter_vectors():
    """Past 2^32 by large steps; the high half follows a cycle after the low one."""
    rng, v, total, before = np.random.default_rng(6), Vectors(), None, None
    for cycle in range(300):
        reset, clear = cycle < 2 or cycle == 150, rng.random() < 0.02
        added = int(rng.choice([0, 1, 0xFFFFFFFF, int(rng.integers(1 << 32))]))
        known = before is not None
        v.cycle(
            {"rst_i": reset, "clear_i": clear, "inc_i": added},
            {
                "low_o": total & 0xFFFFFFFF if known else None,
                "high_o": before >> 32 if known else None,
            },
        )
        before = total
        if total is not None:
            total += added
        if reset or clear:
            total = before = 0
    return v


@pytest.mark.parametrize("simulator", [ICARUS])
def test_counter(simulator, folder):
    files = verilog("counter")
    check("ernn_counter", {"INC_W": 32}, counter_vectors(), folder, simulator, files=files)


@pytest.mark.parametrize("simulator", [ICARUS])
def test_a_carry_that_outlives_a_clear_is_found(simulator, tmp_path):
    text = verilog("counter")[0].read_text()
    files = [tmp_path / "ernn_counter.v"]
    files[0].write_text(text.replace("      carry_q <= 1'b0;\n", ""))
    assert files[0].read_text() != text
    with pytest.raises(ToolError, match="high_o"):
        check("ernn_counter", {"INC_W": 32}, counter_vectors(), tmp_path, simulator, files=files)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("kind", KINDS)
def test_verilator_has_nothing_to_say(kind, tmp_path):
    lint(sources(made(kind)[0], tmp_path), "ernn_registers")


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("kind", KINDS)
def test_icarus_compiles(kind, tmp_path):
    files = map(str, sources(made(kind)[0], tmp_path))
    command = [str(require("iverilog").path), "-g2005", "-Wall", "-Wno-timescale"]
    command += ["-s", "ernn_registers", "-o", str(tmp_path / "registers.vvp"), *files]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0 and not told.stderr, told.stderr


@pytest.mark.needs("yosys")
def test_yosys_elaborates(tmp_path):
    synthesize(sources(made("gru_before")[0], tmp_path), "ernn_registers")
