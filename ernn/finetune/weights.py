"""The weights of an integer model as dense matrices that gradients reach the float weights through.

A generator block is transformed, its spectrum replaced by the rounded one, and written out as
the dense matrix that this spectrum stands for: three linear maps and one replacement.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ernn.cells import OUTPUT_LAYER
from ernn.circulant import expand, packed
from ernn.compressed import StructuredMatrix
from ernn.finetune.straight_through import Exact
from ernn.fixed import QFormat
from ernn.quant.integer_model import IntegerModel
from ernn.quant.products import Product, Segment
from ernn.quant.program import gate_slice, signal, stem


class Weights:
    """Every constant of an integer model, each with a gradient to the float model's.

    Products are named as in ernn.quant.program; the halves of a pair count as one.
    """

    def __init__(
        self,
        model: IntegerModel,
        floats: Mapping[str, Tensor],
        matrices: Mapping[str, StructuredMatrix],
    ) -> None:
        """Take the rounded weights and the float ones.

        Args:
            model: the integer model.
            floats: by the names of `CompressedModel.tensors`.
            matrices: for their structures, by the names of `CompressedModel.matrices`.
        """
        self.model, self.floats, self.structures = model, floats, matrices
        self.matrices: dict[tuple[int, str, str], Tensor] = {}  # (columns, rows)
        self.biases: dict[tuple[int, str], Tensor] = {}
        for product in model.products:
            for segment in product.segments:
                key = (product.layer, stem(product.name), segment.vector)
                self.matrices[key] = self._matrix(product, segment).t()
            bias = self._bias(product)
            if bias is not None:
                self.biases[product.layer, stem(product.name)] = bias

    def parameters(self, layer: int) -> dict[str, Tensor]:
        """Return the constants (H,) that operations read, by the names that they use."""
        own = self.model.stack[layer]
        found: dict[str, Tensor] = {}
        for name, raw in own.parameters.items():
            computed, values = self.floats[f"layer{layer}.{name}"], own.kind.parameters[name].values
            exact = Exact(raw, self.model.peephole, computed).replace(computed)
            found |= zip(values, exact.reshape(len(values), -1), strict=True)
        return found

    def _matrix(self, product: Product, segment: Segment) -> Tensor:
        """Return the dense matrix (rows, columns) of a segment, input scale included."""
        cell = self.model.stack[product.layer].kind
        name = signal(cell, product.layer, segment.matrix)
        structure = self.structures[name].kind
        factors = {factor: self.floats[f"{name}.{factor}"] for factor in structure.axes}
        generators = structure.generators(factors)
        stacked = cell.matrices[segment.matrix].gates
        generators = generators[gate_slice(stacked, product.gates, len(generators))]
        dense = torch.as_tensor(_blocks(product.block)).to(generators)
        shifts = np.zeros(1) if product.shifts is None else product.shifts
        units = np.exp2(-shifts)[:, None, None]  # of the weights of each block row
        form = product.weight
        if product.levels:  # the outer levels are no numbers that saturated
            form = QFormat(form.int_bits + 1, form.frac_bits)
        exact = Exact(segment.spectra, form, generators, units)
        spectra = exact.replace(packed(generators))
        p, q, k = spectra.shape
        blocks = (spectra.reshape(p * q, k) @ dense).reshape(p, q, k, k)
        matrix = blocks.transpose(1, 2).reshape(p * k, q * k)
        if segment.scale is None or segment.scale_format is None:
            return matrix
        scale = structure.scale(factors)
        return matrix * Exact(segment.scale, segment.scale_format, scale).replace(scale)

    def _bias(self, product: Product) -> Tensor | None:
        """Return the bias (rows,), or None where the product has no trained one."""
        layer, where = self.model.stack[product.layer], self._where(product.layer)
        (name,) = (
            m.bias for m in layer.kind.products(layer.options) if m.name == stem(product.name)
        )
        if name is None or product.name.endswith("_x"):
            return None
        computed = self.floats[f"{where}.{name}"]
        if name == "bias":
            computed = computed[gate_slice(layer.kind.gates, product.gates, len(computed))]
        return Exact(product.bias, self.model.row, computed).replace(computed)

    def _where(self, layer: int) -> str:
        return "output" if self.model.stack[layer].kind is OUTPUT_LAYER else f"layer{layer}"


@lru_cache
def _blocks(block: int) -> np.ndarray:
    """Return what turns a packed spectrum into its dense block: (k, k * k)."""
    generators = np.linalg.inv(packed(np.eye(block)))  # of every spectrum with a single 1
    return np.stack([expand(one[None, None]).ravel() for one in generators])
