"""What a reviewer would check by eye on every change."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("ernn", "hw_templates", "sim", "asr_models", "vivado_scripts", "tests", "docs")
CODE = {".py", ".v", ".j2", ".tcl", ".toml", ".css"}
TEXT = CODE | {".md", ".yml", ".yaml", ".lock", ""}

FILES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and "__pycache__" not in path.parts and "golden" not in path.parts
) + [
    path
    for path in sorted(ROOT.iterdir())
    if path.is_file() and path.name not in ("LICENSE", ".git")
]
LIBRARY = sorted((ROOT / "hw_templates" / "lib").glob("*.v"))

by_name = {"ids": lambda path: path.relative_to(ROOT).as_posix()}


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in CODE], **by_name)
def test_a_file_is_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in TEXT], **by_name)
def test_no_path_of_one_machine(path):
    found = re.search(r"(?<![\w.])/(?:work|root|home|Users|mnt|tmp)/\w+", path.read_text())
    assert not found, f"{path.name} mentions {found and found[0]}"


@pytest.mark.parametrize("path", LIBRARY, **by_name)
def test_a_hardware_module_names_its_golden_model(path):
    """A module computes what some Python computes, or says why it computes nothing."""
    told = re.search(r"Golden model:\s+(none\W+\w+|ernn[\w.]*\w)", path.read_text())
    assert told, f"{path.name} names no golden model"
    assert told[1].startswith("none") or resolves(told[1]), f"{told[1]} cannot be imported"


def has_testbench(module: str) -> bool:
    """Tell whether a test has the module alone under test: a file of its name, a call, a list."""
    rtl = ROOT / "tests" / "rtl"
    called = re.compile(rf'\b(?:check|Case)\(\s*"{module}"|^MODULES = .*"{module}"', re.M)
    own = rtl / f"test_{module.removeprefix('ernn_')}.py"
    return own.is_file() or any(called.search(test.read_text()) for test in rtl.glob("test_*.py"))


@pytest.mark.parametrize("path", LIBRARY, **by_name)
def test_a_hardware_module_has_a_testbench_of_its_own(path):
    assert has_testbench(path.stem)


def test_a_mention_is_no_testbench():
    assert has_testbench("ernn_skid")
    assert not has_testbench("ernn_top")  # which many files name


SOURCES = [
    path
    for folder in ("ernn", "hw_templates", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".j2"}
    and not {"parts", "backends"} & set(path.relative_to(ROOT).parts)
]
# Comparing a vendor, a family or a flow; data of ernn/parts says what a fabric can do.
VENDORS = r"[\"'](?:amd|xilinx|lattice|gowin|7-series|ultrascale|ecp5|gw2a|xc7|vivado|trellis)[\"']"
COMPARED = re.compile(
    rf"\.vendor\s*[!=]=|family(?:\.name)?\s*[!=]=|\.flow\s*[!=]="
    rf"|(?:==|!=|\bin)\s*\(?{VENDORS}|{VENDORS}\s*(?:==|!=|\bin\b)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", SOURCES, **by_name)
def test_no_vendor_is_compared_outside_parts_and_backends(path):
    found = COMPARED.search(path.read_text())
    assert not found, f"{path.name} compares {found and found[0]}; let the part's family say it"


@pytest.mark.parametrize(
    "line",
    [
        'if part.vendor != "AMD":',
        'if part.family.name == "ecp5"',
        "{% if package.synth == 'vivado' %}",
        'x = 1 if "Lattice" in name else 2',
        "flow in ('ecp5', 'gowin')",
    ],
)
def test_a_compared_vendor_is_found(line):
    assert COMPARED.search(line)


def resolves(dotted: str) -> bool:
    """Tell whether a dotted name leads to a module, class, function or method."""
    names = dotted.split(".")
    for split in range(len(names), 0, -1):
        try:
            found = importlib.import_module(".".join(names[:split]))
        except ModuleNotFoundError:
            continue
        for name in names[split:]:
            found = getattr(found, name, None)
        return found is not None
    return False


def test_golden_names_are_really_resolved():
    assert resolves("ernn.fixed.QFormat.requantize")
    assert not resolves("ernn.fixed.QFormat.round_up")
    assert not resolves("ernn.nothing.here")
