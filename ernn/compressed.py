"""CompressedModel: a trained block-circulant model as plain numpy arrays, and its file.

This is the border between training (torch) and everything after it. The file is safetensors: no
code is ever loaded from it. `docs/files.md` describes its tensors.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ernn.cells import OUTPUT_LAYER, cell_named
from ernn.errors import Fault, ModelFileError, ShapeError
from ernn.files import read_arrays, write_arrays
from ernn.graphs.cell import INPUT, OUTPUT, Cell, Options
from ernn.graphs.reads import FEATURES, Reads, problems, sources
from ernn.structures.registry import axes_of, structure_named
from ernn.structures.structure import Factors, Structure

FILE_FORMAT = "ernn-compressed-1"


@dataclass(frozen=True)
class StructuredMatrix:
    """A matrix of a structure of `ernn.structures`, described by its factors."""

    structure: str
    factors: Factors  # float64, by the structure's names

    @property
    def block(self) -> int:
        """k, the block size; 1 means dense."""
        axes = axes_of(self.structure)
        found = next(name for name, each in axes.items() if each == "pqk")
        return self.factors[found].shape[-1]

    @property
    def kind(self) -> Structure:
        """The structure."""
        return structure_named(self.structure, self.block)

    @property
    def rows(self) -> int:
        """Outputs."""
        return self.kind.sizes(self.factors)["p"] * self.block

    @property
    def cols(self) -> int:
        """Inputs."""
        return self.kind.sizes(self.factors)["c"]

    @property
    def generators(self) -> np.ndarray:
        """First columns (p, q, k) of the circulant blocks."""
        return self.kind.generators(self.factors)

    @property
    def scale(self) -> np.ndarray | None:
        """What multiplies the inputs (q * k,), if anything does."""
        return self.kind.scale(self.factors)

    @property
    def present(self) -> np.ndarray | None:
        """1 for the blocks (p, q) that have weights, int64; None: all have."""
        found = self.kind.present(self.factors)
        return None if found is None else (np.asarray(found) != 0).astype(np.int64)

    @property
    def blocks(self) -> int:
        """Blocks that have weights."""
        present, generators = self.present, self.generators
        return len(generators) * generators.shape[1] if present is None else int(present.sum())

    @property
    def parameters(self) -> int:
        """Stored weights, scales included."""
        return self.blocks * self.block + (0 if self.scale is None else self.scale.size)

    def dense(self) -> np.ndarray:
        """Return the (rows, cols) matrix with the scale multiplied in."""
        return self.kind.expand(self.factors)

    def cut(self, rows: int | None = None, cols: int | None = None) -> "StructuredMatrix":
        """Return the first rows and columns of the matrix, multiples of k (None: all)."""
        down, across = (slice(size and size // self.block) for size in (rows, cols))
        return replace(self, factors=self.kind.cut(self.factors, down, across))

    def without(self, start: int, stop: int) -> "StructuredMatrix":
        """Return the matrix without some columns, from and to multiples of k."""
        gone = slice(start // self.block, stop // self.block)
        kept = np.delete(np.arange(self.cols // self.block), gone)
        return replace(self, factors=self.kind.cut(self.factors, slice(None), kept))

    def turned(self, rows: int) -> "StructuredMatrix":
        """Return the matrix with the sign of its first rows turned, a multiple of k."""
        turned = self.kind.turned(self.factors, slice(rows // self.block))
        return replace(self, factors=turned)


def circulant_matrix(generators: np.ndarray, scale: np.ndarray | None = None) -> StructuredMatrix:
    """Return the dense, circulant or scaled matrix of generators (p, q, k) and a scale (q * k,)."""
    if scale is not None:
        return StructuredMatrix("scaled", {"generators": generators, "scale": scale})
    name = "circulant" if generators.shape[-1] > 1 else "dense"
    return StructuredMatrix(name, {"generators": generators})


@dataclass(frozen=True)
class CompressedLayer:
    """One layer, every size padded to a multiple of the model's word.

    GRU equations are the paper's, h' = (1 - z) h + z n: torch's z (reset "after") is the paper's
    1 - z, so its rows and bias are stored with the sign turned.
    """

    cell: str  # of ernn.cells
    hidden: int  # H, padded
    matrices: dict[str, StructuredMatrix]  # by the cell's names; optional ones may be absent
    bias: np.ndarray  # (gates * H,), order as in `Cell.gates`
    parameters: dict[str, np.ndarray] = field(default_factory=dict)  # (values, H), or (H,) for one
    cell_activation: str = "tanh"  # one of the cell's `activations`, where it has a choice
    reads: Reads = ()  # vectors side by side, each padded; (): the one in front of the layer

    @property
    def kind(self) -> Cell:
        """The cell's description."""
        return cell_named(self.cell)

    @property
    def options(self) -> Options:
        """What was chosen about the cell."""
        peepholes, projection = "peepholes" in self.parameters, "projection" in self.matrices
        return Options(self.cell_activation, peepholes, projection)

    @property
    def output(self) -> int:
        """Size of the layer's output vector."""
        projection = self.matrices.get("projection")
        return projection.rows if projection else self.hidden


