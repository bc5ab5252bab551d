"""Binary points of their own for block rows of weights: their choice, arithmetic, file, plan."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_frames, random_integer_model, uneven

from ernn.circulant import packed
from ernn.errors import ModelFileError, ShapeError
from ernn.finetune.quantization_aware import QuantizationAwareModel
from ernn.fixed import QFormat
from ernn.graphs.fourier import inverse
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import resources
from ernn.hw.explore import sizes_of
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.hw.variants import with_bits, with_blocks
from ernn.parts.part import load_part
from ernn.quant.compiled_arithmetic import CompiledArithmetic
from ernn.quant.integer_arithmetic import IntegerArithmetic
from ernn.quant.integer_model import IntegerModel
from ernn.quant.products import MOST_SHIFT, Product, Segment, finish
from ernn.quant.program import program
from ernn.quant.quantize import WEIGHT_SPREAD, quantize, with_weights
from ernn.random_model import random_model
from ernn.recipe import QuantizationRecipe

ON = QuantizationRecipe(weight_bits=8, row_scales=True)
OFF = QuantizationRecipe(weight_bits=8)
MIXED = {"input": 4, "recurrent": 2, "candidate": 8}


def plan_of(model: IntegerModel, sizes: Sizes | None = None) -> HardwarePlan:
    return build_plan(model, sizes or Sizes(4, 2, 2, 1), Target("test", "XC7A35T", 200.0, 2))


@pytest.mark.parametrize("block", [1, 2, 8])
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    weight=st.integers(-4, 14),
    shifts=st.lists(st.integers(0, MOST_SHIFT), min_size=3, max_size=3),
)
def test_a_row_is_rounded_once_behind_its_own_shift(block, seed, weight, shifts):
    """In Python's whole numbers, for a weight format finer or coarser than the row's."""
    rng = np.random.default_rng(seed)
    row, spectrum, vector = QFormat(4, 11), QFormat(9, 11), QFormat(0, 11)
    segment = Segment("x", "input", np.zeros((3, 1, block), int), None, None, vector)
    bias = rng.integers(row.min_raw, row.max_raw + 1, 3 * block)
    form = QFormat(11 - weight, weight)
    product = Product(0, "n", "n", block, form, (segment,), bias, np.array(shifts))
    size = 2 ** (13 + max(0, weight))
    acc = rng.integers(-size, size, (block, 3)).astype(float)
    found = finish(product, acc, row, spectrum, twiddle_bits=12).reshape(3, block)
    for index, shift in enumerate(shifts):
        point = vector.frac_bits + weight + shift - spectrum.frac_bits
        entering = [math.floor(int(v) / 2**point + 0.5) for v in acc[:, index]]
        entering = [min(max(v, spectrum.min_raw), spectrum.max_raw) for v in entering]
        values = inverse(block, 12).run(np.array(entering)).tolist()
        exact = [
            math.floor(v / block + 0.5) + int(b)
            for v, b in zip(values, bias[index * block :], strict=False)
        ]
        assert found[index].tolist() == [min(max(v, row.min_raw), row.max_raw) for v in exact]


@given(
    value=st.integers(-(2**45), 2**45), shift=st.integers(0, MOST_SHIFT), right=st.integers(1, 20)
)
def test_bits_that_fall_off_below_the_half_change_no_rounding(value, shift, right):
    """What the shifter of ernn_row_lane drops; at right = 0 it would be wrong."""
    target = QFormat(60, 0)
    dropped = target.requantize(np.array(value >> shift), right)
    assert dropped == target.requantize(np.array(value), right + shift)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([1, 4, MIXED]),
    st.integers(4, 16),
    st.integers(4, 16),
    st.integers(0, MOST_SHIFT),
    st.integers(0, 1000),
)
def test_the_compiled_arithmetic_is_the_reference(blocks, weight, activation, most, seed):
    bits = QuantizationRecipe(weight_bits=weight, activation_bits=activation, activation_error=0.01)
    rng = np.random.default_rng(seed)
    model = uneven(random_integer_model(rng, bits, cell="gru_before", blocks=blocks), most)
    frames = 3 * random_frames(rng, model.features, 3, 20)
    found, expected = (
        model.run(frames, taps=model.formats, arithmetic=one)
        for one in (CompiledArithmetic, IntegerArithmetic)
    )
    assert all(np.array_equal(found.signals[n], raw) for n, raw in expected.signals.items())
    assert found.saturated == expected.saturated


def scaled_rows(model, exponents: np.ndarray):
    """Return a float model of one layer whose input and recurrent rows are 2**-exponents times."""
    tensors = dict(model.tensors())
    for name in ("layer0.input.generators", "layer0.recurrent.generators"):
        tensors[name] = tensors[name] * np.exp2(-exponents)[:, None, None]
    return model.with_tensors(tensors)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1000), st.lists(st.integers(0, MOST_SHIFT), min_size=6, max_size=6), st.data()
)
def test_rows_of_other_size_have_the_same_numbers(seed, exponents, data):
    """Whatever powers of two the rows were made smaller by, they have no fewer bits."""
    rng = np.random.default_rng(seed)
    kinds = {"cell": "rnn", "hidden": 24, "features": 8, "blocks": 4, "scales": False, "labels": 0}
    model = random_model(rng, **kinds)
    tensors = dict(model.tensors())
    for name in ("layer0.input.generators", "layer0.recurrent.generators"):
        sizes = np.abs(tensors[name]).max(axis=(1, 2), keepdims=True)
        tensors[name] = tensors[name] / sizes  # every row alike
    even = model.with_tensors(tensors)
    exponents[data.draw(st.integers(0, 5))] = 0  # one stays, and the format of the product
    frames = list(random_frames(rng, 8))
    (before,) = quantize(even, ON, frames).products
    (after,) = quantize(scaled_rows(even, np.array(exponents)), ON, frames).products
    wanted = before.shifts + np.array(exponents)
    moved = after.weight.frac_bits - before.weight.frac_bits  # where all but one are finer
    kept = (wanted - moved >= 0) & (wanted - moved <= MOST_SHIFT)
    assert np.array_equal(after.shifts[kept], wanted[kept] - moved)
    for one, other in zip(before.segments, after.segments, strict=True):
        assert np.array_equal(one.spectra[kept], other.spectra[kept])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(4, 12), st.sampled_from([1, 2, MIXED]))
def test_no_product_loses_by_it(seed, bits, blocks):
    """The squared error of a product's weights is no larger than with one binary point."""
    model = random_model(np.random.default_rng(seed), cell="gru_before", blocks=blocks)
    frames = list(random_frames(np.random.default_rng(1), model.features))
    asked = QuantizationRecipe(weight_bits=bits)
    one = quantize(model, asked, frames)
    own = quantize(model, asked.model_copy(update={"row_scales": True}), frames)
    for job, by_product, by_row in zip(program(model), one.products, own.products, strict=True):
        assert errors(by_row, job) <= errors(by_product, job) * (1 + 1e-9)
    points = [product.weight.frac_bits for product in own.products]
    assert max(points) - min(points) <= WEIGHT_SPREAD


