"""The golden arithmetic, fast: what ernn.quant.integer_arithmetic computes, bit for bit."""

from collections.abc import Sequence
from math import prod

import numpy as np

from ernn.graphs.cell import OUTPUT, Region
from ernn.graphs.fourier import forward, inverse
from ernn.quant import compiled, interpreter
from ernn.quant.integer_arithmetic import IntegerArithmetic
from ernn.quant.operations import formats, named_parameters
from ernn.quant.parameters import IntegerLayer, IntegerParameters
from ernn.quant.products import Product, Segment


class CompiledArithmetic(IntegerArithmetic):
    """Whole numbers in float64, transforms and operations compiled; see ernn.quant.compiled."""

    dtype = np.float64

    def __init__(self, model: IntegerParameters) -> None:
        super().__init__(model)
        tables = np.stack([compiled.table(getattr(model, name)) for name in compiled.FUNCTIONS])
        self.codes = [_LayerCode(model, layer, tables) for layer in self.stack]
        self.biases = {
            (product.layer, product.name): product.bias.astype(np.float64)
            for product in model.products
        }

    def scaled(self, product: Product, segment: Segment, vector: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.scale_vector`."""
        if segment.scale is None or segment.scale_format is None:
            return vector
        form = self.stack[product.layer].vectors[segment.vector]
        source = form.frac_bits + segment.scale_format.frac_bits
        to = compiled.move(segment.scaled, source)
        factors, result = segment.scale.astype(np.float64), np.empty(vector.shape)
        size = vector.shape[-1]
        compiled.requantize(vector.reshape(-1, size), factors, to, result.reshape(-1, size))
        return result

    def spectra(self, segment: Segment, scaled: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.transform`."""
        k = segment.spectra.shape[2]
        blocks = scaled.reshape(-1, k)
        result = np.empty((k, len(blocks)))
        compiled.transform(compiled.code_of(forward, k, self.model.twiddle_bits), blocks, result)
        return result.reshape(k, *scaled.shape[:-1], -1)

    def rows(self, product: Product, acc: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.finish`."""
        model, k = self.model, product.block
        acc_frac = product.segments[0].scaled.frac_bits + product.weight.frac_bits
        blocks = np.ascontiguousarray(acc).reshape(k, -1)
        result = np.empty((blocks.shape[1], k))
        bias = self.biases[product.layer, product.name].reshape(-1, k)
        enter, units = compiled.move(model.inverse_input, acc_frac), np.ones(len(bias))
        if product.shifts is not None:  # half changes no number that is whole already
            enter, units = enter._replace(half=0.5), np.exp2(-product.shifts)
        compiled.finish(
            compiled.code_of(inverse, k, model.twiddle_bits),
            blocks,
            units,
            enter,
            compiled.move(model.row, model.row.frac_bits + k.bit_length() - 1),
            bias,
            result,
        )
        return result.reshape(*acc.shape[1:-1], -1)

    def add_rows(self, row_h: np.ndarray, row_x: np.ndarray) -> np.ndarray:
        """See `ernn.quant.integer_arithmetic.IntegerArithmetic.add_rows`."""
        row, to = np.empty(row_h.shape), compiled.move(self.model.row, self.model.row.frac_bits)
        compiled.add_rows(to, row_h.reshape(-1), row_x.reshape(-1), row.reshape(-1))
        return row

    def elements(self, layer: int, lead: tuple[int, ...]) -> interpreter.Elements:
        """Return the element-wise values of a layer."""
        return CompiledElements(self.codes[layer], lead)


class _LayerCode:
    """Where the values of a layer are, and its regions as tables."""

    def __init__(self, model: IntegerParameters, layer: IntegerLayer, tables: np.ndarray) -> None:
        cell, options = layer.kind, layer.options
        found = formats(model, layer)
        self.line = {name: index for index, name in enumerate(["", *found])}
        self.parameters = named_parameters(layer)
        self.regions = {
            region.unit: compiled.region_code(region, cell.signals, found, self.line, tables)
            for region in cell.regions(options)
        }
        self.size = dict.fromkeys(found, layer.hidden)
        if options.projection:
            self.size |= dict.fromkeys(("row_y", OUTPUT), layer.output)


class CompiledElements:
    """The element-wise values of one layer as lines of one array; see `ernn.quant.interpreter`."""

    def __init__(self, code: _LayerCode, lead: tuple[int, ...]) -> None:
        """Make room for values (*lead, size)."""
        self.code, self.lead, self.count = code, lead, prod(lead)
        self.values = np.zeros((len(code.line), self.count * max(code.size.values())))
        for name, value in code.parameters.items():
            self.get(name)[:] = value

    def put(self, names: Sequence[str], values: np.ndarray) -> None:
        """Take values that lie side by side, (..., names * size)."""
        for name, part in zip(names, np.split(values, len(names), axis=-1), strict=True):
            self.get(name)[:] = part

    def run(self, region: Region) -> None:
        """Compute what a region makes."""
        count = self.count * self.code.size[region.nodes[-1].out]
        compiled.operate(self.code.regions[region.unit], self.values, count)

    def get(self, name: str) -> np.ndarray:
        """Return a value (..., size)."""
        size = self.code.size[name]
        return self.values[self.code.line[name], : self.count * size].reshape(*self.lead, size)
