"""An alarm on CPU time: the net under everything that counts, for loops that read nothing.

CPU time, not time: a machine that is busy elsewhere raises no alarm. Only the main thread of a
process can be woken; elsewhere there is no alarm.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class EndlessWork(Exception):
    """A parser was still at work when its CPU time was used up."""


def _ring(_signal: int, _frame: object) -> None:
    raise EndlessWork("the CPU time of one input is used up")


@contextmanager
def cpu_seconds(seconds: float) -> Iterator[None]:
    """Raise EndlessWork in the block once it has used so much CPU time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
