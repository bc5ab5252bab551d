"""Contrast of the report's colours, light and dark: WCAG 2.2, 1.4.3 and 1.4.11."""

import re
from itertools import product
from pathlib import Path

import pytest

import ernn.report

CSS = (Path(ernn.report.__file__).parent / "report.css").read_text()
BACKS = ("page", "card")
TEXT = {
    **dict.fromkeys(product(("ink", "soft", "ours", "note"), BACKS)),
    **{(f"{kind}", f"{kind}-back"): None for kind in ("good", "bad", "note")},
    ("card", "ours"): None,  # within a bar
    ("card", "theirs"): None,
    ("ink", "ours-light"): None,
    ("ink", "theirs-light"): None,
    ("ink", "band"): None,
    **dict.fromkeys(product(["card"], [f"s{stream}" for stream in range(8)])),
}
SHAPES = [
    *product(("ours", "ours-light", "theirs", "theirs-light", "note"), ("page",)),
    *product([f"s{stream}" for stream in range(8)], ("page", "lane")),
]


def colours(scheme: str) -> dict[str, str]:
    """Return the colours of a scheme by name."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_the_extremes():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(list(TEXT), 4.5), (SHAPES, 3.0)])
def test_colours_stand_out(scheme, pairs, least):
    known = colours(scheme)
    weak = {pair: round(contrast(*(known[name] for name in pair)), 2) for pair in pairs}
    assert not {pair: found for pair, found in weak.items() if found < least}


def test_both_schemes_name_the_same_colours():
    assert colours("light").keys() == colours("dark").keys()
