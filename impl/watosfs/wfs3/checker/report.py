"""What a check found: problems that name structure, block and field, notes, and counts.

A problem is a broken rule of ``docs/FORMAT.md``. A note is something a person may want to know
about a volume that breaks none. The list of problems is capped, because one damaged image can break
a rule a million times and nobody reads past the first hundred.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from watosfs.wfs3.format import Superblock

PROBLEMS_MAX: Final = 1000
NOTES_MAX: Final = 100


class Problem(NamedTuple):
    """One broken rule: the structure, the block that stores it, the field, and what is wrong."""

    structure: str
    block: int
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.structure} at block {self.block}, {self.field}: {self.text}"


class Findings:
    """Collects problems and notes during a check, each up to its cap."""

    __slots__ = ("notes", "notes_omitted", "problems", "problems_omitted")

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.problems_omitted = 0
        self.notes_omitted = 0

    def problem(self, structure: str, block: int, field: str, text: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(structure, block, field, text))
        else:
            self.problems_omitted += 1

    def note(self, text: str) -> None:
        if len(self.notes) < NOTES_MAX:
            self.notes.append(text)
        else:
            self.notes_omitted += 1


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one check.

    ``files``, ``directories`` and ``symlinks`` count inodes that have a name; ``orphans`` those
    that have none and wait to be reclaimed. ``blocks_reachable`` includes the two superblocks, so
    that on a clean volume ``blocks_reachable + blocks_free == blocks_total``. ``copies`` is the
    generation in each superblock slot, None where that copy is not valid. ``superblock`` is the one
    that was checked, and ``layout`` is ``"raw"`` (what this project writes), ``"published"`` or
    ``""`` when there is none.
    """

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    superblock: Superblock | None
    copies: tuple[int | None, int | None]
    layout: str = ""
    files: int = 0
    directories: int = 0
    symlinks: int = 0
    orphans: int = 0
    snapshots: int = 0
    blocks_reachable: int = 0
    blocks_free: int = 0
    blocks_total: int = 0
    data_bytes_verified: int = 0
    problems_omitted: int = 0

    @property
    def is_clean(self) -> bool:
        return not self.problems

    @property
    def generation(self) -> int:
        """The generation that was checked, 0 when no superblock is usable."""
        return self.superblock.root_generation if self.superblock else 0

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``: what ``watosfs check --json`` prints."""
        return {
            "clean": self.is_clean,
            "generation": self.generation,
            "layout": self.layout,
            "superblock_generations": list(self.copies),
            "files": self.files,
            "directories": self.directories,
            "symlinks": self.symlinks,
            "orphans": self.orphans,
            "snapshots": self.snapshots,
            "blocks": {
                "reachable": self.blocks_reachable,
                "free": self.blocks_free,
                "total": self.blocks_total,
            },
            "data_bytes_verified": self.data_bytes_verified,
            "problems": [problem._asdict() for problem in self.problems],
            "problems_omitted": self.problems_omitted,
            "notes": list(self.notes),
        }
