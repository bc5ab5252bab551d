"""Where trials run: in this process, in several processes, or on a Ray cluster.

All three run the same jobs and give the same outcomes; which one it is decides only how many run at
a time. A trial whose process or machine is lost is run again: it continues from its checkpoints.
"""

import logging
import socket
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from ernn.errors import ErnnError, ToolError
from ernn.search.space import Variant
from ernn.search.trial import Job, Outcome
from ernn.tools import require
from ernn.workers import Worker, WorkerDied

ATTEMPTS = 3
Done = tuple[Variant, Outcome | ErnnError]


class Executor(Protocol):
    """Starts jobs and collects what they measured."""

    capacity: int  # jobs at a time

    def start(self, job: Job) -> None:
        """Begin a job."""

    def collect(self, seconds: float) -> list[Done]:
        """Wait for jobs to end, for some seconds at most, and return them."""

    def close(self) -> None:
        """Stop everything that still runs."""


class Here:
    """Runs a job in this process, when it is collected."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.capacity, self.say = 1, say
        self.jobs: list[Job] = []

    def start(self, job: Job) -> None:
        """Remember the job."""
        self.jobs.append(job)

    def collect(self, seconds: float) -> list[Done]:
        """Run it."""
        jobs, self.jobs = self.jobs, []
        return [(job.point, _run(job, self.say)) for job in jobs]

    def close(self) -> None:
        """Nothing runs between calls."""


class Processes:
    """Runs each job in a process of its own."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.running: dict[Connection, tuple[Job, Worker, int]] = {}

    def start(self, job: Job, attempt: int = 1) -> None:
        """Start a process."""
        worker = Worker()
        worker.call(_logged, job)
        self.running[worker.connection] = (job, worker, attempt)

    def collect(self, seconds: float) -> list[Done]:
        """Return jobs that ended; start those again whose process died."""
        done: list[Done] = []
        for ready in wait(list(self.running), seconds) if self.running else []:
            assert isinstance(ready, Connection)
            job, worker, attempt = self.running.pop(ready)
            try:
                done.append((job.point, worker.result()))
            except WorkerDied:
                if attempt < ATTEMPTS:
                    self.start(job, attempt + 1)
                else:
                    done.append((job.point, _lost(job, "its process")))
            worker.close()
        return done

    def close(self) -> None:
        """End every process."""
        for _, worker, _ in self.running.values():
            worker.close()


class Ray:
    """Runs jobs on a Ray cluster whose machines share the output folder."""

    def __init__(self, address: str, capacity: int, threads: int) -> None:
        """Connect to a cluster.

        Args:
            address: ``"auto"``, ``"host:port"`` or ``"ray://host:port"``.
            capacity: jobs at a time.
            threads: CPUs that a job takes.

        Raises:
            ToolError: Ray is not installed, or nothing answers at the address.
        """
        require("ray")
        import ray

        self.ray, self.capacity = ray, capacity
        require_answer(address)
        try:
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError, SystemExit) as error:
            reason = (str(error).splitlines() or ["no reason given"])[0]
            raise ToolError(
                f"no Ray cluster answers at {address}", given=reason, remedy=_REMEDY
            ) from None
        remote = ray.remote(num_cpus=threads, max_retries=ATTEMPTS - 1)
        self.task = remote(_logged)
        self.running: dict[Any, Job] = {}

    def start(self, job: Job) -> None:
        """Submit a task."""
        self.running[self.task.remote(job)] = job

    def collect(self, seconds: float) -> list[Done]:
        """Return tasks that ended; Ray itself runs those again whose worker died."""
        if not self.running:
            return []
        finished, _ = self.ray.wait(list(self.running), timeout=seconds)
        done: list[Done] = []
        for reference in finished:
            job = self.running.pop(reference)
            try:
                done.append((job.point, self.ray.get(reference)))
            except self.ray.exceptions.RayError as error:
                done.append((job.point, _lost(job, f"its Ray worker ({type(error).__name__})")))
        return done

    def close(self) -> None:
        """Cancel what runs and leave the cluster."""
        for reference in self.running:
            self.ray.cancel(reference, force=True)
        self.ray.shutdown()


_REMEDY = "start one with ray start --head, correct the address, or leave --ray out"


def require_answer(address: str) -> None:
    """Knock at a Ray address: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    if not host or not port.isdigit():
        raise ToolError(
            f"{address!r} is no Ray address", remedy="give auto, host:port or ray://host:port"
        )
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise ToolError(
            f"no Ray cluster answers at {address}", given=str(error), remedy=_REMEDY
        ) from None


def _run(job: Job, say: Callable[[str], None]) -> Outcome | ErnnError:
    try:
        return job.run(say)
    except ErnnError as error:
        return error


def _logged(job: Job) -> Outcome | ErnnError:
    """Run a job and write what it tells into a file beside its folder.

    A fault of ernn itself is written there too: it would be the same in another process.
    """
    path = _log(job)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as log:
        sys.stderr = log
        try:
            return _run(job, lambda line: print(line, file=log))
        except Exception as error:
            traceback.print_exc(file=log)
            return ToolError(
                f"the trial of {job.point} failed", given=repr(error), remedy=f"read {path}"
            )
        finally:
            sys.stderr = sys.__stderr__


def _lost(job: Job, what: str) -> ToolError:
    return ToolError(
        f"the trial of {job.point} was lost {ATTEMPTS} times with {what}",
        remedy=f"read {_log(job)}, give it more memory, and run the command again",
    )


def _log(job: Job) -> Path:
    return Path(job.root) / f"{job.point.name}.log"
