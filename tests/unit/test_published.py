"""Published figures, the readings of them, scaling, refusals; intervals."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.energy import published as module
from ernn.energy.interval import Interval
from ernn.energy.published import comparison, load_published, readings
from ernn.errors import ErnnError
from ernn.parts.part import load_part

FIGURES = load_published()
DATA = Path(module.__file__).with_name("published.toml")


def design(name: str, cell: str, part: str = "XC7VX690T"):
    return next(d for d in FIGURES.designs if (d.name, d.cell, d.part) == (name, cell, part))


def test_three_readings_of_ese():
    computed, measured, together = readings(design("ESE", "lstm", "XCKU060"))
    assert computed.frames_per_second == 17_544
    assert (computed.latency_us, measured.latency_us) == (57.0, 82.7)
    assert round(measured.frames_per_second) == 12_092
    assert round(together.frames_per_second) == 386_941
    assert round(computed.frames_per_joule.typical) == 428
    assert round(together.frames_per_joule.typical) == 9_438
    assert [r.mark for r in (computed, measured, together)] == ["published", "derived", "derived"]


def test_single_stream_and_pipelined():
    single, pipelined = readings(design("E-RNN FFT16", "gru"))
    assert round(single.frames_per_second) == 153_846
    assert round(single.frames_per_joule.typical) == 5_305
    assert pipelined.frames_per_second == 464_582
    assert round(pipelined.frames_per_joule.typical) == 16_020
    assert (single.basis, pipelined.basis) == ("single", "together")
    assert pipelined.words == "3 in flight"


@pytest.mark.parametrize("one", FIGURES.designs, ids=lambda d: f"{d.name}-{d.cell}-{d.part}")
def test_published_figures_are_consistent(one):
    """FPS = frames in flight / latency: to rounding for most, within 6 % for the E-RNN LSTM."""
    claimed = one.frames_in_flight * 1e6 / one.latency_us
    loose = one.name.startswith("E-RNN") and one.cell == "lstm"
    assert one.frames_per_second == pytest.approx(claimed, rel=0.06 if loose else 0.008)
    if one.power_w:
        assert one.frames_per_second / one.power_w == pytest.approx(one.frames_per_joule, rel=2e-3)
    assert load_part(one.part).name == one.part
    assert "arXiv" in one.source


def test_scaling_keeps_the_rate_of_multiplications():
    for row in comparison(FIGURES, dense_macs_per_frame=1_624_064):  # half the LSTM layer
        if not row.design.endswith("GRU"):
            assert row.scaled_frames_per_second == 2 * row.frames_per_second
    benchmark = comparison(FIGURES, FIGURES.dense_macs_per_frame["lstm"])
    assert all(
        r.scaled_frames_per_second is None for r in benchmark if not r.design.endswith("GRU")
    )


def test_own_file_overrides(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(DATA.read_text().replace("frames_per_second = 17544", "frames_per_second = 1"))
    with pytest.raises(ErnnError, match=r"ESE: frames_per_joule = 428, but .*correct one"):
        load_published(path)
    path.write_text(DATA.read_text().replace("power_w = 41", "power_w = 41.1"))
    assert load_published(path).designs[0].power_w == 41.1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bits = 12", "bits = -12", "bits"),
        ("latency_us = 57.0", "latency_us = nan", "latency_us"),
        ('checked = "abstract"', 'checked = "surely"', "checked"),
        ("clock_mhz = 200", "clock_mhz = 200\nprice = 1", "price"),
        ("[[later]]", "[[later", "cannot be read"),
    ],
)
def test_bad_file_is_refused(tmp_path: Path, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(DATA.read_text().replace(old, new, 1))
    with pytest.raises(ErnnError, match=message):
        load_published(path)


@given(st.floats(0.1, 1e3), st.floats(1, 10), st.floats(0.1, 1e6))
def test_interval_division_turns_the_bounds(value, factor, numerator):
    interval = Interval(value, value * factor, value * factor**2)
    ratio = interval.under(numerator)
    assert ratio.low <= ratio.typical <= ratio.high
