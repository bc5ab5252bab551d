"""Flows: which one a part has, and their declared options."""

from dataclasses import is_dataclass, replace
from pathlib import Path

import pytest
from deadlines import each
from typer.testing import CliRunner

from ernn import cli
from ernn.backends.backend import backend_names, backend_of, load
from ernn.errors import PlanError, ToolError
from ernn.parts.part import load_part, part_names
from ernn.resources import folder as shipped

ECP5, VIRTEX = load_part("LFE5U-25F"), load_part("XC7VX690T")


@pytest.mark.parametrize("name", backend_names())
def test_every_flow_declares_its_options(name):
    backend = load(name)
    assert backend.name == name and is_dataclass(backend.options)
    for option in each(backend.table):
        assert option.kind in (str, int, bool, Path)
        assert option.help.endswith(".") and option.help[0].isupper()
        assert option.flag.startswith("--") and "_" not in option.flag
    assert backend.synthesis() and backend.cells
    if "simulate" in {option.name for option in backend.table}:
        assert list((shipped("sim") / "cells").glob(backend.netlist_cells))


@pytest.mark.parametrize("name", part_names())
def test_every_part_has_a_flow(name):
    assert backend_of(load_part(name)).name in backend_names()


def test_the_same_option_means_the_same_in_every_flow():
    """So that the command line can read it before the part is known."""
    tables = [option for name in backend_names() for option in load(name).table]
    kinds = {option.name: option.kind for option in tables}
    assert all(kinds[option.name] is option.kind for option in tables)


def test_a_part_without_tools_says_which_have_some():
    part = replace(ECP5, name="ODD", family=replace(ECP5.family, name="odd", flow=""))
    with pytest.raises(ToolError, match=r"no tools for ODD, a Lattice odd; take one of .*XC7Z020"):
        backend_of(part)
    wrong = replace(part, family=replace(part.family, flow="../vivado"))
    with pytest.raises(ToolError, match=r"name one of the flows ecp5, .*vivado in its family"):
        backend_of(wrong)


def test_values_are_checked_and_the_rest_is_as_it_is():
    backend = backend_of(ECP5)
    chosen = backend.parse(ECP5, {"seed": 7})
    assert (chosen.seed, chosen.seeds, chosen.board, chosen.simulate) == (7, 3, "", False)
    assert list(chosen.placements) == [7, 8, 9]
    with pytest.raises(PlanError, match="seeds: Input should be less than or equal to 100"):
        backend.parse(ECP5, {"seeds": 101})


@pytest.mark.parametrize(
    ("part", "name", "sentence"),
    [
        (ECP5, "saif", "--saif is an option of the flow vivado, and LFE5U-25F is built by ecp5"),
        (
            VIRTEX,
            "speed",
            "--speed is an option of the flow ecp5, and XC7VX690T is built by viv",
        ),
        (VIRTEX, "simulate", "--simulate is an option of the flow ecp5"),
        (ECP5, "vivado_part", "--vivado-part is an option of the flow vivado"),
        (ECP5, "colour", "--colour is no option of any flow"),
    ],
)
def test_an_option_of_another_flow_is_refused(part, name, sentence):
    with pytest.raises(PlanError, match=sentence) as told:
        backend_of(part).parse(part, {name: "1"})
    assert told.value.fault.what.startswith(sentence)
    assert told.value.fault.remedy == "leave it out, or give another --part"


@pytest.mark.parametrize(
    ("words", "there", "missing"),
    [
        ([], ["--speed", "--xdc", "--clock-mhz"], []),
        (["--part", "LFE5U-25F"], ["--speed", "--simulate", "--timeout"], ["--xdc", "--saif"]),
        (["--part=xc7z020"], ["--xdc", "--reports", "--timeout"], ["--speed", "--simulate"]),
        (["--part", "NONE"], ["--speed", "--xdc"], []),
    ],
)
def test_help_shows_the_options_of_the_parts_flow(words, there, missing):
    told = CliRunner().invoke(cli.app, ["build", *words, "--help"], env={"COLUMNS": "200"})
    assert told.exit_code == 0, told.output
    assert all(flag in told.output for flag in there), told.output
    assert not any(flag in told.output for flag in missing), told.output
