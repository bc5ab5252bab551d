"""The weights of an integer model as dense matrices that gradients reach the float weights through.

A generator block is transformed, its spectrum replaced by the rounded one, and written out as
the dense matrix that this spectrum stands for: three linear maps and one replacement.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ernn.circulant import expand
from ernn.compressed import GATES
from ernn.finetune.straight_through import Exact
from ernn.quant.integer_model import IntegerModel
from ernn.quant.products import Product, Segment
from ernn.quant.program import FloatSegment, gate_slice
from ernn.quant.quantize import packed


class Weights:
    """Every constant of an integer model, each with a gradient to the float model's.

    Products are named as in ernn.quant.program; the halves of a pair count as one.
    """

    def __init__(self, model: IntegerModel, floats: Mapping[str, Tensor]) -> None:
        """Take the rounded weights and the float weights (names of CompressedModel.tensors)."""
        self.model, self.floats = model, floats
        self.matrices: dict[tuple[int, str, str], Tensor] = {}  # (columns, rows)
        self.biases: dict[tuple[int, str], Tensor] = {}
        for product in model.products:
            stem = product.name.removesuffix("_x").removesuffix("_h")
            for segment in product.segments:
                key = (product.layer, stem, segment.vector)
                self.matrices[key] = self._matrix(product, segment).t()
            bias = self._bias(product)
            if bias is not None:
                self.biases[product.layer, stem] = bias

    def peepholes(self, layer: int) -> Tensor | None:
        """Return (3, H), or None where the layer has none."""
        raw = self.model.layers[layer].peepholes
        if raw is None:
            return None
        computed = self.floats[f"layer{layer}.peepholes"]
        return Exact(raw, self.model.peephole, computed).replace(computed)

    def _matrix(self, product: Product, segment: Segment) -> Tensor:
        """Return the dense matrix (rows, columns) of a segment, input scale included."""
        name = self._matrix_name(product, segment)
        generators = self.floats[f"{name}.generators"]
        if segment.matrix not in ("projection", "output"):
            layer = self.model.layers[product.layer]
            stacked, size = GATES[layer.cell][segment.matrix], layer.hidden // product.block
            generators = generators[gate_slice(stacked, product.gates, size)]
        forward, dense = (torch.as_tensor(m).to(generators) for m in _maps(product.block))
        exact = Exact(segment.spectra, product.weight, generators)
        spectra = exact.replace(generators @ forward)
        p, q, k = spectra.shape
        blocks = (spectra.reshape(p * q, k) @ dense).reshape(p, q, k, k)
        matrix = blocks.transpose(1, 2).reshape(p * k, q * k)
        if segment.scale is None or segment.scale_format is None:
            return matrix
        scale = self.floats[f"{name}.scale"]
        return matrix * Exact(segment.scale, segment.scale_format, scale).replace(scale)

    def _matrix_name(self, product: Product, segment: Segment) -> str:
        return "output" if segment.matrix == "output" else f"layer{product.layer}.{segment.matrix}"

    def _bias(self, product: Product) -> Tensor | None:
        """Return the bias (rows,), or None where the product has no trained one."""
        if product.name == "projection" or product.name.endswith("_x"):
            return None
        if product.name == "logits":
            computed = self.floats["output.bias"]
        elif product.name == "nh":
            computed = self.floats[f"layer{product.layer}.candidate_bias"]
        else:
            layer = self.model.layers[product.layer]
            rows = gate_slice(GATES[layer.cell]["input"], product.gates, layer.hidden)
            computed = self.floats[f"layer{product.layer}.bias"][rows]
        return Exact(product.bias, self.model.row, computed).replace(computed)


@lru_cache
def _maps(block: int) -> tuple[np.ndarray, np.ndarray]:
    """Return generator -> packed spectrum (k, k), and packed spectrum -> dense block (k, k*k)."""
    units = np.eye(block)[None]  # every generator with a single 1
    forward = packed(FloatSegment("x", "input", units, None))[0]
    generators = np.linalg.inv(forward)  # of every spectrum with a single 1
    return forward, np.stack([expand(one[None, None]).ravel() for one in generators])
