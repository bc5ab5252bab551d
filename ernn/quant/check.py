"""What must hold for an IntegerModel, whether quantized or read from a file."""

from collections.abc import Iterator

import numpy as np

from ernn.cells import OUTPUT_LAYER
from ernn.errors import ShapeError
from ernn.fixed import QFormat
from ernn.graphs.activation import STEEPEST, Piecewise
from ernn.graphs.cell import INPUT, OUTPUT
from ernn.graphs.fourier import Transform, forward, inverse
from ernn.graphs.reads import problems
from ernn.quant.compiled import EXACT_BITS
from ernn.quant.operations import formats, operation_bits
from ernn.quant.parameters import IntegerLayer, IntegerParameters, widest
from ernn.quant.products import MOST_SHIFT, Product, Segment
from ernn.recipe import BLOCK_SIZES
from ernn.structures.level_sets import LEVELS, level_format, level_integers


def check(model: IntegerParameters) -> None:
    """Raise ShapeError for the first thing that is not a model."""
    for problem in _problems(model):
        raise ShapeError(problem)


def _problems(model: IntegerParameters) -> Iterator[str]:
    yield from _formats(model)
    yield from _layers(model)
    yield from _cells(model)
    yield from _program(model)
    for product in model.products:
        yield from _product(model, product)
    for name, function in (("sigmoid", model.sigmoid), ("tanh", model.tanh)):
        yield from _activation(model, name, function)


def _formats(model: IntegerParameters) -> Iterator[str]:
    for bits in (model.weight_bits, model.activation_bits, model.twiddle_bits):
        if not 2 <= bits <= 16:
            yield f"{bits} bits of weights, activations or rotations; 2 to 16 are possible"
    if not 2 <= model.state.width <= 18 or model.state.int_bits < 0 or model.gate.int_bits:
        yield f"formats state = {model.state} and gate = {model.gate}"
    yield from _width("row", model.row, model.activation_bits + 4)
    yield from _width("gate", model.gate, max(model.row.width, model.state.width))
    yield from _width("peephole", model.peephole, model.weight_bits)
    if model.word not in BLOCK_SIZES or model.features < 1 or model.labels < 0:
        yield f"word = {model.word}, features = {model.features}, labels = {model.labels}"


def _layers(model: IntegerParameters) -> Iterator[str]:
    if not model.layers:
        yield "no layers"
    reads = [layer.reads for layer in model.layers]
    if model.has_output_layer:
        reads.append(model.output_reads)
    for index, given, allowed in problems(reads):
        yield f"layer{index}: {given}; {allowed}"
    for index, layer in enumerate(model.layers):
        where, cell = f"layer{index}", layer.kind
        if cell is OUTPUT_LAYER:
            yield f"{where}: the output layer is no layer of its own; it follows from the labels"
        if layer.cell_activation not in (cell.activations or ("tanh",)):
            yield f"{where}: cell_activation {layer.cell_activation!r} is not known"
        for size in (layer.hidden, layer.output):
            if size < 1 or size % model.word:
                yield f"{where}: size {size} is not a multiple of the word {model.word}"
        if not layer.options.projection and layer.output != layer.hidden:
            yield f"{where}: {layer.output} outputs of {layer.hidden} cells without a projection"
        vectors = set(cell.vectors(layer.options))
        if vectors != set(layer.vectors):
            yield f"{where}: vectors {sorted(layer.vectors)} instead of {sorted(vectors)}"
        for vector, found in layer.vectors.items():
            yield from _vector(model, f"{where}.{vector}", found)
        yield from _parameters(model, where, layer)
        if index and layer.vectors["x"] != widest(map(model.format_of, model.sources(index))):
            yield f"{where}: its input has another format than the vectors that it reads"


def _parameters(model: IntegerParameters, where: str, layer: IntegerLayer) -> Iterator[str]:
    """The constants that operations read; the biases of products are in the products."""
    for name, raw in layer.parameters.items():
        parameter = layer.kind.parameters.get(name)
        if parameter is None or parameter.to != "peephole":
            yield f"{where}: a cell {layer.cell!r} has no {name} that operations read"
            return
        values = len(parameter.values)
        shape = (values, layer.hidden) if values > 1 else (layer.hidden,)
        yield from _raw(f"{where}.{name}", raw, shape, model.peephole)


