"""Everything around a simulation that needs no simulator: traffic, traces, comparison, figures."""

from collections import Counter
from dataclasses import replace
from threading import Event as Ended

import numpy as np
import pytest
from deadlines import each
from hypothesis import given
from hypothesis import strategies as st
from models import random_frames, random_integer_model

from ernn.errors import CorpusError, MismatchError, PlanError, ProjectError, ShapeError, ToolError
from ernn.fixed import QFormat
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cycles import RATE_ROUNDS, Packet, predict, rate
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.run import testbench
from ernn.run.compare import Signal, compare, golden_signals, packed, require_whole
from ernn.run.registers import require_plan
from ernn.run.simulate import simulate
from ernn.run.timing import frame_cycles, latency_cycles, require_planned
from ernn.run.trace import (
    InputBeat,
    InputWord,
    OutputBeat,
    Packed,
    PassEnd,
    Rows,
    StateWrite,
    Stepping,
    VectorWord,
    read_trace,
)
from ernn.run.trace_decoder import TraceDecoder, Word
from ernn.run.traffic import packets_of, with_bad


@pytest.fixture(scope="module")
def model() -> IntegerModel:
    rng = np.random.default_rng(0)
    return random_integer_model(rng, cell="gru_before", hidden=8, features=7, blocks=4)


@pytest.fixture(scope="module")
def plan(model) -> HardwarePlan:
    return build_plan(model, Sizes(2, 2, 2, 2), Target("test", "xc7a35t", 200.0, streams=2))


