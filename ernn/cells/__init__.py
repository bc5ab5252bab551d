"""The cells, one file each; `CELLS` has those that a layer can be, by name."""

from ernn.cells.dense import DENSE, OUTPUT_LAYER
from ernn.cells.gru_after import GRU_AFTER
from ernn.cells.gru_before import GRU_BEFORE
from ernn.cells.lstm import LSTM
from ernn.cells.mgu import MGU
from ernn.cells.rnn import RNN
from ernn.errors import ShapeError
from ernn.graphs.cell import Cell

CELLS: dict[str, Cell] = {
    cell.name: cell for cell in (LSTM, GRU_BEFORE, GRU_AFTER, MGU, RNN, DENSE)
}
CALLED = tuple(dict.fromkeys(cell.called for cell in CELLS.values()))  # what a recipe may say
_ALL = {**CELLS, OUTPUT_LAYER.name: OUTPUT_LAYER}


def cell_named(name: str) -> Cell:
    """Return a cell by name, the output layer's among them.

    Raises:
        ShapeError: there is no such cell.
    """
    cell = _ALL.get(name)
    if cell is None:
        remedy = f"choose one of {', '.join(CELLS)}"
        raise ShapeError(f"cell {name!r} is not known", remedy=remedy)
    return cell


def cell_called(name: str, reset: str) -> Cell:
    """Return the cell of a recipe.

    Args:
        name: one of `CALLED`.
        reset: "before" or "after" the product, which tells cells of one name apart.
    """
    return next(c for c in CELLS.values() if c.called == name and c.reset in ("", reset))
