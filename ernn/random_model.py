"""Random models, for tests and benchmarks of what does not depend on training."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ernn.compressed import (
    GATES,
    CellKind,
    CirculantMatrix,
    CompressedLayer,
    CompressedModel,
    padded,
)


def random_model(
    rng: np.random.Generator,
    cell: CellKind = "lstm",
    hidden: int = 12,
    layers: int = 1,
    blocks: int | Mapping[str, int] = 4,
    features: int = 7,
    labels: int = 5,
    projection: int = 0,
    peepholes: bool = True,
    cell_activation: Literal["tanh", "sigmoid"] = "tanh",
    scales: bool = True,
) -> CompressedModel:
    """Return a model with weights of a trained model's size.

    Args:
        rng: source of every number.
        cell: of all layers.
        hidden: cells of a layer before padding.
        layers: how many.
        blocks: block size of all matrices, or by name: "input", "recurrent", "candidate",
            "projection", "output" (absent: 1).
        features: values per frame before padding.
        labels: outputs before padding; 0: no output layer.
        projection: LSTM only; 0: none.
        peepholes: LSTM only.
        cell_activation: LSTM only, of g.
        scales: whether every block-circulant matrix has an input scale.
    """
    names = (*GATES[cell], "output")
    block = blocks if isinstance(blocks, Mapping) else dict.fromkeys(names, blocks)
    used = [n for n in names if n != "projection" or projection]
    word = max(block.get(n, 1) for n in used if n != "output" or labels)
    size, built = padded(features, word), []
    cells, projected = padded(hidden, word), padded(projection, word)

    def matrix(name: str, rows: int, cols: int) -> CirculantMatrix:
        k = block.get(name, 1)
        generators = rng.normal(0, 1.5 / np.sqrt(cols), (rows // k, cols // k, k))
        scale = rng.uniform(0.3, 1.7, cols) if scales and k > 1 else None
        return CirculantMatrix(generators, scale)

    for _ in range(layers):
        output = projected or cells
        columns = {"input": size, "recurrent": output, "candidate": cells, "projection": cells}
        matrices = {
            name: matrix(
                name, output if name == "projection" else len(gates) * cells, columns[name]
            )
            for name, gates in GATES[cell].items()
            if name in used
        }
        built.append(
            CompressedLayer(
                cell=cell,
                hidden=cells,
                matrices=matrices,
                bias=rng.normal(0, 0.5, len(GATES[cell]["input"]) * cells),
                peepholes=rng.normal(0, 0.3, (3, cells)) if cell == "lstm" and peepholes else None,
                candidate_bias=rng.normal(0, 0.5, cells) if cell == "gru_after" else None,
                cell_activation=cell_activation,
            )
        )
        size = output
    rows = padded(labels, word)
    return CompressedModel(
        features=features,
        layers=tuple(built),
        output=matrix("output", rows, size) if labels else None,
        output_bias=rng.normal(0, 0.5, rows) if labels else None,
        labels=labels,
    )
