"""No change moves the signals or figures of the golden designs unless it means to."""

import pytest
from golden_designs import designs, recorded

DESIGNS = designs()
SIMULATED = ("sized05-gru_after", "sized08-gru_after", "sized11-gru_after", "planned36-lstm")


def test_every_design_is_recorded():
    assert len(DESIGNS) >= 44
    assert list(recorded()) == list(DESIGNS)


def test_simulated_signals_were_the_integer_models():
    simulated = {name: entry["simulated"] for name, entry in recorded().items()}
    told = {name: digest for name, digest in simulated.items() if digest}
    assert len(told) >= 43  # three of the published layers take Icarus hours each
    assert told == {name: recorded()[name]["integer"] for name in told}


@pytest.mark.parametrize("name", DESIGNS)
def test_signals_and_figures_are_the_recorded_ones(name):
    design, record = DESIGNS[name], recorded()[name]
    found = {"integer": design.integer_digest(), **design.figures()}
    assert found == {key: record[key] for key in found}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", SIMULATED)
def test_simulated_signals_are_the_recorded_ones(name):
    assert DESIGNS[name].simulated_digest() == recorded()[name]["simulated"]
