"""The step engine, on a chain of two steps that count how often they run."""

import errno
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from deadlines import LONG_S, until

from ernn import folders
from ernn.errors import MismatchError, ProjectError
from ernn.flow.dependencies import Code
from ernn.flow.engine import Chain, Step, share
from ernn.flow.run_folder import STAMP
from ernn.recipe import Recipe

MODEL = {"cell": "gru", "layers": [{"hidden": 16}]}


def recipe(**changes) -> Recipe:
    return Recipe.from_dict({"name": "test", "model": MODEL, **changes})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Counter:
    """A step that copies what it reads and remembers that it ran."""

    def __init__(self, error: BaseException | None = None):
        self.runs, self.error = 0, error

    def __call__(self, work) -> None:
        self.runs += 1
        (work.folder / "deep").mkdir()
        (work.folder / "deep" / "seed.txt").write_text(str(work.recipe.seed))
        if self.error:
            raise self.error


class Setting:
    """Two steps: `first` reads the seed, `second` the training and what `first` made."""

    def __init__(self, out: Path):
        self.out, self.first, self.second, self.said = out, Counter(), Counter(), []

    def bring(self, last: str = "second", force: bool = False, **changes) -> list[str]:
        self.said = []
        chain = (
            Step("first", self.first, ("seed",)),
            Step("second", self.second, ("training",), after=("first",)),
        )
        Chain(chain, recipe(**changes), self.out, self.said.append).bring(last, force)
        return self.said

    @property
    def runs(self) -> tuple[int, int]:
        return self.first.runs, self.second.runs


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path / "out")


def test_a_rerun_skips_what_is_done(setting):
    setting.bring()
    assert setting.bring() == ["first: up to date", "second: up to date"]
    assert setting.runs == (1, 1)


def test_what_a_step_tells_is_said_when_it_ran_for_another(tmp_path):
    def first(work):
        (work.folder / "summary.txt").write_text("2 recordings are odd\n")

    def bring(last):
        steps = (
            Step("first", first, (), tells=True),
            Step("second", lambda work: None, (), after=("first",)),
        )
        said = []
        Chain(steps, recipe(), tmp_path / "out", said.append).bring(last)
        return said

    assert bring("second")[2] == "2 recordings are odd"
    assert "2 recordings are odd" not in bring("second")  # up to date
    assert "2 recordings are odd" not in bring("first")  # whoever asked prints it


def test_a_step_brings_only_what_it_needs(setting):
    setting.bring("first")
    assert setting.runs == (1, 0)
    assert not (setting.out / "second").exists()


def test_a_change_redoes_only_what_depends_on_it(setting):
    setting.bring()
    setting.bring(training={"updates": 7})
    assert setting.runs == (1, 2)
    assert "second: again, because training.updates was 1500 and is 7" in setting.said
    setting.bring(training={"updates": 7}, seed=1)
    assert setting.runs == (2, 3)
    assert "second: again, because first changed" in setting.said


def test_a_corpus_of_its_own_seed_serves_every_training_seed(setting):
    def bring(**changes) -> None:
        Chain(
            (Step("first", setting.first, ("corpus_seed",)),),
            recipe(**changes),
            setting.out,
            setting.said.append,
        ).bring("first")

    bring(corpus={"seed": 5}, seed=1)
    bring(corpus={"seed": 5}, seed=2)
    assert setting.first.runs == 1
    bring(seed=2)
    assert setting.first.runs == 2
    assert "first: again, because corpus_seed was 5 and is 2" in setting.said


def test_changed_code_redoes_its_step(setting, monkeypatch):
    step = Step("first", setting.first, ("seed",), module="ernn.fixed")
    hashes = {"fixed.py": "1", "errors.py": "1"}
    monkeypatch.setattr(Code, "depends_on", lambda code, module: {"module": module, **hashes})

    def bring() -> list[str]:
        said: list[str] = []
        Chain((step,), recipe(), setting.out, said.append).bring("first")
        return said

    bring()
    assert bring() == ["first: up to date"]
    hashes["errors.py"] = "2"
    assert bring()[0] == "first: again, because ernn's errors.py changed"
    hashes["energy/power.toml"] = "1"
    assert bring()[0] == "first: again, because ernn's energy/power.toml changed"


