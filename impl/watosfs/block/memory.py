"""A block device in memory: sparse however large, and as fast as copying memory."""

import errno
import mmap
from collections.abc import Sequence

from watosfs.block.device import BLOCK_SIZE_BYTES, Accept, Buffer, Capabilities
from watosfs.errors import failure

_MAP_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)


class MemoryDevice:
    """``block_count`` blocks of zeros in a private anonymous mapping: pages exist once written.

    ``read`` returns a view of the device, valid until those blocks are next written. ``flush`` does
    nothing: the contents die with the process anyway.
    """

    def __init__(self, block_count: int, block_size_bytes: int = BLOCK_SIZE_BYTES) -> None:
        if block_count < 1 or block_size_bytes < 512:
            raise failure(errno.EINVAL, reason=f"{block_count} blocks of {block_size_bytes} bytes")
        self.block_count = block_count
        self.block_size_bytes = block_size_bytes
        self.capabilities = Capabilities()
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
        self._map: mmap.mmap | None = mmap.mmap(-1, block_count * block_size_bytes, flags=flags)
        self._view: memoryview | None = memoryview(self._map)

    @classmethod
    def from_bytes(cls, image: bytes, block_size_bytes: int = BLOCK_SIZE_BYTES) -> "MemoryDevice":
        """A device that holds ``image``; bytes after its last whole block are left out."""
        device = cls(len(image) // block_size_bytes, block_size_bytes)
        device.write(0, memoryview(image)[: device.block_count * block_size_bytes])
        return device

    def _range(self, block: int, count: int) -> tuple[memoryview, int, int]:
        view = self._view
        if view is None:
            raise failure(errno.EBADF, reason="the device is closed")
        if block < 0 or count < 0 or block + count > self.block_count:
            raise failure(errno.EINVAL, reason=f"blocks {block}..{block + count} outside the device")
        return view, block * self.block_size_bytes, (block + count) * self.block_size_bytes

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """A view of ``count`` blocks."""
        view, start, end = self._range(block, count)
        return view[start:end]

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """A view for each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Copy whole blocks in."""
        count, rest = divmod(memoryview(data).nbytes, self.block_size_bytes)
        if rest:
            raise failure(errno.EINVAL, reason="data is not whole blocks")
        view, start, end = self._range(block, count)
        view[start:end] = data

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Copy each run in."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """Nothing to do."""
        self._range(0, 0)

    def discard(self, block: int, count: int) -> None:
        """Give the pages back; the blocks read as zeros."""
        view, start, end = self._range(block, count)
        if start % mmap.PAGESIZE or end % mmap.PAGESIZE:
            view[start:end] = bytes(end - start)
        elif end > start and self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED, start, end - start)

    def close(self) -> None:
        """Let go of the memory, which returns with the last view that a reader holds; idempotent."""
        self._view = None
        self._map = None
