"""Whole accelerators: every word equals the integer model's, every cycle the plan's."""

import os
from dataclasses import replace

import numpy as np
import pytest
from accelerator_designs import DESIGNS
from accelerators import Accelerator, Design, real_speech
from conftest import ICARUS, VERILATOR
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from models import random_integer_model, turned

from ernn.cells import CELLS
from ernn.errors import MismatchError, PlanError, ToolError
from ernn.hdl.project import write_project
from ernn.hw.cycles import RATE_ROUNDS, rate
from ernn.hw.layout import Sizes
from ernn.recipe import QuantizationRecipe
from ernn.run.simulate import simulation_top
from ernn.run.testbench import lint

on_verilator = pytest.mark.parametrize("simulator", [VERILATOR])


def require_exact(made: Accelerator, simulator: str) -> None:
    """Interleaved streams of several utterances, then frames that come alone."""
    lengths = [(3, 2), (4,), (1, 1, 2), (2, 3)][: made.plan.streams]
    made.run(*lengths, simulator=simulator)
    alone = made.run((2, 1), simulator=simulator, mode="single")
    assert alone.latency_cycles == rate(made.plan).latency_cycles


@on_verilator
@pytest.mark.parametrize("name", DESIGNS)
def test_every_word_and_cycle(name, simulator, folder):
    """On random frames, and on 50 frames of real speech for each stream."""
    made = Accelerator.write(DESIGNS[name], folder)
    require_exact(made, simulator)
    speech = real_speech(made.model.features, made.plan.streams, frames=50)
    ran = made.simulate(speech, simulator)
    assert ran.frames == 50 * made.plan.streams
    assert ran.frame_cycles == rate(made.plan).cycles_per_frame
    steps = {unit.job: unit.busy for unit in ran.schedule.units if unit.unit == "array"}
    frames = ran.schedule.rounds * made.plan.streams
    assert steps == {job.name: frames * job.steps for job in made.plan.jobs}


@pytest.mark.parametrize("simulator", [ICARUS])
@pytest.mark.parametrize("name", ["lstm", "six-cells"])
def test_icarus_agrees(name, simulator, folder):
    require_exact(Accelerator.write(DESIGNS[name], folder), simulator)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    """Draw any small design."""
    kinds = st.sampled_from(sorted(CELLS))
    cells = draw(st.lists(kinds, min_size=1, max_size=3) | kinds.map(lambda cell: 2 * [cell]))
    block = st.sampled_from([1, 2, 4, 8])
    names = ("input", "recurrent", "candidate", "projection", "output")
    lanes = draw(st.sampled_from([1, 2, 4]))
    word = draw(st.sampled_from([None, 8, 16]))
    return Design(
        {
            "cell": cells,
            "hidden": draw(st.integers(3, 12)) if word is None else 2 * word,
            "features": draw(st.integers(3, 12)) if word is None else word,
            "labels": draw(st.sampled_from([0, 5])) if word is None else 0,
            "blocks": draw(block | st.fixed_dictionaries(dict.fromkeys(names, block))),
            "projection": draw(st.sampled_from([0, word or 5])),
            "peepholes": draw(st.booleans()),
            "cell_activation": draw(st.sampled_from(["tanh", "sigmoid", "relu", "none"])),
            "scales": draw(st.booleans()),
        },
        Sizes(
            pe_rows=lanes * draw(st.integers(1, 3)),
            pe_columns=draw(st.integers(1, 5)),
            drain_lanes=lanes,
            cell_lanes=draw(st.sampled_from([1, 2, 8])) if word else 1,
            word=word,
            logic_macs=draw(st.sampled_from([0, 0, 1, 3])),
            recurrent_first=draw(st.booleans()),
        ),
        streams=draw(st.integers(1, 4)),
        bits=QuantizationRecipe(
            weight_bits=draw(st.integers(8, 14)),
            activation_bits=draw(st.integers(8, 14)),
            row_scales=draw(st.booleans()),
        ),
        seed=draw(st.integers(0, 1000)),
    )


@on_verilator
@settings(
    derandomize=True,
    database=None,
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],  # every example is a build: none to spare for shrinking
    suppress_health_check=list(HealthCheck),
)
@given(design=designs(), idle=st.floats(0, 0.5), stall=st.floats(0, 0.5))
def test_random_designs(design, idle, stall, simulator, tmp_path_factory):
    try:
        made = Accelerator.write(design, tmp_path_factory.mktemp("random"))
    except PlanError:
        assume(False)
    require_exact(made, simulator)
    lengths = [(3, 2), (4,), (1, 1, 2), (2,)][: design.streams]
    made.run(*lengths, simulator=simulator, idle=idle, stall=stall, begin="register")
    other = Accelerator(made.plan, turned(made.model), made.folder)
    other.run(*lengths, simulator=simulator, load=True)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("name", ["lstm", "gru_before"])
def test_the_testbench_is_lint_clean(name, folder):
    made = Accelerator.write(DESIGNS[name], folder)
    top = made.folder / "ernn_testbench.v"
    top.write_text(simulation_top(made.plan))
    lint([*sorted(made.rtl.glob("*.v")), top], "ernn_testbench")


