"""How far a long command has come: a bar on stderr, if that is a terminal and it does take long.

Rich is imported only when a bar is drawn: most commands are over sooner than its import.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

DELAY_SECONDS = 0.5


class Bar:
    """One bar. It appears after ``delay_seconds`` and is gone when closed."""

    def __init__(
        self,
        title: str,
        *,
        in_bytes: bool,
        total: int | None = None,
        delay_seconds: float = DELAY_SECONDS,
        console: "Console | None" = None,
    ) -> None:
        self.title = title
        self.total = total
        self.done = 0
        self._in_bytes = in_bytes
        self._starts_at = time.monotonic() + delay_seconds
        self._console = console
        self._bar: Progress | None = None

    def advance(self, amount: int) -> None:
        """That much more is done."""
        self.show(self.title, self.done + amount, self.total)

    def show(self, title: str, done: int, total: int | None) -> None:
        """Where things stand now."""
        self.title, self.done, self.total = title, done, total
        if self._bar is None:
            if time.monotonic() < self._starts_at:
                return
            self._bar = self._drawn()
        self._bar.update(self._bar.task_ids[0], description=title, completed=done, total=total)

    def write_above(self, text: str) -> bool:
        """Print a line above the bar; False when there is no bar to be above of."""
        if self._bar is None:
            return False
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        return True

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _drawn(self) -> "Progress":
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        title = TextColumn("{task.description}", markup=False)
        counts: list[ProgressColumn] = (
            [DownloadColumn(binary_units=True), TransferSpeedColumn()]
            if self._in_bytes
            else [MofNCompleteColumn()]
        )
        bar = Progress(
            title,
            BarColumn(),
            *counts,
            TimeRemainingColumn(),
            console=self._console or Console(stderr=True),
            transient=True,
            # Rich would put text streams in their place; this program writes bytes.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.add_task(self.title, total=self.total)
        bar.start()
        return bar


def is_wanted() -> bool:
    """Whether somebody looks: stderr is a terminal."""
    return sys.stderr.isatty()


@contextmanager
def phases() -> Iterator[Callable[[str, int, int], None] | None]:
    """A callback (phase, done, total) that shows a bar; None when nobody looks."""
    if not is_wanted():
        yield None
        return
    bar = Bar("", in_bytes=False)
    try:
        yield bar.show
    finally:
        bar.close()
