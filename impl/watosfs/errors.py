"""How every layer reports expected failures: ``OSError`` with an errno and, where known, a path.

The errno is the contract (tests assert it); the text is for people. Damage on disk is EUCLEAN, as
in ext4 and XFS, and says which structure, block and field was wrong.
"""

import errno
import os

EUCLEAN = errno.EUCLEAN


class DamageError(OSError):
    """A structure on disk is not what the format says it must be (errno EUCLEAN)."""

    def __init__(self, structure: str, block: int, problem: str) -> None:
        super().__init__(EUCLEAN, f"{structure} at block {block}: {problem}")
        self.structure = structure
        self.block = block
        self.problem = problem


def failure(number: int, path: bytes | str | None = None, reason: str = "") -> OSError:
    """The ``OSError`` subclass for ``number`` (``FileNotFoundError`` for ENOENT and so on), ready
    to raise.
    """
    text = os.strerror(number)
    if reason:
        text = f"{text}: {reason}"
    if path is None:
        return OSError(number, text)
    return OSError(number, text, path)
