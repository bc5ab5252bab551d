"""Sets of few values that weights may have, as numbers and as the integers that stand for them."""

from functools import cache

from ernn.fixed import QFormat

LEVELS: dict[str, tuple[float, ...]] = {
    "binary": (-1, 1),
    "ternary": (-1, 0, 1),
    "powers": (-1, -0.5, -0.25, 0, 0.25, 0.5, 1),  # 3 bits
    "2bit": (-0.75, -0.25, 0.25, 0.75),
    "3bit": tuple(n / 4 for n in range(-3, 4)),
    "4bit": tuple(n / 8 for n in range(-7, 8)),
}


@cache
def level_format(kind: str) -> QFormat:
    """Return the narrowest format that holds every level of a set exactly."""
    levels = LEVELS[kind]
    frac_bits = next(n for n in range(16) if all(x * 2**n == int(x * 2**n) for x in levels))
    return QFormat(int(max(levels) >= 1), frac_bits)


@cache
def level_integers(kind: str) -> tuple[int, ...]:
    """Return the levels of a set as raw integers of `level_format`, rising."""
    scale = 2 ** level_format(kind).frac_bits
    return tuple(int(level * scale) for level in LEVELS[kind])
