"""How near few levels come to trained matrices: where they live, and what their scales may be.

    python benchmarks/levels.py out/keyword_gru            # a run that has trained its dense model

For every matrix of the layers the nearest one of a structure is found, as ADMM finds it, and its
relative distance is printed, all matrices together; with the bits that a weight memory then holds
per weight of the matrix, scales not counted.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from ernn.circulant import packed
from ernn.structures.level_sets import LEVELS
from ernn.structures.levels import Levels
from ernn.structures.registry import structure_named

Nearest = Callable[[np.ndarray], np.ndarray]
BITS = {"binary": 1, "ternary": 2, "powers": 3, "2bit": 2, "3bit": 3, "4bit": 4}


def free(kind: str) -> Nearest:
    """Return the projection of ernn: a free scale for every column."""
    return structure_named(f"dense+{kind}", 1).nearest


def with_scales(kind: str, choose: Callable[[Levels, np.ndarray], np.ndarray]) -> Nearest:
    """Return the nearest levels at chosen scales."""

    def nearest(matrix: np.ndarray) -> np.ndarray:
        structure = Levels(1, structure_named("dense", 1), kind)
        scale = choose(structure, matrix)
        values = (matrix / np.where(scale > 0, scale, 1))[..., None]
        return structure.expand({"generators": values, "scale": scale})

    return nearest


def powers_of_two(structure: Levels, matrix: np.ndarray) -> np.ndarray:
    """Round the scale of every column to a power of two."""
    scale = structure.project(matrix)["scale"]
    return np.exp2(np.round(np.log2(np.where(scale > 0, scale, 1))))


def one_of_two(structure: Levels, matrix: np.ndarray) -> np.ndarray:
    """Return one power of two for the whole matrix, its best."""
    scale = structure.project(matrix.reshape(-1, 1))["scale"]
    return np.full(matrix.shape[1], 2 ** np.round(np.log2(scale[0])))


def spectral(kind: str, block: int) -> Nearest:
    """Return circulant blocks whose spectra are levels; c and d of a bin share a scale."""

    def nearest(matrix: np.ndarray) -> np.ndarray:
        circulant = structure_named("circulant", block)
        spectra = packed(circulant.project(matrix)["generators"])  # (p, q, k)
        rounded = np.empty_like(spectra)
        bins = [[n] for n in range(min(2, block))]
        bins += [[n, n + 1] for n in range(2, block, 2)]
        for places in bins:
            part = spectra[:, :, places].swapaxes(1, 2)  # (p, 1 or 2, q)
            found = free(kind)(part.reshape(-1, part.shape[2]))
            rounded[:, :, places] = found.reshape(part.shape).swapaxes(1, 2)
        generators = rounded @ np.linalg.inv(packed(np.eye(block)))
        return circulant.expand({"generators": generators})

    return nearest


def rows() -> list[tuple[str, float, Nearest]]:
    """Return what is compared: words, bits per weight, projection."""
    found: list[tuple[str, float, Nearest]] = []
    for kind in LEVELS:
        found += [
            (f"{kind}, a scale for each input", BITS[kind], free(kind)),
            (f"{kind}, powers of two for them", BITS[kind], with_scales(kind, powers_of_two)),
            (f"{kind}, one power of two", BITS[kind], with_scales(kind, one_of_two)),
        ]
    for block in (2, 4):
        for kind in ("ternary", "4bit"):
            name = f"blocks of {block}, {kind} spectra"
            found.append((name, BITS[kind] / block, spectral(kind, block)))
        name = f"blocks of {block}, 12 bits"
        found.append((name, 12 / block, structure_named("circulant", block).nearest))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Distance of trained matrices from few levels.")
    parser.add_argument("run", type=Path)
    trained = load_file(parser.parse_args().run / "train" / "dense.safetensors")
    names = [name for name in trained if name.startswith("layer") and name.endswith(".weight")]
    matrices = [trained[name].astype(np.float64) for name in names]
    total = sum(float((matrix**2).sum()) for matrix in matrices)
    print("| weights | bits a weight | distance |\n| --- | ---: | ---: |")
    for name, bits, nearest in rows():
        gap = sum(float(((matrix - nearest(matrix)) ** 2).sum()) for matrix in matrices)
        print(f"| {name} | {bits:g} | {(gap / total) ** 0.5:.3f} |")


if __name__ == "__main__":
    main()
