"""Choose every format of a compressed model and round its weights: CompressedModel in,
IntegerModel out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ernn.circulant import packed
from ernn.compressed import CompressedLayer, CompressedModel
from ernn.fixed import QFormat
from ernn.graphs.activation import design
from ernn.graphs.cell import INPUT, OUTPUT, SQUASHING, Act
from ernn.graphs.reads import FEATURES, sources
from ernn.quant.float_model import FloatArithmetic
from ernn.quant.frames import enter, stack
from ernn.quant.integer_model import IntegerLayer, IntegerModel
from ernn.quant.interpreter import Progress, interpret
from ernn.quant.parameters import widest
from ernn.quant.products import MOST_SHIFT, Product, Segment
from ernn.quant.program import FloatProduct, FloatSegment, program, row_signal
from ernn.quant.ranges import Ranges, constant_format
from ernn.recipe import QuantizationRecipe
from ernn.structures.level_sets import level_format
from ernn.structures.magnitude import MAGNITUDE

ROW_INT_BITS = (3, 6)  # sigmoid and tanh end within 8; logits and projections may need more
MOST_INT_BITS = 40  # of anything
# Binary points between the weights of different products, at most; one less for each of levels
WEIGHT_SPREAD = 3


@dataclass(frozen=True)
class _Vectors:
    """Formats of everything that a matrix multiplies; all share one binary point."""

    features: QFormat
    hidden: QFormat  # what may not
    free: QFormat  # what may leave [-1, 1]: behind a projection, a relu or no activation
    scaled: QFormat


def quantize(
    model: CompressedModel,
    settings: QuantizationRecipe,
    calibration: Sequence[np.ndarray] | Ranges,
    progress: Progress | None = None,
) -> IntegerModel:
    """Return the integer model of a float model.

    Args:
        model: what to quantize.
        settings: bits and the error of the activations.
        calibration: utterances (T, F) that show how large every signal gets, or what `measure`
            found in them.
        progress: called with (calibration frames done, frames in all).

    Raises:
        CorpusError, ShapeError: the calibration is empty, not finite or of another size.
    """
    ranges = calibration
    if not isinstance(ranges, Ranges):
        ranges = measure(model, ranges, progress)
    activation_bits, weight_bits = settings.activation_bits, settings.weight_bits
    row = _row_format(model, ranges, activation_bits + 4)
    gate = QFormat(0, max(activation_bits + 4, settings.state_bits) - 1)
    state_int_bits = max(0, ranges.int_bits(*_free_states(model)))
    vectors = _vector_formats(model, ranges, activation_bits - 1, row.int_bits)
    constants = [array.ravel() for layer in model.layers for array in _operands(layer).values()]
    peephole = constant_format(np.concatenate([np.zeros(1), *constants]), weight_bits)
    layers = _layers(model, vectors, peephole)
    return IntegerModel(
        features=model.features,
        labels=model.labels,
        word=model.word,
        layers=layers,
        products=_products(model, _entering(model, layers), vectors.scaled, row, settings),
        row=row,
        gate=gate,
        state=QFormat(state_int_bits, settings.state_bits - 1 - state_int_bits),
        peephole=peephole,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        twiddle_bits=activation_bits,
        sigmoid=design("sigmoid", row, gate, settings.activation_error),
        tanh=design("tanh", row, gate, settings.activation_error),
        meta={**model.meta, **_single_weights(model)},
        output_reads=model.output_reads,
    )


def _single_weights(model: CompressedModel) -> dict[str, str]:
    """Return which matrices were pruned by magnitude: what plans an array has to know it."""
    kinds = {name: one.structure.split("+") for name, one in model.matrices().items()}
    names = [name for name, kind in kinds.items() if MAGNITUDE in kind]
    return {MAGNITUDE: ", ".join(names)} if names else {}


def measure(
    model: CompressedModel, calibration: Sequence[np.ndarray], progress: Progress | None = None
) -> Ranges:
    """Run the float model over utterances (T, F) and return how large each signal gets."""
    frames, lengths = stack(calibration)
    ranges = Ranges()

    def note(name: str, utterances: np.ndarray, start: int, values: np.ndarray) -> None:
        ranges.add(name, values)

    inputs = enter(frames, model.features, model.word)
    interpret(FloatArithmetic(model, "fft"), inputs, lengths, note, progress)
    return ranges


def _operands(layer: CompressedLayer) -> dict[str, np.ndarray]:
    """Return the constants of a layer that operations read, in PEEPHOLE."""
    kinds = layer.kind.parameters
    return {n: array for n, array in layer.parameters.items() if kinds[n].to == "peephole"}


def _free_states(model: CompressedModel) -> list[str]:
    """Name the states that may leave [-1, 1]."""
    return [
        f"layer{index}.{state.name}"
        for index, layer in enumerate(model.layers)
        if (state := layer.kind.state) and state.name in layer.kind.unbounded(layer.options)
    ]


def _row_format(model: CompressedModel, ranges: Ranges, width: int) -> QFormat:
    """Hold every row that is more than the argument of an activation, which ends within 8."""
    names = []
    for product in program(model):
        layer = model.stack[product.layer]
        squashed = {
            node.row
            for node in layer.kind.nodes(layer.options)
            if isinstance(node, Act) and node.function in SQUASHING
        }
        rows = {m.name: m.rows for m in layer.kind.products(layer.options)}
        half = product.name not in rows  # the sum of two rows is the argument
        if half or not squashed.issuperset(rows[product.name]):
            names.append(row_signal(layer.kind, product.layer, product.name))
    low, high = ROW_INT_BITS
    int_bits = min(max(low, ranges.int_bits(*names)), high)
    return QFormat(int_bits, width - 1 - int_bits)


def _vector_formats(
    model: CompressedModel, ranges: Ranges, frac_bits: int, row_int_bits: int
) -> _Vectors:
    def at_least_unit(names: list[str], most: int = MOST_INT_BITS) -> QFormat:
        return QFormat(min(max(0, ranges.int_bits(*names)), most), frac_bits)

    free = [
        f"layer{index}.{name}"
        for index, layer in enumerate(model.layers)
        for name in layer.kind.vectors(layer.options)
        if name in layer.kind.unbounded(layer.options)
    ]
    return _Vectors(
        features=at_least_unit(["layer0.x"]),
        hidden=QFormat(0, frac_bits),
        free=at_least_unit(free, row_int_bits),  # they are rows, moved
        scaled=at_least_unit([name for name in ranges.counts if name.endswith(".scaled")]),
    )


def _layers(
    model: CompressedModel, vectors: _Vectors, peephole: QFormat
) -> tuple[IntegerLayer, ...]:
    layers, made = [], {FEATURES: vectors.features}
    for index, layer in enumerate(model.layers):
        free = layer.kind.unbounded(layer.options)
        named = {
            name: vectors.free if name in free else vectors.hidden
            for name in layer.kind.vectors(layer.options)
        }
        named[INPUT] = widest(made[vector] for vector in model.sources(index))
        parameters = {name: peephole.quantize(array) for name, array in _operands(layer).items()}
        sizes = (layer.hidden, layer.output)
        layers.append(
            IntegerLayer(layer.cell, *sizes, layer.cell_activation, parameters, named, layer.reads)
        )
        made[index] = named[OUTPUT]
    return tuple(layers)


def _entering(model: CompressedModel, layers: tuple[IntegerLayer, ...]) -> list[dict[str, QFormat]]:
    """Return the vector formats of every layer of the stack."""
    made = {FEATURES: layers[0].vectors[INPUT]}
    made |= {index: layer.vectors[OUTPUT] for index, layer in enumerate(layers)}
    read = [made[vector] for vector in sources(model.output_reads, len(layers))]
    return [*(layer.vectors for layer in layers), {INPUT: widest(read)}]


def _products(
    model: CompressedModel,
    vectors: list[dict[str, QFormat]],
    scaled: QFormat,
    row: QFormat,
    settings: QuantizationRecipe,
) -> tuple[Product, ...]:
    jobs, bits = program(model), settings.weight_bits
    fixed = {level_format(job.level_set).frac_bits for job in jobs if job.level_set}
    points = [_binary_points(job, settings) for job in jobs]  # of each block row, or of all
    free = [each.min() for job, each in zip(jobs, points, strict=True) if not job.level_set]
    finest = int(min(free, default=0)) + WEIGHT_SPREAD - len(fixed)
    quantized = []
    for job, each in zip(jobs, points, strict=True):
        frac_bits = min(int(each.min()), finest)
        weight = QFormat(bits - 1 - frac_bits, frac_bits)
        shifts = (each - frac_bits).clip(0, MOST_SHIFT) if settings.row_scales else None
        if job.level_set:  # exact as they are
            weight, shifts = level_format(job.level_set), None
        own, bias = vectors[job.layer], row.quantize(job.bias)
        product = Product(
            job.layer, job.name, job.gates, job.block, weight, (), bias, shifts, job.level_set
        )
        segments = tuple(_segment(s, product, scaled, own[s.vector], bits) for s in job.segments)
        quantized.append(replace(product, segments=segments))
    return tuple(quantized)


def _binary_points(job: FloatProduct, settings: QuantizationRecipe) -> np.ndarray:
    """Return the best fraction bits of the weights: (1,), or (p,) of each block row by itself.

    A block row without weights takes the coarsest, so that it asks for nothing.
    """
    spectra = [packed(segment.generators) for segment in job.segments]
    count = len(spectra[0]) if settings.row_scales else 1
    rows = np.concatenate([each.reshape(count, -1) for each in spectra], axis=1)
    found = np.array([constant_format(row, settings.weight_bits).frac_bits for row in rows])
    some = rows.any(axis=1)
    return np.where(some, found, found[some].min()) if some.any() else found


def with_weights(model: IntegerModel, weights: CompressedModel) -> IntegerModel:
    """Return an integer model of other weights in the formats of ``model``.

    Args:
        model: for its formats and sizes.
        weights: a float model of the same sizes.
    """
    products = []
    for old, job in zip(model.products, program(weights), strict=True):
        segments = tuple(
            replace(
                segment,
                spectra=old.quantize(packed(new.generators)),
                scale=None
                if segment.scale_format is None or new.scale is None
                else segment.scale_format.quantize(new.scale),
            )
            for segment, new in zip(old.segments, job.segments, strict=True)
        )
        products.append(replace(old, segments=segments, bias=model.row.quantize(job.bias)))
    layers = tuple(
        replace(old, parameters={n: model.peephole.quantize(p) for n, p in _operands(new).items()})
        for old, new in zip(model.layers, weights.layers, strict=True)
    )
    return replace(model, layers=layers, products=tuple(products))


def _segment(
    segment: FloatSegment, product: Product, scaled: QFormat, vector: QFormat, weight_bits: int
) -> Segment:
    spectra, present = product.quantize(packed(segment.generators)), segment.present
    if segment.scale is None:
        return Segment(segment.vector, segment.matrix, spectra, None, None, vector, present)
    scale_format = constant_format(segment.scale, weight_bits)
    scale = scale_format.quantize(segment.scale)
    return Segment(segment.vector, segment.matrix, spectra, scale, scale_format, scaled, present)
