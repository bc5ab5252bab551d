"""The study: claims, signs of life, and databases that misbehave."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from deadlines import until
from jobs import outcome

from ernn.errors import ProjectError, ToolError
from ernn.search.bounds import Size
from ernn.search.space import Point
from ernn.search.storage import shown
from ernn.search.study import METRICS, Study

POINT, OTHER = Point("lstm", 8, 8), Point("gru", 8, 16)
SIZE = Size(100, 20, 3, 50, 7, "")
OUTCOME = outcome(20.5, 19.0, 22.0, (3, 1, 0), (10, 9, 8), 12.5)
RECIPE = {"recipe": {"training": {"updates": 10}}, "code": {"train": "abc"}}


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'search.db'}"


def join(folder: Path, recipe=RECIPE, **timing) -> Study:
    return Study(url(folder), "test", recipe, **timing)


def test_a_finished_trial_is_seen_by_all(tmp_path):
    first = join(tmp_path)
    assert first.claim(POINT, "because", SIZE)
    first.finish(POINT, OUTCOME)
    second = join(tmp_path)
    assert second.outcomes() == {POINT: OUTCOME}
    assert second.reasons() == {POINT: "because"}
    assert not second.claim(POINT, "again", SIZE)


def test_a_dashboard_can_read_it(tmp_path):
    study = join(tmp_path)
    assert study.claim(OTHER, "because", SIZE)
    study.finish(OTHER, OUTCOME)
    [trial] = optuna.load_study(study_name="test", storage=url(tmp_path)).trials
    assert trial.params == {"cell": "gru", "block": 8, "wide": 16}
    assert trial.values == [20.5, 123.0]
    assert trial.user_attrs["why"] == "because"
    assert trial.user_attrs["low"] == 19.0
    assert study.study.metric_names == list(METRICS)


def test_a_point_has_one_worker(tmp_path):
    first, second = join(tmp_path), join(tmp_path)
    assert first.claim(POINT, "because", SIZE)
    assert not second.claim(POINT, "because", SIZE)
    assert not first.claim(POINT, "because", SIZE)
    assert second.claim(OTHER, "because", SIZE)
    first.fail(POINT, "interrupted")
    assert second.claim(POINT, "because", SIZE)


def test_of_two_claims_at_once_the_first_holds(tmp_path, monkeypatch):
    """The second looks before the first has written, and again after it has."""
    first, second = join(tmp_path), join(tmp_path)
    look, looked = second._owner, []

    def owner(point):
        if not looked:
            looked.append(point)
            assert first.claim(point, "because", SIZE)
            return None  # what it saw just before
        return look(point)

    monkeypatch.setattr(second, "_owner", owner)
    assert not second.claim(POINT, "because", SIZE)
    assert POINT in first.mine
    assert POINT not in second.mine


def test_the_trial_of_a_dead_process_is_free_again(tmp_path):
    dead, alive = (join(tmp_path, heartbeat_s=1, grace_s=2) for _ in range(2))
    assert dead.claim(POINT, "because", SIZE)
    assert alive.claim(OTHER, "because", SIZE)
    with alive.alive():
        until(
            lambda: join(tmp_path, heartbeat_s=1, grace_s=2).claim(POINT, "", SIZE),
            "a dead process keeps its trial",
        )
    assert not dead.claim(OTHER, "because", SIZE)  # whose process gave signs of life
    dead.finish(POINT, OUTCOME)  # it was only slow: what it brings is not needed any more
    assert dead.outcomes() == {}


def test_a_claim_cut_off_before_its_first_heartbeat_is_free_again(tmp_path, monkeypatch):
    dead, alive = (join(tmp_path, heartbeat_s=1, grace_s=1) for _ in range(2))

    def killed(trial_id):
        raise KeyboardInterrupt

    monkeypatch.setattr(dead.storage, "record_heartbeat", killed)
    with pytest.raises(KeyboardInterrupt):
        dead.claim(POINT, "because", SIZE)
    assert not alive.claim(POINT, "because", SIZE)  # it may still be at it
    until(lambda: alive.claim(POINT, "because", SIZE), "a dead process keeps its trial")


def test_processes_may_begin_a_study_at_once(tmp_path):
    """Tables that another one is just making are no error."""
    code = "import sys; from ernn.search.study import Study; Study(sys.argv[1], 'test', {})"
    command = [sys.executable, "-c", code, url(tmp_path)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=120)[1] for process in both] == ["", ""]


def test_another_recipe_is_refused(tmp_path):
    join(tmp_path)
    changed = {**RECIPE, "recipe": {"training": {"updates": 20}}}
    with pytest.raises(ProjectError, match=r"training\.updates was 10 and is 20.*--study"):
        join(tmp_path, changed)
    with pytest.raises(ProjectError, match="ernn's train changed"):
        join(tmp_path, {**RECIPE, "code": {"train": "def"}})


def test_a_database_that_disappears(tmp_path):
    study = join(tmp_path)
    assert study.claim(POINT, "because", SIZE)
    (tmp_path / "search.db").unlink()
    for use in (study.outcomes, lambda: study.claim(OTHER, "", SIZE)):
        with pytest.raises(ToolError, match=r"the file is gone.*run the same command again"):
            use()


@pytest.mark.parametrize(
    "bad",
    ["nonsense", "foo://x", "sqlite:////no/such/folder/a.db", "mysql+pymysql://me:secret@host/x"],
)
def test_a_database_that_does_not_answer(bad):
    with pytest.raises(ToolError, match="cannot be used") as told:
        Study(bad, "test", RECIPE)
    assert "secret" not in str(told.value)
    assert len(str(told.value).splitlines()) == 1


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "search.db").write_text("thesis " * 1000)
    with pytest.raises(ToolError, match="not a database"):
        join(tmp_path)


@pytest.mark.parametrize(
    ("schema", "revision", "remedy"),
    [(9, "v0.9.0.a", "an older .*optuna storage upgrade"), (13, "v9.9.9.a", "another .*update")],
)
def test_a_database_of_another_optuna(tmp_path, schema, revision, remedy):
    optuna.create_study(storage=url(tmp_path), study_name="theirs")
    with sqlite3.connect(tmp_path / "search.db") as database:
        database.execute("update version_info set schema_version = ?", (schema,))
        database.execute("update alembic_version set version_num = ?", (revision,))
    with pytest.raises(ToolError, match=rf"has the tables of {remedy}") as told:
        join(tmp_path)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    "directions", [["minimize"], ["maximize", "minimize"], ["minimize", "minimize"]]
)
def test_a_study_that_another_program_began(tmp_path, directions):
    theirs = optuna.create_study(storage=url(tmp_path), study_name="test", directions=directions)
    theirs.add_trial(optuna.create_trial(values=[1.0] * len(directions)))
    with pytest.raises(ProjectError, match="was not begun by `ernn search`; give another --study"):
        join(tmp_path)
    assert theirs.user_attrs == {} and len(theirs.trials) == 1


def test_a_password_is_not_shown():
    assert shown("postgresql://me:secret@host/x") == "postgresql://me:***@host/x"


def test_losses_are_paired():
    dense = outcome(10.0, 9.0, 11.0, (2, 0, 0), (10, 9, 8), 1.0)
    loss = OUTCOME.loss(dense)
    assert loss.value == pytest.approx(100 * 2 / 27)
    assert loss.low <= loss.value <= loss.high
