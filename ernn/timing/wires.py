"""How long wires will be: an estimate, for nothing is placed yet.

A net's length grows with its sinks, is more at a multiplier or block RAM, whose places are few, and
ends where the design ends. The constants are fitted to designs that nextpnr routed on an ECP5
(benchmarks/timing_fit.py): nets of logic, which a router keeps short where they are late, and long
ones of multipliers, which it cannot. An ECP5's tile has eight LUTs, as a 7-series tile has.
"""

from collections.abc import Sequence

import numpy as np

FIRST = 0.5  # tiles of a net with one sink
GROWTH = 0.3  # length grows with the sinks to this power
BLOCK = 6.0  # tiles more to a multiplier or block RAM
# A router's clock over the predicted one: lowest and highest of all designs that were fitted
SPREAD = (0.9, 1.1)


def wire_lengths(fan_out: np.ndarray, blocks: np.ndarray, tiles: float) -> np.ndarray:
    """Return the way to the last sink of each net, in tiles, at most across the design.

    Args:
        fan_out: sinks of each net.
        blocks: whether it ends at a multiplier or a block RAM.
        tiles: that the design fills.
    """
    lengths = FIRST * np.maximum(fan_out, 1) ** GROWTH + BLOCK * blocks
    return np.minimum(lengths, max(1.0, tiles**0.5))


def delays_over(lengths: np.ndarray, reach: Sequence[Sequence[float]]) -> np.ndarray:
    """Return the ns of wires so long, between the entries (tiles, ns) of a table in proportion."""
    tiles, ns = np.array(reach, float).T
    return np.interp(lengths, tiles, ns)
