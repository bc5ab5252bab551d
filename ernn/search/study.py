"""The study: every trial of a search in an Optuna storage, shared by all who work on it.

Each trial carries its point as parameters and what was measured as values and user attributes, so
that optuna-dashboard shows all of it. A running trial has a heartbeat: when the process that runs
it dies, it counts as failed after `GRACE_S`, and whoever needs its point claims it again. Of two
processes that claim a point at once, the one with the lower trial number has it.
"""

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import RDBStorage, fail_stale_trials
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ernn.errors import ErnnError, ProjectError, ToolError
from ernn.flow.engine import difference
from ernn.recipe import BLOCK_SIZES
from ernn.search.bounds import Size
from ernn.search.space import SUBSTITUTES, Point
from ernn.search.trial import Outcome

HEARTBEAT_S = 5
ATTEMPTS = 4  # to open a database
GRACE_S = 20  # without a heartbeat: the process is dead, or cut off from the database
METRICS = ("score on the development set", "multiplications per frame")
_SPACE: dict[str, BaseDistribution] = {
    "block": CategoricalDistribution(BLOCK_SIZES),
    "wide": CategoricalDistribution(BLOCK_SIZES),
}
# Of an Outcome, as user attributes
_SAID = ("measure", "low", "high", "figures", "seconds", "lower_is_better")
_ALIVE = "alive"  # user attribute of a trial that has had a heartbeat
_ERRORS = (
    *(SQLAlchemyError, optuna.exceptions.OptunaError),
    *(ImportError, ValueError, KeyError, AssertionError),  # Optuna asserts too
)


def _cells(cell: str) -> CategoricalDistribution:
    """Return the cells that are trained beside a cell, which all trials of a study share."""
    pairs = (pair for pair in SUBSTITUTES.items() if cell in pair)
    return CategoricalDistribution(next(pairs, (cell,)))


