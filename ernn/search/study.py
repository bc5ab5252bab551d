"""The study: every trial of a search in an Optuna storage, shared by all who work on it.

Each trial carries its point as parameters and what was measured as values and user attributes, so
that optuna-dashboard shows all of it. A running trial has a heartbeat: when the process that runs
it dies, it counts as failed after `GRACE_S`, and whoever needs its point claims it again. Of two
processes that claim a point at once, the one with the lower trial number has it.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import fail_stale_trials
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.engine import make_url

from ernn.errors import ProjectError
from ernn.flow.engine import difference
from ernn.recipe import BLOCK_SIZES
from ernn.search.space import SUBSTITUTES, Point, Variant
from ernn.search.storage import ERRORS, Taken, explained, open_study, shown
from ernn.search.trial import Outcome

HEARTBEAT_S = 5
GRACE_S = 20  # without a heartbeat: the process is dead, or cut off from the database
SCORE = "score on the development set"
PHASE_1 = {"method": "phase1"}  # what studies are made by that do not say it
# Of an Outcome, as user attributes
_SAID = ("measure", "low", "high", "figures", "seconds", "lower_is_better")
_ALIVE = "alive"  # user attribute of a trial that has had a heartbeat


class Coordinates(Protocol):
    """How a study keeps the points of a space."""

    @property
    def cost(self) -> str:
        """What is told of a point and becomes the second value of its trial."""

    @property
    def metric(self) -> str:
        """The cost in words."""

    def distributions(self, point: Variant) -> dict[str, BaseDistribution]:
        """Return what the parameters of a point are from."""

    def point(self, params: dict[str, Any]) -> Variant | None:
        """Return the point of some parameters; None: they are of another space."""


class BlockCoordinates:
    """A cell, and block sizes inside and outside the recurrence."""

    cost, metric = "operations", "multiplications per frame"

    def distributions(self, point: Variant) -> dict[str, BaseDistribution]:
        """Return the block sizes and the cells that are trained beside the point's."""
        pairs = (pair for pair in SUBSTITUTES.items() if point.cell in pair)
        blocks = CategoricalDistribution(BLOCK_SIZES)
        cells = CategoricalDistribution(next(pairs, (point.cell,)))
        return {"cell": cells, "block": blocks, "wide": blocks}

    def point(self, params: dict[str, Any]) -> Point | None:
        """Return the point."""
        return Point(**params) if params.keys() == {"cell", "block", "wide"} else None


METRICS = (SCORE, BlockCoordinates.metric)


class Priced(Protocol):
    """What is known of a point before it is trained."""

    @property
    def told(self) -> dict[str, Any]:
        """Figures by name, as a study keeps them."""


