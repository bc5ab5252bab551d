"""The suites' data, choice of rows and table; tests/flow/test_bench_suites.py runs one."""

from dataclasses import replace

import numpy as np
import pytest

from ernn.circulant import expand
from ernn.energy.interval import Interval
from ernn.errors import PlanError, RecipeError
from ernn.flow import suites
from ernn.flow.suites import choose, make_model, require_unset, run_suite
from ernn.report.bench import Measured
from ernn.report.suites import SuiteRow, markdown
from ernn.suites.suite import load_suite

STAC, VOLLO, REAL = map(load_suite, ("stac", "vollo", "real"))
ALONE = Measured("1 x 1 PEs", 1, 90, 20, 8, 1000, 300.0, 300.0, 50, 2500)
BUSY = replace(ALONE, cycles_planned=250.0, cycles_simulated=250.0)
FITS = SuiteRow("lstm_a-k8", "XC7VX690T", 200.0, "", ALONE, BUSY, Interval(1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("network", "multiplications"),  # of the published step, without the linear layer
    [
        *zip(STAC.networks, (160_000, 1_000_000, 30_000_000), strict=True),
        *zip(VOLLO.networks, (262_144, 1_572_864, 5_529_600, 4_915_200, 22_118_400), strict=True),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_sizes_are_the_published_ones(network, multiplications):
    assert network.weights - network.hidden * network.outputs == multiplications


@pytest.mark.parametrize("system", [*STAC.systems, *VOLLO.systems], ids=lambda one: one.name)
def test_a_latency_has_a_source_and_is_no_less_than_its_mean(system):
    assert "stac" in system.source.lower() or system.source.startswith("https://")
    assert all(mean <= system.latency_us[name] for name, mean in (system.mean_us or {}).items())


def test_sizes_of_real_networks_are_those_of_their_recurrent_layers():
    weights = {network.name: network.weights for network in REAL.networks}
    assert weights["dtln"] == 361_088  # the whole network of docs/networks.md
    assert weights["g2p"] == 3 * 256 * 512 + 256 * 74
    gru = make_model(next(case for case in REAL.cases if case.name == "g2p-k16"), 16, seed=0)
    assert [layer.cell for layer in gru.layers] == ["gru_after"] and gru.layers[0].hidden == 256


def test_without_published_latencies_there_is_no_column_of_them():
    table = markdown(REAL, {})
    assert "theirs" not in table.lower() and "[1]" not in table
    assert table.count("| not run |") == len(REAL.cases) == 28


def test_a_latency_of_an_unknown_network_is_refused():
    system = replace(STAC.systems[0], latency_us={"lstm_z": 1.0})
    with pytest.raises(ValueError, match="no network is called lstm_z"):
        replace(STAC, systems=(system,))


def test_rows_are_chosen_by_network_or_by_row():
    assert choose("stac").cases == STAC.cases and len(STAC.cases) == 12
    chosen = choose("vollo", "lstm_tiny, lstm_large-k16", frames=20, seed=3, simulated=False)
    assert [case.name for case in chosen.cases] == [
        *(f"lstm_tiny-{blocks}" for blocks in ("dense", "k4", "k8", "k16")),
        "lstm_large-k16",
    ]
    assert (chosen.frames, chosen.seed, chosen.simulated) == (20, 3, False)


@pytest.mark.parametrize(
    ("suite", "layers", "told"),
    [
        ("stack", None, "--suite 'stack' is no suite; .* published, real, stac, vollo"),
        ("stac", "lstm_tiny", "names no network of the suite stac; .* lstm_a, lstm_b, lstm_c, or"),
        ("stac", ",", "names no network"),
    ],
)
def test_a_wrong_choice_is_one_sentence(suite, layers, told):
    with pytest.raises(RecipeError, match=told) as error:
        choose(suite, layers)
    assert "\n" not in str(error.value)


def test_options_of_other_suites_are_refused():
    require_unset("stac", boards=None, energy=False)
    with pytest.raises(RecipeError, match="--energy is no option of the suite stac"):
        require_unset("stac", boards=None, energy=True)


def test_sizes_are_padded_to_words_and_blocks():
    words = {case.name: case.words for case in STAC.cases}
    assert [words[f"lstm_a-{blocks}"] for blocks in ("dense", "k4", "k8", "k16")] == [
        *((8,), (8, 16, 32), (8, 16, 32), (16, 32)),
    ]
    assert words["lstm_c-k8"] == (8, 16, 32)  # 1,000, 1,008 and 1,024 cells
    for case in STAC.cases[:4]:
        for word in case.words:
            model = make_model(case, word, seed=0)
            assert model.layers[0].hidden == -(-100 // word) * word
            assert {product.block for product in model.products} == {case.block}


def test_one_output_in_a_block_is_any_dense_row():
    rng = np.random.default_rng(0)
    wanted = rng.normal(size=(3, 8))
    generators = np.concatenate([wanted[:, :1], wanted[:, :0:-1]], axis=1)[None]
    assert np.array_equal(expand(generators)[0], wanted.ravel())


def test_the_part_with_the_least_memory_that_holds_a_network_is_taken(tmp_path, monkeypatch):
    holding = {"XC7VX690T", "XCU250"}

    def explore(model, asked, name):
        if asked.part not in holding:
            raise PlanError(f"does not fit {asked.part}")
        return real(model, asked, name)

    real = suites.explore
    monkeypatch.setattr(suites, "explore", explore)  # a real refusal takes a minute
    job = replace(choose("stac", "lstm_a-k8", simulated=False), board="XCZU9EG")
    found = run_suite(job, tmp_path, say=lambda line: None)["lstm_a-k8"]
    assert found.part == "XC7VX690T" and found.refusal == "does not fit XCZU9EG"
    holding.clear()
    none = run_suite(job, tmp_path, say=lambda line: None)["lstm_a-k8"]
    assert (none.part, none.mark, none.refusal) == ("", "does not fit", "does not fit XCU250")


def test_the_table_says_what_was_run_what_not_and_what_does_not_fit():
    elsewhere = replace(FITS, name="lstm_b-dense", part="XCU250", refusal="too large for it")
    none = SuiteRow("lstm_c-dense", "", 200.0, "too large for all")
    table = markdown(STAC, {row.name: row for row in (FITS, elsewhere, none)})
    lines = {tuple(line.split(" | ")[:2]): line.split(" | ") for line in table.splitlines()}
    cells = lines["| lstm_a", "k = 8"]
    assert cells[2:-1] == [
        *("XC7VX690T", "300", "1.500", "250", "90 + 20", "8", "1,000"),
        *("2.00 (1.00 to 3.00)", "5,000", "simulated"),
    ]
    assert cells[-1] == "5.07 [1], 35.2 [2], 4.7 [3], < 2 [4] |"  # whole windows are another job
    assert lines["| lstm_a", "k = 4"][-2] == "not run"
    assert lines["| lstm_c", "dense"][2:-1] == [*["-"] * 9, "does not fit"]
    assert "- lstm_b-dense is on XCU250: too large for it" in table
    assert "- lstm_c-dense does not fit: too large for all" in table
    assert "Weights are random" in table and "whole window" in table
    planned = replace(FITS, alone=replace(ALONE, cycles_simulated=None, frames=0))
    [line] = [x for x in markdown(STAC, {FITS.name: planned}).splitlines() if "| 300 |" in x]
    assert "| - | planned |" in line
