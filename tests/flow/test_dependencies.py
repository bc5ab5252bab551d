"""A step is redone when something changes that goes into it, and only then.

What goes in follows from imports (ernn.flow.dependencies); that nothing is forgotten is shown by
tracing every step of a real run, and that nothing is redone in vain by editing files of a copy.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deadlines import each

from ernn.flow.chain import STEPS
from ernn.flow.dependencies import Code, Tree
from ernn.flow.engine import Chain, Step
from ernn.recipe import Recipe
from ernn.resources import folder

TRACING = Path(__file__).parents[1] / "tracing.py"
SHIPPED = ("hw_templates", "sim", "asr_models", "vivado_scripts")

MODEL = {"cell": "gru", "layers": [{"hidden": 16}]}
RECIPES = {
    "speech": Recipe.from_dict({"name": "a", "model": MODEL}),
    "arrays": Recipe.from_dict(
        {"name": "a", "model": MODEL, "task": {"kind": "arrays", "path": "a.npz"}}
    ),
}

MODELS = {"train", "compress", "quantize"}
MACHINE = {"plan", "simulate", "report"}
EVERYTHING = {step.name for step in STEPS}


def keys(tree: Tree, kind: str = "speech") -> dict[str, dict[str, str]]:
    code = Code(tree)
    return {step.name: step.depends_on(code, RECIPES[kind]) for step in STEPS}


@pytest.fixture
def copied(tmp_path) -> Tree:
    """A copy of ernn to edit."""
    own, ignored = Tree.own(), shutil.ignore_patterns("__pycache__")
    shutil.copytree(own.home, tmp_path / "ernn", ignore=ignored)
    for name in SHIPPED:
        shutil.copytree(own.shipped / name, tmp_path / name, ignore=ignored)
    return Tree(tmp_path / "ernn", tmp_path)


def edit(path: Path) -> None:
    assert path.is_file()
    path.write_text(path.read_text() + "\n")


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        ("ernn/energy/power.toml", {"plan", "report"}),
        ("ernn/parts/amd/xc7z020.toml", MACHINE),
        ("ernn/parts/families/7-series.toml", MACHINE),
        ("ernn/report/report.css", {"report"}),
        ("ernn/report/sections/energy.html.j2", {"report"}),
        ("ernn/flow/summary.py", {"report"}),
        ("ernn/hw/cost.py", MACHINE),
        ("ernn/recipe/hardware.py", MACHINE),
        ("ernn/graphs/fourier.py", {"quantize", "generate", *MACHINE}),
        ("ernn/finetune/quantization_aware.py", {"quantize"}),
        ("ernn/speech/kaldi.py", {"corpus"}),
        ("ernn/speech/per.py", {"train", "compress", "quantize", "report"}),
        ("ernn/tasks/own_data.py", set()),
        ("ernn/train/fit.py", MODELS),
        ("hw_templates/lib/ernn_pe.v", {"generate", "simulate"}),
        ("sim/accelerator.py", {"simulate"}),
        ("ernn/backends/vivado/build.py", set()),
        ("ernn/cli.py", set()),
        ("ernn/flow/engine.py", set()),
        ("ernn/flow/fit_check.py", set()),
        ("ernn/search/phase1.py", set()),
        ("asr_models/tiny.toml", set()),
        ("ernn/errors.py", EVERYTHING),
    ],
)
def test_an_edit_redoes_what_it_goes_into(copied, file, stale):
    before = keys(copied)
    edit(copied.shipped / file)
    after = keys(copied)
    assert {name for name in before if before[name] != after[name]} == stale


def test_a_task_depends_on_its_own_code():
    found = keys(Tree.own(), "arrays")
    assert "tasks/own_data.py" in found["corpus"] and "tasks/arrays.py" in found["train"]
    for step, files in found.items():
        assert not [file for file in files if file.startswith("speech/")], step


def test_an_edit_of_the_energies_plans_again(tmp_path, copied):
    """As a user meets it: the plan prints energies, so it is made again; a style sheet is not."""
    step = next(step for step in STEPS if step.name == "plan")
    recipe = RECIPES["speech"]
    plan = Step("plan", lambda work: None, step.reads, module=step.module)

    def bring() -> str:
        said: list[str] = []
        chain = Chain((plan,), recipe, tmp_path / "out", said.append)
        chain.code = Code(copied)
        chain.bring("plan")
        return said[0]

    assert bring() == "plan: starting"
    edit(copied.home / "report" / "report.css")
    assert bring() == "plan: up to date"
    edit(copied.home / "energy" / "power.toml")
    assert bring() == "plan: again, because ernn's energy/power.toml changed"


SOURCES = {
    "ernn/__init__.py": "",
    "ernn/step.py": """
