"""A stretch of a device as a device of its own: what a file system in a partition is mounted on."""

import errno
from collections.abc import Sequence
from dataclasses import replace

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import SECTOR_SIZE_BYTES, Accept, BlockDevice, Buffer
from watosfs.errors import failure


class SubDevice:
    """``size_bytes`` from ``start_bytes`` on, both in whole sectors.

    Its blocks are the device's where the stretch begins and ends on them, else sectors of 512
    bytes: parts of a block are then read, changed and written back, and nothing is discarded.
    """

    def __init__(self, device: BlockDevice, start_bytes: int, size_bytes: int) -> None:
        unit = device.block_size_bytes
        is_aligned = start_bytes % unit == 0 and size_bytes % unit == 0
        self.block_size_bytes = unit if is_aligned else SECTOR_SIZE_BYTES
        is_whole = start_bytes % SECTOR_SIZE_BYTES == 0 and size_bytes % SECTOR_SIZE_BYTES == 0
        if start_bytes < 0 or size_bytes < SECTOR_SIZE_BYTES or not is_whole:
            raise failure(errno.EINVAL, reason=f"{size_bytes} bytes from {start_bytes} on")
        self.block_count = size_bytes // self.block_size_bytes
        self.capabilities = replace(
            device.capabilities,
            discard=device.capabilities.discard and is_aligned,
            alignment_bytes=self.block_size_bytes,
        )
        self._device = device
        #: Where the stretch begins on the device below.
        self.start_bytes = start_bytes
        self._access = ByteAccess(device)
        self._is_open = True
        self._access.require(start_bytes, size_bytes)

    def _offset(self, block: int, count: int) -> int:
        if not self._is_open:
            raise failure(errno.EBADF, reason="the device is closed")
        if block < 0 or count < 0 or block + count > self.block_count:
            reason = f"blocks {block} to {block + count} of a device of {self.block_count}"
            raise failure(errno.EINVAL, reason=reason)
        return self.start_bytes + block * self.block_size_bytes

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """``count`` blocks."""
        offset = self._offset(block, count)
        if self.block_size_bytes == self._device.block_size_bytes:
            return self._device.read(offset // self.block_size_bytes, count, accept)
        return self._access.read(offset, count * self.block_size_bytes)

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """Each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Write whole blocks; with ``fua`` they are durable on return."""
        view = memoryview(data)
        count, rest = divmod(view.nbytes, self.block_size_bytes)
        if not self._is_open:
            raise failure(errno.EBADF, reason="the device is closed")
        if self.capabilities.read_only:
            raise failure(errno.EROFS)
        if rest:
            raise failure(errno.EINVAL, reason=f"{view.nbytes} bytes are not whole blocks")
        offset = self._offset(block, count)
        if self.block_size_bytes == self._device.block_size_bytes:
            self._device.write(offset // self.block_size_bytes, data, fua=fua)
            return
        self._access.write(offset, view if view.format == "B" else view.cast("B"))
        if fua:
            self._device.flush()

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Write each run."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """Flush the whole device below."""
        self._offset(0, 0)
        self._device.flush()

    def discard(self, block: int, count: int) -> None:
        """Discard where blocks are the device's own; else do nothing."""
        offset = self._offset(block, count)
        if self.capabilities.read_only:
            raise failure(errno.EROFS)
        if self.capabilities.discard:
            self._device.discard(offset // self.block_size_bytes, count)

    def close(self) -> None:
        """Let go; the device below stays open. Idempotent."""
        self._is_open = False
