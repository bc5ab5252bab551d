"""The benchmark's choice of rows, verdicts and table; tests/flow/test_bench_run.py runs it."""

from dataclasses import replace

import pytest

from ernn.errors import PlanError, RecipeError
from ernn.flow.bench import BOARDS, LAYERS, TARGETS, choose, published_design
from ernn.report.bench import Measured, Row, Target, in_words, markdown

BUSY = Measured("2 x 1 PEs", 2, 100, 20, 8, 1000, 160.0, 160.0, 100, 5000)
ALONE = Measured("1 x 1 PEs", 1, 90, 0, 8, 1000, 300.0, 300.0, 50, 2500)
LSTM8 = published_design(LAYERS[0], "XC7VX690T")
ROW = Row("LSTM", "XC7VX690T", 3600, 200.0, 150.0, BUSY, ALONE, Target(1.3e6, 1.5, 0.9), LSTM8)


def test_all_layers_and_boards_are_the_default():
    chosen = choose()
    assert chosen.layers == LAYERS and chosen.boards == BOARDS
    named = {(layer.name, BOARDS[0]) for layer in LAYERS}
    tiles = {key for key in TARGETS if key[0].endswith("-tiles")}  # which are asked for by name
    assert named == TARGETS.keys() - tiles and tiles


def test_rows_are_selected():
    chosen = choose("gru8, lstm16", "xcku060", "4,2", frames=20, seed=3, simulated=False)
    assert [layer.title for layer in chosen.layers] == ["GRU 1024, k = 8", "LSTM 1024/512, k = 16"]
    assert chosen.boards == ("xcku060",) and chosen.streams == (4, 2)
    assert (chosen.frames, chosen.seed, chosen.simulated) == (20, 3, False)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"layers": "lstm9"}, "--layers 'lstm9' names no layer .* lstm8, lstm16, gru8, gru16"),
        ({"layers": ","}, "names no layer"),
        ({"boards": "XC7VX691T"}, "did you mean XC7VX690T?"),
        ({"boards": ""}, "--boards names no board"),
        *[({"streams": text}, "of 1 to 16") for text in ("two", "0", "17", "2;4", "", "-1")],
    ],
)
def test_a_wrong_choice_is_one_sentence(named, told):
    with pytest.raises((RecipeError, PlanError), match=told) as error:
        choose(**named)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("layer", "frames_per_second", "latency_us"),
    [
        (LAYERS[0], 240389, 12.9),
        (LAYERS[1], 382510, 8.3),
        (LAYERS[2], 284463, 10.5),
        (LAYERS[3], 464582, 6.5),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_the_published_figures_are_those_of_the_same_layer(layer, frames_per_second, latency_us):
    found = published_design(layer, "XC7VX690T")
    assert (found.frames_per_second, found.latency_us) == (frames_per_second, latency_us)
    assert published_design(layer, "XCKU060").part == "XCKU060"
    assert published_design(layer, "XC7A35T") is None
    assert published_design(replace(layer, hidden=512), "XC7VX690T") is None


def test_a_row_is_judged_by_what_it_reaches():
    assert ROW.frames_per_second == 1.25e6
    assert ROW.latency_us == 1.5
    assert list(map(str, ROW.verdicts)) == [
        ">= 1,300,000 frames/s: MISSED",
        ">= 90 % of the roofline: met",
        "<= 1.5 us: met",
    ]
    assert ROW.faster == pytest.approx(5.2, rel=1e-3)
    assert ROW.sooner == pytest.approx(8.6)
    assert ROW.to_dict()["derived"]["roofline_share"] == ROW.roofline == 0.9375


def test_the_table_has_a_line_per_row_and_says_how_to_read_it():
    unknown = replace(ROW, published=None, busy=planned(BUSY), alone=planned(ALONE))
    head, rule, *rows = markdown([ROW, unknown]).split("\n\n")[0].splitlines()
    assert len(rows) == 2 and len({len(line) for line in (head, rule, *rows)}) == 1
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (head, *rows)]
    first, second = cells[1:]
    assert first[3:8] == ["160", "160", "1,250,000", "240,389", "5.2"]
    assert first[8:14] == ["300", "300", "1.500", "12.9", "8.6", "100 + 20 of 3,600"]
    assert first[15] == "7,500"
    assert [second[n] for n in (4, 6, 7, 9, 11, 12, 15)] == ["-"] * 7
    assert "published (Li et al., HPCA 2019)" in markdown([ROW])


def test_a_row_in_words():
    told = "\n".join(in_words(ROW))
    assert "160 cycles a frame planned, 160 simulated: 1,250,000 frames/s, 5.2 x E-RNN's" in told
    assert "100 + 20 of 3,600 DSP blocks" in told and "5,000 words bit-exact" in told
    told = "\n".join(in_words(replace(ROW, busy=planned(BUSY), published=None)))
    assert "160 cycles a frame planned, not simulated" in told
    assert "E-RNN" not in told


def planned(measured: Measured) -> Measured:
    return replace(measured, cycles_simulated=None, frames=0, words_compared=0)
