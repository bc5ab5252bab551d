"""The architecture as a test: imports point down, and heavy packages stay on their floor."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ernn"

FLOORS = [
    {"errors", "bilinear", "resources", "progress"},
    {"workers", "places", "extras", "own_function"},
    {
        "files",
        "folders",
        "fixed",
        "circulant",
        "tools",
        "datafile",
        "machine",
        "score",
        "targets",
        "edits",
    },
    {"graphs", "link"},
    {"parts", "cells", "structures"},
    {"recipe", "compressed"},
    {"train", "speech", "random_model", "unused"},
    {"tasks"},
    {"quant"},
    {"importers", "finetune", "hw"},
    {"hdl"},
    {"run"},
    {"timing"},
    {"backends"},
    {"ese", "suites"},
    {"energy"},
    {"report"},
    {"flow", "doctor"},
    {"search"},
    {"api"},
    {"console"},
    {"build_command", "import_command", "search_command"},
    {"project_commands"},
    {"cli"},
    {"__main__"},
]

# Who may import a package that is heavy, or that would tie a floor to one tool.
ONLY_IN = {
    "torch": {"train", "finetune", "search", "importers", "flow"},
    "pyrtl": {"hdl"},
    "jinja2": {"hdl", "report"},
    "systemrdl": {"hdl"},
    "peakrdl_cheader": {"hdl"},
    "cocotb": {"run"},
    "cocotb_tools": {"run"},
    "cocotbext": {"run"},
    "numba": {"quant"},
    "typer": {
        *("console", "build_command", "import_command", "search_command"),
        *("project_commands", "cli"),
    },
    "rich": {"progress"},
    "soundfile": {"speech"},
    "kaldiio": {"speech"},
    "espeakng_loader": {"speech"},
    "optuna": {"search"},
    "sqlalchemy": {"search"},
    "ray": {"search"},
    "onnx": {"importers"},
    "onnxruntime": {"importers"},
    "keras": {"importers"},
    "h5py": {"importers"},
}


def imported(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floor_of(name: str) -> int:
    found = [index for index, floor in enumerate(FLOORS) if name in floor]
    assert found, f"{name} has no floor; give it one in FLOORS"
    return found[0]


MODULES = sorted(PACKAGE.rglob("*.py"))
each_module = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)


@each_module
def test_imports_point_down(path):
    own = part(path)
    if own == "__init__":
        names = {name.partition(".")[0] for name in imported(path)}
        assert names <= {"importlib", "typing", "ernn"}, "ernn/__init__.py must stay light"
        return
    parts = {name.split(".")[1] for name in imported(path) if name.startswith("ernn.")}
    parts &= {part(module) for module in MODULES}  # `from ernn import __version__` is no module
    too_high = {name for name in parts - {own} if floor_of(name) >= floor_of(own)}
    assert not too_high, f"{own} (floor {floor_of(own)}) imports {sorted(too_high)}"


@each_module
def test_heavy_packages_stay_on_their_floor(path):
    outside = {name.split(".")[0] for name in imported(path)}
    wrong = {name for name in outside if part(path) not in ONLY_IN.get(name, {part(path)})}
    assert not wrong, f"{path.relative_to(PACKAGE)} may not import {sorted(wrong)}"


def test_no_module_imports_in_a_circle():
    names = {".".join(("ernn", *m.relative_to(PACKAGE).with_suffix("").parts)): m for m in MODULES}
    graph = {}
    for name, path in names.items():
        found = imported(path)
        graph[name] = (found | {other.rpartition(".")[0] for other in found}) & names.keys()
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("path", sorted((ROOT / "sim").rglob("*.py")), ids=lambda path: path.name)
def test_testbenches_stand_alone(path):
    """Testbenches read vectors: they import only cocotb, the standard library and each other."""
    allowed = {"cocotb", "cocotbext", *sys.stdlib_module_names}
    allowed |= {testbench.stem for testbench in (ROOT / "sim").glob("*.py")}
    outside = {name.split(".")[0] for name in imported(path)}
    assert outside <= allowed, f"{path.name} imports {sorted(outside - allowed)}"


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("ernn", {"numpy", "pydantic"}), ("ernn.cli", {"numpy", "pydantic", "torch"})],
)
def test_starting_is_fast(module, heavy):
    code = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not heavy & set(loaded.stdout.split())
