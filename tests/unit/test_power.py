"""The power model: coefficients from reports, the fit and its errors, intervals."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deadlines import each
from hypothesis import given
from hypothesis import strategies as st

from ernn.energy import power as module
from ernn.energy.estimate import Load, default_fit, estimate_loads, estimate_power
from ernn.energy.fit import fit_power, fit_rows, published_watts, resource_mix
from ernn.energy.interval import Interval
from ernn.energy.power import COMPONENTS, component_watts, load_power
from ernn.energy.published import load_published
from ernn.errors import ErnnError
from ernn.parts.part import load_part
from ernn.report.compare_text import deviation_lines, fit_lines

DATA = Path(module.__file__).with_name("power.toml")
POWER, PUBLISHED = load_power(), load_published()
VIRTEX = load_part("XC7VX690T")
FIT = fit_power(POWER, PUBLISHED)


def test_a_coefficient_is_the_mean_of_what_reports_say():
    """192 DSP blocks at 125 MHz take 0.236 W, 570 at 100 MHz 0.455 W, 11 at 50 MHz 0.005 W."""
    each = [0.236e6 / 192 / 125, 0.455e6 / 570 / 100, 0.005e6 / 11 / 50]
    assert POWER.coefficient("dsp", 28) == pytest.approx(math.prod(each) ** (1 / 3))
    assert POWER.coefficient("static", 20) == pytest.approx(1.27e6 / 663_360)


@pytest.mark.parametrize("name", COMPONENTS)
def test_between_nodes_a_power_law(name):
    at = {node: POWER.coefficient(name, node) for node in (28, math.sqrt(28 * 16), 16)}
    middle = at[math.sqrt(28 * 16)]
    assert min(at[28], at[16]) <= middle <= max(at[28], at[16]) or name == "static"


def test_a_report_is_reproduced_by_its_own_coefficients():
    """At the defaults, what the model says of a report's design is what the report says."""
    for report in each(POWER.reports):
        alone = replace(POWER, reports=(report, *POWER.reports[:3]))
        used, part = report.used, replace(VIRTEX, node_nm=int(report.node_nm), lut=1)
        if not (report.watts.dsp and report.node_nm == 16):
            continue
        load = Load(used.dsp, used.bram36, used.lut, used.ff)
        found = component_watts(alone, part, report.clock_mhz, [load])
        assert found["dsp"] == pytest.approx(report.watts.dsp)
        assert found["lut"] == pytest.approx(report.watts.lut)


def test_leave_one_out_is_what_a_fit_without_the_row_predicts():
    """The closed form against fits that are really done without the row."""
    for index in range(len(FIT.rows)):
        keep = [other for other in range(len(FIT.rows)) if other != index]
        without = replace(
            FIT,
            rows=tuple(FIT.rows[i] for i in keep),
            inputs=FIT.inputs[keep],
            powers=FIT.powers[keep],
        )
        assert FIT.left_out[index] == pytest.approx(float(FIT.inputs[index] @ without.mean))


def test_the_fit_is_the_least_of_its_squares():
    """The mean minimizes what a normal prior and normal errors make of it."""

    def cost(found):
        left = (FIT.powers - FIT.inputs @ found) / POWER.prior.measured_sd_w
        away = found - FIT.prior_mean
        return left @ left + away @ np.linalg.solve(FIT.prior_covariance, away)

    rng = np.random.default_rng(0)
    least = cost(FIT.mean)
    assert all(cost(FIT.mean + 1e-3 * rng.normal(size=FIT.mean.size)) > least for _ in range(50))


def test_docs_say_what_is_printed():
    printed = [*fit_lines(FIT, PUBLISHED), *deviation_lines(PUBLISHED)]
    docs = (Path(__file__).parents[2] / "docs" / "energy.md").read_text().splitlines()
    assert not [line for line in printed if line not in docs]


def test_the_fit_is_reproducible():
    again = fit_power(load_power(), load_published())
    assert np.array_equal(again.mean, FIT.mean) and np.array_equal(again.left_out, FIT.left_out)
    assert len(FIT.rows) == 6 and {row.part for row in FIT.rows} == {"XC7VX690T"}
    assert FIT.left_out_rms_w == pytest.approx(3.1, abs=0.05)
    assert FIT.left_out_percent == pytest.approx(9.8, abs=0.1)


def test_rows_sharpen_what_was_known():
    before = np.sqrt(np.diag(FIT.prior_covariance))
    after = np.sqrt(np.diag(FIT.covariance))
    assert (after < before).all()
    assert all(0.3 < FIT.value(name)[0] < 1.5 for name in COMPONENTS)


def test_every_published_board_lies_in_its_interval():
    for row in each(FIT.rows):
        mean, deviation = FIT.predict(row.watts, True, 0.0, row.machine)
        told = Interval.around(mean, deviation, POWER.interval.deviations)
        assert told.low < row.power_w < told.high


