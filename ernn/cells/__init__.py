"""The cells, one file each; `CELLS` has them by name."""

from ernn.cells.gru_after import GRU_AFTER
from ernn.cells.gru_before import GRU_BEFORE
from ernn.cells.lstm import LSTM
from ernn.graphs.cell import Cell

CELLS: dict[str, Cell] = {cell.name: cell for cell in (LSTM, GRU_BEFORE, GRU_AFTER)}
