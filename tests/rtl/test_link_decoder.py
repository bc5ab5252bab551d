"""ernn_link: whatever comes on the line, the board takes what the integer model takes."""

import json
from dataclasses import replace
from itertools import zip_longest

import numpy as np
import pytest
from frontends import STANDARDS, elaborate, memory_faults, reserved_names
from links import draw_tables, speak
from pipelines import LIBRARY, mutate

from ernn.compressed import padded
from ernn.errors import ToolError
from ernn.hdl.link import CODES, LINK, WEIGHTS, link_files, link_parameters
from ernn.link.frames import ESCAPED, FLAG, Receiver, encode, frame
from ernn.link.tables import UTTERANCE_BITS, LinkTables
from ernn.run.testbench import lint, run_testbench

MODULES = ("ernn_link", "ernn_link_receive", "ernn_link_restore")
FILES = [LIBRARY / f"{name}.v" for name in (*MODULES, "ernn_ram", "ernn_requant")]
TOP = "link_under_test"
ELEMENT_BITS = 16
SHAPES = [(1, 1, 1), (2, 3, 4), (4, 2, 2)]  # frames of a group, streams, values of a beat


def line(tables: LinkTables, rng: np.random.Generator) -> bytes:
    """Return whole frames of several streams, and all that can happen to others."""
    streams, group = tables.streams, tables.group
    sent = []
    for stream in range(streams):
        sizes = [1, group + 1]
        sent += encode(tables, [speak(rng, size) for size in sizes], stream)
    rng.shuffle(sent)
    bad = []
    for one in (sent[0], sent[1]):
        flipped = bytearray(one)
        flipped[rng.integers(len(one))] ^= 1 << rng.integers(8)
        cut = one[: rng.integers(1, len(one))]
        bad += [bytes(flipped), cut, one[1:], bytes(rng.integers(0, 256, 12, np.uint8))]
    whole = b"".join(one + hurt for one, hurt in zip_longest(sent, bad, fillvalue=b""))
    other = replace(tables, offset=tables.offset + 1)
    foreign = b"".join(encode(other, [speak(rng, group)]))
    drawn = (encode(tables, [speak(rng, group)])[0] for _ in range(1000))
    stuffed = next(one for one in drawn if ESCAPED in one)
    whole += stuffed
    return foreign + crafted(tables) + whole + bytes([FLAG, FLAG, 0x7D, FLAG]) + sent[0]


def crafted(tables: LinkTables) -> bytes:
    """Return a frame of the right checksum whose numbers are escaped, and as large as can be."""
    bits = count = 0
    for flag in tables.flagged.tolist():
        escape = ((1 << 16) - 1) << tables.index_bits | (1 << tables.index_bits) - 2
        bits = (bits << flag | flag) << (16 + tables.index_bits) | escape
        count += flag + 16 + tables.index_bits
    frames = (1 << tables.count_bits) - 1
    head = (1 << UTTERANCE_BITS | 2) << tables.count_bits | frames  # stream 1, if there is one
    head &= (1 << tables.header_bits) - 1
    return frame(head << count | bits, tables.header_bits + count, tables.id)


def vectors(tables: LinkTables, sent: bytes, word: int, **how) -> dict:
    """Return what the testbench sends and what the model makes of it."""
    receiver, beats = Receiver(tables), []
    size = padded(tables.features, word)
    for one in receiver.push(sent):
        for number, raw in enumerate(one.vectors):
            values = np.pad(raw, (0, size - tables.features)) & (1 << ELEMENT_BITS) - 1
            words = values.reshape(-1, word).tolist()
            for place, told in enumerate(words):
                data = sum(value << ELEMENT_BITS * at for at, value in enumerate(told))
                first = one.starts and number == 0 and place == 0
                beats.append([data, int(place == len(words) - 1), one.stream, int(first)])
    longest = tables.indices * (16 + tables.index_bits) + word * (tables.indices + 1)
    return {
        **{"bytes": list(sent), "beats": beats, "good": receiver.good, "bad": receiver.bad},
        **{"idle": 0, "stall": 0, "seed": 1, "reset_cycle": None, "quiet_cycles": 50 + longest},
        **how,
    }


def wrapper(tables: LinkTables, word: int) -> str:
    """Return a top module that gives the memories their files."""
    given = link_parameters(tables, word, ELEMENT_BITS)
    told = [f".{name}({value})" for name, value in given.items()]
    told += [f'.CODES_FILE("{CODES}")', f'.WEIGHTS_FILE("{WEIGHTS}")']
    ports = {
        "input  wire": {"clk_i": 1, "rst_i": 1, "s_axis_tdata": 8, "s_axis_tvalid": 1},
        "output wire": {"s_axis_tready": 1, "m_axis_tdata": word * ELEMENT_BITS},
    }
    ports["input  wire"] |= {"m_axis_tready": 1}
    ports["output wire"] |= {"m_axis_tvalid": 1, "m_axis_tlast": 1, "m_axis_tid": 8}
    ports["output wire"] |= {"m_axis_tuser": 1, "good_count_o": 32, "bad_count_o": 32}
    declared = ",\n".join(
        f"  {way} [{bits - 1}:0] {name}"
        for way, some in ports.items()
        for name, bits in some.items()
    )
    names = [name for some in ports.values() for name in some]
    joined = ", ".join(f".{name}({name})" for name in names)
    made = f"  ernn_link #({', '.join(told)}) u ({joined});"
    return f"module {TOP} (\n{declared}\n);\n{made}\nendmodule\n"


