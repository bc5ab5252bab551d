"""The section of the model: cell, layers, block sizes."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ernn.cells import CALLED, CELLS, cell_called
from ernn.errors import Fault, RecipeError, Setting
from ernn.graphs.cell import Cell, Options
from ernn.recipe.section import Count, Section
from ernn.structures.registry import KNOWN, structure_named
from ernn.structures.structure import Structure

BLOCK_SIZES = (1, 2, 4, 8, 16, 32)
MATRICES = ("input", "recurrent", "candidate", "projection")  # that a layer can have

BlockSize = Literal[1, 2, 4, 8, 16, 32]


def _known(name: str) -> str:
    if name not in CALLED:
        raise ValueError(f"choose one of {', '.join(CALLED)}")
    return name


CellName = Annotated[str, AfterValidator(_known)]
Activation = Literal["none", "relu", "sigmoid", "tanh"]


def _known_structure(name: str) -> str:
    if name not in KNOWN:
        raise ValueError(f"choose one of {', '.join(sorted(KNOWN))}")
    return name


StructureName = Annotated[str, AfterValidator(_known_structure)]


class LayerRecipe(Section):
    """One layer; a block size of 1 means an ordinary dense matrix."""

    hidden: Count
    cell: CellName | None = None  # None: the model's
    cell_activation: Activation | None = None  # None: the model's, or the cell's own default
    projection: Annotated[int, Field(ge=0, le=1_000_000)] = 0  # LSTM only; 0: none
    block: BlockSize = 8  # of every matrix of the layer that names none of its own
    block_input: BlockSize | None = None
    block_recurrent: BlockSize | None = None
    block_candidate: BlockSize | None = None  # MGU, and GRU with reset = "before"
    block_projection: BlockSize | None = None  # LSTM with projection only

    def block_of(self, matrix: str) -> int:
        """Return the block size of ``"input" | "recurrent" | "candidate" | "projection"``."""
        own = getattr(self, f"block_{matrix}")
        return self.block if own is None else own


class ModelRecipe(Section):
    """The acoustic model: equations in docs/algorithm.md."""

    cell: CellName  # of every layer that names none of its own
    peepholes: bool = True  # LSTM
    cell_activation: Activation | None = None  # LSTM: of g; RNN, dense: of the layer
    reset: Literal["before", "after"] = "before"  # GRU: r times h before (paper) or after (torch)
    input_scale: bool = True  # a learned scale per input of each block-circulant matrix
    structure: StructureName | None = None  # of the matrices; None: "scaled", or "circulant"
    output_layer: bool = True  # False: what leaves the last layer is the output
    output_block: BlockSize = 1
    pad: BlockSize = 1  # least padding; models alike in it share a dense one (docs/block_search.md)
    layers: Annotated[list[LayerRecipe], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _consistent(self) -> "ModelRecipe":
        each = [self._problems(f"layers[{n}]", layer) for n, layer in enumerate(self.layers)]
        problems = [problem for found in each for problem in found]
        if problems:
            raise RecipeError(*dict.fromkeys(problems))
        return self

    def _problems(self, where: str, layer: LayerRecipe) -> Iterator[Fault]:
        """Name all that a layer's cell does not have, and blocks that are too large."""
        cell, chosen = self.cell_of(layer), layer.cell_activation or self.cell_activation
        if layer.projection and not cell.projects:
            having = " or ".join(c.called.upper() for c in CELLS.values() if c.projects)
            allowed = f"only an {having} has one"
            yield Setting(f"{where}.projection", str(layer.projection), allowed, "remove it")
            return
        if layer.cell_activation and not cell.activations:
            allowed = f"a {cell.called} has no such choice"
            given = repr(layer.cell_activation)
            yield Setting(f"{where}.cell_activation", given, allowed, "remove it")
        elif chosen and cell.activations and chosen not in cell.activations:
            allowed = " or ".join(cell.activations)
            takes = f"but a {cell.called} takes {allowed}"
            yield Fault(where, f"cell_activation = {chosen!r}, {takes}")
        has = self.matrices_of(layer)
        for matrix in MATRICES:
            block = layer.block_of(matrix)
            size = layer.projection if matrix == "projection" else layer.hidden
            if matrix not in has and getattr(layer, f"block_{matrix}") is not None:
                has_none = "the layer has no such matrix"
                yield Setting(f"{where}.block_{matrix}", str(block), has_none, "remove it")
            if matrix in has and block > size:
                given = (
                    f"block size {block} of the {matrix} matrix is larger than the matrix "
                    f"({size} rows)"
                )
                yield Fault(where, given, "", f"choose at most {_largest_block(size)}")

    def structure_of(self, block: int) -> Structure:
        """Return the structure of a matrix of this block size; blocks of 1 are dense."""
        return structure_named(
            self.structure or ("scaled" if self.input_scale else "circulant"), block
        )

    def cell_of(self, layer: LayerRecipe) -> Cell:
        """Return the cell of a layer."""
        return cell_called(layer.cell or self.cell, self.reset)

    def options_of(self, layer: LayerRecipe) -> Options:
        """Return what is chosen about a layer's cell."""
        cell = self.cell_of(layer)
        default = cell.activations[0] if cell.activations else "tanh"
        named = layer.cell_activation or self.cell_activation
        activation = named if named and cell.activations else default
        peepholes = self.peepholes and "peepholes" in cell.parameters
        return Options(activation, peepholes, layer.projection > 0)

    @property
    def word(self) -> int:
        """Every vector is padded to a multiple of it: the largest block size, or `pad`."""
        blocks = [layer.block_of(name) for layer in self.layers for name in self.matrices_of(layer)]
        return max(self.pad, self.output_block if self.output_layer else 1, *blocks)

    def dense(self) -> "ModelRecipe":
        """Return what the dense phase depends on: of the block sizes only the padding."""
        own = dict.fromkeys(f"block_{name}" for name in MATRICES)
        layers = [layer.model_copy(update={"block": 1, **own}) for layer in self.layers]
        alike = {"layers": layers, "pad": self.word, "output_block": 1, "input_scale": False}
        return self.model_copy(update=alike)

    def matrices_of(self, layer: LayerRecipe) -> list[str]:
        """Return the names of the matrices that a layer has, as `block_of` takes them."""
        return list(self.cell_of(layer).matrices_of(self.options_of(layer)))


def _largest_block(size: int) -> int:
    return max(block for block in BLOCK_SIZES if block <= size)
