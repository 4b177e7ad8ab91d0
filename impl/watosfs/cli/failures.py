"""How a command ends badly: one clear line on stderr and an exit status, never a traceback.

0 done, 1 something failed (or ``check`` found problems), 2 wrong usage, 130 Ctrl-C, 141 nobody
reads the output any more. An assertion is not among these: a broken invariant shows its traceback.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from watosfs.cli.names import printable
from watosfs.errors import DamageError

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_OUTPUT_CLOSED = 141  # what a shell shows for a process that SIGPIPE ended
EXIT_SIGNAL = 128


class Failure(Exception):
    """The text says what was being done to which place, and why it failed. ``errno`` if known."""

    def __init__(self, text: str, *, status: int = EXIT_FAILURE, errno: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.errno = errno

    @classmethod
    def at(cls, where: str, error: OSError) -> "Failure":
        """What an ``OSError`` at ``where`` (already printable) comes to."""
        return cls(f"{where}: {reason(error)}", errno=error.errno)


class UsageFailure(Failure):
    """The command line cannot be meant as it is written."""

    def __init__(self, text: str) -> None:
        super().__init__(text, status=EXIT_USAGE)


class OutputClosed(Exception):
    """Whoever read standard output has gone: end quietly."""


class Stopped(Exception):
    """Ctrl-C (or SIGTERM) reached a safe point; volumes unmount on its way out.

    ``saved`` says what is kept.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.status = EXIT_SIGNAL + signal_number
        self.saved = ""

    def __str__(self) -> str:
        return f"interrupted: {self.saved}" if self.saved else "interrupted"


def reason(error: OSError) -> str:
    """What went wrong, without the place: a command knows the place better than the error."""
    if isinstance(error, DamageError):
        return f"damaged: {error.strerror}"
    return error.strerror or str(error) or type(error).__name__


@contextmanager
def blame(where: str) -> Iterator[None]:
    """Turn any ``OSError`` inside into the ``Failure`` at ``where``."""
    try:
        yield
    except OSError as error:
        raise Failure.at(where, error) from error


def complain(command: str, text: object) -> None:
    """One line on stderr."""
    print(complaint(command, text), file=sys.stderr, flush=True)


def complaint(command: str, text: object) -> str:
    """``watosfs: put: IMAGE:/x: No space left on device``"""
    return f"watosfs: {printable(command)}: {text}" if command else f"watosfs: {text}"
