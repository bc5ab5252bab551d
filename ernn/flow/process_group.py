"""Several processes started by torchrun: the first does the flow, the others help it to train.

A helper waits until the first process calls it to a job, does its part and writes nothing.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from ernn.flow.work import Work
from ernn.progress import Progress

Jobs = Mapping[str, Callable[[Work], object]]


def launched() -> bool:
    """Tell whether this process is one of several that `torchrun` started; does not need torch."""
    return "LOCAL_RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def process_group(jobs: Jobs) -> Iterator[bool]:
    """Tell whether this process does the flow; a helper has helped to the end by then.

    Args:
        jobs: what helpers may be called to, by step.
    """
    if not launched():
        yield True
        return
    from ernn.train import distributed

    with distributed.joined():
        first = os.environ["RANK"] == "0"
        if not first:
            _help(jobs)
        yield first
        if first:
            distributed.tell(None)


def _help(jobs: Jobs) -> None:
    from ernn.train import distributed

    while called := distributed.tell():
        recipe, run, step = called
        with distributed.together():
            jobs[step](Work(recipe, run, step, _unseen))


def _unseen(label: str) -> AbstractContextManager[Progress]:
    return nullcontext(lambda done, total: None)


@contextmanager
def shared(work: Work) -> Iterator[None]:
    """Do a step's training with all processes: call the helpers to it, if there are any."""
    from ernn.train import distributed

    if launched():
        distributed.tell((work.recipe, work.run, work.step))
    with distributed.together():
        yield
