"""What devices do with what was written and not yet flushed, when the power goes.

A persistence says which images a crash may leave. Those of ``ordered`` and ``atomic-4k`` are among
those of ``sector``; those of ``lying-flush`` are more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from operator import ne
from struct import Struct

from watosfs.block.device import BLOCK_SIZE_BYTES, SECTOR_SIZE_BYTES

SECTORS = range(0, BLOCK_SIZE_BYTES, SECTOR_SIZE_BYTES)
_SECTORS_OF = Struct(f"{SECTOR_SIZE_BYTES}s" * len(SECTORS)).unpack


@dataclass(frozen=True, slots=True)
class Persistence:
    """``about`` says which images a crash leaves, and what a file system must make of them.

    ``atom_bytes``: what never tears. ``is_ordered``: writes persist in the order in which they
    were made. ``is_flushed``: a flush does what it says.
    """

    name: str
    about: str
    atom_bytes: int = SECTOR_SIZE_BYTES
    is_ordered: bool = False
    is_flushed: bool = True

    def pieces(self, versions: Sequence[bytes]) -> list[list[bytes]]:
        """For each atom of a block, its different legal values, oldest first."""
        if self.atom_bytes == BLOCK_SIZE_BYTES:
            return [list(dict.fromkeys(versions))]
        return sector_values(versions)

    def mix_count(self, versions: Sequence[bytes]) -> int:
        """How many different contents a block with these versions may have."""
        if len(versions) == 1:
            return 1
        if len(versions) == 2 and self.atom_bytes == SECTOR_SIZE_BYTES:
            old, new = versions
            differing: int = sum(map(ne, _SECTORS_OF(old), _SECTORS_OF(new)))
            return 1 << differing
        return prod(len(values) for values in self.pieces(versions))

    def permits(self, versions: Sequence[bytes], content: bytes) -> bool:
        """Whether a crash may leave this content, made of sectors of the versions."""
        return self.atom_bytes < BLOCK_SIZE_BYTES or content in versions


def sector_values(versions: Sequence[bytes]) -> list[list[bytes]]:
    """For each sector, its different legal values, oldest first."""
    return [list(dict.fromkeys(found)) for found in zip(*map(_SECTORS_OF, versions), strict=True)]


SECTOR = Persistence(
    "sector",
    "Any subset of the sectors written since the last flush, in any order: blocks tear. Must be"
    " survived in full.",
)
ATOMIC_4K = Persistence(
    "atomic-4k",
    "Any subset of the blocks written since the last flush, in any order; a block is there as a"
    " whole or not at all. Must be survived in full.",
    atom_bytes=BLOCK_SIZE_BYTES,
)
ORDERED = Persistence(
    "ordered",
    "The writes up to some moment, in order; only the last may tear at sectors. Must be survived"
    " in full; and a file system that fails here has its writes in the wrong order.",
    is_ordered=True,
)
LYING_FLUSH = Persistence(
    "lying-flush",
    "Flushes do nothing: any subset of all sectors ever written. Cannot be survived: a node that"
    " was not written over looks right where it lies. Every call must still end, with a result or"
    " an OSError.",
    is_flushed=False,
)
PERSISTENCES = {found.name: found for found in (SECTOR, ATOMIC_4K, ORDERED, LYING_FLUSH)}
