"""Campaigns: traces by number until the budget ends, over processes, findings minimised and kept.

With a budget of operations a campaign is the same run byte for byte, on one process or many:
results are taken in the order of trace numbers, and what was run beyond the budget is left out.

Ctrl-C stops it gently: running traces end, minimising stops where it is, everything is saved.
"""

import json
import multiprocessing
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType

from watosfs_fuzz.findings import write_finding, write_whole
from watosfs_fuzz.tally import Settings, Tally
from watosfs_fuzz.worker import TRACES_PER_TASK, UNMINIMISED, run_task

SUMMARY = "summary.json"
#: Tasks waiting for each process: results are taken in order, and one may take long.
TASKS_AHEAD = 8
_stop_asked: Event | None = None


def run_campaign(settings: Settings, out: Path, progress: Callable[[Tally], None]) -> Tally:
    """Run until the budget ends, ``findings_max`` is reached or Ctrl-C (``is_interrupted``).

    Findings are written as they come, ``summary.json`` at the end in any case.
    """
    total = Tally()
    start = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    stop = multiprocessing.get_context("spawn").Event() if settings.jobs > 1 else _Flag()
    try:
        with interruptions(stop.set):
            for part in parts(settings, total, start, stop):
                for finding in total.add(part):
                    write_finding(finding, out)
                total.seconds = time.monotonic() - start
                progress(total)
                if len(total.findings) >= settings.findings_max:
                    break
        # All that was found is saved; what lies there came of traces beyond the budget.
        shutil.rmtree(out / UNMINIMISED, ignore_errors=True)
    finally:
        total.is_interrupted = stop.is_set()
        total.seconds = time.monotonic() - start
        text = json.dumps(total.summary(settings), indent=1, sort_keys=True)
        write_whole(out / SUMMARY, text + "\n")
    return total


class _Flag:
    """An event within one process."""

    def __init__(self) -> None:
        self.value = False

    def set(self) -> None:
        self.value = True

    def is_set(self) -> bool:
        return self.value


@contextmanager
def interruptions(ask: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C asks; a second one interrupts as usual."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        ask()

    try:
        before = signal.signal(signal.SIGINT, handle)
    except ValueError:  # not the main thread: nobody interrupts us here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def parts(settings: Settings, total: Tally, start: float, stop: "Event | _Flag") -> Iterator[Tally]:
    """The tallies of tasks, in order of trace numbers, while the budget lasts."""

    def is_over() -> bool:
        if stop.is_set():
            return True
        if settings.operations is not None:
            return total.operations >= settings.operations
        return settings.seconds is not None and time.monotonic() - start >= settings.seconds

    def known() -> frozenset[tuple[str, str]]:
        return frozenset(finding.failure.key for finding in total.findings)

    if settings.jobs > 1:
        assert not isinstance(stop, _Flag)
        yield from parallel_parts(settings, is_over, known, stop)
        return
    number = 0
    while not is_over():
        yield run_task(settings, number, known(), stop.is_set)
        number += TRACES_PER_TASK


def parallel_parts(
    settings: Settings,
    is_over: Callable[[], bool],
    known: Callable[[], frozenset[tuple[str, str]]],
    stop: Event,
) -> Iterator[Tally]:
    """The same on several processes; once interrupted, what the running tasks have so far."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        settings.jobs, mp_context=context, initializer=start_worker, initargs=(stop,)
    ) as pool:
        waiting: dict[int, Future[Tally]] = {}
        number = following = 0
        try:
            while not is_over():
                while len(waiting) < settings.jobs * TASKS_AHEAD:
                    waiting[number] = pool.submit(task_in_worker, settings, number, known())
                    number += TRACES_PER_TASK
                wait(waiting.values(), timeout=0.5, return_when=FIRST_COMPLETED)
                while following in waiting and waiting[following].done() and not is_over():
                    yield waiting.pop(following).result()
                    following += TRACES_PER_TASK
            if settings.operations is None or stop.is_set():
                for _, future in sorted(waiting.items()):
                    if not future.cancel():
                        yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def start_worker(stop: Event) -> None:
    """In a new process: Ctrl-C is the parent's affair."""
    global _stop_asked
    _stop_asked = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def task_in_worker(settings: Settings, first: int, known: frozenset[tuple[str, str]]) -> Tally:
    """``run_task`` in a worker process."""
    assert _stop_asked is not None
    return run_task(settings, first, known, _stop_asked.is_set)
