"""Cycle-level models of the accelerators that a design is compared with: ESE, C-LSTM, E-RNN.

They are machines, not curves through published points: multipliers, stages and cycles follow from
the sizes of the network and the DSP blocks of the part, so that they can be asked about any
network. What a paper does not say is one number per design, stated here, and the same in all its
rows; `deviations` says how far each model is from each published row.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ernn.energy.ese import random_sparse, run_ese
from ernn.energy.published import Design, Published
from ernn.energy.shape import Layer, Matrix, Shape, benchmark_shape
from ernn.parts.part import Part, load_part

CLOCK_MHZ = 200.0

# ESE: 32 PEs take one non-zero weight each a cycle, for 32 channels at once.
ESE_PES = ESE_CHANNELS = 32
ESE_DENSITY = 0.1121  # 364,112 of the 3,248,128 weights of the benchmark layer are not zero
ESE_EFFICIENCY = 57.0 / 82.7  # computed over measured latency: waiting for the slowest PE
ESE_WEIGHT_BITS = 12 + 4  # with its index

# C-LSTM and E-RNN: a forward and an inverse transform, a level of butterflies every 3 cycles,
# stand around a multiplier of 4; that fills and drains each stage.
_LEVEL_CYCLES, _MULTIPLY_CYCLES = 3, 4

# Both are no faster on the XC7VX690T than on the XCKU060, although it has 30 % more DSP blocks: so
# the models give every part the budget of the smaller one at most.
MOST_DSP = 2760


@dataclass(frozen=True)
class Pipeline:
    """C-LSTM or E-RNN."""

    name: str
    bits: int
    useful_share: float  # of the DSP budget: multipliers that work in every cycle of a stage
    frames_in_flight: int = 3  # stages


# The shares make the mean deviation (of logarithms) from all rows of a design zero, to a PE.
C_LSTM = Pipeline("C-LSTM", 16, 0.286)
E_RNN = Pipeline("E-RNN", 12, 0.384)
PIPELINES = {design.name: design for design in (C_LSTM, E_RNN)}


@dataclass(frozen=True)
class Modelled:
    """What a model says of one design, one network and one part."""

    design: str
    part: str
    clock_mhz: float
    latency_us: float
    frames_per_second: float  # all channels or stages at work
    frames_in_flight: int  # that it needs
    multipliers: int
    busy: float  # share of the multipliers' cycles that are used
    memory_bits: int  # of the weights
    fits: bool  # the weights, into the part's block RAM

    @property
    def frames_per_second_single(self) -> float:
        """One utterance alone."""
        return 1e6 / self.latency_us


def model_ese(shape: Shape, part: Part, clock_mhz: float = CLOCK_MHZ) -> tuple[Modelled, Modelled]:
    """Return ESE's computed latency of one channel, and what its efficiency makes of 32 channels.

    The second is the measured reading: its latency serves all channels at once. ESE knows no GRU;
    the same machine is asked about one all the same.
    """
    weights = math.ceil(ESE_DENSITY * shape.dense)
    computed = weights / ESE_PES / clock_mhz  # us
    measured = computed / ESE_EFFICIENCY
    memory = weights * ESE_WEIGHT_BITS
    multipliers = ESE_PES * ESE_CHANNELS

    def told(latency_us: float, channels: int, busy: float) -> Modelled:
        rate = channels * 1e6 / latency_us
        fits = memory <= 1024 * part.memory_kbit
        return Modelled(
            *("ESE", part.name, clock_mhz, latency_us, rate, channels),
            *(multipliers, busy, memory, fits),
        )

    return told(computed, 1, 1.0), told(measured, ESE_CHANNELS, ESE_EFFICIENCY)


def model_pipeline(
    design: Pipeline, shape: Shape, part: Part, clock_mhz: float = CLOCK_MHZ
) -> Modelled:
    """Return what C-LSTM or E-RNN does with a network on a part.

    Three stages with double buffers work on three frames: of an LSTM the gates, the cells and the
    projection; of a GRU the gates z and r, the candidate, and the cells. The longest stage sets the
    rate, and a frame takes three of its times. Layers follow each other on the same hardware.
    """
    budget = max(2, int(design.useful_share * min(part.dsp, MOST_DSP)))
    stages = [_products(layer) for layer in shape.layers]
    if shape.output:
        stages[-1][-1].append(shape.output)
    kinds = 1 + any(second for _, second in stages)  # stages that multiply by a matrix
    period, used = min(
        _period(shape, stages, budget, kinds, lanes) for lanes in _cell_lanes(shape, budget)
    )
    work = sum(matrix.blocks * multipliers_of(matrix.block) for matrix in shape.matrices)
    memory = design.bits * shape.weights
    return Modelled(
        design=design.name,
        part=part.name,
        clock_mhz=clock_mhz,
        latency_us=design.frames_in_flight * period / clock_mhz,
        frames_per_second=clock_mhz * 1e6 / period,
        frames_in_flight=design.frames_in_flight,
        multipliers=budget,
        busy=min(1.0, work / (used * period)),
        memory_bits=memory,
        fits=memory <= 1024 * part.memory_kbit,
    )


def multipliers_of(block: int) -> int:
    """Count the real multipliers of one circulant block: two real bins, four for a complex one."""
    return block if block <= 2 else 2 + 4 * (block // 2 - 1)


def _products(layer: Layer) -> tuple[list[Matrix], list[Matrix]]:
    """Return the matrices of the two stages that multiply."""
    return {"lstm": _lstm_products, "gru": _gru_products}[layer.cell](layer)


def _lstm_products(layer: Layer) -> tuple[list[Matrix], list[Matrix]]:
    second = [layer.projection] if layer.projection else []
    return [layer.input, layer.recurrent], second


def _gru_products(layer: Layer) -> tuple[list[Matrix], list[Matrix]]:
    gates, candidate = layer.input.share(2, 3), layer.input.share(1, 3)
    if layer.candidate:
        return [gates, layer.recurrent], [candidate, layer.candidate]
    both = layer.recurrent
    return [gates, both.share(2, 3)], [candidate, both.share(1, 3)]


def _transform_multipliers(block: int) -> int:
    """Count those of a pipelined transform: four for each butterfly that really rotates.

    Of real data half of the butterflies of a complex transform are needed.
    """
    return 2 * _rotations(block)


def _rotations(block: int) -> int:
    return 0 if block < 8 else block // 2 - 2 + 2 * _rotations(block // 2)


def _lane_multipliers(shape: Shape) -> int:
    """Count those of one cell a cycle: lines of the activations, products, peepholes."""
    peepholes = any(layer.peepholes for layer in shape.layers)
    return {"lstm": 5 + 3 + 3 * peepholes, "gru": 3 + 3}[shape.cell]


def _cell_lanes(shape: Shape, budget: int) -> Iterator[int]:
    """Yield numbers of cells a cycle, 1, 2, 3, 4, 6, 8, 12, ..., up to half of the multipliers."""
    lanes, most = 1, max(1, budget // 2 // _lane_multipliers(shape))
    while lanes <= most:
        yield lanes
        if lanes > 1 and 3 * lanes // 2 <= most:
            yield 3 * lanes // 2
        lanes *= 2


def _period(
    shape: Shape,
    stages: list[tuple[list[Matrix], list[Matrix]]],
    budget: int,
    kinds: int,
    lanes: int,
) -> tuple[int, float]:
    """Return the cycles of a frame if the longest stage is shortest, and the PEs' multipliers."""
    each = multipliers_of(shape.block)
    fixed = kinds * 2 * _transform_multipliers(shape.block) + lanes * _lane_multipliers(shape)
    pes, cycles_each = _elements(max(budget - fixed, kinds), kinds, each)
    period = min(
        sum(max(_stage_cycles(shape, layer, split, cycles_each, lanes)) for layer in stages)
        for split in _splits(pes, kinds)
    )
    return period, pes * each / cycles_each


