"""What a check found."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Problem(NamedTuple):
    """``kind`` is one word: boot, backup, dirty, media, mirror, fsinfo, chain, cross-link, size,
    directory, name, label, lost. ``place`` is a path, or the structure.
    """

    kind: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text} ({self.kind})"


@dataclass(slots=True)
class Report:
    """Problems, and what the volume holds. ``is_repaired``: every problem was taken away."""

    problems: list[Problem] = field(default_factory=list)
    #: Oddities that harm nobody.
    notes: list[str] = field(default_factory=list)
    bits: int = 0
    files: int = 0
    directories: int = 0
    clusters_total: int = 0
    clusters_free: int = 0
    clusters_bad: int = 0
    clusters_lost: int = 0
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