def simulate(tables, word, told, folder, simulator, mutant=None):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in link_files(tables, word).items():
        (folder / name).write_text(text)
    top = folder / f"{TOP}.v"
    top.write_text(wrapper(tables, word))
    path = folder / "vectors.json"
    path.write_text(json.dumps(told))
    files = [mutant if mutant and mutant.name == file.name else file for file in FILES]
    environment = {"ERNN_VECTORS": str(path)}
    run_testbench([top, *files], TOP, "link", folder, simulator=simulator, environment=environment)


def drawn(shape) -> tuple[LinkTables, bytes]:
    rng = np.random.default_rng(sum(shape))
    tables = draw_tables(rng, *shape[:2])
    if shape == SHAPES[1]:  # numbers before the first flag, behind frames that end in zeros
        tables = replace(tables, flagged=np.array([0, 1, 0, 1, 0, 0]))
    return tables, line(tables, rng)


HOW = {  # by shape
    SHAPES[0]: [{"idle": 0.4, "stall": 0.5}],
    SHAPES[1]: [{}, {"reset_cycle": 777, "stall": 0.1}],
    SHAPES[2]: [{"idle": 0.2, "stall": 0.7}],
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_board_takes_what_the_model_takes(shape, simulator, folder):
    """At full speed, idle, stalled, and with a reset in the middle."""
    tables, sent = drawn(shape)
    for how in HOW[shape]:
        simulate(tables, shape[2], vectors(tables, sent, shape[2], **how), folder, simulator)


def test_the_line_holds_good_and_bad_frames():
    for shape in SHAPES:
        tables, sent = drawn(shape)
        told = vectors(tables, sent, shape[2])
        assert told["good"] >= 3 and told["bad"] >= 7
        assert {beat[3] for beat in told["beats"]} == {0, 1}


MUTATIONS = [
    ("receive", "check_q == 16'd0", "1'b1"),
    ("receive", "16'h1021", "16'h8005"),
    ("receive", "escaped_q <= escape;", "escaped_q <= 1'b0;"),
    ("receive", "bad_o     <= state_q != HUNT;", "bad_o     <= 1'b0;"),
    ("receive", "if (flag) begin", "if (flag && state_q == HUNT) begin"),
    ("receive", "!seen_q[stream] ||", ""),
    ("receive", "idle_q <= 1'b0;\n    end else if", "idle_q <= 1'b1;\n    end else if"),
    ("receive", "some_q    <= 1'b1;", ""),
    ("receive", "bit_there && left_q != 4'd8", "bit_there"),
    ("restore", "first_q[1] ? more", "1'b0 ? more"),
    ("restore", "if (last_q[2]) begin", "if (last_q[1]) begin"),
    ("restore", "vector_q == last_i", "vector_q == {COUNT_W{1'b0}}"),
    ("restore", "starts_i && vector_q", "vector_q"),
]


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("module", "before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(module, before, after, tmp_path):
    shape = SHAPES[1]
    tables, sent = drawn(shape)
    mutant = mutate(LIBRARY / f"ernn_link_{module}.v", before, after, tmp_path)
    told = vectors(tables, sent, shape[2], stall=0.2)
    with pytest.raises(ToolError, match="link on icarus failed"):
        simulate(tables, shape[2], told, tmp_path / "run", "icarus", mutant)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_is_lint_clean(shape):
    tables, _ = drawn(shape)
    given = link_parameters(tables, shape[2], ELEMENT_BITS)
    lint(FILES, "ernn_link", given | {"FILLED": 0})


def test_vendors_front_ends_read_it(tmp_path):
    shape = SHAPES[1]
    tables, _ = drawn(shape)
    top = tmp_path / f"{TOP}.v"
    top.write_text(wrapper(tables, shape[2]))
    for name, text in link_files(tables, shape[2]).items():
        (tmp_path / name).write_text(text)
    for standard in STANDARDS:
        compilation, told = elaborate([top, *FILES], TOP, standard)
        assert not told, told
    assert not reserved_names(compilation)
    assert not memory_faults(compilation, tmp_path)


def test_a_project_without_a_link_has_none_of_it():
    assert LINK == MODULES  # which `ernn.hdl.render.sources` leaves out
