"""The commit protocol: two superblock slots written in turn, each behind a flush (DESIGN section
5).

Pure order, no policy: the same source drives the device in production and the crash model in the
proofs. Blocks of the new tree become durable first; then the slot that does *not* hold the current
generation is overwritten; when that is durable the commit is acknowledged and the oldest dropped
blocks are released.
"""

from collections.abc import Iterable
from typing import Protocol

from watosfs.block.device import Buffer
from watosfs.wfs3.format import Superblock


class Medium(Protocol):
    """What the protocol needs of a device."""

    def write(self, block: int, data: Buffer) -> None: ...
    def flush(self) -> None: ...
    def write_superblock(self, slot: int, superblock: Superblock) -> None: ...


class Releases(Protocol):
    """What the protocol tells the allocator."""

    def committed(self) -> None: ...


def elect(first: int | None, second: int | None) -> int | None:
    """The slot of the newest copy, given the generation of each valid copy; None when neither is
    valid.
    """
    if first is None:
        return None if second is None else 1
    if second is None or second <= first:
        return 0
    return 1


def commit(
    medium: Medium,
    allocator: Releases,
    slot: int,
    writes: Iterable[tuple[int, Buffer]],
    superblock: Superblock,
) -> int:
    """Make the working tree durable; the slot that now holds the current generation.

    ``slot`` holds the current generation and is not touched. Raises whatever the device raises;
    then nothing was acknowledged, and whether ``superblock`` is on the medium is unknown.
    """
    for block, data in writes:
        medium.write(block, data)
    medium.flush()
    other = 1 - slot
    medium.write_superblock(other, superblock)
    medium.flush()
    allocator.committed()
    return other


def mirror(medium: Medium, slot: int, superblock: Superblock) -> None:
    """Recovery and clean unmount: both slots name the newest tree.

    The flush before is for a process that died without a power cut: what was read may still be
    volatile, and the older copy must not be touched before the newer one is durable.
    """
    medium.flush()
    medium.write_superblock(1 - slot, superblock)
    medium.flush()