class Study:
    """The trials of one recipe, by point."""

    def __init__(
        self,
        url: str,
        name: str,
        recipe: dict[str, Any],
        coordinates: Coordinates | None = None,
        made_by: dict[str, Any] | None = None,
        heartbeat_s: int = HEARTBEAT_S,
        grace_s: int = GRACE_S,
    ) -> None:
        """Open a study, or begin it.

        Args:
            url: of the database, as SQLAlchemy takes it.
            name: of the study.
            recipe: what all its trials have in common.
            coordinates: of its points; those of Phase I if not given.
            made_by: the method and what it chooses from; Phase I if not given.
            heartbeat_s: time between signs of life of a running trial.
            grace_s: time without one after which it is taken for dead.

        Raises:
            ToolError: the database does not answer.
            ProjectError: the study is of another recipe, method or space, or not of ernn.
        """
        self.coordinates = coordinates or BlockCoordinates()
        made_by = made_by or PHASE_1
        self.url, self.name, self.heartbeat_s = url, name, heartbeat_s
        self.mine: dict[Variant, FrozenTrial] = {}
        self.silent: set[int] = set()  # trials of others that had no heartbeat when first seen
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        with explained(self.url):
            self.storage, self.study = open_study(url, name, heartbeat_s, grace_s)
            begun = bool(self.study.get_trials())  # by others: after they have told their recipe
            told = self.study.user_attrs.get("recipe")
            self._require_ours(begun and told is None)
            if told is None:
                self.study.set_user_attr("search", made_by)
                self.study.set_user_attr("recipe", recipe)
                self.study.set_metric_names([SCORE, self.coordinates.metric])
        was = self.study.user_attrs.get("search", PHASE_1) if told is not None else made_by
        if changed := difference(was, made_by):
            raise ProjectError(
                f"the study {name!r} was made by another search ({changed})",
                remedy="search as before, or give another --study name or another --out folder",
            )
        if changed := told and difference(told, recipe):
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

    def outcomes(self) -> dict[Variant, Outcome]:
        """Return what every finished trial measured."""
        return {
            point: _outcome(trial)
            for point, trial in self._trials()
            if trial.state == TrialState.COMPLETE
        }

    def reasons(self) -> dict[Variant, str]:
        """Return why each trial was done."""
        return {point: trial.user_attrs["why"] for point, trial in self._trials()}

    def claim(self, point: Variant, why: str, size: Priced) -> bool:
        """Take a point for this process; False if another one works at it or has finished it."""
        if point in self.mine or self._owner(point):
            return False
        template = create_trial(
            state=TrialState.RUNNING,
            params=dict(point.params),
            distributions=self.coordinates.distributions(point),
            user_attrs={"why": why, **size.told},
        )
        with explained(self.url):
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

    def finish(self, point: Variant, outcome: Outcome) -> None:
        """Record what a claimed point's trial measured."""
        trial = self.mine.pop(point)
        said = {name: getattr(outcome, name) for name in _SAID}
        values = [outcome.value, float(trial.user_attrs.get(self.coordinates.cost, inf))]
        self._end(trial, TrialState.COMPLETE, said, values)

    def fail(self, point: Variant, reason: str) -> None:
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
                    except ERRORS:
                        continue  # the next use of the study says it

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def recall(self, start: str) -> dict[str, Any]:
        """Return what was remembered under keys that start so."""
        with explained(self.url):
            attributes = self.study.user_attrs
        return {key: value for key, value in attributes.items() if key.startswith(start)}

    def remember(self, key: str, value: Any) -> None:
        """Keep something with the study that takes long to find again."""
        with explained(self.url):
            self._require_file()
            self.study.set_user_attr(key, value)

    def _trials(self) -> list[tuple[Variant, FrozenTrial]]:
        with explained(self.url):
            self._require_file()
            trials = self.study.get_trials(deepcopy=False)
        found = ((self.coordinates.point(trial.params), trial) for trial in trials)
        return [(point, trial) for point, trial in found if point is not None]

    def _owner(self, point: Variant) -> FrozenTrial | None:
        """Return the first trial of a point that has not failed."""
        for _, trial in self._trials():
            self._watch(trial)
        with explained(self.url):
            fail_stale_trials(self.study)
        alive = (TrialState.RUNNING, TrialState.COMPLETE)
        found = (t for p, t in self._trials() if p == point and t.state in alive)
        return next(found, None)

    def _watch(self, trial: FrozenTrial) -> None:
        """Let a trial go stale whose process died before the first heartbeat."""
        silent = trial.state == TrialState.RUNNING and _ALIVE not in trial.user_attrs
        if silent and trial.number not in self.silent:
            self.silent.add(trial.number)
            with explained(self.url):
                self.storage.record_heartbeat(trial._trial_id)

    def _end(
        self,
        trial: FrozenTrial,
        state: TrialState,
        said: dict[str, Any],
        values: list[float] | None = None,
    ) -> None:
        try:
            with explained(self.url):
                for name, value in said.items():
                    self.storage.set_trial_user_attr(trial._trial_id, name, value)
                self.storage.set_trial_state_values(trial._trial_id, state, values)
        except Taken:
            pass  # this process was thought dead: whoever claimed the point again finds it finished

    def _require_file(self) -> None:
        """Notice that an SQLite file is gone: reading would not."""
        file = make_url(self.url).database if self.url.startswith("sqlite") else None
        if file and file != ":memory:" and not Path(file).exists():
            raise optuna.exceptions.StorageInternalError("the file is gone")


def _outcome(trial: FrozenTrial) -> Outcome:
    said = {name: trial.user_attrs[name] for name in _SAID if name in trial.user_attrs}
    return Outcome(value=trial.values[0], **said)
