"""The section of the model: cell, layers, block sizes."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ernn.cells import CALLED, CELLS, cell_called
from ernn.errors import Fault, RecipeError, Setting, ShapeError
from ernn.graphs.cell import INPUT, OUTPUT, Cell, Options
from ernn.graphs.reads import FEATURES, Reads, problems, sources, vector_named
from ernn.recipe.section import Count, Section
from ernn.structures.level_sets import LEVELS
from ernn.structures.levels import Levels
from ernn.structures.magnitude import MAGNITUDE, Balance, Magnitude
from ernn.structures.registry import KNOWN, structure_named
from ernn.structures.structure import Structure
from ernn.structures.tiles import Tiled, Tiling

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
    known = sorted({*KNOWN, MAGNITUDE})
    if name not in known:
        raise ValueError(f"choose one of {', '.join(known)}")
    return name


def _known_levels(name: str) -> str:
    if name not in LEVELS:
        raise ValueError(f"choose one of {', '.join(LEVELS)}")
    return name


StructureName = Annotated[str, AfterValidator(_known_structure)]


LevelsName = Annotated[str, AfterValidator(_known_levels)]
Keep = Annotated[float, Field(gt=0, le=1)]  # share of a matrix's tiles that have weights
Tile = Annotated[
    list[Annotated[int, Field(ge=0, le=1_000_000)]], Field(min_length=2, max_length=2)
]  # block rows in the array's order, block columns; 0: all


def _known_vectors(names: list[str]) -> list[str]:
    if unknown := [name for name in names if vector_named(name) is None]:
        raise ValueError(f"there is no {unknown[0]!r}; name features, layer0, layer1 and so on")
    return names


# What a layer reads, side by side: "features", "layer0", ...; None: what is in front of it
Inputs = Annotated[list[str], Field(min_length=1), AfterValidator(_known_vectors)] | None


def _reads(inputs: list[str] | None) -> Reads:
    found = map(vector_named, inputs or ())
    return tuple(vector for vector in found if vector is not None)


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
    keep: Keep | None = None  # of every matrix that names none of its own; None: the model's
    keep_input: Keep | None = None
    keep_recurrent: Keep | None = None
    keep_candidate: Keep | None = None
    keep_projection: Keep | None = None
    tile: Tile | None = None  # None: the model's
    inputs: Inputs = None
    levels: LevelsName | None = None  # of every matrix, which has blocks of 1; None: the model's

    def block_of(self, matrix: str) -> int:
        """Return the block size of ``"input" | "recurrent" | "candidate" | "projection"``."""
        own = getattr(self, f"block_{matrix}")
        return self.block if own is None else own

    def keep_of(self, matrix: str) -> float | None:
        """Return the share of a matrix's tiles that is kept, or None where the model says it."""
        own = getattr(self, f"keep_{matrix}")
        return self.keep if own is None else own

    @property
    def reads(self) -> Reads:
        """`inputs` as a model has them; (): what is in front of the layer."""
        return _reads(self.inputs)


