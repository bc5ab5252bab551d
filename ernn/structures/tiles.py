"""Any structure of which only some tiles have weights: the rest is neither stored nor visited.

A tile is a few block rows by a few block columns. Rows count in the order in which the array makes
them (`ernn.hw.steps.by_rows`): output words first, the gates of each word side by side. So a tile
of as many rows as a pass makes is a part of one pass.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ernn import circulant
from ernn.errors import ShapeError
from ernn.structures.structure import Factors, Structure

MASK = "present"  # the factor: 1 for the blocks (p, q) that have weights, else 0
REPEATS = 10  # at most, of choosing tiles and refitting what the kept ones share


@dataclass(frozen=True)
class Choice(ABC):
    """Which blocks of a matrix are kept."""

    keep: float = 1.0  # share of what there is to choose from

    @abstractmethod
    def choose(self, energy: np.ndarray) -> np.ndarray:
        """Return 1 for the blocks (p, q) that are kept, else 0, of each block's energy (p, q)."""

    def check(self, p: int, q: int | None) -> None:  # noqa: B027 - most have nothing to refuse
        """Refuse a matrix of p block rows and q block columns (None: unknown).

        Raises:
            ShapeError: nothing can be chosen from it.
        """


@dataclass(frozen=True)
class Tiling(Choice):
    """Which tiles a matrix has, and what is alike in all its rows of tiles."""

    rows: int = 0  # block rows of a tile; 0: all
    columns: int = 1  # block columns of a tile; 0: all
    banks: int = 1  # columns of the array: each keeps as many of a row of tiles as the others
    balanced: bool = False  # every row of tiles keeps as many
    gates: tuple[int, ...] = (1,)  # that stand side by side in each product that reads the matrix
    subs: int = 1  # blocks of a word
    used: int | None = None  # block columns that are not padding; None: all

    def row_tiles(self, p: int) -> np.ndarray:
        """Return the row of tiles (p,) that each block row is in."""
        if not self.rows:
            return np.zeros(p, np.int64)
        words, found, first = p // (sum(self.gates) * self.subs), [], 0
        for gates in self.gates:
            place = np.arange(words * gates * self.subs).reshape(words, gates, self.subs)
            tiles = first + place.swapaxes(0, 1).ravel() // self.rows
            found.append(tiles)
            first = int(tiles.max()) + 1
        return np.concatenate(found)

    def column_tiles(self, q: int) -> np.ndarray:
        """Return the column of tiles that each block column in use is in."""
        return np.arange(min(q, self.used or q)) // (self.columns or q)

    def choose(self, energy: np.ndarray) -> np.ndarray:
        """Return the blocks (p, q) of the tiles that are kept, 1, of each block's energy (p, q).

        Those of most energy; among equals those in front, so that the share is exact. Where rows
        keep as many, taking tiles one by one, the best first, while bank and row have room is
        optimal: what may be kept together is a laminar matroid (Edmonds 1971). Where only banks
        do, a row's j-th best tiles of all banks go together, and never before its better ones.
        """
        p, q = energy.shape
        down, across = _members(self.row_tiles(p)), _members(self.column_tiles(q))
        across = np.pad(across, ((0, 0), (0, q - across.shape[1])))
        kept = self._best(down @ energy @ across.T)
        return down.T @ kept @ across

    def _best(self, tiles: np.ndarray) -> np.ndarray:
        """Return 1 for the tiles (rows, columns) that are kept."""
        if not self.columns:  # tiles span the rows: there is nothing to balance
            return _most(tiles.T, self.keep, 1).T
        if self.balanced:
            return _most(tiles, self.keep, self.banks)
        rows, columns = tiles.shape
        depth = -(-columns // self.banks)
        padded = np.full((rows, depth * self.banks), -1.0)  # less than any tile
        padded[:, :columns] = tiles
        by_bank = padded.reshape(rows, depth, self.banks)
        places = np.argsort(-by_bank, axis=1, kind="stable")
        ranked = np.take_along_axis(by_bank, places, axis=1)
        together = np.maximum(ranked, 0).sum(-1)  # (rows, depth), falling along each row
        chosen = _most(together.reshape(1, -1), self.keep, 1).reshape(rows, depth, 1)
        kept = np.zeros_like(by_bank)
        np.put_along_axis(kept, places, np.broadcast_to(chosen, kept.shape), axis=1)
        return kept.reshape(rows, -1)[:, :columns]

    def check(self, p: int, q: int | None) -> None:
        """Refuse tiles that are larger than a matrix of p block rows and q block columns.

        Raises:
            ShapeError: they are.
        """
        sizes = {
            "rows": (self.rows, p * max(self.gates) // sum(self.gates)),
            "columns": (self.columns, q and min(q, self.used or q)),
        }
        for axis, (wanted, most) in sizes.items():
            if most and wanted > most:
                raise ShapeError(
                    f"tiles of {wanted} block {axis} are larger than the matrix",
                    allowed=f"at most {most}",
                    remedy=f"choose smaller tiles, or 0 for all {axis}",
                )


def count(keep: float, tiles: int) -> int:
    """Return how many of some tiles are kept: the nearest number, at least one."""
    return max(1, int(keep * tiles + 0.5))


def _most(energy: np.ndarray, keep: float, banks: int) -> np.ndarray:
    """Return 1 for the largest of each row (rows, n), as many from each bank."""
    n = energy.shape[1]
    number, left = count(keep, n), np.array(energy, np.float64)
    for bank in range(banks):
        places = np.argsort(-energy[:, bank::banks], axis=1, kind="stable")
        np.put_along_axis(left[:, bank::banks], places[:, -(-number // banks) :], -1.0, axis=1)
    kept = np.zeros(energy.shape)
    best = np.argsort(-left, axis=1, kind="stable")[:, :number]
    np.put_along_axis(kept, best, 1.0, axis=1)
    return kept


def _members(tiles: np.ndarray) -> np.ndarray:
    """Return (tiles, blocks): 1 where a block is of a tile."""
    return (tiles == np.arange(tiles.max() + 1)[:, None]).astype(np.float64)


@dataclass(frozen=True)
class Tiled(Structure):
    """The matrices of another structure in which only some tiles have weights."""

    inner: Structure
    tiling: Choice = Tiling()

    @property
    def name(self) -> str:  # type: ignore[override]
        """The inner structure's and its own."""
        return f"{self.inner.name}+tiles"

    @property
    def axes(self) -> dict[str, str]:  # type: ignore[override]
        """The inner structure's factors, and the mask."""
        return {**self.inner.axes, MASK: "pq"}

    @property
    def held(self) -> tuple[str, ...]:  # type: ignore[override]
        """Training moves no block in or out."""
        return (*self.inner.held, MASK)

    def at(self, progress: float) -> Structure:
        """Return the set on the way to this one: most of what will go goes first.

        The share kept falls with the third power, as in Zhu and Gupta (2017).
        """
        keep = self.tiling.keep + (1 - self.tiling.keep) * (1 - progress) ** 3
        return replace(self, inner=self.inner.at(progress), tiling=replace(self.tiling, keep=keep))

    def check(self, p: int, q: int | None) -> None:
        """Refuse tiles that are larger than the matrix; see `Tiling.check`."""
        self.inner.check(p, q)
        self.tiling.check(p, q)

    def project(self, matrix: Any) -> Factors:
        """Return the factors of the nearest matrix, each block's energy being what it takes away.

        Exact where blocks share nothing. Where they do (a scale), tiles and scale are chosen in
        turn, from the scale of all blocks on, which never gets farther away.
        """
        factors = self.inner.project(matrix)
        mask = self._choose(self.inner.generators(factors))
        for _ in range(REPEATS if self.inner.scale(factors) is not None else 0):
            factors = self.inner.project(_masked(matrix, mask, self.block))
            chosen = self._choose(self.inner.refit(matrix, factors))
            if (chosen == mask).all():
                break
            mask = chosen
        return {**self.inner.project(_masked(matrix, mask, self.block)), MASK: mask}

    def _choose(self, generators: Any) -> Any:
        """Return the mask (p, q), of the generators' type."""
        library = circulant.library(generators)
        energy = (generators**2).sum(-1)
        values = energy if library is np else energy.detach().cpu().double().numpy()
        mask = self.tiling.choose(values)
        return mask if library is np else library.from_numpy(mask).to(generators)

    def _inside(self, factors: Factors) -> Factors:
        """Return the inner structure's factors, with zeros where there are no weights."""
        found = {name: value for name, value in factors.items() if name != MASK}
        name = next(name for name, axes in self.inner.axes.items() if axes == "pqk")
        return {**found, name: found[name] * factors[MASK][..., None]}

    def generators(self, factors: Factors) -> Any:
        """Zeros where the mask has them, whatever training does."""
        return self.inner.generators(self._inside(factors))

    def scale(self, factors: Factors) -> Any:
        """Return the inner structure's."""
        return self.inner.scale(factors)

    def present(self, factors: Factors) -> Any:
        """Return the mask."""
        return factors[MASK]

    def expand(self, factors: Factors) -> Any:
        """Return the dense matrix."""
        return self.inner.expand(self._inside(factors))

    def matvec(self, factors: Factors, vectors: Any) -> Any:
        """(..., q*k) -> (..., p*k)."""
        return self.inner.matvec(self._inside(factors), vectors)

    def sizes(self, factors: Factors) -> dict[str, int]:
        """Return p, q, k and c.

        Raises:
            ShapeError: the factors do not go together, or the mask holds more than 0 and 1.
        """
        found, mask = super().sizes(factors), factors[MASK]
        if not ((mask == 0) | (mask == 1)).all():
            raise ShapeError(f"{MASK} holds other values", allowed="0 and 1")
        return found


def _masked(matrix: Any, mask: Any, block: int) -> Any:
    """Return a matrix with zeros in all blocks that a mask (p, q) leaves out."""
    p, q = mask.shape
    blocks = matrix.reshape(p, block, q, block) * mask[:, None, :, None]
    return blocks.reshape(p * block, q * block)
