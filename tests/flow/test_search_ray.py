"""Trials on a Ray cluster of two nodes on this machine, whose workers and nodes die."""

import time

import jobs
import pytest
from deadlines import until
from jobs import POINTS, FakeJob, outcomes

from ernn.errors import CorpusError
from ernn.search.executor import Ray

pytestmark = pytest.mark.needs("ray")


@pytest.fixture(scope="module", autouse=True)
def sent_whole():
    """The workers get the jobs' code itself: they cannot import it."""
    import ray

    ray.cloudpickle.register_pickle_by_value(jobs)


def test_ray_runs_a_lost_trial_again(cluster, tmp_path):
    trials = [FakeJob(point, str(tmp_path), deaths=i == 1) for i, point in enumerate(POINTS)]
    found = outcomes(Ray(cluster.address, 2, 1), *trials)
    assert {p: o.value for p, o in found.items()} == {p: float(p.block) for p in POINTS}
    assert (tmp_path / "lstm-4-4.runs").read_text() == "xx"


def test_ray_brings_errors_back(cluster, tmp_path):
    found = outcomes(Ray(cluster.address, 2, 1), FakeJob(POINTS[0], str(tmp_path), error="no"))
    assert isinstance(found[POINTS[0]], CorpusError)


def test_ray_gives_up_a_trial_that_always_dies(cluster, tmp_path):
    found = outcomes(Ray(cluster.address, 2, 1), FakeJob(POINTS[0], str(tmp_path), deaths=9))
    assert "was lost 3 times with its Ray worker (WorkerCrashedError)" in str(found[POINTS[0]])


def test_a_lost_machine_costs_only_time(cluster, tmp_path):
    """Both nodes work; one is lost in the middle of its trial, which the other then runs."""
    node = cluster.add_node(num_cpus=1)
    place = Ray(cluster.address, 3, 1)
    trials = [FakeJob(point, str(tmp_path), seconds=10) for point in POINTS]
    found = {}
    try:
        for trial in trials:
            place.start(trial)
        began = [tmp_path / f"{point.name}.runs" for point in POINTS]
        until(lambda: all(path.exists() for path in began), "a trial did not begin")
        cluster.remove_node(node, allow_graceful=False)
        deadline = time.monotonic() + 90
        while len(found) < len(trials) and time.monotonic() < deadline:
            found |= dict(place.collect(1.0))
    finally:
        place.close()
    assert {p: o.value for p, o in found.items()} == {p: float(p.block) for p in POINTS}
    runs = sorted((tmp_path / f"{point.name}.runs").read_text() for point in POINTS)
    assert runs == ["x", "x", "xx"]
