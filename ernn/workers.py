"""Other Python processes that work for this one, without what `multiprocessing` asks for.

A worker imports ernn and never the caller's script, so a plain script needs no guard of
``if __name__ == "__main__":``. It is spoken to through a socket: no semaphore, so no /dev/shm.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, TypeVar

from ernn.errors import ToolError

# What `python -c` is told to do; it finds modules where the caller finds them.
_BEGIN = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from ernn.workers import serve
serve(int(sys.argv[2]))
"""

T = TypeVar("T")
Result = TypeVar("Result")


class WorkerDied(Exception):
    """A worker has ended without an answer."""


class Worker:
    """A process that calls functions, one at a time. Kill it with `close`; it ends with its parent.

    Functions and arguments are sent by pickle, between these two processes only: a function must be
    one of a module that can be imported.
    """

    def __init__(self) -> None:
        # Python's own pipe: `wait` takes it, and it is at its end when the process has died.
        self.connection, theirs = Pipe()
        command = [sys.executable, *_flags(), "-c", _BEGIN, json.dumps(sys.path)]
        with theirs, _interrupts_blocked():
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.PIPE,  # it never reads: end of file tells that the parent is gone
                pass_fds=[theirs.fileno()],
            )

    def call(self, function: Callable[[T], Any], argument: T) -> None:
        """Begin a call; what it returns is for `result`, also that the process has died."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send((function, argument))

    def result(self) -> Any:
        """Return what the call returned, or raise what it raised.

        Raises:
            WorkerDied: the process has ended.
        """
        try:
            good, value = self.connection.recv()
        except (EOFError, OSError):
            raise WorkerDied from None
        if good:
            return value
        raise value

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self.connection.close()
        if self._process.stdin:
            self._process.stdin.close()


def in_order(
    function: Callable[[T], Result], arguments: Sequence[T], workers: int, what: str
) -> Iterator[Result]:
    """Call a function with each argument, several at a time, and yield results in order.

    Args:
        function: of a module; see `Worker`.
        arguments: of each call.
        workers: processes; with one, everything is done in this one.
        what: the processes do, for the message: "making speech".

    Raises:
        ToolError: a process died.
        Exception: what a call raised.
    """
    workers = min(workers, len(arguments))
    if workers <= 1:
        yield from map(function, arguments)
        return
    waiting = iter(enumerate(arguments))
    pool: dict[Connection, Worker] = {}
    busy: dict[Connection, int] = {}
    results: dict[int, Result] = {}

    def employ(worker: Worker) -> None:
        for index, argument in waiting:
            busy[worker.connection] = index
            worker.call(function, argument)
            return

    try:
        for _ in range(workers):
            worker = Worker()
            pool[worker.connection] = worker
            employ(worker)
        for index in range(len(arguments)):
            while index not in results:
                for ready in wait(list(busy)):
                    assert isinstance(ready, Connection)
                    results[busy.pop(ready)] = pool[ready].result()
                    employ(pool[ready])
            yield results.pop(index)
    except WorkerDied:
        raise ToolError(
            f"a process that was {what} died",
            remedy="run the same command again with more memory or fewer workers",
        ) from None
    finally:
        for worker in pool.values():
            worker.close()


def serve(descriptor: int) -> None:
    """Be a worker: answer calls until the parent closes the connection or ends."""
    # Ctrl-C, sent to all by a terminal, is the parent's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection = Connection(descriptor)
    while True:
        try:
            function, argument = connection.recv()
        except EOFError:
            return
        except Exception as error:  # a function that cannot be imported
            connection.send((False, _sendable(error)))
            continue
        try:
            answer = True, function(argument)
        except Exception as error:
            answer = False, _sendable(error)
        connection.send(answer)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _sendable(error: Exception) -> Exception:
    """Return the error with its traceback as a note, or its words if it cannot travel."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(repr(error))
    return error


def _flags() -> list[str]:
    """Return the options of this Python that change what files and warnings are."""
    warnings = [f"-W{option}" for option in sys.warnoptions]
    return [*warnings, *(["-X", "utf8"] if sys.flags.utf8_mode else [])]


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C from a process that starts: it inherits what is blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
