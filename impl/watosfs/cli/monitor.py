"""What a long command tells while it works, counts, and asks: shall I stop?

Copying and removing know their volumes; this knows the person in front of them. Troubles that
concern one file are said at once and remembered in the exit status; the command goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from watosfs.cli import output
from watosfs.cli.failures import EXIT_FAILURE, Stopped, complain, complaint
from watosfs.cli.interruption import Stop
from watosfs.cli.presentation import counted, human_size
from watosfs.cli.progress import Bar, is_wanted


@dataclass(slots=True)
class Tally:
    """What has been done so far."""

    files: int = 0
    directories: int = 0
    symlinks: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        size = f" ({human_size(self.bytes)})" if self.bytes else ""
        parts = [counted(self.files, "file") + size]
        if self.directories:
            parts.append(counted(self.directories, "directory", "directories"))
        if self.symlinks:
            parts.append(counted(self.symlinks, "symlink"))
        return ", ".join(parts)


class Monitor:
    """One for each run of a command."""

    def __init__(self, command: str, stop: Stop, *, verbose: bool = False) -> None:
        self.command = command
        self.stop = stop
        self.verbose = verbose
        self.bar: Bar | None = None
        self.tally = Tally()
        self.status = 0

    @property
    def wants_total(self) -> bool:
        """Whether it is worth finding out beforehand how much there is to do."""
        return is_wanted() and not self.verbose

    @contextmanager
    def progress(self, title: str, total_bytes: int) -> Iterator[None]:
        """A bar on the terminal, as long as this lasts."""
        if self.wants_total:
            self.bar = Bar(title, in_bytes=True, total=total_bytes)
        try:
            yield
        finally:
            if self.bar is not None:
                self.bar.close()
                self.bar = None

    def pause(self) -> None:
        """A place where stopping is safe. Raises Stopped when asked to."""
        if self.stop.requested is not None:
            self.stop.check()

    def advance(self, size_bytes: int) -> None:
        """That many bytes more are copied."""
        self.tally.bytes += size_bytes
        if self.bar is not None:
            self.bar.advance(size_bytes)

    def say(self, done: bytes, *, to: bytes | None = None) -> None:
        """With -v: one thing that is done."""
        if self.verbose:
            arrow = b"" if to is None else b" -> " + output.shown(to)
            output.write_line(output.shown(done) + arrow)

    def complain(self, text: object) -> None:
        """Something went wrong that concerns one file: say so, and go on."""
        self.status = EXIT_FAILURE
        if self.bar is None or not self.bar.write_above(complaint(self.command, text)):
            complain(self.command, text)

    @contextmanager
    def reporting(self, done: str, where: str) -> Iterator[None]:
        """Let Stopped say what ``done`` (``saved``, ``copied``) and ``where``."""
        try:
            yield
        except Stopped as stopped:
            stopped.saved = f"{done} {self.tally} {where}"
            raise
