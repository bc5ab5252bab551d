"""What software gets of the registers: C header, Python class, page; and the description itself."""

import subprocess
import types

import numpy as np
import pytest
from deadlines import each
from models import random_integer_model, turned

from ernn.hdl.project import write_project
from ernn.hdl.registers import description, register_files, register_map
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.run.registers import load_writes


@pytest.fixture(scope="module")
def model():
    return random_integer_model(np.random.default_rng(7), cell="lstm", projection=8, layers=2)


@pytest.fixture(scope="module")
def plan(model):
    return build_plan(model, Sizes(4, 2, 2, 2), Target("test", "XC7Z020", 200.0, 3))


@pytest.fixture(scope="module")
def files(plan):
    return register_files(plan)


class Bus(dict):
    """A bus that remembers what was written, and where."""

    def __init__(self, made):
        super().__init__(
            {r.address: sum(f.reset << f.low for f in r.fields) for r in made.registers}
        )
        self.written = []

    def write(self, address, value):
        self.written.append((address, value))
        self[address] = value


@pytest.fixture
def software(plan, files):
    """The generated Python, its registers on a fake bus, and the addresses."""
    module = types.ModuleType("ernn_registers")
    exec(files["registers/ernn_registers.py"], module.__dict__)
    made = register_map(plan)
    bus = Bus(made)
    registers = module.Registers(bus.__getitem__, bus.write)
    return module, registers, bus, {r.name: r.address for r in made.registers}


def test_same_plan_same_bytes(plan, files):
    assert register_files(plan) == files
    for name, text in each(files.items()):
        assert text.endswith("\n"), name
        assert not [line for line in text.splitlines() if line != line.rstrip()], name


def test_no_two_fields_share_a_bit(plan):
    for register in each(register_map(plan).registers):
        bits = [bit for f in register.fields for bit in range(f.low, f.high + 1)]
        assert len(bits) == len(set(bits)) and max(bits) < 32, register.name


def test_the_description_names_every_memory(plan):
    text = description(plan)
    for number, memory in enumerate(plan.load_targets):
        assert f" {number} {memory.name} ({memory.bits} bits x {memory.depth})" in text


@pytest.mark.needs("g++")
@pytest.mark.parametrize("language", ["c", "c++"])
def test_the_header_compiles(files, tmp_path, language):
    header = tmp_path / "ernn.h"
    header.write_text(files["registers/ernn.h"])
    command = ["g++", "-fsyntax-only", "-Wall", "-Werror", "-x", language, str(header)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_constants_and_identity(plan, software):
    _, registers, bus, at = software
    registers.check()
    assert registers.id == int.from_bytes(b"ERNN", "little")
    assert (registers.bus_word, registers.bus_streams) == (plan.word, 3)
    assert (registers.array_rows, registers.array_columns) == (plan.pe_rows, plan.pe_columns)
    assert registers.clock_khz == 200_000
    bus[at["plan"]] ^= 1
    with pytest.raises(RuntimeError, match="take the file of its own project"):
        registers.check()
    bus[at["id"]] = 0
    with pytest.raises(RuntimeError, match="no ernn accelerator"):
        registers.check()


def test_fields_share_a_register(software):
    _, registers, bus, at = software
    registers.interrupt_enable_frame = 1
    registers.interrupt_enable_error = 1
    assert bus[at["interrupt_enable"]] == 3
    registers.interrupt_enable_frame = 0
    assert bus[at["interrupt_enable"]] == 1
    registers.error_unknown_stream = 1  # clears this one error only
    assert bus.written[-1] == (at["error"], 4)
    with pytest.raises(ValueError, match="2 does not fit into 1 bits; give 0 to 1"):
        registers.control_run = 2


def test_run_and_stop(software):
    _, registers, bus, at = software
    bus[at["status"]] = 1
    registers.stop()
    assert bus[at["control"]] == 0
    registers.run()
    assert bus[at["control"]] == 1
    bus[at["status"]] = 0
    with pytest.raises(TimeoutError, match="still on their way"):
        registers.stop(timeout_s=0.01)


def test_state_reset(software):
    _, registers, bus, at = software
    registers.reset_state(2)
    assert bus.written == [(at["state_reset"], 4)]
    with pytest.raises(ValueError, match="no stream 3; give 0 to 2"):
        registers.reset_state(3)


def test_counters(software):
    _, registers, bus, at = software
    bus[at["steps_low"]], bus[at["steps_high"]] = 5, 2
    assert registers.counters()["steps"] == (2 << 32) + 5
    assert set(registers.counters()) == {
        "frames",
        "cycles",
        "input_stalls",
        "output_stalls",
        "steps",
        "saturated_rows",
        "saturated_states",
        "saturated_vectors",
    }
    registers.clear_counters()
    assert bus.written == [(at["control"], 3)]  # goes on running


def test_loading(plan, software):
    module, registers, bus, at = software
    memory = module.MEMORIES["bias"]
    assert memory == (plan.pe_rows, *plan.load_targets[plan.pe_rows][1:])
    word = (1 << memory.bits) - 2
    registers.load("bias", 1, word)
    pieces = [value for address, value in bus.written if address == at["load_data"]]
    assert len(pieces) == -(-memory.bits // 32) and pieces[-1] == 0xFFFFFFFE
    assert sum(piece << 32 * i for i, piece in enumerate(reversed(pieces))) == word
    assert bus.written[0] == (at["load_target"], memory.number)
    assert bus.written[-1] == (at["load_write"], 1)
    with pytest.raises(ValueError, match=f"give 0 to {memory.depth - 1}"):
        registers.load("bias", memory.depth, 0)
    with pytest.raises(ValueError, match="does not fit"):
        registers.load("bias", 0, 1 << memory.bits)
    bus[at["error"]] = 8
    with pytest.raises(RuntimeError, match=r"call stop\(\) first"):
        registers.load("bias", 0, 0)


def test_the_page_stands_alone(plan, files):
    page = files["registers/ernn.html"]
    for register in each(register_map(plan).registers):
        assert f'id="{register.name}"' in page
    assert "http" not in page and "<script" not in page


def loaded(writes, addresses):
    """Return {(memory, address): word} as the hardware understands writes."""
    staged, target, found = 0, None, {}
    for address, value in writes:
        if address == addresses["load_target"]:
            target = value
        elif address == addresses["load_data"]:
            staged = staged << 32 | value
        elif address == addresses["load_write"]:
            found[target, value], staged = staged, 0
    return found


def test_software_loads_another_model(plan, software, model, tmp_path):
    """The same words as a simulation that loads one; another plan's project is refused."""
    _, registers, bus, addresses = software
    write_project(plan, turned(model), tmp_path / "other")
    bus[addresses["status"]] = 1  # idle
    registers.load_model(tmp_path / "other")
    found = loaded(bus.written, addresses)
    assert len(found) == sum(memory.depth for memory in plan.load_targets)
    assert found == loaded(load_writes(plan, turned(model), register_map(plan)), addresses)
    assert bus[addresses["control"]] == 1
    elsewhere = build_plan(model, Sizes(2, 2, 2, 2), Target("test", "XC7Z020", 200.0, 3))
    write_project(elsewhere, model, tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="same plan"):
        registers.load_model(tmp_path / "elsewhere")