from typing import TYPE_CHECKING
from ernn.gathered import Deep
if TYPE_CHECKING:
    from ernn.never import Words
else:
    from ernn.otherwise import Words
def run():
    try:
        import ernn.inside
    except ImportError:
        from ernn.rescue import one as two
    from ernn import package
""",
    "ernn/gathered/__init__.py": "from ernn.gathered.deep import Deep\n"
    "from ernn.gathered.other import x",
    "ernn/gathered/deep.py": "from ernn.finder import folder as shipped\nshipped(\"templates\")",
    "ernn/gathered/other.py": "x = 1",
    "ernn/inside.py": "from pathlib import Path\nA = Path(__file__).with_name(\"a.toml\")",
    "ernn/a.toml": "a", "ernn/b.toml": "b",
    "ernn/rescue.py": "one = 1",
    "ernn/otherwise.py": "Words = 1", "ernn/never.py": "Words = 1", "ernn/unused.py": "",
    "ernn/package/__init__.py": "from pathlib import Path\nHERE = Path(__file__).parent",
    "ernn/package/module.py": "", "ernn/package/deep/c.j2": "c",
    "ernn/finder.py": "", "ernn/resources.py": "def folder(name): ...\nB = __file__",
    "templates/t.v": "t", "templates/__pycache__/t.pyc": "t",
}  # fmt: skip


def test_imports_are_followed_wherever_they_are(tmp_path):
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("ernn.finder", "ernn.resources"))
    found = Code(Tree(tmp_path / "ernn", tmp_path)).depends_on("ernn.step")
    assert set(found) == {
        *("step.py", "gathered/deep.py", "otherwise.py", "inside.py", "a.toml", "rescue.py"),
        *("package/__init__.py", "package/deep/c.j2", "resources.py", "templates/t.v"),
    }


SMALL = """
name = "traced"
[corpus]
train_minutes = 0.3
dev_minutes = 0.1
test_minutes = 0.1
[features]
mel_bands = 12
keep_every = 4
[model]
cell = "lstm"
[[model.layers]]
hidden = 8
projection = 4
block = 2
[training]
updates = 4
batch = 4
evaluate_every = 2
[compression]
updates = 4
updates_per_round = 2
retrain_updates = 2
[quantization]
calibration_utterances = 2
fine_tune_updates = 2
[simulation]
frames_per_stream = 20
simulator = "icarus"
"""

BY_VALUE = {"recipe/recipe.py"}  # what a step reads of the whole recipe is in its key


@pytest.mark.needs("iverilog", "espeak-ng")
def test_every_file_that_a_step_uses_is_in_its_key(tmp_path):
    (tmp_path / "traced.toml").write_text(SMALL)
    told = subprocess.run(
        [sys.executable, str(TRACING), tmp_path / "traced.toml", tmp_path / "out"],
        capture_output=True,
        text=True,
        timeout=580,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": "0"},
        check=False,
    )
    assert told.returncode == 0, told.stderr
    used, known = json.loads(told.stdout.splitlines()[-1]), keys(Tree.own())
    assert used.keys() == EVERYTHING
    for step, files in each(used.items()):
        forgotten = set(files) - known[step].keys() - BY_VALUE
        assert not forgotten, f"{step} uses {sorted(forgotten)}, which is not in its key"
    assert "energy/power.toml" in used["plan"] and "train/fit.py" in used["train"]
    assert "report/report.html.j2" in used["report"]
    assert folder("sim").is_dir()