def test_a_board_that_was_not_fitted():
    """ESE: 41 W on another part of another node, with DRAM; inside, near the upper end."""
    ese = next(design for design in PUBLISHED.designs if design.name == "ESE")
    watts = published_watts(POWER, PUBLISHED, ese)
    mean, deviation = FIT.predict(watts, True, FIT.node_spread(20))
    told = Interval.around(mean, deviation, POWER.interval.deviations)
    assert told.low < told.typical < ese.power_w < told.high


counts = st.builds(Load, *[st.integers(0, 10**5)] * 4)


@given(counts, st.floats(1, 600), st.sampled_from(["XC7VX690T", "XCKU060", "XCZU9EG", "XC7Z020"]))
def test_power_grows_with_blocks_clock_and_activity(load, clock_mhz, name):
    part = load_part(name)
    told = estimate_loads(part, clock_mhz, [load])
    assert 0 < told.chip_w.low < told.chip_w.typical < told.chip_w.high
    assert told.card_w.typical > told.chip_w.typical
    assert sum(told.components.values()) == pytest.approx(told.chip_w.typical)
    more = replace(load, dsp=load.dsp + 1, bram36=load.bram36 + 1, lut=load.lut + 1, ff=load.ff + 1)
    assert estimate_loads(part, clock_mhz, [more]).card_w.typical > told.card_w.typical
    assert estimate_loads(part, 2 * clock_mhz, [load]).chip_w.typical >= told.chip_w.typical
    calm, wild = (
        replace(load, toggles=rate, dsp_toggles=rate, accesses=rate) for rate in (0.0, 0.5)
    )
    calm_w, wild_w = (estimate_loads(part, clock_mhz, [one]).chip_w for one in (calm, wild))
    assert calm_w.typical <= wild_w.typical


@given(counts, st.integers(2, 9))
def test_a_design_is_the_sum_of_its_parts(load, pieces):
    part = replace(
        load, dsp=load.dsp / pieces, bram36=load.bram36 / pieces, lut=load.lut / pieces,
        ff=load.ff / pieces,
    )  # fmt: skip
    whole, split = estimate_loads(VIRTEX, 200, [load]), estimate_loads(VIRTEX, 200, [part] * pieces)
    assert whole.card_w.typical == pytest.approx(split.card_w.typical)
    assert whole.card_w.high == pytest.approx(split.card_w.high)


@given(st.floats(1.1, 8))
def test_an_interval_widens_away_from_what_was_measured(factor):
    """More blocks than the published designs have, or another node: a wider interval."""
    row = FIT.rows[0]
    near = FIT.predict(row.watts, True)
    far = FIT.predict({name: factor * watts for name, watts in row.watts.items()}, True)
    assert far[1] > near[1]
    assert FIT.predict(row.watts, True, FIT.node_spread(16))[1] > near[1]
    assert FIT.node_spread(28) == 0 < FIT.node_spread(20) < FIT.node_spread(16)


def test_defaults_are_the_defaults():
    used = {"dsp": 900, "bram36": 300, "lut": 10**5, "ff": 10**5}
    told = Load(**used, toggles=0.125, dsp_toggles=0.25, accesses=1.0)
    assert estimate_power(VIRTEX, 200, used) == estimate_loads(VIRTEX, 200, [told])
    assert default_fit() is default_fit()


def test_an_unpublished_use_is_eses_mix():
    mix = resource_mix(PUBLISHED.designs)
    assert mix.lut == pytest.approx(293_920 / 1_504) and mix.bits == 12


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("node_nm = 28", "node_nm = -28", "node_nm"),
        ("common = 0.35", "common = nan", "common"),
        ("regulators = 0.87", "regulators = 1.2", "regulators"),
        ("[interval]", "[interval]\nwidth = 2", "width"),
        ("dsp = 0.25\n", "", "activity.dsp: missing"),
        ("[prior]", "[prior", "cannot be read"),
    ],
)
def test_bad_data_is_refused(tmp_path, old, new, message):
    path = tmp_path / "power.toml"
    text = DATA.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ErnnError, match=message) as error:
        load_power(path)
    assert "\n" not in str(error.value)


def test_figures_without_a_board_cannot_be_fitted():
    nothing = replace(PUBLISHED, designs=PUBLISHED.designs[:1])
    assert not fit_rows(POWER, nothing)
    with pytest.raises(ErnnError, match="power cannot be fitted; give rows of C-LSTM or E-RNN"):
        fit_power(POWER, nothing)
    with pytest.raises(ErnnError, match="no published design tells its use of the part; give one"):
        fit_power(POWER, replace(PUBLISHED, designs=PUBLISHED.designs[1:]))
