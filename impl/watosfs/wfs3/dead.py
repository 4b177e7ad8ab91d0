"""Dead blocks: those that the working tree has given up and a snapshot still shows.

The arithmetic of snapshots is all here, pure, so that the proofs run what production runs. A block
is known by the generation that wrote it (``birth``) and by the list that it stands in. A list is
named after the snapshot that was the next to be made when its blocks were given up; the last one
is open. So snapshot ``s`` shows a block of list ``closing`` exactly when birth <= s < closing.
(ZFS calls them deadlists; https://openzfs.org, "Space accounting".)
"""

from collections.abc import Iterator
from typing import Final

from watosfs.wfs3.extents import ExtentSet

#: Extents know 32 bits of the generation that wrote them; with snapshots they have to be all.
GENERATION_MAX: Final = (1 << 32) - 1


def is_kept(birth: int, newest: int) -> bool:
    """Whether giving up a block leaves it to a snapshot; ``newest`` is the last one's generation,
    0 without any.
    """
    return birth <= newest and newest > 0


def lists_of(snapshot: int, after: int) -> tuple[int, int]:
    """The first and the last list that may hold what only one snapshot shows; ``after`` is the
    next snapshot, ``OPEN_LIST`` for none.
    """
    return snapshot + 1, after


def first_birth(before: int) -> int:
    """The first generation whose blocks the snapshot ``before`` (-1 for none) does not show."""
    return before + 1


class DeadRuns:
    """What the open transaction has given up and snapshots keep, by birth. ``newest`` is the
    generation of the last snapshot, 0 without any; ``run_count`` at least the count of runs.
    """

    __slots__ = ("births", "newest", "run_count", "runs")

    def __init__(self) -> None:
        self.newest = 0
        self.clear()

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """(birth, start, end), ascending."""
        for birth, runs in sorted(self.births.items()):
            for start, end in runs:
                yield birth, start, end

    def add(self, birth: int, start: int, end: int) -> None:
        """[start, end) is dead. Raises ExtentError when some of it was before."""
        self.runs.add(start, end)
        self.births.setdefault(birth, ExtentSet()).add(start, end)
        self.run_count += 1

    def clear(self) -> None:
        """The transaction has ended."""
        self.runs = ExtentSet()
        self.births: dict[int, ExtentSet] = {}
        self.run_count = 0
