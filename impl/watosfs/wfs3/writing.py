"""How a commit reaches the device: nodes joined into few large writes, superblocks, flushes."""

from collections.abc import Iterable

from watosfs.block.device import BlockDevice, Buffer
from watosfs.errors import DamageError
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.format import BLOCK_SIZE, Superblock, encode_superblock

_TRANSFER_BYTES_MAX = 1 << 20


class Medium:
    """The device as the commit protocol sees it."""

    __slots__ = ("allocator", "device")

    def __init__(self, device: BlockDevice, allocator: Allocator) -> None:
        self.device = device
        self.allocator = allocator

    def write(self, block: int, data: Buffer) -> None:
        """Write to blocks of the open transaction: the durable root must not reach them.

        EUCLEAN when it does: the free tree offered blocks that are in use.
        """
        end = block + len(data) // BLOCK_SIZE
        if not self.allocator.fresh.covers(block, end):
            raise DamageError("free tree", block, f"blocks {block}..{end} are in use")
        self.device.write(block, data)

    def flush(self) -> None:
        self.device.flush()

    def write_superblock(self, slot: int, superblock: Superblock) -> None:
        self.device.write(slot, encode_superblock(superblock))


def joined(writes: list[tuple[int, bytes]]) -> Iterable[tuple[int, Buffer]]:
    """The same writes in ascending order, neighbours joined into transfers of at most 1 MiB."""
    run_start = expected = -1
    parts: list[bytes] = []
    limit = _TRANSFER_BYTES_MAX // BLOCK_SIZE
    for block, data in sorted(writes):
        if block != expected or len(parts) >= limit:
            if parts:
                yield run_start, b"".join(parts)
            run_start, parts = block, []
        parts.append(data)
        expected = block + 1
    if parts:
        yield run_start, b"".join(parts)
