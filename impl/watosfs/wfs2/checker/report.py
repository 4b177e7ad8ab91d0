"""What a check found."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

#: Kinds that a power cut may leave; a mount for writing takes them away (CRASH_MODEL, clause 40).
AFTER_A_CUT: Final = frozenset({"bitmap", "lost", "counts", "duplicate"})


class Problem(NamedTuple):
    """``kind`` is one word: superblock, backup, counts, boundary, bitmap (a block of a file that
    is free), lost (a block in use that nobody has), entry, duplicate, tree, overlap, data.
    """

    kind: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text} ({self.kind})"


@dataclass(slots=True)
class Report:
    """Problems, and what the volume holds. ``is_repaired``: all but those of ``data`` are gone."""

    problems: list[Problem] = field(default_factory=list)
    #: Oddities that harm nobody.
    notes: list[str] = field(default_factory=list)
    files: int = 0
    directories: int = 0
    max_files: int = 0
    blocks_total: int = 0
    blocks_free: int = 0
    blocks_lost: int = 0
    data_bytes_verified: int = 0
    is_repaired: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems

    @property
    def kinds(self) -> set[str]:
        """The kinds of problems found."""
        return {problem.kind for problem in self.problems}

    def add(self, kind: str, place: str, text: str) -> None:
        """One more problem."""
        self.problems.append(Problem(kind, place, text))
