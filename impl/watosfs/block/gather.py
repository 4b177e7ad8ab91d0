"""Writes gathered into few large calls: what a batch writes goes out at its end, in disk order.

Between two flushes a device may persist writes in any order, so holding them back changes nothing
that a file system may rely on, as long as they are out before the flush.
"""

from collections.abc import Sequence

from watosfs.block.device import Accept, BlockDevice, Buffer, Capabilities

#: Held back at most; then they go out.
_BYTES_MAX = 16 << 20


class GatheringDevice:
    """``device``, with writes held back until ``drain``, a flush, or a read that touches them."""

    def __init__(self, device: BlockDevice) -> None:
        self.device = device
        self.waiting: list[tuple[int, bytes]] = []
        self.waiting_bytes = 0

    @property
    def block_size_bytes(self) -> int:
        return self.device.block_size_bytes

    @property
    def block_count(self) -> int:
        return self.device.block_count

    @property
    def capabilities(self) -> Capabilities:
        return self.device.capabilities

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """As the device, once what waits for these blocks is written."""
        self.drain_if_it_meets(block, count)
        return self.device.read(block, count, accept)

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """The same for each run."""
        for block, count in runs:
            self.drain_if_it_meets(block, count)
        return self.device.readv(runs)

    def drain_if_it_meets(self, block: int, count: int) -> None:
        """Write everything when any of it touches a run."""
        size = self.block_size_bytes
        if any(at < block + count and block < at + len(d) // size for at, d in self.waiting):
            self.drain()

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Hold a copy back; with ``fua``, and for what the device would refuse, at once."""
        count, rest = divmod(memoryview(data).nbytes, self.block_size_bytes)
        if fua or rest or block < 0 or block + count > self.block_count:
            self.drain()
            self.device.write(block, data, fua=fua)
            return
        self.drain_if_it_meets(block, count)
        self.waiting.append((block, bytes(data)))
        self.waiting_bytes += len(self.waiting[-1][1])
        if self.waiting_bytes > _BYTES_MAX:
            self.drain()

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Hold each run back."""
        for block, data in runs:
            self.write(block, data)

    def drain(self) -> None:
        """Hand what waits to the device, in disk order, in one call. What fails is not kept: the
        caller is told, and whoever wrote it must not go on.
        """
        waiting, self.waiting, self.waiting_bytes = self.waiting, [], 0
        if waiting:
            self.device.writev(sorted(waiting, key=lambda run: run[0]))

    def flush(self) -> None:
        """Drain, then flush the device."""
        self.drain()
        self.device.flush()

    def discard(self, block: int, count: int) -> None:
        """Drain, then discard."""
        self.drain()
        self.device.discard(block, count)

    def close(self) -> None:
        """Close the device; what waits is lost, as without a flush it may be."""
        self.waiting.clear()
        self.device.close()
