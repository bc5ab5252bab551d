"""The database of a study: opened by several at once, its failures told in a sentence."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.storages import RDBStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ernn.errors import ErnnError, ToolError

ATTEMPTS = 4  # to open a database
ERRORS = (
    *(SQLAlchemyError, optuna.exceptions.OptunaError),
    *(ImportError, ValueError, KeyError, AssertionError),  # Optuna asserts too
)


class Taken(ErnnError):
    """The trial was ended by another process."""


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn every way in which a database fails into one sentence."""
    try:
        yield
    except optuna.exceptions.UpdateFinishedTrialError:
        raise Taken from None
    except ErnnError:
        raise
    except ERRORS as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ToolError(
            f"the database {shown(url)} cannot be used",
            given=reason,
            remedy="what was trained is kept: repair the database or its URL and run the "
            "same command again",
        ) from error


def shown(url: str) -> str:
    """Return a database's URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return repr(url)


def open_study(
    url: str, name: str, heartbeat_s: int, grace_s: int
) -> tuple[RDBStorage, optuna.Study]:
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
