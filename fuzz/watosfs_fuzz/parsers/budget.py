"""A device that counts: an image may cost so many blocks and no more, whatever it says.

Every phase of a harness states its budget; the block past it raises ``WorkExceeded``, which is no
OSError, so that nothing takes it for a failing device.
"""

import errno
from collections.abc import Sequence

from watosfs.block.device import Accept, Buffer, Capabilities
from watosfs.errors import failure
from watosfs_fuzz.parsers.harness import Wrong
from watosfs_fuzz.parsers.images import SparseImage


class WorkExceeded(Wrong):
    """More blocks were read or written than an image of that size is worth."""


class CountingDevice:
    """An image as a device. ``allow`` sets what may be read and written from now on, in blocks."""

    def __init__(self, image: SparseImage) -> None:
        self.blocks = dict(image.blocks)
        self.block_size_bytes = image.unit
        self.block_count = image.block_count
        self.capabilities = Capabilities(alignment_bytes=image.unit)
        self._zeros = bytes(image.unit)
        self.phase = ""
        #: The blocks that were read.
        self.blocks_read: set[int] = set()
        self.reads_left = self.writes_left = 0

    def allow(self, phase: str, reads: int, writes: int = 0) -> None:
        """Begin a phase with its budget."""
        self.phase, self.reads_left, self.writes_left = phase, reads, writes

    def _require(self, block: int, count: int) -> None:
        if block < 0 or count < 0 or block + count > self.block_count:
            raise failure(errno.EINVAL, reason=f"{count} blocks at {block} of {self.block_count}")

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """Blocks of the image as changed."""
        self._require(block, count)
        self.reads_left -= count
        if self.reads_left < 0:
            raise WorkExceeded(f"{self.phase} reads too many blocks")
        self.blocks_read.update(range(block, block + count))
        if count == 1:
            return self.blocks.get(block, self._zeros)
        get, zeros = self.blocks.get, self._zeros
        return b"".join([get(number, zeros) for number in range(block, block + count)])

    def read_all(self) -> bytes:
        """The whole image, beside the budget."""
        get, zeros = self.blocks.get, self._zeros
        return b"".join([get(number, zeros) for number in range(self.block_count)])

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """Each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Change blocks."""
        view, unit = memoryview(data), self.block_size_bytes
        count, rest = divmod(view.nbytes, unit)
        if rest:
            raise failure(errno.EINVAL, reason="not whole blocks")
        self._require(block, count)
        self.writes_left -= count
        if self.writes_left < 0:
            raise WorkExceeded(f"{self.phase} writes too many blocks")
        for i in range(count):
            self.blocks[block + i] = bytes(view[i * unit : (i + 1) * unit])

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Each run."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """Nothing is behind this device."""

    def discard(self, block: int, count: int) -> None:
        """Blocks that hold nothing now."""
        self._require(block, count)
        for number in [n for n in self.blocks if block <= n < block + count]:
            del self.blocks[number]

    def close(self) -> None:
        """Nothing to release."""