def errors(product: Product, job) -> float:
    units = np.exp2(-(0 if product.shifts is None else product.shifts[:, None, None]))
    return sum(
        float(np.square(product.weight.to_float(s.spectra) * units - packed(f.generators)).sum())
        for s, f in zip(product.segments, job.segments, strict=True)
    )


def test_rows_without_weights_ask_for_nothing():
    model = random_model(np.random.default_rng(0), cell="rnn", blocks=4, labels=0)
    exponents = np.full(3, 99.0)
    exponents[0] = 0
    (product,) = quantize(scaled_rows(model, exponents * 20), ON, list(np.ones((2, 5, 7)))).products
    assert not product.segments[0].spectra[1:].any() and product.shifts.tolist() == [0, 0, 0]


def test_weights_of_the_same_formats_are_rounded_alike():
    rng = np.random.default_rng(2)
    model = random_model(rng, cell="gru_before", blocks=MIXED)
    integer = quantize(model, ON, list(random_frames(rng, model.features)))
    assert integer.shift_bits
    again = with_weights(integer, model)
    for one, other in zip(integer.products, again.products, strict=True):
        assert np.array_equal(one.shifts, other.shifts)
        for a, b in zip(one.segments, other.segments, strict=True):
            assert np.array_equal(a.spectra, b.spectra)


def test_fine_tuning_computes_with_the_rows_own_formats():
    torch.set_num_threads(1)
    rng = np.random.default_rng(5)
    model = random_model(rng, cell="lstm", blocks=4)
    frames = random_frames(rng, model.features)
    integer = uneven(quantize(model, ON, list(frames)), most=2)
    quantized = QuantizationAwareModel(model, integer)
    expected = quantized.integer().run(frames).to_float("logits")[..., : model.labels]
    assert np.array_equal(quantized(torch.from_numpy(frames)).detach().numpy(), expected)


