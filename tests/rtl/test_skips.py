"""Layers that read several earlier vectors: bit-exact and on the planned cycle, random ones too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerators import Accelerator, Design
from conftest import VERILATOR
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from models import masked, random_frames, random_integer_model, turned

from ernn.cells import CELLS, OUTPUT_LAYER
from ernn.errors import MismatchError, PlanError, ToolError
from ernn.graphs.reads import FEATURES, sources
from ernn.hdl.project import write_project
from ernn.hw import program
from ernn.hw.build import Target, build_plan
from ernn.hw.cycles import RATE_ROUNDS, rate
from ernn.hw.layout import Sizes
from ernn.importers.torch.module import from_torch
from ernn.quant.quantize import quantize
from ernn.recipe import QuantizationRecipe
from ernn.run.testbench import lint

LENGTHS = [(3, 2), (4,), (1, 1, 2), (2, 3)]

DESIGNS = {
    # As RNNoise: three GRUs, and a last layer that reads the features and all of them.
    "all-at-the-end": Design(
        {
            "cell": ["gru_after"] * 3 + ["dense"],
            "hidden": 12,
            "features": 7,
            "blocks": 4,
            "labels": 0,
            "scales": False,
            "cell_activation": "sigmoid",
            "reads": {3: (FEATURES, 0, 1, 2)},
        },
        Sizes(4, 2, 1, 2),
    ),
    # Layer 1 is used before layer 0 is: they cannot share tokens.
    "out-of-order": Design(
        {
            "cell": ["lstm"] * 3,
            "hidden": 8,
            "blocks": 2,
            "scales": False,
            "reads": {1: (FEATURES,), 2: (1,), 3: (0, 2)},
        },
        Sizes(3, 1, 1, 2),
        streams=3,
    ),
    # Every reader has a scale and a block size of its own: as many copies of each vector.
    "copies": Design(
        {
            "cell": ["gru_before", "mgu", "lstm"],
            "hidden": 10,
            "features": 9,
            "blocks": {"input": 4, "recurrent": 2, "candidate": 1, "output": 8},
            "reads": {1: (FEATURES, 0), 2: (FEATURES, 0, 1), 3: (FEATURES, 0, 1, 2)},
        },
        Sizes(2, 3, 2, 2),
        streams=4,
    ),
}


def require_exact(made: Accelerator, simulator: str) -> None:
    lengths = LENGTHS[: made.plan.streams]
    made.run(*lengths, simulator=simulator)
    made.run(*lengths, simulator=simulator, idle=0.3, stall=0.4)
    alone = made.run((2, 1), simulator=simulator, mode="single")
    assert alone.latency_cycles == rate(made.plan).latency_cycles


@pytest.mark.parametrize("simulator", [VERILATOR])
@pytest.mark.parametrize("name", DESIGNS)
def test_every_word_and_cycle(name, simulator, folder):
    made = Accelerator.write(DESIGNS[name], folder)
    require_exact(made, simulator)
    for cycle in (60, 87, 301):
        made.run(*LENGTHS[: made.plan.streams], simulator=simulator, reset_cycle=cycle)
    run = made.run(*[(RATE_ROUNDS,)] * made.plan.streams, simulator=simulator)
    assert run.frame_cycles == rate(made.plan).cycles_per_frame
    other = Accelerator(made.plan, turned(made.model), made.folder)
    other.run(*LENGTHS[: made.plan.streams], simulator=simulator, load=True)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", DESIGNS)
def test_icarus_agrees_and_steps_are_left_out(name, folder):
    """With and without a step memory."""
    require_exact(Accelerator.write(DESIGNS[name], folder / "every"), "icarus")
    some = sparse(DESIGNS[name], folder / "some")
    assert some.plan.gather
    require_exact(some, "icarus")


def sparse(design: Design, folder: Path) -> Accelerator:
    """Return the accelerator of a design without weights in half of its blocks."""
    drawn = random_integer_model(np.random.default_rng(design.seed), design.bits, **design.model)
    model = masked(drawn, 0.4, (2, 1))
    plan = build_plan(model, design.sizes, Target("test", "xc7a35t", 200.0, design.streams))
    write_project(plan, model, folder / "project")
    return Accelerator(plan, model, folder)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("name", ["out-of-order", "copies"])
def test_the_verilog_is_lint_clean(name, folder):
    made = Accelerator.write(DESIGNS[name], folder)
    lint(sorted(made.rtl.glob("*.v")), "ernn_top")


@st.composite
def designs(draw: st.DrawFn) -> Design:
    """Draw a small stack whose layers read any earlier vectors, each vector read by one of them."""
    kinds = st.sampled_from(sorted(set(CELLS) - {OUTPUT_LAYER.name}))
    cells = draw(st.lists(kinds, min_size=2, max_size=4))
    labels = draw(st.sampled_from([0, 5]))
    stack = len(cells) + bool(labels)
    reads = {0: (FEATURES,)}
    for index in range(1, stack):
        chosen = draw(st.sets(st.integers(FEATURES, index - 1), min_size=1))
        reads[index] = tuple(sorted(chosen))
    used = {vector for index in range(stack) for vector in sources(reads[index], index)}
    unused = set(range(stack - 1)) - used
    reads[stack - 1] = tuple(sorted({*reads[stack - 1], *unused}))
    block = st.sampled_from([1, 2, 4])
    names = ("input", "recurrent", "candidate", "projection", "output")
    lanes = draw(st.sampled_from([1, 2]))
    return Design(
        {
            "cell": cells,
            "hidden": draw(st.integers(3, 12)),
            "features": draw(st.integers(3, 12)),
            "labels": labels,
            "blocks": draw(block | st.fixed_dictionaries(dict.fromkeys(names, block))),
            "projection": draw(st.sampled_from([0, 5])),
            "cell_activation": draw(st.sampled_from(["tanh", "sigmoid", "relu", "none"])),
            "scales": draw(st.booleans()),
            "reads": reads,
        },
        Sizes(
            pe_rows=lanes * draw(st.integers(1, 3)),
            pe_columns=draw(st.integers(1, 5)),
            drain_lanes=lanes,
            cell_lanes=1,
        ),
        streams=draw(st.integers(1, 4)),
        seed=draw(st.integers(0, 1000)),
    )


@pytest.mark.needs("iverilog")
@settings(
    derandomize=True,
    database=None,
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],  # every example is a build: none to spare for shrinking
    suppress_health_check=list(HealthCheck),
)
@given(design=designs(), share=st.sampled_from([1.0, 0.4]))
def test_random_designs(design, share, tmp_path_factory):
    folder = tmp_path_factory.mktemp("random")
    try:
        made = Accelerator.write(design, folder) if share == 1 else sparse(design, folder)
    except PlanError:
        assume(False)
    require_exact(made, "icarus")


class Dense(torch.nn.Module):
    """A GRU, an LSTM that reads it and the input, and a residual in front of the end."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.a = torch.nn.GRU(5, 8, batch_first=True)
        self.b = torch.nn.LSTM(13, 8, batch_first=True)
        self.end = torch.nn.Linear(8, 3)

    def forward(self, x):
        a = self.a(x)[0]
        b = self.b(torch.cat([a, x], -1))[0]
        return self.end(a + b)


