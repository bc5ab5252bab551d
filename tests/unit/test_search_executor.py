"""Executors: every one gives the same outcomes, whatever happens to its workers."""

import signal
import socket

import pytest
from jobs import POINTS, FakeJob, outcomes

from ernn.errors import CorpusError, ToolError
from ernn.search import executor
from ernn.search.executor import Executor, Here, Processes, Ray
from ernn.search.trial import Outcome


@pytest.fixture(params=["here", "processes"])
def place(request) -> Executor:
    return Here(print) if request.param == "here" else Processes(2)


def test_outcomes_do_not_depend_on_the_place(place, tmp_path):
    found = outcomes(place, *(FakeJob(point, str(tmp_path)) for point in POINTS))
    assert {p: o.value for p, o in found.items()} == {p: float(p.block) for p in POINTS}


def test_an_error_comes_back(place, tmp_path):
    found = outcomes(place, FakeJob(POINTS[0], str(tmp_path), error="no speech; make some"))
    assert isinstance(found[POINTS[0]], CorpusError)
    assert str(found[POINTS[0]]) == "no speech; make some"


def test_a_trial_whose_process_died_is_run_again(tmp_path):
    jobs = [FakeJob(POINTS[0], str(tmp_path), deaths=2), FakeJob(POINTS[1], str(tmp_path))]
    found = outcomes(Processes(2), *jobs)
    assert all(isinstance(outcome, Outcome) for outcome in found.values())
    assert (tmp_path / "lstm-2-2.runs").read_text() == "xxx"
    assert (tmp_path / "lstm-2-2.log").read_text() == "running\n" * 3


def test_a_trial_that_always_dies_is_given_up(tmp_path):
    found = outcomes(Processes(1), FakeJob(POINTS[0], str(tmp_path), deaths=9))
    assert isinstance(found[POINTS[0]], ToolError)
    assert "was lost 3 times" in str(found[POINTS[0]])


def test_a_fault_is_told_once_and_written_down(tmp_path):
    found = outcomes(Processes(1), FakeJob(POINTS[0], str(tmp_path), seconds=-1.0))
    assert found[POINTS[0]].fault.given.startswith("ValueError(")
    assert (tmp_path / "lstm-2-2.runs").read_text() == "x"
    assert "Traceback" in (tmp_path / "lstm-2-2.log").read_text()


def test_closing_ends_what_runs(tmp_path):
    place = Processes(1)
    place.start(FakeJob(POINTS[0], str(tmp_path), seconds=600))
    place.collect(0.2)
    ((_, worker, _),) = place.running.values()
    place.close()
    assert worker._process.returncode == -signal.SIGKILL  # not at its end, ten minutes later


@pytest.mark.parametrize("address", ["nowhere", "ray://host", "host:port", ":6379"])
def test_what_is_no_ray_address(address):
    with pytest.raises(ToolError, match=r"no Ray address; give auto, host:port"):
        executor.require_answer(address)


def test_a_ray_address_that_does_not_answer():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        ToolError, match=rf"no Ray cluster answers at 127\.0\.0\.1:{port}: .*ray start"
    ):
        executor.require_answer(f"127.0.0.1:{port}")


def test_ray_that_is_not_installed(monkeypatch):
    monkeypatch.setattr("ernn.tools.find", lambda name: None)
    with pytest.raises(ToolError, match=r"pip install 'ernn\[ray\]'"):
        Ray("auto", 2, 1)
