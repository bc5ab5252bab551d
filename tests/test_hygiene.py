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
) + [path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != "LICENSE"]
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
def test_a_hardware_module_has_a_golden_model_and_a_test(path):
    named = re.search(r"Golden model:\s+(ernn(?:\.\w+)+)", path.read_text())
    assert named, f"{path.name} names no golden model"
    assert resolves(named[1]), f"{path.name}: {named[1]} cannot be imported"
    test = ROOT / "tests" / "rtl" / f"test_{path.stem.removeprefix('ernn_')}.py"
    assert test.is_file(), f"{path.name} has no {test.name}"


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
