"""The section of the model: cell, layers, block sizes."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ernn.recipe.section import Count, Section

BLOCK_SIZES = (1, 2, 4, 8, 16, 32)
MATRICES = ("input", "recurrent", "candidate", "projection")  # that a layer can have

BlockSize = Literal[1, 2, 4, 8, 16, 32]


class LayerRecipe(Section):
    """One recurrent layer; a block size of 1 means an ordinary dense matrix."""

    hidden: Count
    projection: Annotated[int, Field(ge=0, le=1_000_000)] = 0  # LSTM only; 0: none
    block: BlockSize = 8  # of every matrix of the layer that names none of its own
    block_input: BlockSize | None = None
    block_recurrent: BlockSize | None = None
    block_candidate: BlockSize | None = None  # GRU with reset = "before" only
    block_projection: BlockSize | None = None  # LSTM with projection only

    def block_of(self, matrix: str) -> int:
        """Return the block size of ``"input" | "recurrent" | "candidate" | "projection"``."""
        own = getattr(self, f"block_{matrix}")
        return self.block if own is None else own


class ModelRecipe(Section):
    """The acoustic model: equations in docs/algorithm.md."""

    cell: Literal["lstm", "gru"]
    peepholes: bool = True  # LSTM
    cell_activation: Literal["tanh", "sigmoid"] = "tanh"  # LSTM: activation of g
    reset: Literal["before", "after"] = "before"  # GRU: r times h before (paper) or after (torch)
    input_scale: bool = True  # a learned scale per input of each block-circulant matrix
    output_block: BlockSize = 1
    pad: BlockSize = 1  # least padding: models that share it share a dense model (docs/search.md)
    layers: Annotated[list[LayerRecipe], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _consistent(self) -> "ModelRecipe":
        problems = []
        for index, layer in enumerate(self.layers):
            where = f"layers[{index}]"
            if self.cell == "gru" and layer.projection:
                problems.append(
                    f"{where}.projection = {layer.projection}: only an LSTM has one; remove it"
                )
            has = self.matrices_of(layer)
            for matrix in MATRICES:
                block, size = layer.block_of(matrix), layer.hidden
                if matrix == "projection":
                    size = layer.projection
                if matrix not in has and getattr(layer, f"block_{matrix}") is not None:
                    problems.append(
                        f"{where}.block_{matrix} = {block}: the layer has no such matrix; remove it"
                    )
                if matrix in has and block > size:
                    problems.append(
                        f"{where}: block size {block} of the {matrix} matrix is larger than the "
                        f"matrix ({size} rows); choose at most {_largest_block(size)}"
                    )
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return self

    @property
    def word(self) -> int:
        """Every vector is padded to a multiple of it: the largest block size, or `pad`."""
        blocks = [layer.block_of(name) for layer in self.layers for name in self.matrices_of(layer)]
        return max(self.pad, self.output_block, *blocks)

    def dense(self) -> "ModelRecipe":
        """Return what the dense phase depends on: of the block sizes only the padding."""
        own = dict.fromkeys(f"block_{name}" for name in MATRICES)
        layers = [layer.model_copy(update={"block": 1, **own}) for layer in self.layers]
        alike = {"layers": layers, "pad": self.word, "output_block": 1, "input_scale": False}
        return self.model_copy(update=alike)

    def matrices_of(self, layer: LayerRecipe) -> list[str]:
        """Return the names of the matrices that a layer has, as `block_of` takes them."""
        names = ["input", "recurrent"]
        if self.cell == "gru" and self.reset == "before":
            names.append("candidate")
        if self.cell == "lstm" and layer.projection:
            names.append("projection")
        return names


def _largest_block(size: int) -> int:
    return max(block for block in BLOCK_SIZES if block <= size)