@pytest.mark.needs("iverilog")
def test_an_imported_network(folder):
    network = from_torch(Dense(), torch.zeros(1, 6, 5))
    assert [network.model.sources(n) for n in range(3)] == [(-1,), (-1, 0), (0, 1)]
    frames = list(random_frames(np.random.default_rng(0), 5, 4, 24))
    model = quantize(network.model, QuantizationRecipe(), frames)
    plan = build_plan(model, Sizes(3, 2, 1, 1), Target("test", "xc7a35t", 200.0, 2))
    write_project(plan, model, folder / "project")
    made = Accelerator(plan, model, folder)
    assert made.simulate([frames[:1], frames[1:2]], "icarus").frames == 48


# Planted bugs: file, text, what it becomes.
MUTATIONS = {
    "features are given back by their first reader": (
        "ernn_sequencer.v",
        "release_o        <= step && job_end && release_q;",
        "release_o        <= step && job_end;",
    ),
    "the third vector is the fourth": ("ernn_sequencer.v", "segment == 2'd2 ?", "1'b0 ?"),
    "the last vector is left out": (
        "ernn_sequencer.v",
        "segment_q == last_segment_q;",
        "segment_q == last_segment_q - (last_segment_q > 2);",
    ),
}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(name, tmp_path):
    file, before, after = MUTATIONS[name]
    made = Accelerator.write(replace(DESIGNS["all-at-the-end"], streams=2), tmp_path)
    text = (made.rtl / file).read_text()
    assert before in text, f"{file} has no {before!r} to mutate"
    (made.rtl / file).write_text(text.replace(before, after))
    with pytest.raises((MismatchError, ToolError)):
        made.run((3, 2), (4,), simulator="icarus")


@pytest.mark.needs("iverilog")
def test_vectors_used_in_another_order_cannot_share_tokens(tmp_path, monkeypatch):
    """What the planner keeps apart; together, words are read before they are there."""

    def together(copies, vectors):
        return [tuple(copy for copy in copies if copy.vector in vectors)]

    made = Accelerator.write(DESIGNS["out-of-order"], tmp_path / "apart")
    assert [memory.name for memory in made.plan.memories] == ["x", "rec", "ff", "ff_2"]
    monkeypatch.setattr(program, "_held", together)
    made = Accelerator.write(DESIGNS["out-of-order"], tmp_path / "together")
    assert [memory.name for memory in made.plan.memories] == ["x", "rec", "ff"]
    with pytest.raises((MismatchError, ToolError)):
        made.run((3, 2), (4,), (2, 2), simulator="icarus")
