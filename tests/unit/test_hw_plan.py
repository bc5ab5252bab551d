"""Plans: the program of every cell, the numbers, the file, and the errors of the planner."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from deadlines import each
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import ModelFileError, PlanError
from ernn.hdl.memory import weight_words
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import dsp_blocks, resources, shortages
from ernn.hw.cycles import Packet, predict, rate
from ernn.hw.explore import make_plan
from ernn.hw.gather import NONE
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.hw.program import program
from ernn.parts.part import load_part
from ernn.quant.products import Weights
from ernn.recipe import HardwareRecipe
from tests.models import masked, random_integer_model

MIXED = {"input": 2, "recurrent": 8, "candidate": 4, "output": 1}


def model_of(cell="lstm", seed=1, **kinds):
    return random_integer_model(np.random.default_rng(seed), cell=cell, **kinds)


def plan_of(model, sizes=(4, 2, 2, 2), streams=2):
    return build_plan(model, Sizes(*sizes), Target("test", "XC7Z020", 200.0, streams))


@pytest.mark.parametrize(
    ("kinds", "jobs", "makers"),
    [
        (
            {"cell": "lstm", "projection": 8},
            ["gates", "projection", "logits"],
            {"x": "input", "m": "lstm", "rec": "projection", "ff": "projection"},
        ),
        (
            {"cell": "gru_before", "blocks": MIXED},
            ["zr", "zr_x", "n", "n_x", "logits"],
            {"x": "input", "rh": "gru_reset", "rec": "gru_update", "ff": "gru_update"},
        ),
        (
            {"cell": "gru_after", "labels": 0},
            ["zr", "nh", "nx"],
            {"x": "input", "rec": "gru_after"},
        ),
        (
            {"cell": "mgu"},
            ["f", "n", "logits"],
            {"x": "input", "fh": "mgu_gate", "rec": "mgu_update", "ff": "mgu_update"},
        ),
        ({"cell": "rnn", "labels": 0}, ["rnn"], {"x": "input", "rec": "rnn"}),
        ({"cell": "dense"}, ["dense", "logits"], {"x": "input", "ff": "dense"}),
    ],
)
def test_program_of_a_cell(kinds, jobs, makers):
    found = program(model_of(**kinds))
    assert [job.queue for job in found.jobs] == jobs
    assert found.makers == makers


def test_every_vector_is_used_first_once():
    jobs = program(model_of("gru_before", layers=3)).jobs
    first = [(r.memory, r.layer) for job in jobs for r in job.readings if r.first_use]
    read = {(r.memory, r.layer) for job in jobs for r in job.readings if r.memory != "x"}
    assert len(first) == len(set(first))
    assert set(first) == read


@pytest.mark.parametrize("share", [None, 0.6, 0.2])
@pytest.mark.parametrize("blocks", [1, 2, 8, MIXED])
def test_weight_memory_holds_the_products(blocks, share):
    """Walk the schedule as the array does, on the stored words: the sums of the integer model."""
    model = model_of("gru_before", blocks=blocks, hidden=20)
    model = model if share is None else masked(model, share, (2, 1))
    plan = plan_of(model, (4, 3, 2, 1))
    assert (plan.gather is not None) == (share is not None)
    words = weight_words(plan, model).reshape(plan.steps, plan.pe_rows, plan.pe_columns, plan.macs)
    own = np.arange(plan.pe_rows)[:, None] // plan.tile_rows * plan.pe_columns
    path = own + np.arange(plan.pe_columns)  # of each PE
    rng = np.random.default_rng(5)
    for job in each(plan.jobs):
        product, mode = model.products[job.product], plan.modes[job.mode]
        k, groups, gates = mode.block, mode.groups, len(product.gates)
        vectors = [rng.integers(-999, 999, s.spectra.shape[1] * k) for s in product.segments]
        expected = sum(
            Weights(s).multiply(v.reshape(-1, k).T)
            for s, v in zip(product.segments, vectors, strict=True)
        )  # (k, p)
        sums = np.zeros((job.passes, plan.pe_rows, plan.macs), np.int64)
        joined = np.concatenate([np.pad(v, (0, -v.size % plan.word)) for v in vectors])
        blocks_of = joined.reshape(-1, k)
        for step, (number, met) in enumerate(zip(job.order.numbers, job.order.blocks, strict=True)):
            # A path without a block may read anything.
            read = [blocks_of[b] if b != NONE else rng.integers(-9, 9, k) for b in met]
            used = np.array([np.tile(operands(block), groups) for block in read])[path]
            stored = words[job.weight_base + step, :, :, : used.shape[2]]
            sums[number, :, : used.shape[2]] += (stored * used).sum(axis=1)
        sums = sums.reshape(-1, plan.macs)
        values = np.zeros((job.passes * plan.pe_rows, plan.word), np.int64)
        for place, added in enumerate(plan.post_adds(mode)):
            values[:, place] = sum(sign * sums[:, term] for term, sign in added)
        rows_found = product.bias.size // plan.word
        values = values[:rows_found].reshape(-1, gates, groups, k).swapaxes(0, 1)
        assert (values.reshape(-1, k).T == expected).all(), job.name


def test_step_memory_tells_each_path_where_its_block_lies():
    """What the array reads there, at the address and place, is the block of the list."""
    model = model_of("gru_before", blocks=MIXED, hidden=32, labels=16)
    model = masked(model, 0.4, (2, 1))
    sizes = Sizes(4, 4, 2, 1, 16, tile_rows=2, slices=2)
    plan = build_plan(model, sizes, Target("test", "xc7a35t", 200.0, 2))
    found, largest = plan.gather, plan.modes[0].block
    values = np.arange(plan.word)
    for job in each(plan.jobs):
        k, order = plan.modes[job.mode].block, job.order
        for step, met in enumerate(order.blocks):
            control = int(found.control[job.weight_base + step])
            assert control >> found.segments == (step in order.ends)
            taken = [at for at in range(found.segments) if control >> at & 1]
            assert taken == [at for place, at, _ in order.tokens if place == step]
            for path, block in enumerate(met):
                if block == NONE:
                    continue
                address = int(found.addresses[job.weight_base + step, path])
                offset = address & ((1 << found.offset_bits) - 1)
                choice = address >> found.offset_bits & ((1 << found.choice_bits) - 1)
                segment = address >> (found.offset_bits + found.choice_bits)
                word, sub = divmod(block - order.bases[segment], order.subs)
                assert offset == job.segments[segment].base + word
                held = values[values // largest % plan.slices == path % plan.slices]
                first = choice * found.unit
                assert held[first : first + k].tolist() == list(range(sub * k, sub * k + k))


def operands(block):
    pairs = [
        v for j in range(2, block.size, 2) for v in (block[j] + block[j + 1], *block[j : j + 2])
    ]
    return np.array([*block[:2], *pairs])


def test_plan_is_a_file(tmp_path):
    plan = plan_of(model_of(projection=8, layers=2))
    plan.save(tmp_path / "plan.json")
    again = HardwarePlan.load(tmp_path / "plan.json")
    assert again == plan
    assert again.digest == plan.digest
    assert json.loads((tmp_path / "plan.json").read_text())["pe_rows"] == 4


@pytest.mark.parametrize("text", ["", "{}", '{"name": 3}', "\xff", "[" * 100_000])
def test_a_file_that_is_no_plan(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ModelFileError, match=r"plan.json is not a plan"):
        HardwarePlan.load(path)


@given(
    cell=st.sampled_from(["lstm", "gru_before", "gru_after"]),
    sizes=st.tuples(
        st.sampled_from([4, 8, 12]),
        st.integers(1, 4),
        st.sampled_from([1, 2, 4]),
        st.sampled_from([1, 2, 4]),
    ),
    streams=st.integers(1, 4),
)
@settings(max_examples=25, deadline=None)
def test_cycles_respect_what_no_schedule_can_beat(cell, sizes, streams):
    plan = plan_of(model_of(cell, hidden=24), sizes, streams)
    found = rate(plan)
    assert found.cycles_per_frame >= plan.steps
    assert found.cycles_per_frame >= sum(job.passes for job in plan.jobs) * plan.pass_cycles / 2
    assert found.latency_cycles > plan.steps
    run = predict(plan, [Packet(s) for _ in range(3) for s in range(streams)])
    beats = [cycle for packet in run.outputs for cycle in packet]
    assert beats == sorted(set(beats))
    assert sorted(run.output_streams) == sorted(list(range(streams)) * 3)


def test_more_streams_never_slow_a_frame():
    model = model_of("gru_before", hidden=32)
    per_frame = [rate(plan_of(model, streams=s)).cycles_per_frame for s in (1, 2, 4)]
    assert per_frame == sorted(per_frame, reverse=True)


@pytest.mark.parametrize(
    "sizes", [(4, 2, 3, 2), (5, 1, 2, 1), (4, 1, 1, 3), (4, 1, 1, 8), (1000, 1, 1, 1)]
)
def test_sizes_that_do_not_fit_together(sizes):
    with pytest.raises(PlanError, match=r"use 1, 2 or 4|does not divide|at most 999"):
        plan_of(model_of(), sizes)


def test_planner_fills_the_part():
    model = model_of("gru_before", hidden=64, blocks=8, features=40)
    plan = make_plan(model, HardwareRecipe(part="XC7Z020"), "test")
    part = load_part("XC7Z020")
    assert not shortages(resources(plan, part), part, headroom=0.2)
    assert dsp_blocks(plan, part) > part.dsp / 2
    larger = make_plan(model, HardwareRecipe(part="XC7K325T"), "test")
    assert rate(larger).cycles_per_frame < rate(plan).cycles_per_frame


def test_planner_keeps_the_sizes_that_it_is_given():
    hardware = HardwareRecipe(part="XC7Z020", pe_rows=6, pe_columns=2, drain_lanes=2, cell_lanes=1)
    plan = make_plan(model_of(), hardware, "test")
    assert (plan.pe_rows, plan.pe_columns, plan.drain_lanes, plan.units[0].lanes) == (6, 2, 2, 1)


GRU = {"cell": "gru_before", "features": 153, "labels": 0, "scales": False}


def test_a_model_that_is_too_large_says_what_would_fit():
    """Planned with the block sizes that are named, it fits."""
    hardware = HardwareRecipe(part="XC7A35T")
    with pytest.raises(
        PlanError, match=r"not fit XC7A35T.*use blocks of 4 or 8 or 16 instead of 2,"
    ):
        make_plan(model_of(hidden=256, blocks=2, **GRU), hardware, "test")
    for blocks in (4, 16):
        assert (
            make_plan(model_of(hidden=256, blocks=blocks, **GRU), hardware, "test").word >= blocks
        )
    with pytest.raises(PlanError, match="does not fit"):
        make_plan(model_of(hidden=256, blocks=32, **GRU), hardware, "test")


def test_blocks_of_several_sizes_grow_together():
    blocks = {"input": 4, "recurrent": 2, "candidate": 2}
    hardware = HardwareRecipe(part="XC7A100T")
    with pytest.raises(PlanError, match=r"use blocks of 4 and 8 or .* instead of 2 and 4"):
        make_plan(model_of(hidden=512, blocks=blocks, **GRU), hardware, "test")


def test_a_model_that_no_block_size_makes_fit():
    model = model_of(hidden=1024, blocks=8, **GRU)
    with pytest.raises(PlanError) as told:
        make_plan(model, HardwareRecipe(part="XC7A35T"), "test")
    fault = told.value.fault
    assert fault.what == "the model does not fit XC7A35T"
    assert fault.given.startswith("its smallest design needs")
    assert re.search(r"blocks of 32 would still need \d+ 36-kbit.*use fewer bits", fault.remedy)


def test_sizes_that_are_too_large_for_the_part():
    hardware = HardwareRecipe(part="XC7A35T", pe_rows=64, pe_columns=4)
    with pytest.raises(PlanError, match="leave the sizes to the planner"):
        make_plan(model_of(), hardware, "test")


def test_layers_of_different_cells_have_their_own_units():
    """Layers of one kind share; a vector, a state or a queue of another kind has another name."""
    model = model_of(["lstm", "gru_before", "lstm", "mgu"])
    found, plan = program(model), plan_of(model)
    layers = {unit.name: unit.kind.layers for unit in found.units}
    assert layers == {
        "lstm": (0, 2),
        "gru_reset": (1,),
        "gru_update": (1,),
        "mgu_gate": (3,),
        "mgu_update": (3,),
    }
    assert found.top == "mgu_update"
    memories = ["x", "rh", "fh", "rec_lstm", "rec_gru_update", "rec_mgu_update"]
    assert list(found.makers) == [*memories, "ff_lstm", "ff_gru_update", "ff_mgu_update"]
    states = {state.name: (state.writer, state.readers) for state in plan.states}
    assert states == {
        "state_lstm": ("lstm", ("lstm",)),
        "state_gru_before": ("gru_update", ("gru_reset", "gru_update")),
        "state_mgu": ("mgu_update", ("mgu_gate", "mgu_update")),
    }
    queues = ["gates", "zr", "n_gru_update", "f", "n_mgu_update", "logits", "z", "f_mgu_gate"]
    assert [queue.name for queue in found.queues] == queues


def test_layers_of_a_cell_that_differ_have_their_own_units():
    model = model_of(layers=2)
    other = replace(model.layers[1], cell_activation="sigmoid")
    found = program(replace(model, layers=(model.layers[0], other)))
    assert [unit.name for unit in found.units] == ["lstm_layer0", "lstm_layer1"]
    without = replace(model.layers[1], parameters={})
    found = program(replace(model, layers=(model.layers[0], without)))
    assert [unit.kind.layers for unit in found.units] == [(0, 1)]  # its peepholes are zeros


def test_for_energy_no_multiplier_is_built_from_logic():
    """Where DSP blocks run out, throughput goes on in logic; energy does not."""
    model = model_of("gru_before", hidden=96, blocks=4, features=20, labels=0)
    plans = {
        objective: make_plan(model, HardwareRecipe(part="xc7a35t", objective=objective), "test")
        for objective in ("throughput", "energy")
    }
    assert plans["throughput"].logic_macs > 0
    assert plans["energy"].logic_macs == 0
    assert rate(plans["throughput"]).cycles_per_frame < rate(plans["energy"]).cycles_per_frame


@pytest.mark.parametrize(("rows", "levels"), [(1, 1), (4, 1), (5, 2), (16, 2), (17, 3), (64, 3)])
def test_levels_of_the_drain(rows, levels):
    plan = plan_of(model_of(hidden=16, blocks=4), (rows, 1, 1, 1))
    assert (plan.pass_cycles, plan.drain_levels) == (rows, levels)
