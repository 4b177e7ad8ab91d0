"""Ctrl-C as a request: honoured between operations, so that a volume always unmounts cleanly.

Python raises KeyboardInterrupt between any two bytecodes, also in the middle of a commit. Commands
that write therefore only note the signal and look at it where stopping is safe. Who presses Ctrl-C
a second time means it: the process ends at once, as in a power cut, and the image is as it was
after its last commit.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

from watosfs.cli.failures import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """While entered, SIGINT and SIGTERM are noted instead of raised."""

    def __init__(self) -> None:
        self.requested: int | None = None
        self._is_waiting = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.requested is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.requested = number
        if self._is_waiting:
            raise Stopped(number)

    def check(self) -> None:
        """Raise Stopped if asked to stop: to be called between operations."""
        if self.requested is not None:
            raise Stopped(self.requested)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around reading from somebody who may never write: a signal raises Stopped at once."""
        self._is_waiting = True
        try:
            self.check()
            yield
        finally:
            self._is_waiting = False
