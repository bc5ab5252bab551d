"""The search of bits in the report."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from report_example import SPEECH, example

from ernn.errors import ErnnError
from ernn.report.bits import bits_chart
from ernn.report.marks import Measured, Origin
from ernn.report.model_content import BitsSearch, BitsTrial
from ernn.report.render import load_report, write_report

ORIGIN = Origin("measured", "ernn quantize mine")


def trial(sweep: str, loss: float, **settings) -> BitsTrial:
    """Return a trial of 16 bits but for what is given."""
    fine = {"weight_bits": 16, "activation_bits": 16, "state_bits": 16, "activation_error": 5e-4}
    per = Measured(20 + loss, 18 + loss, 22 + loss)
    near = Measured(loss, loss - 0.3, loss + 0.3)
    return BitsTrial(
        sweep, **(fine | settings), segments=44, score=per, loss=near, within=loss <= 0.5
    )


TRIALS = (
    trial("activation_error", 0.0),
    trial("state_bits", 0.0),
    trial("activation_bits", 0.0),
    trial("weight_bits", 0.0),
    trial("weight_bits", 0.2, weight_bits=15),
    trial("weight_bits", 31.0, weight_bits=14),
    trial("joint", 0.3, weight_bits=15),
)
FOUND = BitsSearch(0.5, Measured(20.0, 18.0, 22.0), TRIALS, ORIGIN)


def test_every_trial_is_in_the_report(tmp_path):
    report = replace(example(), bits=FOUND)
    page = write_report(report, tmp_path).read_text()
    text = (tmp_path / "report.md").read_text()
    for one in TRIALS:
        assert f'<data value="{one.score.value}">' in page
        assert f"| {one.weight_bits} | {one.activation_bits} |" in text
    assert "weights 15 bits, activations 16, state 16, 44 segments (error 0.0005)" in text
    assert load_report(tmp_path / "report.json").bits == FOUND


def test_without_a_search_nothing_is_said_of_it(tmp_path):
    page = write_report(replace(example(), bits=None), tmp_path).read_text()
    assert "How the bits were chosen" not in page + (tmp_path / "report.md").read_text()


def test_the_chart_marks_the_choice_and_shows_what_is_beyond_it():
    chart = bits_chart(FOUND, SPEECH)
    root = ElementTree.fromstring(str(chart))
    dots = [node for node in root.iter("svg") if "shape" in node.get("class", "")]
    marked = [node for node in dots if "chosen" in node.get("class")]
    assert len(marked) == 4  # one in each panel
    assert re.findall("\N{UPWARDS ARROW} (\\d+)", str(chart)) == ["51"]
    heights = {node.get("y") for node in dots}
    assert all(0 <= float(y) <= float(root.get("height")) for y in heights)


def test_a_search_without_trials_is_refused(tmp_path):
    write_report(replace(example(), bits=FOUND), tmp_path)
    data = json.loads((tmp_path / "report.json").read_text())
    data["report"]["bits"]["trials"] = []
    (tmp_path / "report.json").write_text(json.dumps(data))
    with pytest.raises(ErnnError, match=r"bits\.trials"):
        load_report(tmp_path / "report.json")
