"""ernn_registers over AXI4-Lite, and ernn_counter: every register, field, pulse and counter."""

import json
import subprocess
from itertools import pairwise

import numpy as np
import pytest
from conftest import ICARUS
from register_scripts import EVENTS, PARTS, Script, whole_script
from test_project import KINDS, made
from test_storage import Vectors, check, verilog
from test_synthesizable import synthesize

from ernn.errors import ToolError
from ernn.hdl.registers import register_verilog
from ernn.run.testbench import lint, run_testbench
from ernn.tools import require

HALF_W = 4  # so that the low half of a counter overflows every few cycles


def run(folder, simulator, plan, scripts, files=None, idle=0.0, stall=0.0, **parameters):
    """Return what the testbench saw."""
    folder.mkdir(parents=True, exist_ok=True)
    if files is None:
        files = sources(plan, folder)
    vectors, results = folder / "vectors.json", folder / "results.json"
    content = {"scripts": scripts, "idle": idle, "stall": stall, "seed": 1}
    vectors.write_text(json.dumps(content | {"results": str(results)}))
    results.unlink(missing_ok=True)
    run_testbench(
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
    file.write_text(register_verilog(plan))
    return [file, *verilog("counter")]


def require_answers(script, seen, number=0):
    """Every answer is the expected one."""
    answers = seen["answers"][number]
    steps = [step for step in script.steps if step[0] in ("read", "write", "see", "together")]
    for step, answer, expected in zip(steps, answers, script.answers, strict=True):
        assert answer == expected, f"{step} answered {answer}, expected {expected}"
    assert seen["loads"] == script.loads
    assert seen["state_resets"] == script.state_resets


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
    "read data not held": ("ernn_registers.v", "if (read_q[2])\n", "if (1'b1)\n"),
    "read answer not held": (
        "ernn_registers.v",
        "if (s_axil_rvalid && !s_axil_rready) read_q",
        "if (1'b0) read_q",
    ),
    "byte strobes ignored": ("ernn_registers.v", " && &wstrb_q;", ";"),
    "high address bits ignored": ("ernn_registers.v", "(rst_i || outside)", "(rst_i)"),
    "memories written while running": (
        "ernn_registers.v",
        "write_load_write_q && load_inside_q && !load_refused",
        "write_load_write_q && load_inside_q",
    ),
    "data of a write not held": ("ernn_registers.v", "= !w_held_q;", "= 1'b1;"),
    "pulse that stays": (
        "ernn_registers.v",
        "<= wdata_q[1:1] & {1{write_control_q}}",
        "<= control_clear_q | (wdata_q[1:1] & {1{write_control_q}})",
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


def clearing_vectors(plan):
    """An event in each cycle around a clearing write: what came with it or later must stay."""
    v, script, first = Vectors(), Script(plan), 4
    quiet = dict.fromkeys(["rst_i", "idle_i", *EVENTS, "packet_error_i"], 0)
    for port in ("awaddr", "awprot", "awvalid", "wdata", "wstrb", "wvalid", "bready"):
        quiet[f"s_axil_{port}"] = 0
    for port in ("araddr", "arprot", "arvalid", "rready"):
        quiet[f"s_axil_{port}"] = 0

    def write_to(name, data):
        write = {"awvalid": 1, "wvalid": 1, "wstrb": 15, "awaddr": script.address(name)}
        return {f"s_axil_{port}": value for port, value in (write | {"wdata": data}).items()}

    def cycles(count, expected=None, **inputs):
        for _ in range(count):
            v.cycle(quiet | {"s_axil_bready": 1} | inputs, {"interrupt_o": expected})

    cycles(2, rst_i=1)
    cycles(1, **write_to("interrupt_enable", 2))
    cycles(8)
    for after in range(-4, 5):
        cycles(12)
        for cycle in range(12):
            write = write_to("interrupt_status", 2) if cycle == first else {}
            cycles(1, frame_i=int(cycle == first + after), **write)
        # The event is kept 2 cycles later, the write takes effect after 3.
        cycles(3, expected=int(after + 2 >= 3))
        cycles(1, **write_to("interrupt_status", 2))
    return v


@pytest.mark.parametrize("simulator", [ICARUS])
def test_an_event_during_a_clearing_write_is_kept(simulator, folder, tmp_path):
    plan = made("lstm")[0]
    files = sources(plan, tmp_path)
    check("ernn_registers", {}, clearing_vectors(plan), folder, simulator, files=files)
    text = files[0].read_text()
    before = "interrupt_status_frame_set\n        | (interrupt_status_frame_q & ~("
    assert before in text
    after = "(interrupt_status_frame_set\n        | interrupt_status_frame_q) & (1'b1 & ~("
    files[0].write_text(text.replace(before, after))
    with pytest.raises(ToolError, match="interrupt_o is 0, expected 1"):
        check("ernn_registers", {}, clearing_vectors(plan), tmp_path, simulator, files=files)


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