class Study:
    """The trials of one recipe, by point."""

    def __init__(
        self,
        url: str,
        name: str,
        recipe: dict[str, Any],
        heartbeat_s: int = HEARTBEAT_S,
        grace_s: int = GRACE_S,
    ) -> None:
        """Open a study, or begin it.

        Args:
            url: of the database, as SQLAlchemy takes it.
            name: of the study.
            recipe: what all its trials have in common.
            heartbeat_s: time between signs of life of a running trial.
            grace_s: time without one after which it is taken for dead.

        Raises:
            ToolError: the database does not answer.
            ProjectError: the study is of another recipe, or not of ernn.
        """
        self.url, self.name, self.heartbeat_s = url, name, heartbeat_s
        self.mine: dict[Point, FrozenTrial] = {}
        self.silent: set[int] = set()  # trials of others that had no heartbeat when first seen
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        with self._explained():
            self.storage, self.study = _open(url, name, heartbeat_s, grace_s)
            begun = bool(self.study.get_trials())  # by others: after they have told their recipe
            told = self.study.user_attrs.get("recipe")
            self._require_ours(begun and told is None)
            if told is None:
                self.study.set_user_attr("recipe", recipe)
                self.study.set_metric_names(list(METRICS))
        changed = told and difference(told, recipe)
        if changed:
            raise ProjectError(
                f"the study {name!r} is of another recipe or ernn ({changed})",
                remedy="give another --study name or another --out folder",
            )

    def _require_ours(self, foreign_trials: bool) -> None:
        """Refuse a study that another program began under this name."""
        if foreign_trials or self.study.directions != [StudyDirection.MINIMIZE] * len(METRICS):
            raise ProjectError(
                f"the study {self.name!r} in {shown(self.url)} was not begun by `ernn search`",
                remedy="give another --study name or another --storage",
            )

    def outcomes(self) -> dict[Point, Outcome]:
        """Return what every finished trial measured."""
        return {
            point: _outcome(trial)
            for point, trial in self._trials()
            if trial.state == TrialState.COMPLETE
        }

    def reasons(self) -> dict[Point, str]:
        """Return why each trial was done."""
        return {point: trial.user_attrs["why"] for point, trial in self._trials()}

    def claim(self, point: Point, why: str, size: Size) -> bool:
        """Take a point for this process; False if another one works at it or has finished it."""
        if point in self.mine or self._owner(point):
            return False
        template = create_trial(
            state=TrialState.RUNNING,
            params={"cell": point.cell, "block": point.block, "wide": point.wide},
            distributions={"cell": _cells(point.cell), **_SPACE},
            user_attrs={"why": why, "weights": size.weights, "operations": size.multiplications},
        )
        with self._explained():
            trial = self.storage.get_trial(
                self.storage.create_new_trial(self.study._study_id, template)
            )
            self.storage.record_heartbeat(trial._trial_id)
            self.storage.set_trial_user_attr(trial._trial_id, _ALIVE, True)
        first = self._owner(point)
        if first is not None and first.number != trial.number:
            self._end(trial, TrialState.FAIL, {"failure": f"trial {first.number} does it"})
            return False
        self.mine[point] = trial
        return True

    def finish(self, point: Point, outcome: Outcome) -> None:
        """Record what a claimed point's trial measured."""
        trial = self.mine.pop(point)
        said = {name: getattr(outcome, name) for name in _SAID}
        values = [outcome.value, float(trial.user_attrs["operations"])]
        self._end(trial, TrialState.COMPLETE, said, values)

    def fail(self, point: Point, reason: str) -> None:
        """Give a claimed point up."""
        self._end(self.mine.pop(point), TrialState.FAIL, {"failure": reason})

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Show that the process lives for as long as it works at what it has claimed."""
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(self.heartbeat_s):
                for trial in list(self.mine.values()):
                    try:
                        self.storage.record_heartbeat(trial._trial_id)
                    except _ERRORS:
                        continue  # the next use of the study says it

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _trials(self) -> list[tuple[Point, FrozenTrial]]:
        with self._explained():
            self._require_file()
            trials = self.study.get_trials(deepcopy=False)
        return [
            (Point(**trial.params), trial)
            for trial in trials
            if trial.params.keys() == {"cell", *_SPACE}
        ]

    def _owner(self, point: Point) -> FrozenTrial | None:
        """Return the first trial of a point that has not failed."""
        for _, trial in self._trials():
            self._watch(trial)
        with self._explained():
            fail_stale_trials(self.study)
        alive = (TrialState.RUNNING, TrialState.COMPLETE)
        found = (t for p, t in self._trials() if p == point and t.state in alive)
        return next(found, None)

    def _watch(self, trial: FrozenTrial) -> None:
        """Let a trial go stale whose process died before the first heartbeat."""
        silent = trial.state == TrialState.RUNNING and _ALIVE not in trial.user_attrs
        if silent and trial.number not in self.silent:
            self.silent.add(trial.number)
            with self._explained():
                self.storage.record_heartbeat(trial._trial_id)

    def _end(
        self,
        trial: FrozenTrial,
        state: TrialState,
        said: dict[str, Any],
        values: list[float] | None = None,
    ) -> None:
        try:
            with self._explained():
                for name, value in said.items():
                    self.storage.set_trial_user_attr(trial._trial_id, name, value)
                self.storage.set_trial_state_values(trial._trial_id, state, values)
        except _Taken:
            pass  # this process was thought dead: whoever claimed the point again finds it finished

    def _require_file(self) -> None:
        """Notice that an SQLite file is gone: reading would not."""
        file = make_url(self.url).database if self.url.startswith("sqlite") else None
        if file and file != ":memory:" and not Path(file).exists():
            raise optuna.exceptions.StorageInternalError("the file is gone")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn every way in which a database fails into one sentence."""
        try:
            yield
        except optuna.exceptions.UpdateFinishedTrialError:
            raise _Taken from None
        except ErnnError:
            raise
        except _ERRORS as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            raise ToolError(
                f"the database {shown(self.url)} cannot be used",
                given=reason,
                remedy="what was trained is kept: repair the database or its URL and run the "
                "same command again",
            ) from error


def _open(url: str, name: str, heartbeat_s: int, grace_s: int) -> tuple[RDBStorage, optuna.Study]:
    """Open a database and a study in it; of two processes that make them at once, one fails."""
    attempt = 1
    while True:
        try:
            storage = _storage(url, heartbeat_s, grace_s)
            study = optuna.create_study(
                storage=storage,
                study_name=name,
                directions=["minimize", "minimize"],
                load_if_exists=True,
            )
            return storage, study
        except (DBAPIError, optuna.exceptions.OptunaError, AssertionError):  # Optuna asserts too
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt * 0.5)
            attempt += 1


def _storage(url: str, heartbeat_s: int, grace_s: int) -> RDBStorage:
    """Open a database.

    Raises:
        ToolError: its tables are those of another version of Optuna.
    """
    try:
        return RDBStorage(url, heartbeat_interval=heartbeat_s, grace_period=grace_s)
    except RuntimeError as error:
        upgrade = "optuna storage upgrade" in str(error)
        remedy = "upgrade it (`optuna storage upgrade`)" if upgrade else "update Optuna"
        raise ToolError(
            f"the database {shown(url)} has the tables of {'an older' if upgrade else 'another'} "
            f"Optuna than {optuna.__version__}",
            remedy=f"give another --storage, or {remedy}",
        ) from None


class _Taken(ErnnError):
    """The trial was ended by another process."""


def shown(url: str) -> str:
    """Return a database's URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return repr(url)


def _outcome(trial: FrozenTrial) -> Outcome:
    said = {name: trial.user_attrs[name] for name in _SAID if name in trial.user_attrs}
    return Outcome(value=trial.values[0], **said)
