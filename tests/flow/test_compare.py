"""`ernn compare`: of a run and of the benchmark, its page in a browser, and wrong input."""

import json
import re
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from deadlines import each
from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

from ernn import __version__, cli
from ernn.energy import published as figures
from ernn.energy.comparison import Efficiency, Ours, compare, subject
from ernn.energy.fit import fit_power
from ernn.energy.interval import Interval
from ernn.energy.power import load_power
from ernn.energy.published import load_published
from ernn.energy.shape import benchmark_shape
from ernn.flow import bench as benchmark
from ernn.flow.bench import LAYERS, Benchmark, published_design
from ernn.flow.planning import describe
from ernn.hw.cost import group_resources
from ernn.hw.cycles import rate
from ernn.hw.explore import explore
from ernn.parts import part
from ernn.parts.part import load_part
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import HardwareRecipe, QuantizationRecipe
from ernn.report.compare_page import write_comparison
from ernn.run.activity import FORMAT, Activity, Group, Memories, Rate
from ernn.tools import require
from tests.models import random_frames

PUBLISHED, DATA = load_published(), Path(figures.__file__).with_name("published.toml")
FIT = fit_power(load_power(), PUBLISHED)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run's folder as far as its plan, of a small LSTM."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    model = random_model(rng, "lstm", 32, blocks=4, features=13, labels=5, projection=16)
    for step in ("compress", "plan", "simulate"):
        (folder / step).mkdir()
    model.save(folder / "compress" / "compressed.safetensors")
    integer = quantize(model, QuantizationRecipe(), list(random_frames(rng, 13, 4, 24)))
    asked = HardwareRecipe(part="XC7A35T", clock_mhz=100, streams=2)
    integer.save(folder / "integer.safetensors")
    explore(integer, asked, "small").chosen.plan.save(folder / "plan" / "plan.json")
    return folder


