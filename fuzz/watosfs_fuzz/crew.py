"""Who does the work of a campaign: this process, processes of this machine, or a cluster.

A crew takes jobs and gives their results. When a worker dies, its jobs are done again by another:
they are functions of their arguments, so nothing is lost by it. A job that was started five times
is one that kills its workers; then the campaign ends with an error that says so.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Any, Protocol

STARTS_MAX = 5
_stop_asked: Event | None = None


@dataclass(slots=True)
class Job:
    """Work that was asked for: ``work(*arguments, stop)``, where ``stop`` is the crew's own."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    future: Future[Any]
    starts: int = 1
    pool: object = None

    @property
    def is_done(self) -> bool:
        """Whether its result can be taken, or that a worker died."""
        return self.future.done()


class Crew(Protocol):
    """Workers."""

    #: How many jobs run at a time.
    width: int
    #: Jobs to hold ready for each of them.
    ahead: int
    #: Whether it was asked to stop.
    is_stopped: bool

    def start(self, work: Callable[..., Any], *arguments: Any) -> Job:
        """Ask for work."""

    def wait(self, jobs: Sequence[Job]) -> None:
        """Wait until one of them is done, or for half a second."""

    def lost(self, job: Job) -> bool:
        """Whether the worker of a job that is done died; then the job was started again. Raises
        ChildProcessError when it was started too often.
        """

    def stop(self) -> None:
        """Ask all running work to end soon; called from signal handlers."""

    def close(self) -> None:
        """Send everybody home; what has not begun is not done."""


class Alone:
    """Work is done by whoever asks for it, when it is asked for."""

    def __init__(self) -> None:
        self.width = self.ahead = 1
        self.is_stopped = False

    def start(self, work: Callable[..., Any], *arguments: Any) -> Job:
        future: Future[Any] = Future()
        future.set_result(work(*arguments, lambda: self.is_stopped))
        return Job(work, arguments, future)

    def wait(self, jobs: Sequence[Job]) -> None:
        """Nothing is ever under way."""

    def lost(self, job: Job) -> bool:
        return False

    def stop(self) -> None:
        self.is_stopped = True

    def close(self) -> None:
        """Nobody to send home."""


class Processes:
    """Processes of this machine."""

    def __init__(self, width: int) -> None:
        self.width, self.ahead = width, 8
        self.context = multiprocessing.get_context("spawn")
        # A signal's handler must not touch the event, whose lock the interrupted code may hold.
        self.is_stopped = False
        self.asked = self.context.Event()
        self.pool = self.new_pool()

    def new_pool(self) -> ProcessPoolExecutor:
        """Processes that have done nothing yet."""
        return ProcessPoolExecutor(
            self.width, mp_context=self.context, initializer=begin, initargs=(self.asked,)
        )

    def start(self, work: Callable[..., Any], *arguments: Any) -> Job:
        try:
            future = self.pool.submit(work_in_process, work, *arguments)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        return Job(work, arguments, future, pool=self.pool)

    def wait(self, jobs: Sequence[Job]) -> None:
        if self.is_stopped:
            self.asked.set()
        wait([job.future for job in jobs], timeout=0.5, return_when=FIRST_COMPLETED)

    def lost(self, job: Job) -> bool:
        try:
            error = job.future.exception()
        except CancelledError as cancelled:
            error = cancelled
        if not isinstance(error, BrokenProcessPool):
            return False
        if job.pool is self.pool:
            self.pool.shutdown(wait=True, cancel_futures=True)
            self.pool = self.new_pool()
        begin_again(self, job)
        return True

    def stop(self) -> None:
        self.is_stopped = True

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)


def begin_again(crew: Crew, job: Job) -> None:
    """Start a job that was lost once more. Raises ChildProcessError when it was lost too often."""
    if job.starts >= STARTS_MAX:
        first = job.arguments[1] if len(job.arguments) > 1 else job.arguments
        raise ChildProcessError(f"workers died {job.starts} times; the last at {first}"[:300])
    again = crew.start(job.work, *job.arguments)
    job.future, job.pool = again.future, again.pool
    job.starts += 1


def begin(stop: Event) -> None:
    """In a new process: signals of the terminal and of ``kill -- -GROUP`` are the parent's."""
    global _stop_asked
    _stop_asked = stop
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def work_in_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """A job in a process."""
    assert _stop_asked is not None
    return work(*arguments, _stop_asked.is_set)