def _program(model: IntegerParameters) -> Iterator[str]:
    """Compare the products with those that the cells need; a pair counts as one."""
    found: list[tuple] = []
    for product in model.products:
        pairs = tuple((segment.vector, segment.matrix) for segment in product.segments)
        whole = product.name.removesuffix("_x")
        if found and found[-1][:2] == (product.layer, f"{whole}_h"):
            found[-1] = (product.layer, whole, product.gates, pairs + found[-1][3])
        else:
            found.append((product.layer, product.name, product.gates, pairs))
    expected = [
        (index, matvec.name, matvec.gates, matvec.parts)
        for index, layer in enumerate(model.stack)
        for matvec in layer.kind.products(layer.options)
    ]
    if found != expected:
        yield f"products {[f[:2] for f in found]} instead of {[e[:2] for e in expected]}"


def _product(model: IntegerParameters, product: Product) -> Iterator[str]:
    where, layer = f"layer{product.layer}.{product.name}", model.stack[product.layer]
    rows = len(product.gates) * (layer.output if product.gates == "y" else layer.hidden)
    entering = sum(map(model.size, model.sources(product.layer)))
    columns = {INPUT: entering, OUTPUT: layer.output}
    if product.block not in BLOCK_SIZES or product.block > model.word:
        yield f"{where}: blocks of {product.block} in words of {model.word}"
    yield from _weight(model, where, product)
    yield from _raw(f"{where}.bias", product.bias, (rows,), model.row)
    shifts, blocks = product.shifts, rows // product.block
    if shifts is not None and (shifts.shape != (blocks,) or not _within(shifts, 0, MOST_SHIFT)):
        yield f"{where}.shifts is not a number of 0 to {MOST_SHIFT} for each of {blocks} block rows"
    for segment in product.segments:
        cols = columns.get(segment.vector, layer.hidden)
        shape = (rows // product.block, cols // product.block, product.block)
        name = f"{where}.{segment.vector}"
        yield from _raw(f"{name}.spectra", segment.spectra, shape, product.weight)
        yield from _present(name, segment)
        yield from _scale(model, name, segment, cols, layer.vectors[segment.vector])
    graph = inverse(product.block, model.twiddle_bits)
    yield from _exact(f"{where}: sums", _sum_bits(model, product))
    yield from _exact(f"{where}: inverse transforms", _largest_bits(graph, model.inverse_input))


def _exact(what: str, bits: float) -> Iterator[str]:
    """The arithmetic is float64: see ernn.quant.compiled."""
    if bits > EXACT_BITS:
        yield (
            f"{what} of {bits:.1f} bits, of which {EXACT_BITS} are exact; "
            "use fewer weight or activation bits"
        )


def _largest_bits(graph: Transform, entering: QFormat) -> float:
    """Return log2 of what no value in a transform can exceed."""
    stages = graph.bounds(entering.min_raw, entering.max_raw)
    return float(np.log2(max(max(-low, high) for lines in stages for low, high in lines)))


def _cells(model: IntegerParameters) -> Iterator[str]:
    """What the operations of the cells compute before they round it."""
    for index, layer in enumerate(model.layers):
        found = formats(model, layer)
        for region in layer.kind.regions(layer.options):
            for node in region.nodes:
                yield from _exact(f"layer{index}: {node.out}", operation_bits(node, found))


def _weight(model: IntegerParameters, where: str, product: Product) -> Iterator[str]:
    if product.levels is None:
        yield from _width(f"{where}.weight", product.weight, model.weight_bits)
        return
    if product.levels not in LEVELS:
        yield f"{where}: levels {product.levels!r} are not known"
        return
    if product.block > 1 or product.shifts is not None:
        yield f"{where}: {product.levels} levels in blocks or with row scales"
    if product.weight != level_format(product.levels):
        yield f"{where}.weight = {product.weight} is not the format of {product.levels} levels"
    for segment in product.segments:
        known = np.isin(segment.spectra, level_integers(product.levels)).all(axis=2)
        if segment.present is not None:
            known |= segment.present == 0
        if not known.all():
            yield f"{where}.{segment.vector} has weights that are not {product.levels}"


def _present(name: str, segment: Segment) -> Iterator[str]:
    present = segment.present
    if present is None:
        return
    if present.shape != segment.spectra.shape[:2] or not np.isin(present, (0, 1)).all():
        yield f"{name}.present is not a 0 or 1 for each of {segment.spectra.shape[:2]} blocks"
    elif segment.spectra[present == 0].any():
        yield f"{name} has weights in blocks that are not present"


def _scale(
    model: IntegerParameters, name: str, segment: Segment, cols: int, vector: QFormat
) -> Iterator[str]:
    yield from _vector(model, f"{name}.scaled", segment.scaled)
    yield from _exact(
        f"{name}: transforms",
        _largest_bits(forward(segment.spectra.shape[2], model.twiddle_bits), segment.scaled),
    )
    if segment.scale is not None and segment.scale_format is not None:
        yield from _width(f"{name}.scale", segment.scale_format, model.weight_bits)
        yield from _raw(f"{name}.scale", segment.scale, (cols,), segment.scale_format)
        bits = vector.width + segment.scale_format.width - min(0, segment.scale_format.frac_bits)
        yield from _exact(f"{name}: scaled vectors", bits)
    elif segment.scale is not None or segment.scale_format is not None or segment.scaled != vector:
        yield f"{name}: scale, its format and the scaled format do not go together"


def _sum_bits(model: IntegerParameters, product: Product) -> float:
    """Return log2 of what no accumulator of a product can exceed, aligned with ROW."""
    sums = np.zeros(len(product.bias) // product.block)
    for segment in product.segments:
        stages = forward(product.block, model.twiddle_bits).bounds(
            segment.scaled.min_raw, segment.scaled.max_raw
        )
        largest = max(max(-low, high) for low, high in stages[-1])
        weights = np.abs(segment.spectra).sum(axis=1).astype(np.float64)  # (p, k)
        # A complex bin adds |c a| + |d b|: no more than both its weights against the largest.
        weights[:, 2:] += weights[:, 2:].reshape(len(sums), -1, 2)[..., ::-1].reshape(len(sums), -1)
        sums += largest * weights.max(axis=1)
    left = model.row.frac_bits - product.weight.frac_bits - product.segments[0].scaled.frac_bits
    if product.shifts is not None:
        left = np.maximum(left - product.shifts, 0)
    return float((np.log2(np.maximum(sums, 1)) + np.maximum(left, 0)).max())


def _activation(model: IntegerParameters, name: str, function: Piecewise) -> Iterator[str]:
    fits = (function.name, function.row, function.gate) == (name, model.row, model.gate)
    shapes = function.slopes.shape == function.intercepts.shape and function.slopes.ndim == 1
    if not fits or not shapes or not len(function.slopes):
        yield f"{name}: tables or formats do not fit the model"
    if not 0 <= function.index_shift <= 32 or not 0 <= function.product_shift <= 64:
        yield f"{name}: shifts by {function.index_shift} and {function.product_shift} bits"
    if not ((function.slopes >= 0) & (function.slopes <= STEEPEST)).all():
        yield f"{name}: slopes outside 0 to {STEEPEST}"
    results = function.run(np.arange(model.row.min_raw, model.row.max_raw + 1))
    if results.min() < model.gate.min_raw or results.max() > model.gate.max_raw:
        yield f"{name}: results outside {model.gate}"


def _vector(model: IntegerParameters, name: str, found: QFormat) -> Iterator[str]:
    if found.frac_bits != model.activation_bits - 1 or not 0 <= found.int_bits <= 40:
        yield f"{name} is {found}; vectors have {model.activation_bits - 1} fraction bits"


def _width(name: str, found: QFormat, width: int) -> Iterator[str]:
    if found.width != width or abs(found.frac_bits) > 64:
        yield f"{name} = {found} does not have {width} bits near the binary point"


def _raw(name: str, raw: np.ndarray, shape: tuple[int, ...], found: QFormat) -> Iterator[str]:
    if raw.shape != shape:
        yield f"{name} has shape {raw.shape} instead of {shape}"
    if not _within(raw, found.min_raw, found.max_raw):
        yield f"{name} has values outside {found}"


def _within(raw: np.ndarray, low: int, high: int) -> bool:
    return bool(((raw >= low) & (raw <= high)).all())
