"""What a check of a WFS v2 volume found."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Problem(NamedTuple):
    """``kind`` is one word: superblock, counts, boundary, bitmap, entry, name, owner, data."""

    kind: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text} ({self.kind})"


@dataclass(slots=True)
class Report:
    """What was found. ``is_repaired``: all of it was taken away but damaged data."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0
    directories: int = 0
    files_max: int = 0
    blocks_total: int = 0
    blocks_free: int = 0
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
