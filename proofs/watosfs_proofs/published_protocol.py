"""The commit order of the published core, as a refuted example: both superblock copies right after
the tree's blocks, with nothing between that makes those durable, and no flush at the end.

A transcription (the published code is Rust), against the same protocol as ours.
"""

from collections.abc import Iterable
from types import ModuleType

from watosfs.block.device import Buffer
from watosfs.wfs3 import commit as ours
from watosfs.wfs3.commit import Medium, Releases
from watosfs.wfs3.format import Superblock


def commit(
    medium: Medium,
    allocator: Releases,
    slot: int,
    writes: Iterable[tuple[int, Buffer]],
    superblock: Superblock,
) -> int:
    """Block 0, a flush, block 1; the slot that now holds the current generation is 0."""
    for block, data in writes:
        medium.write(block, data)
    medium.write_superblock(0, superblock)
    medium.flush()
    medium.write_superblock(1, superblock)
    allocator.committed()
    return 0


def protocol() -> ModuleType:
    """In place of ``watosfs.wfs3.commit``; the election stays ours, which is the kinder one."""
    module = ModuleType(ours.__name__)
    vars(module).update({**vars(ours), "commit": commit})
    return module
