"""AcousticModel: stacked recurrent layers and an output layer to phones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ernn.compressed import CompressedModel, StructuredMatrix, circulant_matrix, padded
from ernn.errors import Fault, ModelFileError, ShapeError
from ernn.graphs.reads import FEATURES, Reads
from ernn.recipe import ModelRecipe
from ernn.train import cells
from ernn.train.checkpoint import load_tensors, save_tensors
from ernn.train.linear import StructuredLinear, as_array, fill

FILE_FORMAT = "ernn-acoustic-1"


class AcousticModel(nn.Module):
    """Frames in, one score per phone and frame out.

    Every vector is padded here, and only here, to a multiple of the model's word: inputs with
    zeros, layers with cells like any other, outputs with rows that are dropped.
    """

    def __init__(self, recipe: ModelRecipe, features: int, labels: int, seed: int = 0) -> None:
        """Build the model that a recipe describes, with random weights.

        Args:
            recipe: cell, layers, block sizes.
            features: F, values per frame.
            labels: number of phones.
            seed: of the random weights.
        """
        super().__init__()
        self.features, self.labels, self.recipe = features, labels, recipe
        self.inputs = padded(features, recipe.word)
        self.layers: list[cells.Layer] = []
        for index, layer in enumerate(recipe.layers):
            used = features if recipe.sources(index) == (FEATURES,) else None
            self.layers.append(cells.build(recipe, layer, self._entering(index), used))
            self.add_module(f"layer{index}", self.layers[-1])
        self.output: StructuredLinear | None = None
        self.output_bias: nn.Parameter | None = None
        if recipe.output_layer:
            rows, size = padded(labels, recipe.word), self._entering(len(self.layers))
            self.output = StructuredLinear(rows, size, recipe.structure_of())
            self.output_bias = nn.Parameter(torch.empty(rows))
        elif padded(labels, recipe.word) != self.layers[-1].output:
            raise ShapeError(
                f"{labels} outputs of a last layer of {self.layers[-1].output} values",
                remedy="give the model an output layer ([model] output_layer = true), or as many "
                "targets as its last layer has values",
            )
        self.reset(seed)

    def _sizes(self, index: int) -> list[int]:
        """Return the sizes of the vectors that layer ``index`` reads, the output layer behind."""
        vectors = self.recipe.sources(index)
        return [self.inputs if n == FEATURES else self.layers[n].output for n in vectors]

    def _entering(self, index: int) -> int:
        return sum(self._sizes(index))

    @torch.no_grad()
    def reset(self, seed: int) -> None:
        """Draw new weights in whatever form the model is in (dense or constrained)."""
        generator = torch.Generator().manual_seed(seed)
        for layer in self.layers:
            layer.reset(generator)
        if self.output is not None and self.output_bias is not None:
            self.output.reset(generator)
            self.output_bias.zero_()

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, F) -> (B, T, labels), starting each sequence from a state of zeros.

        Raises:
            ShapeError: the frames have another number of features than the model.
        """
        if frames.shape[-1] != self.features:
            raise ShapeError(
                f"frames of {frames.shape[-1]} features were given to a model of {self.features}",
                remedy="make the features as the model's recipe says",
            )
        frames = nn.functional.pad(frames, (0, self.inputs - self.features))
        made = {FEATURES: frames.transpose(0, 1)}  # vectors (T, B, X)
        for index, layer in enumerate(self.layers):
            made[index] = layer(self._read(made, index))
        hidden = made[len(self.layers) - 1]
        if self.output is not None:
            hidden = self.output(self._read(made, len(self.layers))) + self.output_bias
        return hidden[..., : self.labels].transpose(0, 1)

    def _read(self, made: dict[int, Tensor], index: int) -> Tensor:
        vectors = [made[vector] for vector in self.recipe.sources(index)]
        return vectors[0] if len(vectors) == 1 else torch.cat(vectors, -1)

    @torch.no_grad()
    def predict(self, utterances: list[np.ndarray], batch: int = 64) -> list[np.ndarray]:
        """Return the scores (T, labels) for the features (T, F) of each utterance."""
        outputs: list[np.ndarray] = [np.empty(0)] * len(utterances)
        like = next(self.parameters())
        order = sorted(range(len(utterances)), key=lambda index: len(utterances[index]))
        for first in range(0, len(order), batch):
            chosen = order[first : first + batch]  # of like length, so that little is padding
            frames = [torch.from_numpy(utterances[i]) for i in chosen]
            together = nn.utils.rnn.pad_sequence(frames, batch_first=True).to(like)
            for index, scores in zip(chosen, self(together).cpu().numpy(), strict=True):
                outputs[index] = scores[: len(utterances[index])]
        return outputs

    def matrices(self) -> dict[str, StructuredLinear]:
        """Return every weight matrix by name: ``"layer0.input"`` ... ``"output"``."""
        named = {
            f"layer{index}.{name}": matrix
            for index, layer in enumerate(self.layers)
            for name, matrix in layer.matrices.items()
        }
        return named if self.output is None else {**named, "output": self.output}

    def constrain(self) -> None:
        """Project every matrix onto its structure; it is held by its generators from now on."""
        for matrix in self.matrices().values():
            matrix.constrain()

    def use_fft(self, fft: bool) -> None:
        """Multiply in the transformed domain, as the hardware does, or as is faster (default)."""
        for matrix in self.matrices().values():
            matrix.fft = fft

    def export(self, meta: dict[str, str] | None = None) -> CompressedModel:
        """Return the compressed model; matrices that are still dense are projected.

        It is padded for its own block sizes only: what the recipe's `pad` adds to them in features
        and labels is always multiplied by zero or dropped.
        """
        word = max(matrix.block for matrix in self.matrices().values())
        features, labels = padded(self.features, word), padded(self.labels, word)
        layers = []
        for index, layer in enumerate(self.layers):
            made = layer.export()
            entering = self._without_padding(made.matrices["input"], index, features)
            matrices = {**made.matrices, "input": entering}
            layers.append(replace(made, matrices=matrices, reads=self._reads(index)))
        output = None
        if self.output is not None:
            output = self._without_padding(self.output.export(), len(layers), features)
            output = output.cut(rows=labels)
        return CompressedModel(
            features=self.features,
            layers=tuple(layers),
            output=output,
            output_bias=None if self.output_bias is None else as_array(self.output_bias)[:labels],
            labels=self.labels,
            meta=meta or {},
            output_reads=self._reads(len(layers)) if output else (),
        )

    def _reads(self, index: int) -> Reads:
        found = self.recipe.sources(index)
        return () if found == (index - 1,) else found

    def _without_padding(
        self, matrix: StructuredMatrix, index: int, features: int
    ) -> StructuredMatrix:
        """Return a layer's matrix for so many features, which are the first that it reads."""
        reading = self.recipe.sources(index)[0] == FEATURES
        return matrix.without(features, self.inputs) if reading else matrix

    @torch.no_grad()
    def take(self, model: CompressedModel) -> None:
        """Take the weights of a dense model of the same layers without padding: an imported one."""
        for index, (layer, given) in enumerate(zip(self.layers, model.layers, strict=True)):
            entering = self._spread(given.matrices["input"], model, index)
            layer.take(replace(given, matrices={**given.matrices, "input": entering}))
        if self.output is not None and model.output is not None:
            self.output.take(self._spread(model.output, model, len(self.layers)).dense())
            fill(self.output_bias, model.output_bias)

    def _spread(
        self, matrix: StructuredMatrix, model: CompressedModel, index: int
    ) -> StructuredMatrix:
        """Return a layer's dense matrix with each vector that it reads padded as it is here."""
        given = [model.size(vector) for vector in model.sources(index)]
        parts = np.split(matrix.dense(), np.cumsum(given)[:-1], axis=1)
        wide = [
            np.pad(part, ((0, 0), (0, size - part.shape[1])))
            for part, size in zip(parts, self._sizes(index), strict=True)
        ]
        return circulant_matrix(np.concatenate(wide, 1)[..., None])

    def save(self, path: Path) -> None:
        """Write the weights, dense or constrained, as safetensors."""
        save_tensors(path, self.state_dict(), {"format": FILE_FORMAT})

    def load(self, path: Path) -> None:
        """Take the weights from a file that `save` wrote for the same recipe.

        Raises:
            ModelFileError: the file is damaged, foreign, or of a model of another shape.
        """
        tensors, _ = load_tensors(path, FILE_FORMAT)
        matrices = self.matrices().items()
        factors = {f"{name}.{factor}" for name, one in matrices for factor in one.structure.axes}
        if factors & set(tensors):
            self.constrain()
        try:
            self.load_state_dict(tensors)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            told = Fault(f"{path} is of a model of another shape", reason)
            raise ModelFileError(told) from None
        if not all(tensor.isfinite().all() for tensor in tensors.values()):
            what = f"{path} holds NaN or infinite weights"
            raise ModelFileError(what, remedy="train the model again")