# The file


def header_of(path) -> dict:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["ernn"])["model"]


def test_a_file_says_shifts_where_there_are_some(tmp_path):
    model = random_integer_model(np.random.default_rng(0))
    model.save(tmp_path / "none")
    assert "shifts" not in header_of(tmp_path / "none")["products"][0]
    assert IntegerModel.load(tmp_path / "none").products[0].shifts is None
    own = uneven(model)
    own.save(tmp_path / "own")
    loaded = IntegerModel.load(tmp_path / "own")
    assert [p.shifts.tolist() for p in loaded.products] == [p.shifts.tolist() for p in own.products]


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:-1], lambda s: s + 8, lambda s: s - 8, lambda s: s[None]]
)
def test_shifts_that_no_model_has(spoil, tmp_path):
    model = uneven(random_integer_model(np.random.default_rng(0)))
    first = model.products[0]
    message = r"layer0\.gates\.shifts is not a number of 0 to 7 for each of 12 block rows"
    with pytest.raises(ShapeError, match=message):
        replace(model, products=(replace(first, shifts=spoil(first.shifts)), *model.products[1:]))
    broken = replace(first)
    object.__setattr__(broken, "shifts", spoil(first.shifts))
    object.__setattr__(model, "products", (broken, *model.products[1:]))
    model.save(tmp_path / "bad")
    with pytest.raises(ModelFileError, match="is not a number of 0 to 7"):
        IntegerModel.load(tmp_path / "bad")


# The plan


def test_a_model_without_shifts_has_the_plan_that_it_had():
    rng = np.random.default_rng(0)
    model = random_integer_model(rng, blocks=4)
    none = replace(
        model,
        products=tuple(replace(p, shifts=np.zeros(len(p.bias) // 4, int)) for p in model.products),
    )
    assert plan_of(none) == plan_of(model)
    assert "shift_bits" not in plan_of(model).to_json()


@pytest.mark.parametrize("most", [1, 3, 7])
def test_what_the_shifter_costs(most, tmp_path):
    """A cycle, registers and choices, and up to three bits of memory a block row."""
    model = random_integer_model(np.random.default_rng(0), cell="gru_before", blocks=MIXED)
    without, plan = plan_of(model), plan_of(uneven(model, most))
    assert plan.shift_bits == most.bit_length()
    assert plan.rows_cycles == without.rows_cycles + 1
    assert plan.aligned_bits == without.aligned_bits  # a right shift needs no wider number
    (memory,) = (ram for ram in plan.rams if ram.name == "row_shifts")
    assert memory.width == 2 * 8 * plan.shift_bits  # drain lanes, block rows of the dense output
    part = load_part("XC7A35T")
    used, before = resources(plan, part), resources(without, part)
    assert used.lut > before.lut and used.ff > before.ff
    assert (used.dsp, used.bram36) == (before.dsp, before.bram36)
    plan.save(tmp_path / "plan.json")
    assert HardwarePlan.load(tmp_path / "plan.json") == plan


def test_accumulators_coarser_than_rows_are_aligned_before_they_are_shifted():
    """Else the shift would drop bits that decide the rounding."""
    bits = QuantizationRecipe(weight_bits=4, activation_bits=12)
    model = random_integer_model(np.random.default_rng(0), bits)
    coarse = QFormat(6, -3)
    products = tuple(replace(product, weight=coarse) for product in model.products)
    plan = plan_of(uneven(replace(model, products=products)))
    assert plan.acc_frac_bits == plan.inverse_input.frac_bits + 1
    assert plan.aligns == (plan.acc_frac_bits - 11 + 3,)


def test_variants_keep_the_shifter():
    model = uneven(random_integer_model(np.random.default_rng(0), blocks=4, hidden=16, features=8))
    assert plan_of(with_bits(model, 8)).shift_bits == 3
    larger = with_blocks(model, 2)
    assert larger is not None and plan_of(larger).shift_bits == 3


def test_sizes_of_a_plan_make_it_again():
    """Also for a model that asks for less than the plan can do."""
    model = random_integer_model(np.random.default_rng(0), blocks=4)
    plan = plan_of(uneven(model))
    assert plan_of(uneven(model, 1), sizes_of(plan)) == plan == plan_of(model, sizes_of(plan))