@dataclass(frozen=True)
class CompressedModel:
    """Stacked layers and an optional output layer.

    Sizes without padding are kept beside the padded arrays: `features` real inputs and `labels`
    real outputs (0: all); padded inputs must be fed zeros and padded outputs are ignored.
    """

    features: int
    layers: tuple[CompressedLayer, ...]
    output: StructuredMatrix | None = None
    output_bias: np.ndarray | None = None  # (output.rows,)
    labels: int = 0
    meta: dict[str, str] = field(default_factory=dict)  # what training wants remembered
    output_reads: Reads = ()  # as `CompressedLayer.reads`, of the output layer

    def __post_init__(self) -> None:
        _check(self)

    @property
    def stack(self) -> tuple[CompressedLayer, ...]:
        """The layers and, where there is one, the output layer: a feed-forward layer."""
        if self.output is None or self.output_bias is None:
            return self.layers
        matrices = {"output": self.output}
        name, rows, reads = OUTPUT_LAYER.name, self.output.rows, self.output_reads
        last = CompressedLayer(name, rows, matrices, self.output_bias, reads=reads)
        return (*self.layers, last)

    def sources(self, index: int) -> Reads:
        """Return the vectors that layer ``index`` of the stack reads, in order."""
        return sources(self.stack[index].reads, index)

    def size(self, vector: int) -> int:
        """Return the padded size of a vector."""
        features = padded(self.features, self.word)
        return features if vector == FEATURES else self.layers[vector].output

    @property
    def leaving(self) -> str:
        """The signal that is the model's output: the logits, or the last layer's vector."""
        return f"layer{len(self.layers) - 1}.h" if self.output is None else "logits"

    @property
    def word(self) -> int:
        """K: the largest block size; every vector length is a multiple of it."""
        return max(matrix.block for matrix in self.matrices().values())

    def matrices(self) -> dict[str, StructuredMatrix]:
        """Return every matrix by name: ``"layer0.input"`` ... ``"output"``."""
        named = {
            f"layer{index}.{name}": matrix
            for index, layer in enumerate(self.layers)
            for name, matrix in layer.matrices.items()
        }
        if self.output is not None:
            named["output"] = self.output
        return named

    @property
    def dense_parameters(self) -> int:
        """Weights of the same model without compression."""
        return sum(matrix.rows * matrix.cols for matrix in self.matrices().values())

    @property
    def parameters(self) -> int:
        """Weights and scales stored (biases and peepholes not counted, as in the papers)."""
        return sum(matrix.parameters for matrix in self.matrices().values())

    def tensors(self) -> dict[str, np.ndarray]:
        """Return every array under its name in the file."""
        tensors: dict[str, np.ndarray] = {}
        for name, matrix in self.matrices().items():
            tensors |= {f"{name}.{factor}": value for factor, value in matrix.factors.items()}
        for index, layer in enumerate(self.layers):
            tensors[f"layer{index}.bias"] = layer.bias
            tensors |= {f"layer{index}.{name}": layer.parameters[name] for name in layer.parameters}
        if self.output_bias is not None:
            tensors["output.bias"] = self.output_bias
        return tensors

    def with_tensors(self, tensors: dict[str, np.ndarray]) -> "CompressedModel":
        """Return the model with other arrays under the same names."""
        return self._from_tensors(self._header(), tensors)

    def _header(self) -> dict[str, Any]:
        """Return all that is no array."""
        kinds = ("cell", "hidden", "cell_activation")
        reads = {f"layer{n}": layer.reads for n, layer in enumerate(self.layers) if layer.reads}
        if self.output_reads:
            reads["output"] = self.output_reads
        return {
            "format": FILE_FORMAT,
            "features": self.features,
            "labels": self.labels,
            "layers": [{kind: getattr(layer, kind) for kind in kinds} for layer in self.layers],
            "structures": {name: one.structure for name, one in self.matrices().items()},
            "meta": self.meta,
            **({"reads": reads} if reads else {}),
        }

    def save(self, path: Path) -> None:
        """Write the model as safetensors."""
        floats = {name: np.asarray(value, np.float64) for name, value in self.tensors().items()}
        write_arrays(path, floats, self._header())

    @classmethod
    def load(cls, path: Path) -> "CompressedModel":
        """Read a model written by `save`.

        Raises:
            ModelFileError: the file is missing, truncated, foreign, or its contents are not a
                model (wrong shapes, NaN or infinite weights).
        """
        tensors, header = read_arrays(path, FILE_FORMAT, "give a compressed.safetensors")
        try:
            return cls._from_tensors(header, tensors)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            told = Fault(f"{path} does not describe a model", str(error))
            raise ModelFileError(told) from None

    @classmethod
    def _from_tensors(cls, header: dict, tensors: dict[str, np.ndarray]) -> "CompressedModel":
        structures = header.get("structures", {})  # older files have none
        read = dict(header.get("reads", {}))  # nor these
        reads = {name: tuple(map(int, vectors)) for name, vectors in read.items()}

        def matrix(name: str) -> StructuredMatrix | None:
            if name not in structures:
                generators = tensors.get(f"{name}.generators")
                scale = tensors.get(f"{name}.scale")
                return None if generators is None else circulant_matrix(generators, scale)
            axes = axes_of(structures[name])
            return StructuredMatrix(structures[name], {n: tensors[f"{name}.{n}"] for n in axes})

        layers = []
        for index, described in enumerate(header["layers"]):
            cell = cell_named(described["cell"])
            found = {name: matrix(f"layer{index}.{name}") for name in cell.matrices}
            named = {name: tensors.get(f"layer{index}.{name}") for name in cell.parameters}
            layers.append(
                CompressedLayer(
                    cell=cell.name,
                    hidden=int(described["hidden"]),
                    cell_activation=described["cell_activation"],
                    matrices={name: value for name, value in found.items() if value is not None},
                    bias=tensors[f"layer{index}.bias"],
                    parameters={n: value for n, value in named.items() if value is not None},
                    reads=reads.get(f"layer{index}", ()),
                )
            )
        return cls(
            features=int(header["features"]),
            layers=tuple(layers),
            output=matrix("output"),
            output_bias=tensors.get("output.bias"),
            labels=int(header["labels"]),
            meta={str(key): str(value) for key, value in header["meta"].items()},
            output_reads=reads.get("output", ()),
        )


