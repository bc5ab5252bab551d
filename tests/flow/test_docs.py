"""The pages: what they tell a newcomer to type works, and every link leads somewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import IN_THIS_ENVIRONMENT, ROOT, first_commands, require_success, shell_blocks

PAGES = sorted(
    path for folder in (ROOT, ROOT / "docs", ROOT / "asr_models") for path in folder.glob("*.md")
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def headings(page: Path) -> set[str]:
    """Return the anchors that a viewer of repositories gives a page's headings."""
    found = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.S), re.M)
    words = (re.sub(r"[^\w\- ]", "", text.lower()) for text in found)
    return {text.replace(" ", "-") for text in words}


def dead_links(page: Path) -> list[str]:
    """Return the links of a page to files or headings that are not there."""
    dead = []
    for link in LINK.findall(re.sub(r"```.*?```", "", page.read_text(), flags=re.S)):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page):
    assert not dead_links(page)


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One heading\n[a](page.md#one-heading) [b](gone.md) [c](#two)\n")
    assert dead_links(page) == ["gone.md", "#two"]


@pytest.mark.needs("verilator", "g++", "make", "perl")
def test_the_first_block_of_the_readme_runs(tiny_run):
    """With a small recipe, in the environment of the tests; of the tests it collects one file."""
    demo, test = first_commands()
    assert (demo, test) == ("make demo", "make test")
    assert "report.html" in tiny_run.with_name("tiny.log").read_text()
    assert (tiny_run / "report" / "report.html").is_file()
    few = "--collect-only tests/unit/test_fixed.py -p no:cacheprovider"
    found = require_success(f"{test} {IN_THIS_ENVIRONMENT}", ROOT, PYTEST_ADDOPTS=few)
    assert "test_fixed.py" in found


@pytest.mark.needs("verilator", "g++", "make", "perl")
def test_every_block_of_the_tutorial_runs(tiny_run, tmp_path):
    """In the order of the page; its first run finds that all is done, for it is the README's."""
    shutil.copytree(tiny_run, tmp_path / "first")
    for script in shell_blocks(ROOT / "docs" / "tutorial.md"):
        require_success(script, tmp_path, OMP_NUM_THREADS="1")
    assert (tmp_path / "first" / "package" / "manifest.json").is_file()


@pytest.mark.needs("verilator", "g++", "make", "perl")
def test_every_block_of_the_tutorial_of_own_networks_runs(tmp_path):
    """The Python blocks are one script, which the first shell block runs."""
    page = ROOT / "docs" / "own_network.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.S | re.M)
    (tmp_path / "amplifier.py").write_text("\n".join(blocks))
    for script in shell_blocks(page):
        require_success(script, tmp_path, OMP_NUM_THREADS="1")
    for run in ("run", "onnx"):
        assert "Bit-exact" in (tmp_path / run / "report" / "report.md").read_text()
    assert "block = 4" in (tmp_path / "small" / "source" / "recipe.toml").read_text()


@pytest.mark.needs("iverilog")
def test_every_script_of_the_python_page_runs(tmp_path):
    """As they stand, at the top of a file: without a guard of __main__, and to their end."""
    page = (ROOT / "docs" / "python.md").read_text()
    scripts = re.findall(r"^```python\n(.*?)^```", page, flags=re.S | re.M)
    assert len(scripts) == 3 and not any("__main__" in script for script in scripts)
    told = []
    for index, script in enumerate(scripts):
        file = tmp_path / f"script{index}.py"
        file.write_text(script)
        told.append(require_success(f"python {file.name}", tmp_path, OMP_NUM_THREADS="1"))
    assert "120 frames" in told[0] and "every one as the integer model" in told[0]
    assert (tmp_path / "waves" / "rtl" / "rtl" / "ernn_top.v").is_file()
    assert "largest difference to the source" in told[1]
    assert "as the integer model" in told[1]
    assert "quantize: done" in told[2]


def test_the_site_is_built_without_a_warning(tmp_path):
    """Sphinx tells of pages that no table of contents has and of headings that are not there."""
    sphinx = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "-q"]
    built = subprocess.run(
        [*sphinx, str(ROOT / "docs"), str(tmp_path / "site")], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    assert "Glossary" in (tmp_path / "site" / "index.html").read_text()