def test_what_cannot_work_is_told_before_the_step_begins(setting):
    def refuse(work) -> None:
        assert work.step == "first" and work.folder.is_dir()
        raise ProjectError("it will not fit")

    step = Step("first", setting.first, ("seed",), check=refuse)
    with pytest.raises(ProjectError, match="will not fit"):
        Chain((step,), recipe(), setting.out).bring("first")
    assert setting.first.runs == 0 and names(setting.out) == ["ernn.lock"]


def test_equal_results_stop_the_wave(setting):
    setting.bring()
    setting.bring("first", force=True)
    setting.bring()
    assert setting.runs == (2, 1)


def test_force_is_for_the_last_step_only(setting):
    setting.bring()
    assert setting.bring(force=True)[:2] == ["first: up to date", "second: as asked"]
    assert setting.runs == (1, 2)


def test_a_shared_step_is_made_anew_for_another_recipe(setting, tmp_path):
    """The link gives way to a folder, again and again, and what it led to stays."""
    setting.bring("first")
    other = Setting(tmp_path / "other")
    share(setting.out / "first", other.out)
    assert other.bring("first") == ["first: up to date"]
    for seed in (1, 2, 3):
        assert "first: again, because seed" in other.bring("first", seed=seed)[0]
    assert names(other.out) == ["ernn.lock", "first"]
    assert setting.bring("first") == ["first: up to date"]
    with pytest.raises(ProjectError, match=r"made by another recipe.*move .* away"):
        share(setting.out / "first", other.out)


def test_a_lost_file_is_made_again(setting):
    setting.bring()
    (setting.out / "first" / "deep" / "seed.txt").unlink()
    setting.bring()
    assert setting.runs == (2, 1)


def test_an_edited_file_is_noticed_and_kept(setting):
    setting.bring()
    edited = setting.out / "first" / "deep" / "seed.txt"
    edited.write_text("mine")
    with pytest.raises(ProjectError, match=r"seed\.txt was changed since ernn wrote it"):
        setting.bring(seed=1)
    assert edited.read_text() == "mine"
    setting.bring("first", force=True)
    assert edited.read_text() == "0"


def test_an_added_file_is_noticed_and_kept(setting):
    """A step would read it: every Verilog file is simulated."""
    setting.bring()
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (setting.out / "first" / name).write_text("a desktop's")
    setting.bring()
    added = setting.out / "first" / "deep" / "more.txt"
    added.write_text("mine")
    with pytest.raises(ProjectError, match=r"more\.txt was not written by ernn") as told:
        setting.bring()
    assert told.value.fault.remedy == "move it away"
    assert added.read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"inputs": 1, "outputs": 2}', '{"inputs": {}'])
def test_a_damaged_stamp_is_refused(setting, text):
    setting.bring()
    (setting.out / "first" / STAMP).write_text(text)
    with pytest.raises(ProjectError, match="no finished step"):
        setting.bring()


def test_the_stamp_lists_every_file(setting):
    setting.bring()
    stamp = json.loads((setting.out / "first" / STAMP).read_text())
    assert list(stamp["outputs"]) == ["deep/seed.txt"]
    assert stamp["inputs"]["recipe"] == {"seed": 0}


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), ProjectError("no")])
def test_a_failed_step_leaves_nothing(setting, error):
    setting.second.error = error
    with pytest.raises(type(error)):
        setting.bring()
    assert names(setting.out) == ["ernn.lock", "first"]
    setting.second.error = None
    setting.bring()
    assert setting.runs == (1, 2)


