"""The block device protocol (DESIGN section 4): numbered blocks behind a volatile write cache.

A completed ``flush`` makes every earlier write durable; a write with ``fua`` makes itself durable
and orders nothing else. Between two flushes (an *epoch*) the device may persist writes in any
order, any subset of them, torn at sector granularity (512 bytes). File systems may rely on nothing
more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

SECTOR_SIZE_BYTES = 512
BLOCK_SIZE_BYTES = 4096

Buffer: TypeAlias = bytes | bytearray | memoryview
#: Says whether the caller will accept these contents (its checksum matches, say).
Accept: TypeAlias = Callable[[Buffer], bool]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a device can do beyond reading and writing whole blocks."""

    fua: bool = True
    discard: bool = True
    read_only: bool = False
    queue_depth: int = 1
    alignment_bytes: int = BLOCK_SIZE_BYTES
    transfer_bytes_max: int = 1 << 20


class BlockDevice(Protocol):
    """What every file system here reads and writes through.

    Every method raises ``OSError``: EINVAL for a range outside the device or data that is not whole
    blocks, EROFS for a change on a read-only device, EBADF once closed, EIO when the medium fails.
    """

    @property
    def block_size_bytes(self) -> int: ...

    @property
    def block_count(self) -> int: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """``count`` blocks from ``block`` on, as one buffer of ``count * block_size_bytes`` bytes.

        The buffer may be a view of the device: it is valid until those blocks are next written;
        copy to keep. ``accept`` is the check that the caller will apply itself. A device with
        redundancy may use it to choose a copy; a crash explorer uses it to treat all contents that
        the caller rejects as one. A caller that passes ``accept`` must treat every rejected
        content alike.
        """

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """One buffer for each (block, count), in order."""

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Write whole blocks from ``block`` on; ``data`` is copied or written before the call
        returns.
        """

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Write each (block, data); the device may reorder and join them."""

    def flush(self) -> None:
        """Return once everything written before is durable."""

    def discard(self, block: int, count: int) -> None:
        """The contents of these blocks are no longer needed; reading them may return anything old
        or zeros.
        """

    def close(self) -> None:
        """Release the device; idempotent. Does not flush."""
