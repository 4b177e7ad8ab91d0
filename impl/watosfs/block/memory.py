"""A block device in memory: sparse however large, and as fast as copying memory.

Tests, benchmarks and the fuzzer run on it, so what it costs is what they cannot measure below.
"""

import errno
import mmap
from collections.abc import Sequence

from watosfs.block.device import BLOCK_SIZE_BYTES, SECTOR_SIZE_BYTES, Accept, Buffer, Capabilities
from watosfs.block.sparse import SparseBytes
from watosfs.errors import failure

# Linux' value; the constant has a name only from Python 3.13 on.
_MAP_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)


class MemoryDevice:
    """``block_count`` blocks of zeros; memory is taken page by page, as blocks are written.

    ``read`` returns a read-only view of the device, valid until those blocks are next written.
    ``flush`` does nothing: the contents die with the process anyway. ``huge_pages`` takes memory
    2 MiB at a time: first writes then run about five times as fast, sparse use wastes that much.
    """

    def __init__(
        self,
        block_count: int,
        block_size_bytes: int = BLOCK_SIZE_BYTES,
        *,
        huge_pages: bool = False,
    ) -> None:
        if block_count < 1 or block_size_bytes < 1 or block_size_bytes % SECTOR_SIZE_BYTES:
            raise failure(errno.EINVAL, reason=f"{block_count} blocks of {block_size_bytes} bytes")
        self.block_count = block_count
        self.block_size_bytes = block_size_bytes
        self.capabilities = Capabilities(alignment_bytes=block_size_bytes)
        #: One of these two holds the contents; neither once closed.
        self._map = _mapping(block_count * block_size_bytes)
        self._sparse = SparseBytes() if self._map is None else None
        self._view = None if self._map is None else memoryview(self._map)
        self._readable = None if self._view is None else self._view.toreadonly()
        if huge_pages and self._map is not None:
            self._map.madvise(mmap.MADV_HUGEPAGE)

    @classmethod
    def from_bytes(cls, image: Buffer, block_size_bytes: int = BLOCK_SIZE_BYTES) -> "MemoryDevice":
        """A device that holds ``image``; bytes after its last whole block are left out."""
        device = cls(len(image) // block_size_bytes, block_size_bytes)
        device.write(0, memoryview(image)[: device.block_count * block_size_bytes])
        return device

    def snapshot(self) -> bytes:
        """A copy of the whole contents, for small devices: as many bytes as the device has."""
        return bytes(self.read(0, self.block_count))

    def _range(self, block: int, count: int) -> tuple[int, int]:
        """The bytes of a legal run, from and to. EBADF once closed, EINVAL outside the device."""
        if self._view is None and self._sparse is None:
            raise failure(errno.EBADF, reason="the device is closed")
        if block < 0 or count < 0 or block + count > self.block_count:
            reason = f"blocks {block} to {block + count} of a device of {self.block_count}"
            raise failure(errno.EINVAL, reason=reason)
        return block * self.block_size_bytes, (block + count) * self.block_size_bytes

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """A view of ``count`` blocks."""
        readable = self._readable
        if readable is not None and block >= 0 and 0 <= count <= self.block_count - block:
            size = self.block_size_bytes
            return readable[block * size : (block + count) * size]
        start, end = self._range(block, count)
        assert self._sparse is not None
        return self._sparse.read(start, end)

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """A view for each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Copy whole blocks in."""
        source = memoryview(data)
        if source.format != "B":
            source = source.cast("B")
        count, rest = divmod(source.nbytes, self.block_size_bytes)
        if rest:
            raise failure(errno.EINVAL, reason=f"{source.nbytes} bytes are not whole blocks")
        start, end = self._range(block, count)
        if self._view is not None:
            self._view[start:end] = source
        elif self._sparse is not None:
            self._sparse.write(start, source)

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Copy each run in."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """Nothing to do."""
        self._range(0, 0)

    def discard(self, block: int, count: int) -> None:
        """Give whole pages back; the blocks read as zeros."""
        start, end = self._range(block, count)
        if self._sparse is not None:
            self._sparse.clear(start, end)
            return
        assert self._view is not None
        assert self._map is not None
        page = mmap.PAGESIZE
        first_page, last_page = -(-start // page) * page, end // page * page
        if first_page >= last_page:
            self._view[start:end] = bytes(end - start)
            return
        self._view[start:first_page] = bytes(first_page - start)
        self._view[last_page:end] = bytes(end - last_page)
        self._map.madvise(mmap.MADV_DONTNEED, first_page, last_page - first_page)

    def close(self) -> None:
        """Let go of the memory; it returns with the last view that a reader holds. Idempotent."""
        self._view = self._readable = self._map = self._sparse = None


def _mapping(size_bytes: int) -> mmap.mmap | None:
    """Zeros that take memory when written, or None where the system refuses so large a mapping."""
    try:
        return mmap.mmap(
            -1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
        )
    except (OSError, OverflowError, ValueError):
        return None