def padded(size: int, word: int) -> int:
    """Return ``size`` rounded up to a multiple of ``word``; the one rule for padding."""
    return -(-size // word) * word


def _check(model: CompressedModel) -> None:
    """Raise ShapeError for the first thing that is not a model."""
    if not model.layers:
        raise ShapeError("the model has no layer", remedy="give at least one")
    for name, matrix in model.matrices().items():
        try:
            matrix.kind.sizes(matrix.factors)
        except ShapeError as error:
            raise error.at(name) from None
        if matrix.block & (matrix.block - 1) or matrix.block > 32:
            raise ShapeError(f"{name}: block size {matrix.block}", allowed="1, 2, 4, 8, 16 or 32")
        if not all(np.isfinite(value).all() for value in matrix.factors.values()):
            raise ShapeError(
                f"{name} holds NaN or infinite weights", remedy="retrain or repair the model"
            )
    for index, given, allowed in problems([layer.reads for layer in model.stack]):
        where = f"layer{index}" if index < len(model.layers) else "output"
        raise ShapeError(where, given=given, allowed=allowed)
    word = model.word
    entering = [sum(map(model.size, model.sources(index))) for index in range(len(model.stack))]
    for index, layer in enumerate(model.layers):
        _check_layer(f"layer{index}", layer, word, entering[index])
    size = model.layers[-1].output
    if model.output is not None:
        _expect("output.bias", model.output_bias, (model.output.rows,))
        size = entering[-1]
        if model.output.cols != size or model.output.rows != padded(model.labels, word):
            raise ShapeError(
                f"output is {model.output.rows}x{model.output.cols}",
                allowed=f"{padded(model.labels, word)}x{size}",
            )
    elif not 0 <= model.labels <= size:
        raise ShapeError(f"{model.labels} outputs", allowed=f"0 to {size}, as leave the last layer")


def _check_layer(where: str, layer: CompressedLayer, word: int, inputs: int) -> None:
    cell, hidden = layer.kind, layer.hidden
    if cell is OUTPUT_LAYER:
        raise ShapeError(
            where, given="the output layer is no layer of its own", remedy="give it as output"
        )
    if hidden % word or hidden <= 0:
        raise ShapeError(
            where, given=f"hidden = {hidden}", allowed=f"a multiple of the word {word}"
        )
    if layer.cell_activation not in (cell.activations or ("tanh",)):
        raise ShapeError(
            where,
            given=f"cell_activation {layer.cell_activation!r} is not known",
            allowed=", ".join(cell.activations or ("tanh",)),
        )
    needed = cell.matrices_of(layer.options)
    if set(layer.matrices) != set(needed):
        raise ShapeError(
            where, given=f"matrices {sorted(layer.matrices)}", allowed=f"{sorted(needed)}"
        )
    for name, matrix in layer.matrices.items():
        gates, vector = cell.matrices[name].gates, cell.matrices[name].vector
        rows = matrix.rows if name == "projection" else len(gates) * hidden
        cols = {INPUT: inputs, OUTPUT: layer.output}.get(vector, hidden)
        if (matrix.rows, matrix.cols) != (rows, cols) or rows % word:
            raise ShapeError(
                f"{where}.{name} is {matrix.rows}x{matrix.cols}", allowed=f"{rows}x{cols}"
            )
    _expect(f"{where}.bias", layer.bias, (len(cell.gates) * hidden,))
    for name, parameter in cell.parameters.items():
        shape = (len(parameter.values), hidden) if len(parameter.values) > 1 else (hidden,)
        optional = parameter.to == "peephole"
        _expect(f"{where}.{name}", layer.parameters.get(name), shape, optional)
    if unknown := set(layer.parameters) - set(cell.parameters):
        raise ShapeError(
            where,
            given=f"a cell {cell.name!r} has no {', '.join(sorted(unknown))}",
            remedy="leave them out",
        )


def _expect(name: str, value, shape: tuple[int, ...], optional: bool = False) -> None:
    if value is None:
        if not optional:
            raise ShapeError(f"{name} is missing", remedy="give it")
        return
    if value.shape != shape:
        raise ShapeError(f"{name} has shape {value.shape}", allowed=str(shape))
    if not np.isfinite(value).all():
        raise ShapeError(
            f"{name} holds NaN or infinite values", remedy="retrain or repair the model"
        )
