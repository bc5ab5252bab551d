"""Packing: the decision is right for every operand, weight and sum of small widths."""

from itertools import product

import pytest

from ernn.hw.packing import pack, unpack
from ernn.parts.part import load_part
from tests.models import with_multiplier

PART = load_part("XCKU060")


def values(bits):
    return range(-(1 << (bits - 1)), 1 << (bits - 1))


def exact(operand_bits, weight_bits, shift, steps):
    """Try every pair of weights and every operand, the same one in all steps and with the ends."""
    ends = (-(1 << (operand_bits - 1)), (1 << (operand_bits - 1)) - 1)
    for w1, w2 in product(values(weight_bits), repeat=2):
        packed = (w2 << shift) + w1
        for x in values(operand_bits):
            for last in (x, *ends):
                xs = [x] * (steps - 1) + [last]
                total = sum(packed * one for one in xs)
                if unpack(total, shift) != (
                    sum(w1 * one for one in xs),
                    sum(w2 * one for one in xs),
                ):
                    return False
    return True


@pytest.mark.parametrize("operand_bits", [2, 3, 5])
@pytest.mark.parametrize("weight_bits", [2, 4])
@pytest.mark.parametrize("steps", [1, 2, 3, 8])
def test_the_shift_is_enough_and_a_bit_less_is_not(operand_bits, weight_bits, steps):
    found = pack(operand_bits, weight_bits, steps, PART)
    assert exact(operand_bits, weight_bits, found.shift, steps)
    assert not exact(operand_bits, weight_bits, found.shift - 1, steps)


@pytest.mark.parametrize(
    ("operand_bits", "weight_bits", "steps"), [(2, 3, 1), (4, 2, 3), (3, 4, 5)]
)
def test_widths_are_those_of_the_ends(operand_bits, weight_bits, steps):
    """Neither the packed weights nor their sums need a bit less or more than is said."""
    found = pack(operand_bits, weight_bits, steps, PART)
    weights = [(b << found.shift) + a for a, b in product(values(weight_bits), repeat=2)]
    sums = [steps * w * x for w in (min(weights), max(weights)) for x in values(operand_bits)]
    for numbers, bits in ((weights, found.weight_bits), (sums, found.sum_bits)):
        assert all(-(1 << (bits - 1)) <= n < 1 << (bits - 1) for n in numbers)
        assert not all(-(1 << (bits - 2)) <= n < 1 << (bits - 2) for n in numbers)


def test_ports_and_accumulator_decide():
    found = pack(6, 4, 4, PART)
    exactly = with_multiplier(PART, a_bits=found.weight_bits, b_bits=6, acc_bits=found.sum_bits)
    assert pack(6, 4, 4, exactly).fits
    assert pack(6, 4, 4, with_multiplier(exactly, a_bits=6, b_bits=found.weight_bits)).fits
    for port in ("a_bits", "b_bits", "acc_bits"):
        one_less = {port: getattr(exactly.family.multiplier, port) - 1}
        assert not pack(6, 4, 4, with_multiplier(exactly, **one_less)).fits


@pytest.mark.parametrize("part", ["XC7VX690T", "XCKU060", "LFE5U-85F"])
def test_spectra_of_eight_bits_do_not_fit(part):
    """k = 8: a spectrum of 8-bit values has 11 bits, and c + d has 9."""
    found = pack(11, 9, 1, load_part(part))
    assert not found.fits
    assert "one product needs 20 bits, so the weights side by side need 30" in found.why


def test_dense_eight_bits_fit_an_ultrascale_block_only_without_sums():
    assert pack(8, 8, 1, PART).fits
    assert not pack(8, 8, 16, PART).fits
    assert not pack(8, 8, 16, load_part("XC7VX690T")).fits