@on_verilator
class TestTraffic:
    """One accelerator under every kind of traffic."""

    @pytest.fixture
    def made(self, request: pytest.FixtureRequest) -> Accelerator:
        """Always the same project in the same folder, so that each process builds it once."""
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        folder = request.config.cache.mkdir(f"rtl-traffic-{worker}")
        return Accelerator.write(DESIGNS["lstm-projected-mixed"], folder)

    @pytest.mark.parametrize(("idle", "stall"), [(0.3, 0), (0, 0.5), (0.3, 0.5)])
    def test_pauses(self, made, simulator, idle, stall):
        made.run((3, 2), (4,), simulator=simulator, idle=idle, stall=stall)

    @pytest.mark.parametrize("cycle", [3, *range(60, 100, 7), 301])
    def test_a_reset_forgets_everything(self, made, simulator, cycle):
        made.run((3, 2), (4,), simulator=simulator, reset_cycle=cycle)

    def test_output_that_nobody_takes_stops_the_input(self, made, simulator):
        made.run((6,), (5,), simulator=simulator, hold=(100, 10_000))

    @pytest.mark.parametrize("idle", [0, 0.3])
    def test_the_register_begins_an_utterance(self, made, simulator, idle):
        made.run((3, 1, 2), (4, 2), simulator=simulator, begin="register", idle=idle)

    def test_another_model_is_loaded_through_the_registers(self, made, simulator):
        other = Accelerator(made.plan, turned(made.model), made.folder)
        with pytest.raises(MismatchError):
            other.run((2,), simulator=simulator)  # it really is another model
        other.run((3, 2), (4,), simulator=simulator, load=True)

    def test_a_model_of_other_formats_is_not_loaded(self, made, simulator):
        few = QuantizationRecipe(weight_bits=10)
        rng, kinds = np.random.default_rng(1), DESIGNS["lstm-projected-mixed"].model
        other = Accelerator(made.plan, random_integer_model(rng, few, **kinds), made.folder)
        with pytest.raises(PlanError, match="formats differ"):
            other.run((2,), simulator=simulator, load=True)

    @pytest.mark.parametrize(
        "bad",
        [
            ((0, "short"),),
            ((2, "long"),),
            ((3, "unknown"),),
            ((0, "long"), (1, "unknown"), (1, "short"), (5, "short"), (6, "long")),
        ],
        ids=str,
    )
    def test_a_bad_packet_is_dropped_whole(self, made, simulator, bad):
        made.run((3, 2), (4,), simulator=simulator, bad=bad)
        made.run((3, 2), (4,), simulator=simulator, bad=bad, idle=0.2, stall=0.2, seed=1)

    def test_streams_that_end_early(self, made, simulator):
        made.run((9,), (1,), simulator=simulator)
        made.run((2, 2), simulator=simulator)

    def test_the_measured_rate_is_the_planned_one(self, made, simulator):
        run = made.run((RATE_ROUNDS,), (RATE_ROUNDS,), simulator=simulator)
        assert run.frame_cycles == rate(made.plan).cycles_per_frame


# Planted bugs: file, text, what it becomes, and how the simulation tells.
MUTATIONS = {
    "swapped bin": (
        "ernn_row_lane.v",
        "gen_sum[2].wide - gen_sum[4].wide",
        "gen_sum[2].wide - gen_sum[3].wide",
        r"signal layer0\.gates\.row, element",
    ),
    "dropped carry": (
        "ernn_adder_tree.v",
        "{(OUT_W - IN_W) {terms_i[t*IN_W+IN_W-1]}}",
        "{(OUT_W - IN_W) {1'b0}}",
        r"signal layer0\.gates\.row, element",
    ),
    "ready tied high": (
        "ernn_input.v",
        "(!known || ~|(busy_q & slot))",
        "1'b1",
        "signal|no more packets|planned is cycle",
    ),
    "weight address off by one": (
        "ernn_pe_array.v",
        "weight_q       <= step_weight_i;",
        "weight_q       <= step_weight_i + 1'b1;",
        r"signal layer0\.gates\.row, element",
    ),
    "schedule off by one": (
        "ernn_sequencer.v",
        "<= weight_q;",
        "<= weight_q + 1'b1;",
        "where no pass of the plan ends",
    ),
    "state of the utterance before": (
        "ernn_unit_lstm.v",
        "state_q <= task_fresh_late ?",
        "state_q <= 1'b0 ?",
        r"signal layer0\.[ch], element",
    ),
    "drain a cycle late": (
        "ernn_sequencer.v",
        "hold_q <= 3'd3;",
        "hold_q <= 3'd4;",
        "planned is cycle",
    ),
    "output of the other stream": (
        "ernn_output.v",
        "stream_q  <= task_stream;",
        "stream_q  <= ~task_stream;",
        "signal output",
    ),
    "a beat lost": (
        "ernn_skid.v",
        "spare_q       <= in_data_i;",
        "",
        "signal|unknown|TLAST|failed",
    ),
}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(name, tmp_path):
    file, before, after, told = MUTATIONS[name]
    design = Design({"cell": "lstm", "hidden": 8, "features": 5, "blocks": 4}, Sizes(4, 2, 1, 4))
    made = Accelerator.write(design, tmp_path)
    text = (made.rtl / file).read_text()
    assert before in text, f"{file} has no {before!r} to mutate"
    (made.rtl / file).write_text(text.replace(before, after))
    with pytest.raises((MismatchError, ToolError), match=told):
        made.run((2, 3), (4,), simulator="icarus")


@pytest.mark.needs("iverilog")
def test_biases_from_block_ram_meet_their_sums(tmp_path):
    """They are read a cycle sooner and wait in a register; the plan's cycles stay."""
    made = Accelerator.write(DESIGNS["lstm"], tmp_path / "before")
    rams = (replace(ram, style="block") if ram.name == "bias" else ram for ram in made.plan.rams)
    plan = replace(made.plan, rams=tuple(rams))
    assert (made.plan.read_wait("bias"), plan.read_wait("bias")) == (0, 1)
    moved = Accelerator(plan, made.model, tmp_path / "after")
    write_project(plan, made.model, moved.folder / "project")
    counts = [one.run((3, 4), simulator="icarus").cycles for one in (made, moved)]
    assert counts[0] == counts[1]