class ModelRecipe(Section):
    """The acoustic model: equations in docs/algorithm.md."""

    cell: CellName  # of every layer that names none of its own
    peepholes: bool = True  # LSTM
    cell_activation: Activation | None = None  # LSTM: of g; RNN, dense: of the layer
    reset: Literal["before", "after"] = "before"  # GRU: r times h before (paper) or after (torch)
    input_scale: bool = True  # a learned scale per input of each block-circulant matrix
    structure: StructureName | None = None  # of the matrices; None: "scaled", or "circulant"
    keep: Keep = 1.0  # share of the tiles of every matrix of the layers that have weights
    tile: Tile = [8, 1]  # noqa: RUF012 - pydantic copies it
    tile_banks: Count = 1  # columns of the array that share a row of tiles; PEs that share weights
    tile_balanced: bool = False  # every row of tiles of a matrix keeps as many
    levels: LevelsName | None = None  # that weights of the layers may have; None: any
    output_keep: Keep = 1.0
    output_tile: Tile | None = None  # None: as those of the layers
    output_levels: LevelsName | None = None  # that weights of the output matrix may have
    output_layer: bool = True  # False: what leaves the last layer is the output
    output_block: BlockSize = 1
    output_inputs: Inputs = None  # of the output layer
    pad: BlockSize = 1  # least padding; models alike in it share a dense one (docs/block_search.md)
    layers: Annotated[list[LayerRecipe], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _consistent(self) -> "ModelRecipe":
        found = [*self._unreadable(), *self._output_problems()]
        if self.structure == MAGNITUDE:
            found += self._magnitude_problems()
        if not found:
            each = [self._problems(f"layers[{n}]", layer) for n, layer in enumerate(self.layers)]
            found = [problem for problems in each for problem in problems]
        if found:
            raise RecipeError(*dict.fromkeys(found))
        return self

    def _magnitude_problems(self) -> Iterator[Fault]:
        """Name what choosing single weights has no use for."""
        blocks = {layer.block_of(name) for layer in self.layers for name in self.matrices_of(layer)}
        if self.own_word > 1:
            largest = f"{max(blocks | {self.output_block})}"
            single = f'structure = "{MAGNITUDE}" chooses single weights'
            yield Setting("block", largest, single, "set every block to 1")
        given = {key: getattr(self, key) for key in ("tile", "tile_balanced", "output_tile")}
        set_ = {k: v for k, v in given.items() if v != ModelRecipe.model_fields[k].default}
        tiles = (layer.tile for layer in self.layers if layer.tile is not None)
        for key, value in [*set_.items(), *(("tile", tile) for tile in tiles)]:
            says = f'it says nothing where structure = "{MAGNITUDE}"'
            yield Setting(key, str(value), says, "remove it")

    def _output_problems(self) -> Iterator[Fault]:
        """Name levels of an output matrix that cannot have them."""
        if self.output_levels is None:
            return
        if not self.output_layer:
            absent = "there is no output layer"
            yield Setting("output_levels", self.output_levels, absent, "remove it")
        elif self.output_block > 1:
            allowed = f"levels are of blocks of 1, and output_block = {self.output_block}"
            yield Setting("output_levels", self.output_levels, allowed, "set output_block = 1")

    def _unreadable(self) -> Iterator[Fault]:
        """Name what layers cannot read, and layers that nobody reads."""
        stack = [layer.reads for layer in self.layers]
        if self.output_layer:
            stack.append(_reads(self.output_inputs))
        elif self.output_inputs is not None:
            yield Fault("output_inputs", "there is no output layer", "", "remove it")
        for index, given, allowed in problems(stack):
            yield Fault(
                f"layers[{index}]" if index < len(self.layers) else "the output layer",
                given,
                allowed,
                "" if given.startswith("reads") else "name it in inputs, or remove the layer",
            )

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
            for key in ("block", "keep"):
                own = getattr(layer, f"{key}_{matrix}")
                if matrix not in has and own is not None:
                    has_none = "the layer has no such matrix"
                    yield Setting(f"{where}.{key}_{matrix}", str(own), has_none, "remove it")
            if matrix in has and block > size:
                given = (
                    f"block size {block} of the {matrix} matrix is larger than the matrix "
                    f"({size} rows)"
                )
                yield Fault(where, given, "", f"choose at most {_largest_block(size)}")
            elif matrix in has:
                try:
                    self.structure_of(layer, matrix).check(*self._blocks(layer, matrix))
                except ShapeError as error:
                    yield from error.at(f"{where}, {matrix} matrix").faults

    def _blocks(self, layer: LayerRecipe, matrix: str) -> tuple[int, int | None]:
        """Return block rows of a matrix and its block columns; None: the features'."""
        described, block = self.cell_of(layer).matrices[matrix], layer.block_of(matrix)
        output = layer.projection or layer.hidden
        rows = output if matrix == "projection" else layer.hidden
        place = next(n for n, other in enumerate(self.layers) if other is layer)
        cols = {INPUT: self._entering(place), OUTPUT: output}.get(described.vector, layer.hidden)
        sizes = (None if size is None else -(-size // self.word) for size in (rows, cols))
        p, q = (None if size is None else size * (self.word // block) for size in sizes)
        assert p is not None
        return p * len(described.gates), q

    def _entering(self, index: int) -> int | None:
        """Return how many values enter a layer, each padded; None: the features are among them."""
        if FEATURES in self.sources(index):
            return None
        made = [self.layers[vector] for vector in self.sources(index)]
        return sum(
            self.word * -(-(layer.projection or layer.hidden) // self.word) for layer in made
        )

    def structure_of(
        self, layer: LayerRecipe | None = None, matrix: str = "", used: int | None = None
    ) -> Structure:
        """Return the structure of a matrix; blocks of 1 are dense.

        Args:
            layer: that it is of; None: the output matrix.
            matrix: its name, as `block_of` takes it.
            used: columns that are not padding; None: all.
        """
        block = layer.block_of(matrix) if layer else self.output_block
        by_magnitude = self.structure == MAGNITUDE
        named = self.structure or ("scaled" if self.input_scale else "circulant")
        inner = structure_named("dense" if by_magnitude else named, block)
        keep: float = self.output_keep
        gates: tuple[int, ...] = (1,)
        if layer:
            own = layer.keep_of(matrix)
            keep = self.keep if own is None else own
            gates = self.cell_of(layer).gates_by_product(self.options_of(layer), matrix)
        if keep < 1 and by_magnitude:
            inner = Magnitude(1, inner, Balance(keep, self.tile_banks, sum(gates), used))
        elif keep < 1:
            rows, columns = (layer.tile if layer else self.output_tile) or self.tile
            tiling = Tiling(
                keep,
                rows,
                columns,
                banks=self.tile_banks,
                balanced=self.tile_balanced,
                gates=gates,
                subs=self.word // block,
                used=None if used is None else -(-used // block),
            )
            inner = Tiled(block, inner, tiling)
        levels = (layer.levels or self.levels) if layer else self.output_levels
        return Levels(block, inner, levels) if levels else inner

    @property
    def tiled(self) -> bool:
        """Whether a matrix keeps only some of its tiles, or of its weights."""
        own = (
            layer.keep_of(name) or self.keep
            for layer in self.layers
            for name in self.matrices_of(layer)
        )
        return min(self.output_keep if self.output_layer else 1.0, *own) < 1

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

    def sources(self, index: int) -> Reads:
        """Return the vectors that layer ``index`` reads; the output layer is behind the others."""
        own = self.layers[index].reads if index < len(self.layers) else _reads(self.output_inputs)
        return sources(own, index)

    @property
    def word(self) -> int:
        """Every vector is padded to a multiple of it: the largest block size, or `pad`."""
        return max(self.pad, self.own_word)

    @property
    def own_word(self) -> int:
        """The largest block size."""
        blocks = [layer.block_of(name) for layer in self.layers for name in self.matrices_of(layer)]
        return max(self.output_block if self.output_layer else 1, *blocks)

    def dense(self) -> "ModelRecipe":
        """Return what the dense phase depends on: of the block sizes only the padding."""
        own = dict.fromkeys(f"{key}_{name}" for key in ("block", "keep") for name in MATRICES)
        dense = {"block": 1, "keep": None, "tile": None, "levels": None, **own}
        layers = [layer.model_copy(update=dense) for layer in self.layers]
        alike = {
            "layers": layers,
            "pad": self.word,
            "output_block": 1,
            "input_scale": False,
            "structure": None,
        }
        tiles = ("tile", "tile_banks", "tile_balanced", "output_tile")
        keys = ("keep", "output_keep", "levels", "output_levels", *tiles)
        every = {name: ModelRecipe.model_fields[name].default for name in keys}
        return self.model_copy(update={**alike, **every})

    def matrices_of(self, layer: LayerRecipe) -> list[str]:
        """Return the names of the matrices that a layer has, as `block_of` takes them."""
        return list(self.cell_of(layer).matrices_of(self.options_of(layer)))


def _largest_block(size: int) -> int:
    return max(block for block in BLOCK_SIZES if block <= size)
