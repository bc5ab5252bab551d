"""The golden arithmetic, fast: what ernn.quant.integer_arithmetic computes, bit for bit."""

import numpy as np

from ernn.quant import compiled
from ernn.quant.integer_arithmetic import IntegerArithmetic
from ernn.quant.network import forward, inverse
from ernn.quant.parameters import IntegerLayer, IntegerParameters
from ernn.quant.products import Product, Segment


class CompiledArithmetic(IntegerArithmetic):
    """Whole numbers in float64, transforms and cells compiled; see ernn.quant.compiled."""

    dtype = np.float64

    def __init__(self, model: IntegerParameters) -> None:
        super().__init__(model)
        self.rules = compiled.Rules(model)
        self.peepholes = {
            id(layer): np.zeros((3, layer.hidden))
            if layer.peepholes is None
            else layer.peepholes.astype(np.float64)
            for layer in model.layers
        }
        self.biases = {
            (product.layer, product.name): product.bias.astype(np.float64)
            for product in model.products
        }

    def scaled(self, product: Product, segment: Segment, vector: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.scale_vector`."""
        if segment.scale is None or segment.scale_format is None:
            return vector
        layer = self.layers[min(product.layer, len(self.layers) - 1)]
        source = layer.vectors[segment.vector].frac_bits + segment.scale_format.frac_bits
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
        compiled.finish(
            compiled.code_of(inverse, k, model.twiddle_bits),
            blocks,
            compiled.move(model.inverse_input, acc_frac),
            compiled.move(model.row, model.row.frac_bits + k.bit_length() - 1),
            self.biases[product.layer, product.name].reshape(-1, k),
            result,
        )
        return result.reshape(*acc.shape[1:-1], -1)

    def add_rows(self, row_h: np.ndarray, row_x: np.ndarray) -> np.ndarray:
        """See `ernn.quant.cells.add_rows`."""
        row = np.empty(row_h.shape)
        compiled.add_rows(self.rules.add_rows, row_h.ravel(), row_x.ravel(), row.ravel())
        return row

    def lstm_step(
        self, layer: IntegerLayer, rows: np.ndarray, state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `ernn.quant.cells.lstm_step`."""
        step, new_state, output = self.rules.step, np.empty(state.shape), np.empty(state.shape)
        squash_g = self.rules.tanh if layer.cell_activation == "tanh" else self.rules.sigmoid
        peepholes = self.peepholes[id(layer)]
        compiled.lstm_step(step, rows, state, peepholes, squash_g, new_state, output)
        return new_state, output

    def gru_gates(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `ernn.quant.cells.gru_gates`."""
        batch, hidden = len(rows), rows.shape[1] // 2
        z, r = np.empty((batch, hidden)), np.empty((batch, hidden))
        compiled.gru_gates(self.rules.sigmoid, rows, z, r)
        return z, r

    def gru_reset_step(self, r: np.ndarray, state: np.ndarray) -> np.ndarray:
        """See `ernn.quant.cells.gru_reset_step`."""
        vector = np.empty(state.shape)
        compiled.gru_reset_step(self.rules.reset, r.ravel(), state.ravel(), vector.ravel())
        return vector

    def gru_candidate_row(
        self, row_nx: np.ndarray, row_nh: np.ndarray, r: np.ndarray
    ) -> np.ndarray:
        """See `ernn.quant.cells.gru_candidate_row`."""
        row = np.empty(r.shape)
        compiled.gru_candidate_row(
            self.rules.candidate, row_nx.ravel(), row_nh.ravel(), r.ravel(), row.ravel()
        )
        return row

    def gru_update_step(
        self, row_n: np.ndarray, z: np.ndarray, state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `ernn.quant.cells.gru_update_step`."""
        new_state, vector = np.empty(state.shape), np.empty(state.shape)
        compiled.gru_update_step(
            self.rules.update,
            row_n.ravel(),
            z.ravel(),
            state.ravel(),
            new_state.ravel(),
            vector.ravel(),
        )
        return new_state, vector

    def project(self, layer: IntegerLayer, row: np.ndarray) -> np.ndarray:
        """See `ernn.quant.integer_arithmetic.IntegerArithmetic.project`."""
        to = compiled.move(layer.vectors["h"], self.model.row.frac_bits)
        result = np.empty(row.shape)
        compiled.requantize(row, np.ones(row.shape[1]), to, result)
        return result
