"""The loop of a search, with trials that take no time."""

from pathlib import Path

from jobs import outcome

from ernn.recipe import Recipe
from ernn.search.bounds import Bounds, Size
from ernn.search.driver import Driver
from ernn.search.executor import Done
from ernn.search.phase1 import MAX_TRAININGS, phase_one
from ernn.search.policy import Bound, OneByOne, Procedure
from ernn.search.space import Point, dense
from ernn.search.study import Study
from ernn.search.trial import Job

RECIPE = Recipe.from_dict({"name": "test", "model": {"cell": "gru", "layers": [{"hidden": 16}]}})


class Formula:
    """Gives an error rate of 20 % and a tenth of the block size."""

    capacity = 1

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.done: list[Point] = []

    def start(self, job: Job) -> None:
        self.jobs.append(job)

    def collect(self, seconds: float) -> list[Done]:
        points = [job.point for job in self.jobs]
        assert points, "the search waits for nobody"
        self.jobs = []
        self.done += points
        return [(p, outcome(20 + p.block / 10, 19.0, 23.0, (2,), (10,), 1.0)) for p in points]

    def close(self) -> None:
        pass


def size_of(point: Point) -> Size:
    missing = "" if point.block >= 4 else "does not fit"
    return Size(64 // point.block, 0, 0, 1, 64 // point.block, missing)


def test_a_dense_model_that_the_part_cannot_hold_is_trained_all_the_same(tmp_path: Path):
    """It is only what losses are measured against."""
    sizes = {block: size_of(Point("gru", block, block)) for block in (1, 2, 4, 8, 16)}
    bounds = Bounds(sizes, 4, 16, "", "")
    study, place = Study(f"sqlite:///{tmp_path / 'a.db'}", "test", {}), Formula()

    def make() -> Procedure:
        return phase_one("gru", bounds, Bound(1.0), size_of)

    driver = Driver(RECIPE, tmp_path, study, place, size_of, lambda line: None)
    verdict = driver.run(OneByOne(make, MAX_TRAININGS))
    assert place.done[0] == dense("gru")
    assert verdict.chosen is not None
    assert verdict.chosen.block == 8
    assert study.outcomes().keys() == set(place.done)
