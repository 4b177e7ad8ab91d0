"""The recording device: block writes, flushes and marks, in order, over an in-memory image.

It stands under every lockstep operation, so it keeps the written bytes as they come and copies
nothing.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from watosfs.block.device import BLOCK_SIZE_BYTES, Accept, Buffer, Capabilities

Image: TypeAlias = Mapping[int, bytes]
ZERO_BLOCK = bytes(BLOCK_SIZE_BYTES)


@dataclass(frozen=True, slots=True)
class Write:
    """One block written. With ``fua`` it is durable once completed."""

    block: int
    data: bytes
    fua: bool = False


@dataclass(frozen=True, slots=True)
class Flush:
    """Everything before is durable once this completes."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log that means something to the oracle, such as ("end", 7)."""

    label: Hashable


Event: TypeAlias = Write | Flush | Mark
FLUSH = Flush()


class RecordingDevice:
    """An in-memory device that keeps its log. Blocks that were never written read as zeros."""

    def __init__(self, block_count: int, image: Image | None = None) -> None:
        self.block_size_bytes = BLOCK_SIZE_BYTES
        self.block_count = block_count
        self.capabilities = Capabilities()
        self.image: dict[int, bytes] = dict(image or {})
        self.events: list[Event] = []

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """The blocks as last written."""
        if count == 1:
            return self.image.get(block, ZERO_BLOCK)
        image = self.image
        return b"".join([image.get(b, ZERO_BLOCK) for b in range(block, block + count)])

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """Each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Record one event for each block: blocks of one write may persist apart."""
        view = memoryview(data)
        count, rest = divmod(view.nbytes, BLOCK_SIZE_BYTES)
        assert not rest, f"write of {view.nbytes} bytes is not whole blocks"
        assert 0 <= block <= self.block_count - count, f"write to {block}+{count}"
        for i in range(count):
            piece = bytes(view[i * BLOCK_SIZE_BYTES : (i + 1) * BLOCK_SIZE_BYTES])
            self.image[block + i] = piece
            self.events.append(Write(block + i, piece, fua))

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Each run."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """Record the barrier."""
        self.events.append(FLUSH)

    def discard(self, block: int, count: int) -> None:
        """Contents stay: a discarded block may read as anything old."""

    def close(self) -> None:
        """Nothing to release."""

    def mark(self, label: Hashable) -> None:
        """Record a mark."""
        self.events.append(Mark(label))