def test_a_cache_survives_a_failure(tmp_path):
    seen = []

    def work(work) -> None:
        seen.append(work.cache.exists())
        work.cache.mkdir(exist_ok=True)
        raise MismatchError("no")

    chain = Chain((Step("first", work, ("seed",)),), recipe(), tmp_path / "out")
    for _ in range(2):
        with pytest.raises(MismatchError):
            chain.bring("first")
    assert seen == [False, True]
    assert names(tmp_path / "out") == ["ernn.lock", "first.cache"]


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("I/O error: os error 28")],
)
def test_a_full_disk_is_one_sentence(setting, error):
    setting.second.error = error
    with pytest.raises(ProjectError, match=r"disk that holds .* is full"):
        setting.bring()
    assert names(setting.out) == ["ernn.lock", "first"]


def test_a_disk_that_fills_while_publishing_leaves_the_old_result(setting, monkeypatch):
    setting.bring()
    before = (setting.out / "first" / STAMP).read_text()

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folders, "_sync", full)
    with pytest.raises(ProjectError, match="full"):
        setting.bring(seed=1)
    assert (setting.out / "first" / STAMP).read_text() == before


def test_a_foreign_folder_is_refused(setting):
    setting.out.mkdir()
    (setting.out / "thesis.tex").write_text("years of work")
    with pytest.raises(ProjectError, match="files that ernn did not write"):
        setting.bring()
    assert names(setting.out) == ["thesis.tex"]


def test_a_file_is_not_a_folder(setting):
    setting.out.write_text("")
    with pytest.raises(ProjectError, match="is a file"):
        setting.bring()


def _slow(out: Path, ready: Path, resumable: bool) -> None:
    """Run a step that never ends; its first act is to leave a trace."""

    def work(work) -> None:
        (work.folder / "trace").write_text("half")
        ready.touch()
        time.sleep(60)

    Chain((Step("slow", work, ("seed",), resumable=resumable),), recipe(), out).bring("slow")


@pytest.fixture(params=[False, True], ids=["restarts", "resumes"])
def running(request, tmp_path: Path):
    """A process in the middle of a step, its output folder, and whether the step can resume."""
    out, ready = tmp_path / "out", tmp_path / "ready"
    process = multiprocessing.get_context("spawn").Process(
        target=_slow, args=(out, ready, request.param)
    )
    process.start()
    until(ready.exists, "the other process did not start")
    yield process, out, request.param
    process.kill()
    process.join(LONG_S)


def test_two_processes_do_not_share_a_folder(running):
    _, out, _ = running
    with pytest.raises(ProjectError, match="another ernn is working"):
        Chain((Step("slow", Counter(), ("seed",)),), recipe(), out).bring("slow")


def test_kill_9_in_the_middle(running):
    process, out, resumable = running
    os.kill(process.pid, signal.SIGKILL)
    process.join(LONG_S)
    assert not (out / "slow").exists()
    seen = []

    def work(work) -> None:
        seen.append((work.folder / "trace").exists())
        (work.folder / "trace").write_text("whole")

    chain = Chain((Step("slow", work, ("seed",), resumable=resumable),), recipe(), out, print)
    chain.bring("slow")
    assert seen == [resumable]
    assert (out / "slow" / "trace").read_text() == "whole"


def test_a_changed_recipe_does_not_resume(running):
    process, out, _ = running
    os.kill(process.pid, signal.SIGKILL)
    process.join(LONG_S)
    counter = Counter()
    Chain((Step("slow", counter, ("seed",), resumable=True),), recipe(seed=5), out).bring("slow")
    assert not (out / "slow" / "trace").exists()


def test_what_lies_beside_a_run_is_asked_of_its_folder(tmp_path):
    """A step's other input may be in the run's folder, and is looked for each time."""
    out, ran = tmp_path / "out", Counter()
    step = Step(
        "first", ran, ("seed",), outside=lambda _, out: {f.name: "1" for f in out.glob("x*")}
    )

    def bring() -> list[str]:
        said: list[str] = []
        Chain((step,), recipe(), out, said.append).bring("first")
        return said

    bring()
    (out / "x1").touch()
    assert bring()[0] == "first: again, because x1 changed"
    assert bring() == ["first: up to date"] and ran.runs == 2