@pytest.fixture
def run(finished, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for step in ("compress", "plan"):
        (tmp_path / "run" / step).mkdir(parents=True)
        for path in (finished / step).iterdir():
            (tmp_path / "run" / step / path.name).write_bytes(path.read_bytes())
    (tmp_path / "run" / "simulate").mkdir()
    copyfile(finished / "integer.safetensors", tmp_path / "run" / "integer.safetensors")
    return Path("run")


def ernn(*words: object):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def refused(*words: object, code: int = 2) -> str:
    before = sorted(Path.cwd().rglob("*"))
    result = ernn(*words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output and result.stderr.count("\n") == 1
    assert sorted(Path.cwd().rglob("*")) == before
    return result.stderr


def plan_of(run: Path):
    from ernn.hw.plan import HardwarePlan

    return HardwarePlan.load(run / "plan" / "plan.json")


def activity_of(plan, toggles: float) -> Activity:
    group = Group(
        1.0, Rate(100, toggles), Rate(10, toggles), Rate(30, toggles), Memories(1, 8, toggles)
    )
    told = ("0", plan.digest, "Verilator", "ernn simulate", "simulated", 10, 1000, 5)
    groups = group_resources(plan, load_part(plan.part))
    return Activity(FORMAT, *told, dict.fromkeys(groups, group))


def test_a_run_on_a_part_of_the_users_own(run):
    [shipped] = Path(part.__file__).parent.glob("*/xc7a35t.toml")
    own = shipped.read_text().replace('name = "XC7A35T"', 'name = "OWN"')
    Path("own.toml").write_text(own)
    integer = IntegerModel.load(run / "integer.safetensors")
    asked = HardwareRecipe(part="own.toml", clock_mhz=100, streams=2)
    found = explore(integer, asked, "small")
    assert any(line.startswith("OWN at 100 MHz") for line in describe(found))
    found.chosen.plan.save(run / "plan" / "plan.json")
    assert "'OWN' is not a known part" in refused("compare", run)
    assert "planned for OWN" in refused("compare", run, "--part", "XC7A35T")
    done = ernn("compare", run, "--part", "own.toml")
    assert done.exit_code == 0 and "on OWN at 100 MHz" in done.output


def test_a_run_without_simulation_is_planned(run):
    told = ernn("compare", run)
    assert told.exit_code == 0, told.output
    assert "frames/s (planned), board" in told.output and "E-RNN on XC7A35T" in told.output
    data = json.loads((run / "compare" / "compare.json").read_text())
    [one] = data["subjects"]
    plan = plan_of(run)
    expected = rate(plan)
    assert one["ours"]["plan"] == plan.digest
    assert one["ours"]["frames_per_second"] == 100e6 / expected.cycles_per_frame
    assert one["dense"] == 128 * (13 + 16) + 16 * 32 + 5 * 16
    assert {entry["mark"] for entry in one["entries"]} == {"planned", "modelled", "run"}
    run_, crossbars = one["ese"], one["crossbars"]
    assert run_["origin"] == "10 % of the weights, at random places"
    assert run_["stored_bits"] == sum(run_["bits"].values())
    assert f"ESE, run, {run_['origin']}" in told.output
    entries = [entry for entry in one["entries"] if entry["design"] == "ESE, run"]
    assert [entry["latency_us"] for entry in entries] == [run_["latency_us"]] * 2
    assert entries[1]["frames_per_second"] == pytest.approx(32e6 / run_["latency_us"])
    assert [row["arrays"] for row in crossbars] == [4 + 4 + 1 + 1] * 3
    assert crossbars[0]["filled"] == crossbars[1]["filled"] > 5 * crossbars[2]["filled"]
    readings = {entry["words"] for entry in one["entries"] if entry["design"] == "ESE"}
    assert len(readings) == 3


def test_ese_runs_a_sparse_model_of_the_network(run):
    """The run's own weights, nothing pruned: ESE stores and works off every one of them."""
    own = run / "compress" / "compressed.safetensors"
    assert ernn("compare", run, "--sparse", own).exit_code == 0
    [one] = json.loads((run / "compare" / "compare.json").read_text())["subjects"]
    assert one["ese"]["origin"] == "compressed.safetensors, trained"
    assert one["ese"]["weights"] > 0.99 * one["dense"] and one["ese"]["padding"] == 0
    assert one["crossbars"][2]["filled"] > 0.99 * one["crossbars"][0]["filled"]
    other = random_model(np.random.default_rng(0), "lstm", 32, features=13, labels=5)
    other.save(Path("other.safetensors"))
    told = refused("compare", run, "--sparse", "other.safetensors")
    assert "layer0.recurrent" in told or "layer0.projection of the sparse model" in told
    assert "give a model of the same cell and sizes" in told
    assert "nothing.safetensors" in refused("compare", run, "--sparse", "nothing.safetensors")


def test_measured_cycles_and_activity_go_before_planned_ones(run):
    timing = {"words_compared": 9, "mismatches": 0}
    timing |= {"frame_cycles_simulated": 123.0, "latency_cycles_simulated": 456}
    (run / "simulate" / "timing.json").write_text(json.dumps(timing))
    watts = []
    for toggles in (0.01, 0.4):
        activity_of(plan_of(run), toggles).save(run / "simulate" / "activity.json")
        assert ernn("compare", run, "--out", "page").exit_code == 0
        [one] = json.loads(Path("page/compare.json").read_text())["subjects"]
        watts.append(one["ours"]["chip_w"]["typical"])
        assert one["ours"]["frames_per_second"] == 100e6 / 123
        assert one["ours"]["mark"] == "simulated" and "5 frames" in one["ours"]["activity"]
    assert watts[0] < watts[1]


def test_synthesized_blocks_go_before_planned_ones(run):
    plan, place = plan_of(run), run / "synth-xc7a35t"
    place.mkdir()
    told = {"format": "ernn-synth-1", "plan": plan.digest, "command": "ernn synth x"}
    told["groups"] = {"pes": {"dsp": 7, "bram36": 0.5, "lut": 100, "ff": 200}}
    for digest, words in ((plan.digest, "as synthesized by `ernn synth x`"), ("0", "as planned")):
        (place / "resources.json").write_text(json.dumps(told | {"plan": digest}))
        assert ernn("compare", run, "--out", "page").exit_code == 0
        [one] = json.loads(Path("page/compare.json").read_text())["subjects"]
        assert one["ours"]["resources"] == words
        names = {group["name"]: group["dsp"] for group in one["ours"]["groups"]}
        assert (names == {"pes": 7}) == (digest == plan.digest)
    (place / "resources.json").write_text(json.dumps(told | {"groups": {"pes": {"gates": 1}}}))
    told = refused("compare", run)
    assert "groups.pes.gates: not a known key; run `ernn synth` again" in told


def test_errors_are_one_sentence(run):
    assert "there is no recipe 'nothing'" in refused("compare", "nothing")
    Path("empty").mkdir()
    assert "empty holds no plan; run `ernn plan`" in refused("compare", "empty")
    assert "out/quickstart holds no plan" in refused("compare", "quickstart")
    (run / "simulate" / "timing.json").write_text("{}")
    told = refused("compare", run)
    assert "frame_cycles_simulated: missing" in told and "run `ernn simulate` again" in told
    for bad, why in (("0", "greater than 0"), ("NaN", "finite"), ('"many"', "valid number")):
        cycles = f'"frame_cycles_simulated": {bad}, "latency_cycles_simulated": 9'
        text = f'{{{cycles}, "words_compared": 5, "mismatches": 0}}'
        (run / "simulate" / "timing.json").write_text(text)
        assert why in refused("compare", run)
    (run / "simulate" / "timing.json").write_text("{")
    assert "cannot be read" in refused("compare", run)
    (run / "simulate" / "timing.json").unlink()
    other = replace(activity_of(plan_of(run), 0.1), plan="0123456789ab")
    other.save(run / "simulate" / "activity.json")
    assert "is of plan 0123456789ab: this design is plan" in refused("compare", run)
    (run / "simulate" / "activity.json").unlink()
    (run / "compress" / "compressed.safetensors").unlink()
    assert "compressed.safetensors" in refused("compare", run)


def test_wrong_figures_are_one_sentence(run):
    Path("mine.toml").write_text(DATA.read_text().replace("bits = 12", "bits = -12", 1))
    told = refused("compare", run, "--published", "mine.toml")
    assert "mine.toml does not describe a Published: designs.0.bits" in told
    Path("mine.toml").write_text(DATA.read_text().replace("power_w = 24", "power_w = 42", 1))
    assert "frames_per_joule = 10016, but" in refused(
        "compare", "--fit", "--published", "mine.toml"
    )
    assert "none.toml cannot be read: No such file" in refused(
        "compare", run, "--power", "none.toml"
    )
    Path("mine.toml").write_text(DATA.read_text().replace("dsp = 1504", "gates = 9", 1))
    assert "used.gates" in refused("compare", run, "--published", "mine.toml")


@pytest.mark.parametrize(
    ("key", "value"),
    [("common", "1e200"), ("board_sd_w", "1e-200"), ("deviations", "1e300"), ("clock_mhz", "nan")],
)
def test_figures_of_no_world_are_refused(run, key, value):
    """They would end in arithmetic that fails, far from the file."""
    text = DATA.with_name("power.toml").read_text()
    Path("mine.toml").write_text(re.sub(rf"(?m)^{key} = \S+", f"{key} = {value}", text))
    told = refused("compare", "--fit", "--power", "mine.toml")
    assert f"{key}: Input should be" in told and len(told) < 900


def test_options_that_say_nothing(run):
    given = (run, "--bench", "x"), ("--fit", "--bench", "x"), ("--fit", "--out", "x")
    for words in (*given, ("--sparse", "x")):
        told = ernn("compare", *words)
        assert told.exit_code == 2 and "Invalid value for --" in told.stderr


def test_a_page_needs_a_folder(run):
    Path("file").write_text("mine")
    assert "file cannot be made: File exists" in refused("compare", run, "--out", "file")
    assert Path("file").read_text() == "mine"


def test_the_fit_is_printed_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = ernn("compare", "--fit")
    assert told.exit_code == 0 and not list(tmp_path.iterdir())
    assert "leave-one-out error: 3.10 W root mean square, 9.8 % in the mean" in told.output
    assert told.output.count("modelled") == 31  # every published figure, and ESE run
    assert "ESE on XCKU060, published 41 W" in told.output


@pytest.mark.needs("espeak-ng")
def test_a_benchmark_is_compared_or_planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = replace(LAYERS[2], name="small", hidden=16)
    monkeypatch.setattr(benchmark, "TARGETS", {})
    for module in ("ernn.flow.bench", "ernn.flow.compare"):
        monkeypatch.setattr(f"{module}.LAYERS", (small,))
    chosen = Benchmark((small,), ("XC7VX690T",), (2,), simulated=False)
    monkeypatch.setattr("ernn.flow.compare.choose", lambda **known: chosen)
    told = ernn("compare")
    assert told.exit_code == 0, told.output
    assert "out/bench holds no benchmark: the layers are planned" in told.output
    again = ernn("compare", "--bench", "out/compare/bench", "--out", "again")
    assert again.exit_code == 0 and "planned, and not" not in again.output
    first, second = (
        json.loads(Path(path).read_text())["subjects"][0]["ours"]
        for path in ("out/compare/compare.json", "again/compare.json")
    )
    assert first["plan"] == second["plan"] and first["power_w"] == second["power_w"]

    results = Path("out/compare/bench/results.json")
    whole = results.read_text()
    results.write_text(whole.replace("XC7VX690T", "XCKU060"))
    assert "holds no layer on XC7VX690T; run `ernn bench" in refused(
        "compare", "--bench", "out/compare/bench"
    )
    results.write_text("[1]")
    assert "run `ernn bench` again" in refused("compare", "--bench", "out/compare/bench")


def page():
    """Return a comparison of all published layers, ours with 30 W (20 to 45)."""
    power = Interval(20, 30, 45)
    rates = (1_173_021, 2_191_781, 1_111_111, 1_904_762)
    subjects = []
    for layer, rate_ in zip(LAYERS, rates, strict=True):
        ours = Ours(
            *("ernn", "0123456789ab", "XC7VX690T", 200.0, 12, 2, 1.4, rate_),
            *("simulated", "simulated", "bit-exact", power, power.scaled(0.6)),
            *({"dsp": 9.0, "static": 1.0}, (), "the planner's", "not measured", "<b>", "ernn"),
        )
        shape = benchmark_shape(layer.kind, layer.block)
        part = load_part(ours.part)
        made = subject(layer.name, layer.title, shape, ours, part, PUBLISHED, FIT, "ernn")
        subjects.append(made)
    return compare("Layers", __version__, "ernn compare", subjects, PUBLISHED, FIT)


def test_both_readings_of_the_efficiency():
    for one, layer in zip(page().subjects, LAYERS, strict=True):
        theirs = published_design(layer, "XC7VX690T")
        [found] = one.efficiency
        assert found.against == theirs
        fps = one.ours.frames_per_second
        assert found.borrowed_ratio == pytest.approx(fps / theirs.frames_per_second)
        assert found.estimated_ratio.typical * found.published == pytest.approx(fps / 30)
        assert found.estimated_ratio.low * found.published == pytest.approx(fps / 45)
        tops = 2e-12 * layer.dense_macs * fps / 30
        assert found.estimated_tops_per_w.typical == pytest.approx(tops)


def test_the_goal_is_judged_by_both_readings():
    theirs = published_design(LAYERS[1], "XC7VX690T")
    known = (theirs, 2_191_781.0)
    at = 2e-12 * 3_248_128 * 2_191_781 / 0.35  # W at which 0.35 TOPS/W are just met: 40.7
    for power, words in (
        (Interval(20, 30, at), "met, by the whole interval"),
        (Interval(20, at, 50), "met by the typical estimate, not by its upper end"),
        (Interval(at, 45, 50), "missed by the typical estimate, met by its lower end"),
        (Interval(at + 1, 45, 50), "missed, by the whole interval"),
    ):
        assert Efficiency(*known, power, 3_248_128).met == words
    slow = Efficiency(theirs, 2.9 * theirs.frames_per_second, Interval.exact(1), 3_248_128)
    assert slow.met == "missed by the published power"


def test_every_design_has_every_reading(tmp_path):
    one = page().subjects[0]
    published = [e.reading for e in one.entries if e.reading.mark in ("published", "derived")]
    assert {r.design for r in published} == {"ESE LSTM", "C-LSTM FFT8", "E-RNN FFT8 LSTM"}
    modelled = [e for e in one.entries if e.reading.mark == "modelled"]
    assert [e.reading.design for e in modelled].count("ESE") == 3
    assert all(e.power_mark in ("modelled", "published") for e in modelled)
    energy = modelled[-1].energy_uj.typical * modelled[-1].reading.frames_per_second
    assert energy == pytest.approx(1e6 * modelled[-1].reading.power_w.typical)


def test_files_say_the_same_and_twice_the_same(tmp_path):
    for name in ("a", "b"):
        write_comparison(page(), tmp_path / name)
    for path in each((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    html = (tmp_path / "a" / "compare.html").read_text()
    shown = {float(value) for value in re.findall(r'<data value="([^"]+)"', html)}
    data = json.loads((tmp_path / "a" / "compare.json").read_text())
    for one in each(data["subjects"]):
        for entry in one["entries"]:
            assert {entry["latency_us"], entry["frames_per_second"], entry["gops"]} <= shown
            if entry["power_w"]:
                assert set(entry["frames_per_joule"].values()) <= shown
                assert set(entry["energy_uj"].values()) <= shown
    assert {one["percent"] for one in data["deviations"]} <= shown
    markdown = (tmp_path / "a" / "compare.md").read_text()
    for name in ("Spartus", "CSB-RNN", "BBS", "EdgeDRNN"):
        assert name in html and name in markdown
    assert "<b>" not in html and not re.search(r"https?:|url\(|@import|<script", html)


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_in_a_browser(tmp_path, scheme, width):
    """Nothing is loaded or complained about, charts are visible, nothing scrolls sideways."""
    path = write_comparison(page(), tmp_path)
    said, loaded = [], []
    with sync_playwright() as session:
        chromium = require("chromium").path
        browser = session.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: loaded.append(request.url))
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        charts = tab.get_by_role("img")
        assert charts.count() == 16
        for index in range(16):
            chart = charts.nth(index)
            assert chart.is_visible() and chart.locator("rect.bar").count() >= 7
        for link in tab.locator("nav a").all():
            assert tab.locator(link.get_attribute("href")).count() == 1
        browser.close()
    assert not said
    assert loaded == [path.as_uri()]
