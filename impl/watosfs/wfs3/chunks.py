"""Dirty chunks: 64 KiB pieces of files that wait in memory to be written out."""

from collections.abc import Iterator

from watosfs.block.device import Buffer
from watosfs.wfs3.format import BLOCK_SIZE, CHUNK_SIZE, block_count_of


class Chunk:
    """A dirty 64 KiB piece of a file: its bytes (as long as needed) and which of its 16 blocks
    exist.
    """

    __slots__ = ("charged_blocks", "charged_bytes", "data", "mask")

    def __init__(self) -> None:
        self.data = bytearray()
        self.mask = 0
        self.charged_blocks = 0
        self.charged_bytes = 0

    def put(self, start: int, piece: Buffer) -> None:
        """Write ``piece`` at byte ``start`` of the chunk."""
        end = start + len(piece)
        self.reach(end)
        self.data[start:end] = piece
        self.mask |= block_mask(start, end)

    def reach(self, end: int) -> None:
        """Make the buffer at least ``end`` bytes long, in whole blocks."""
        missing = block_count_of(end) * BLOCK_SIZE - len(self.data)
        if missing > 0:
            self.data += bytes(missing)

    def cut(self, end: int) -> None:
        """Forget everything from byte ``end`` on; the rest of its block becomes zeros."""
        blocks = block_count_of(end)
        del self.data[blocks * BLOCK_SIZE :]
        if end < len(self.data):
            self.data[end:] = bytes(len(self.data) - end)
        self.mask &= (1 << blocks) - 1

    def runs(self) -> Iterator[tuple[int, int]]:
        """(first block, block count) of each run of existing blocks."""
        block = 0
        mask = self.mask
        while mask >> block:
            if mask >> block & 1:
                first = block
                while mask >> block & 1:
                    block += 1
                yield first, block - first
            else:
                block += 1


def block_mask(start: int, end: int) -> int:
    """The bits of the blocks that bytes [start, end) of a chunk touch."""
    if start >= end:
        return 0
    return (1 << block_count_of(end)) - (1 << start // BLOCK_SIZE)


def chunk_runs(index: int, chunk: Chunk) -> Iterator[tuple[int, int]]:
    """(file offset, length) of each run of existing bytes of the file's chunk ``index``."""
    for block, count in chunk.runs():
        yield index * CHUNK_SIZE + block * BLOCK_SIZE, count * BLOCK_SIZE
