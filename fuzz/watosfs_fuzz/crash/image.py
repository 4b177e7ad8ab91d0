"""One crash image, as a recovery met it: for a second look that must not write."""

from collections.abc import Mapping, Sequence

from watosfs.block.device import BLOCK_SIZE_BYTES, Accept, Buffer, Capabilities
from watosfs_fuzz.crash.log import ZERO_BLOCK


class CrashImage:
    """Blocks of the first of ``layers`` that has them, else zeros. Takes no write, and counts
    them.
    """

    def __init__(self, block_count: int, layers: Sequence[Mapping[int, bytes]]) -> None:
        self.block_size_bytes = BLOCK_SIZE_BYTES
        self.block_count = block_count
        self.capabilities = Capabilities()
        self.layers = layers
        self.write_count = 0

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """The blocks as the power cut left them."""
        return b"".join([self.one(b) for b in range(block, block + count)])

    def one(self, block: int) -> bytes:
        """One block."""
        for layer in self.layers:
            found = layer.get(block)
            if found is not None:
                return found
        return ZERO_BLOCK

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """Each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Counted only."""
        self.write_count += 1

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Each run."""
        self.write_count += len(runs)

    def flush(self) -> None:
        """Nothing was written."""

    def discard(self, block: int, count: int) -> None:
        """A change too."""
        self.write_count += 1

    def close(self) -> None:
        """Nothing to release."""
