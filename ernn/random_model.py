"""Random models, for tests and benchmarks of what does not depend on training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ernn.cells import cell_named
from ernn.compressed import (
    CompressedLayer,
    CompressedModel,
    StructuredMatrix,
    circulant_matrix,
    padded,
)
from ernn.graphs.cell import INPUT, OUTPUT, Cell, Options
from ernn.graphs.reads import FEATURES, Reads, sources
from ernn.structures.levels import Levels
from ernn.structures.tiles import Tiled, Tiling


def random_model(
    rng: np.random.Generator,
    cell: str | Sequence[str] = "lstm",
    hidden: int = 12,
    layers: int = 1,
    blocks: int | Mapping[str, int] = 4,
    features: int = 7,
    labels: int = 5,
    projection: int = 0,
    peepholes: bool = True,
    cell_activation: str | None = None,
    scales: bool = True,
    tiling: Tiling | None = None,
    reads: Mapping[int, Reads] | None = None,
    levels: str | None = None,
    output_levels: str | None = None,
) -> CompressedModel:
    """Return a model with weights of a trained model's size.

    Args:
        rng: source of every number.
        cell: of all layers, or one for each: then `layers` does not count.
        hidden: cells of a layer before padding.
        layers: how many.
        blocks: block size of all matrices, or by name: "input", "recurrent", "candidate",
            "projection", "output" (absent: 1).
        features: values per frame before padding.
        labels: outputs before padding; 0: no output layer.
        projection: of cells that can have one; 0: none.
        peepholes: of cells that can have them.
        cell_activation: of cells that offer it; None: each cell's own default.
        scales: whether every block-circulant matrix has an input scale.
        tiling: which tiles of the layers' matrices have weights; its gates are set here, and
            its words are at least the largest block.
        reads: the vectors of layers that read others than the one in front; the output layer's
            number is that of the layers.
        levels: of the weights of the layers' matrices, where blocks are of 1.
        output_levels: of those of the output matrix.
    """
    kinds = [cell_named(name) for name in ([cell] * layers if isinstance(cell, str) else cell)]
    chosen = [_options(kind, cell_activation, peepholes, projection > 0) for kind in kinds]
    used = {n for kind, each in zip(kinds, chosen, strict=True) for n in kind.matrices_of(each)}
    names = used | {"output"} if labels else used
    block = blocks if isinstance(blocks, Mapping) else dict.fromkeys(names, blocks)
    word = max(block.get(name, 1) for name in names)
    sizes, built = {FEATURES: padded(features, word)}, []
    reads = reads or {}
    for index, (kind, options) in enumerate(zip(kinds, chosen, strict=True)):
        own = reads.get(index, ())
        size = sum(sizes[vector] for vector in sources(own, index))
        output = padded(projection, word) if options.projection else 0
        entering = (size, padded(hidden, word), output)
        built.append(
            replace(_layer(rng, kind, options, block, entering, scales, tiling, levels), reads=own)
        )
        sizes[index] = built[-1].output
    rows, last = padded(labels, word), reads.get(len(kinds), ()) if labels else ()
    size = sum(sizes[vector] for vector in sources(last, len(kinds)))
    last_matrix = _matrix(rng, block.get("output", 1), rows, size, scales) if labels else None
    if last_matrix and output_levels:
        last_matrix = _held(last_matrix, None, output_levels)
    return CompressedModel(
        features=features,
        layers=tuple(built),
        output=last_matrix,
        output_bias=rng.normal(0, 0.5, rows) if labels else None,
        labels=labels,
        output_reads=last,
    )


def _options(cell: Cell, activation: str | None, peepholes: bool, projection: bool) -> Options:
    default = cell.activations[0] if cell.activations else "tanh"
    own = activation if activation in cell.activations else default
    peeps = peepholes and "peepholes" in cell.parameters
    return Options(own or default, peeps, cell.projects and projection)


def _layer(
    rng: np.random.Generator,
    cell: Cell,
    options: Options,
    block: Mapping[str, int],
    sizes: tuple[int, int, int],
    scales: bool,
    tiling: Tiling | None,
    levels: str | None,
) -> CompressedLayer:
    """Draw a layer of (inputs, cells, outputs of a projection or 0)."""
    word = max(block.values())
    inputs, cells, projected = sizes
    columns = {INPUT: inputs, OUTPUT: projected or cells}
    matrices = {}
    for name in cell.matrices_of(options):
        gates, vector = cell.matrices[name].gates, cell.matrices[name].vector
        rows = projected if name == "projection" else len(gates) * cells
        cols = columns.get(vector, cells)
        k = block.get(name, 1)
        matrices[name] = _matrix(rng, k, rows, cols, scales)
        if tiling or levels:
            own = tiling and replace(
                tiling, gates=cell.gates_by_product(options, name), subs=max(tiling.subs, word // k)
            )
            matrices[name] = _held(matrices[name], own, levels)
    bias = rng.normal(0, 0.5, len(cell.gates) * cells)
    parameters = {}
    for name, parameter in cell.parameters.items():
        if parameter.to == "row":
            parameters[name] = rng.normal(0, 0.5, cells)
        elif options.peepholes:
            parameters[name] = rng.normal(0, 0.3, (len(parameter.values), cells))
    return CompressedLayer(cell.name, cells, matrices, bias, parameters, options.cell_activation)


def _held(matrix: StructuredMatrix, tiling: Tiling | None, levels: str | None) -> StructuredMatrix:
    """Return the nearest matrix with weights in only some tiles, and of few levels."""
    structure = Tiled(matrix.block, matrix.kind, tiling) if tiling else matrix.kind
    structure = Levels(matrix.block, structure, levels) if levels else structure
    factors = structure.settled(structure.project(matrix.dense()))
    return StructuredMatrix(structure.name, factors)


def _matrix(
    rng: np.random.Generator, k: int, rows: int, cols: int, scales: bool
) -> StructuredMatrix:
    generators = rng.normal(0, 1.5 / np.sqrt(cols), (rows // k, cols // k, k))
    return circulant_matrix(generators, rng.uniform(0.3, 1.7, cols) if scales and k > 1 else None)