def _elements(multipliers: int, stages: int, each: int) -> tuple[int, int]:
    """Return the PEs, and the cycles of a block: more than one where not every stage has a PE."""
    if multipliers >= stages * each:
        return multipliers // each, 1
    return stages, math.ceil(stages * each / multipliers)


def _splits(pes: int, stages: int) -> Iterator[tuple[int, ...]]:
    if stages == 1:
        yield (pes, 1)
        return
    for first in range(1, pes):
        yield first, pes - first


def _stage_cycles(
    shape: Shape,
    products: tuple[list[Matrix], list[Matrix]],
    split: tuple[int, ...],
    cycles_each: int,
    lanes: int,
) -> Iterator[int]:
    """Yield the cycles of the three stages; transforms take and give one block a cycle."""
    whole = multipliers_of(shape.block)
    fill = 2 * _LEVEL_CYCLES * (shape.block.bit_length() - 1) + _MULTIPLY_CYCLES
    for matrices, pes in zip(products, split, strict=True):
        steps = sum(m.blocks / (whole // multipliers_of(m.block)) for m in matrices)
        rows = max((m.block_rows for m in matrices), default=0)
        columns = sum(m.block_cols for m in matrices)
        yield max(math.ceil(steps / pes) * cycles_each, rows, columns) + fill
    yield math.ceil(max(layer.hidden for layer in shape.layers) / lanes) + fill


@dataclass(frozen=True)
class Deviation:
    """A published figure, and a model's."""

    design: str
    cell: str
    part: str
    block: int | None
    figure: str
    published: float
    modelled: float

    @property
    def percent(self) -> float:
        """How far the model is above the published figure."""
        return 100 * (self.modelled / self.published - 1)


def deviations(published: Published) -> tuple[Deviation, ...]:
    """Compare the models with every published row, latency and frames/s."""
    found = []
    for design in published.designs:
        name = design.name.split()[0]
        if name != "ESE" and (name not in PIPELINES or design.block_size is None):
            continue  # a user's own row, of a design without a model
        rows = _ese_figures(design) if name == "ESE" else _pipeline_figures(design)
        found += [
            Deviation(name, design.cell, design.part, design.block_size, *row) for row in rows
        ]
        if name == "ESE":
            of = ("ESE, run", design.cell, design.part, None)
            found += [Deviation(*of, *row) for row in _ese_run_figures(design)]
    return tuple(found)


def _ese_figures(design: Design) -> list[tuple[str, float, float]]:
    computed, measured = model_ese(benchmark_shape(design.cell, 1), load_part(design.part))
    rows = [
        ("latency, computed, us", design.latency_us, computed.latency_us),
        ("frames/s, 1 channel", design.frames_per_second, computed.frames_per_second),
    ]
    if design.latency_measured_us:
        rate = design.channels * 1e6 / design.latency_measured_us
        rows += [
            ("latency, measured, us", design.latency_measured_us, measured.latency_us),
            (f"frames/s, {design.channels} channels", rate, measured.frames_per_second),
        ]
    return rows


def _ese_run_figures(design: Design) -> list[tuple[str, float, float]]:
    """Return what its machine makes of matrices that it encoded; no published latency goes in."""
    shape = benchmark_shape(design.cell, 1)
    told = run_ese(shape, random_sparse(shape), load_part(design.part), CLOCK_MHZ)
    rows = [
        ("entries / PEs, us", design.latency_us, told.computed_us),
        ("latency, run, us", design.latency_us, told.latency_us),
    ]
    if design.latency_measured_us:
        rows.append(("against measured, us", design.latency_measured_us, told.latency_us))
    return rows


def _pipeline_figures(design: Design) -> list[tuple[str, float, float]]:
    machine = PIPELINES[design.name.split()[0]]
    shape = benchmark_shape(design.cell, design.block_size or 1)
    told = model_pipeline(machine, shape, load_part(design.part))
    return [
        ("latency, us", design.latency_us, told.latency_us),
        ("frames/s, 3 in flight", design.frames_per_second, told.frames_per_second),
    ]
