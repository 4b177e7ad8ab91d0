"""All harnesses by name."""

from watosfs_fuzz.parsers import (
    fat_differential,
    fat_harnesses,
    syscall_harness,
    text_harnesses,
    wfs2_harnesses,
    wfs3_harnesses,
)
from watosfs_fuzz.parsers.harness import HARNESSES, Harness

#: Importing them registers their harnesses.
REGISTERED = (
    fat_differential,
    fat_harnesses,
    syscall_harness,
    text_harnesses,
    wfs2_harnesses,
    wfs3_harnesses,
)


def harnesses() -> list[Harness]:
    """All of them, by name."""
    return [HARNESSES[name] for name in sorted(HARNESSES)]


def require_harness(name: str) -> Harness:
    """The harness of this name. Raises ValueError when there is none."""
    if name not in HARNESSES:
        raise ValueError(f"no harness {name!r}; there are: {', '.join(sorted(HARNESSES))}")
    return HARNESSES[name]