def speech(model: IntegerModel, *lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [random_frames(rng, model.features, 1, length)[0] for length in lengths]


def test_packets_take_turns(model, plan):
    packets = packets_of(model, plan, [speech(model, 2, 1), speech(model, 1)])
    assert [(p.stream, p.fresh) for p in packets] == [(0, True), (1, True), (0, False), (0, True)]
    assert {len(p.words) for p in packets} == {plan.input_words}


def test_packets_hold_the_features(model, plan):
    utterance = speech(model, 1)[0]
    (packet,) = packets_of(model, plan, [[utterance]])
    raw = model.quantize_features(utterance[None])[0, 0].tolist()
    digits = plan.word * plan.element_bits // 4
    found = [
        Packed.read(f"{w:0{digits}x}", plan.element_bits, plan.word).values for w in packet.words
    ]
    assert [value for word in found for value in word] == raw


@pytest.mark.parametrize("lengths", [[], [[2], [2], [2]], [[2], [0]]])
def test_streams_that_the_plan_cannot_take(model, plan, lengths):
    with pytest.raises((ShapeError, CorpusError), match=r"give (1 to 2|at least one)"):
        packets_of(model, plan, [speech(model, *stream) for stream in lengths])


def test_bad_packets_stand_in_front(model, plan):
    good = packets_of(model, plan, [speech(model, 3)])
    sent = with_bad(good, ((0, "unknown"), (2, "short"), (2, "long")), plan.streams)
    size = plan.input_words
    assert [len(p.words) for p in sent] == [size, size, size, size - 1, 2 * size, size]
    assert [p.stream for p in sent] == [plan.streams, 0, 0, 0, 0, 0]


def test_integers_beyond_their_bits_equal_nothing():
    assert packed(np.array([7, -8, 8, 0, 0, -9]), 4, 2) == [0x87, -1, -1]


@given(st.integers(2, 40), st.data())
def test_values_of_a_word(bits, data):
    low = -(1 << (bits - 1))
    raw = data.draw(st.lists(st.integers(low, -low - 1), min_size=1, max_size=9))
    word = sum((value & ((1 << bits) - 1)) << (bits * place) for place, value in enumerate(raw))
    read = Packed.read(f"{word:x}", bits, len(raw))
    assert read.values == raw and read.part(1, len(raw) - 1).values == raw[1:]
    assert packed(np.array(raw), bits, len(raw)) == [read.word]


def test_unknown_bits_make_a_value_unknown():
    assert Packed.read("1xX03z2f", 8, 4).values == [47, None, None, None]
    assert Packed.read("1xX03z2f", 8, 4).part(0, 1).values == [47]
    assert Packed.read("x1", 4, 2).values == [1, None]


def runs(path):
    return [list(run) for run in read_trace(path)]


def test_a_trace_is_read_by_runs(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text(
        "x\ni 3 0 1 0\nx\no 5 1 1 0fx\nv 6 0 1 0 1 ab cd ef\nr 7 2 12\np 8 9 1\ns 9 1 4 f\n"
        "w 10 1\na 11 1\n"
    )
    assert runs(path) == [
        [InputBeat(3, 0, 1, 0)],
        [
            OutputBeat(5, 1, 1, "0fx"),
            VectorWord(6, 0, 1, 0, 1, "ab", ("cd", "ef")),
            Rows(7, 2, "12"),
            PassEnd(8, 9, 1),
            StateWrite(9, 1, 4, "f"),
            InputWord(10, 1),
            Stepping(11, 1),
        ],
    ]


def test_a_trace_is_followed_as_it_grows(tmp_path):
    path, ended = tmp_path / "trace.txt", Ended()
    (tmp_path / "new").write_text("x\ni 3 0 1 0\ni 4 0")
    follower = (event for run in read_trace(path, ended) for event in run)
    (tmp_path / "new").rename(path)
    assert next(follower) == InputBeat(3, 0, 1, 0)
    with path.open("a") as file:
        file.write(" 0 1\ni 5 0 ")
    assert next(follower) == InputBeat(4, 0, 0, 1)
    ended.set()
    with pytest.raises(ToolError, match="breaks off in 'i 5 0 '"):
        next(follower)


@pytest.mark.parametrize("text", ["i 3 0 1", "i 3 0 1\n", "q 1 2\n", "o x 1 1 ff\n", "\n"])
def test_a_trace_that_breaks_off(text, tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text("i 1 0 1 0\n" + text)
    with pytest.raises(ToolError, match="no whole trace"):
        runs(path)


def test_no_trace(tmp_path):
    with pytest.raises(ToolError, match="no whole trace"):
        runs(tmp_path / "trace.txt")


GOLDEN = {"layer0.h": Signal(QFormat(0, 3), [np.array([[1, 2, 3, 4], [5, 6, 7, -8]])])}


def seen(cycle: int, stream: int, frame: int, element: int, data: str) -> Word:
    """Return two values of four bits of layer0.h."""
    return Word(cycle, stream, frame, "layer0.h", element, Packed.read(data, 4, 2))


def test_equal_words_are_counted():
    words = [seen(9, 0, 0, 0, "21"), seen(12, 0, 1, 2, "87")]
    assert compare(words, GOLDEN) == Counter({"layer0.h": 4})


@pytest.mark.parametrize(
    ("word", "told"),
    [
        (
            seen(9, 0, 1, 2, "47"),
            "layer0, frame 1 of stream 0, signal layer0.h, element 3: "
            "expected -8 (-1), found 4 (0.5) in cycle 9",
        ),
        (seen(9, 0, 0, 0, "x1"), "element 1: expected 2 (0.25), found unknown"),
        (seen(9, 0, 2, 0, "21"), "frame 2 of stream 0, which was sent 2 frames"),
        (seen(9, 3, 0, 0, "21"), "stream 3, which was sent 0 frames"),
        (seen(9, 0, 0, 4, "21"), "element 5 of layer0.h, which has 4"),
    ],
)
def test_the_first_difference_is_told(word, told):
    with pytest.raises(MismatchError) as caught:
        compare([seen(8, 0, 0, 0, "21"), word], GOLDEN)
    assert told in str(caught.value)


def test_what_never_appeared_is_told():
    with pytest.raises(MismatchError, match=r"6 of 8 elements of layer0\.h"):
        require_whole(Counter({"layer0.h": 6}), GOLDEN)


def test_golden_signals_join_utterances(model):
    utterances = speech(model, 3, 2, 4)
    golden, saturated = golden_signals(model, [utterances[:2], utterances[2:]])
    assert saturated.keys() >= {"logits", "layer0.h"}
    alone = model.run(utterances[1][None]).signals["logits"][0]
    assert np.array_equal(golden["logits"].streams[0][3:], alone)
    assert [len(frames) for frames in golden["layer0.z"].streams] == [5, 4]


def test_events_that_the_plan_does_not_know(model, plan):
    last = plan.jobs[0].steps // plan.jobs[0].passes - 1
    cases = {
        "no pass of the plan ends": [PassEnd(1, plan.weight_depth, 0)],
        "where pass 0 is due": [PassEnd(1, 2 * last + 1, 0)],
        "without a pass": [Rows(1, 1, "0")],
        "go to queues": [PassEnd(1, last, 0), Rows(2, 2, "0")],
        "without TLAST": [OutputBeat(n, 0, 0, "0") for n in range(9)],
        "job 9 of 1": [VectorWord(1, 0, 9, 0, 1, "0", "0")],
        "with TLAST": [OutputBeat(1, 0, 1, "0")],
    }
    for told, events in each(cases.items()):
        with pytest.raises(MismatchError) as caught:
            list(TraceDecoder(plan, model).words(events))
        assert told in str(caught.value)


def beats_of(plan: HardwarePlan, packets: list[Packet], gap: int | None = None):
    """Return the planned beats as if they had been seen."""
    planned = predict(plan, packets, gap=gap)
    inputs = [
        InputBeat(cycle, packet.stream, 0, int(cycle == beats[-1]))
        for packet, beats in zip(packets, planned.inputs, strict=True)
        for cycle in beats
    ]
    outputs = [
        OutputBeat(cycle, stream, int(cycle == beats[-1]), "0")
        for stream, beats in zip(planned.output_streams, planned.outputs, strict=True)
        for cycle in beats
    ]
    return inputs, outputs


def test_figures_are_taken_like_the_planned_ones(plan):
    _, outputs = beats_of(plan, [Packet(stream) for _ in range(RATE_ROUNDS) for stream in (0, 1)])
    assert frame_cycles(plan, outputs) == rate(plan).cycles_per_frame
    assert frame_cycles(plan, outputs[:-1]) is None
    inputs, outputs = beats_of(plan, [Packet(0)] * 3, gap=100)
    assert latency_cycles(inputs, outputs) == rate(plan).latency_cycles


def test_a_beat_at_another_time_is_told(plan):
    packets = [Packet(0), Packet(1)]
    inputs, outputs = beats_of(plan, packets)
    require_planned(inputs, outputs, predict(plan, packets))
    late = outputs[-1].cycle
    outputs[-1] = outputs[-1]._replace(cycle=late + 1)
    with pytest.raises(MismatchError, match=f"output packet 1, stream 1, .*cycle {late + 1}; .*"):
        require_planned(inputs, outputs, predict(plan, packets))


def test_another_plan_than_the_projects(model, plan, tmp_path):
    other = build_plan(model, Sizes(2, 1, 1, 1), Target("test", "xc7a35t", 200.0, streams=2))
    write_project(other, model, tmp_path / "project")
    with pytest.raises(ProjectError, match="another plan"):
        simulate(
            tmp_path / "project", plan, model, [speech(model, 1)], work_folder=tmp_path / "work"
        )


def test_a_missing_simulator(model, plan, tmp_path, monkeypatch):
    def missing(name: str):
        raise ToolError(f"{name} was not found")

    monkeypatch.setattr(testbench, "require", missing)
    write_project(plan, model, tmp_path / "project")
    with pytest.raises(ToolError, match="verilator was not found"):
        simulate(
            tmp_path / "project", plan, model, [speech(model, 1)], work_folder=tmp_path / "work"
        )


def test_a_plan_whose_memories_were_moved_is_still_the_models():
    """Where a part is short of one kind of memory, the planner takes the other kind."""
    model = random_integer_model(np.random.default_rng(1), hidden=8, blocks=4)
    plan = build_plan(model, Sizes(1, 1, 1, 1), Target("test", "XC7Z020", 100.0, 1))
    moved = [replace(ram, style="block", why="moved") for ram in plan.rams]
    require_plan(replace(plan, rams=type(plan.rams)(moved)), model)
    other = random_integer_model(np.random.default_rng(1), hidden=16, blocks=4)
    with pytest.raises(PlanError, match="sizes or formats differ"):
        require_plan(plan, other)
