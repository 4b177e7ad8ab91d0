"""What can come out of an exploration: the exceptions that end a path or a proof.

``BaseException`` where an ``except Exception`` in the code under proof must not swallow it.
"""

import sys
from dataclasses import dataclass
from pathlib import Path as FilePath

Case = dict[str, object]


class PathEnd(BaseException):
    """This path needs no more: its facts contradict one another, or induction covers the rest."""


class Unsupported(BaseException):
    """The code uses a construct that the executor has no exact meaning for.

    Never a verdict about the code: the message names the construct, the file and the line.
    """


class HarnessError(BaseException):
    """The proof itself is wrong (a replay that differs, a loop that carries an unnamed local)."""


class Unknown(Exception):
    """Z3 gave up, or the time budget ran out: neither proved nor refuted."""


@dataclass(frozen=True)
class Refutation:
    """A goal that fails, with the concrete values that make it fail."""

    goal: str
    case: Case


class Refuted(Exception):
    """A goal does not hold on a feasible path."""

    def __init__(self, refutation: Refutation) -> None:
        super().__init__(refutation.goal)
        self.refutation = refutation


def unsupported(construct: str) -> Unsupported:
    """The error for ``construct``, naming the line of the code under proof that used it."""
    own = FilePath(__file__).parent
    frame = sys._getframe(1)
    while frame.f_back is not None and FilePath(frame.f_code.co_filename).parent == own:
        frame = frame.f_back
    where = f"{FilePath(frame.f_code.co_filename).name}:{frame.f_lineno}"
    return Unsupported(f"{construct} is not supported (in {frame.f_code.co_qualname}, {where})")
