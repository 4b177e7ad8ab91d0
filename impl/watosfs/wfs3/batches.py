"""Many reads or writes of open files at once, in few large calls of the device.

Reads: the extents of all requests are found first, sorted by their place on the disk, neighbours
joined, and read by one ``readv``; each is verified as ever. Writes: each goes through the file as
ever, but what it writes to the device waits, and all of it goes out at the end in disk order.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from watosfs.block.device import Buffer
from watosfs.block.gather import GatheringDevice
from watosfs.errors import DamageError
from watosfs.wfs3.compression import decompressed
from watosfs.wfs3.format import BLOCK_SIZE, CHUNK_SIZE
from watosfs.wfs3.records import Extent, Inode

if TYPE_CHECKING:
    from watosfs.wfs3.engine import Engine
    from watosfs.wfs3.handle import Handle

#: One run of a device call is at most 4 MiB.
_RUN_BLOCKS_MAX = 1024


class ReadRequest(NamedTuple):
    """``length`` bytes at ``offset`` of an open file."""

    handle: "Handle"
    length: int
    offset: int


class WriteRequest(NamedTuple):
    """``data`` to be written at ``offset`` of an open file."""

    handle: "Handle"
    data: Buffer
    offset: int


class Batches:
    """The part of a volume that does many requests at once."""

    engine: "Engine"

    def require_mounted(self) -> None:
        """Raise EBADF on an unmounted volume."""
        raise NotImplementedError

    def read_many(self, requests: Sequence[ReadRequest]) -> list[bytes]:
        """What ``Handle.pread`` of each would give, in order, in few large device calls. Raises
        what any of them would raise.
        """
        self.require_mounted()
        return read_many(self.engine, requests)

    def write_many(self, requests: Sequence[WriteRequest]) -> list[int]:
        """``Handle.pwrite`` of each, in order, in few large device calls; their lengths. The first
        that fails is raised, and those before it are written. When the device fails, the volume is
        shut down, as ever.
        """
        self.require_mounted()
        with gathered(self.engine):
            return [handle.pwrite(data, offset) for handle, data, offset in requests]


def read_many(engine: "Engine", requests: Sequence[ReadRequest]) -> list[bytes]:
    """``Batches.read_many`` of a mounted volume."""
    plans: list[tuple[Inode, list[tuple[int, Extent]]] | None] = []
    wanted: dict[int, Extent] = {}
    for handle, count, offset in requests:
        inode = handle.inode_to_read(count, offset)
        if inode.inline or inode.number in engine.data.dirty or engine.is_published:
            plans.append(None)
            continue
        end = min(offset + count, inode.size)
        extents = extents_within(engine, inode, offset, end)
        plans.append((inode, extents))
        for _, extent in extents:
            wanted.setdefault(extent.disk_block, extent)
    loaded = load(engine, wanted)
    found = []
    for (handle, count, offset), plan in zip(requests, plans, strict=True):
        if plan is None:
            found.append(handle.pread(count, offset))
            continue
        inode, extents = plan
        end = min(offset + count, inode.size)
        found.append(assemble(inode, offset, end, extents, loaded))
    return found


def extents_within(
    engine: "Engine", inode: Inode, first: int, end: int
) -> list[tuple[int, Extent]]:
    """The valid extents that touch [first, end) of a file, ascending. Raises DamageError."""
    if first >= end:
        return []
    extents = []
    for key, extent in engine.tree(inode).items(first - first % CHUNK_SIZE, end - 1):
        engine.data.validate(key, extent)
        if key + extent.length > first:
            extents.append((key, extent))
    return extents


def load(engine: "Engine", wanted: dict[int, Extent]) -> dict[tuple[int, int], Buffer]:
    """The verified contents of extents, by (block, length), read in one call."""
    runs = list(runs_of(wanted))
    loaded: dict[tuple[int, int], Buffer] = {}
    if not runs:
        return loaded
    buffers = engine.device.readv([(block, count) for block, count, _ in runs])
    for (block, _, extents), buffer in zip(runs, buffers, strict=True):
        view = memoryview(buffer)
        for extent in extents:
            start, length = extent.disk_block - block, extent.length
            data = view[start * BLOCK_SIZE : (start + extent.stored_blocks) * BLOCK_SIZE]
            if crc32(data) != extent.crc32:
                problem = f"crc32 of {length} bytes at offset {extent.file_offset} differs"
                raise DamageError("file data", extent.disk_block, problem)
            loaded[extent.disk_block, length] = (
                decompressed(data, length, extent.disk_block) if extent.flags else data
            )
    return loaded


def runs_of(wanted: dict[int, Extent]) -> Iterator[tuple[int, int, list[Extent]]]:
    """(block, count, extents) of runs that follow one another on the disk."""
    run: list[Extent] = []
    start = end = -1
    for block, extent in sorted(wanted.items()):
        if run and (block != end or end - start >= _RUN_BLOCKS_MAX):
            yield start, end - start, run
            run = []
        if not run:
            start = end = block
        run.append(extent)
        end = block + extent.stored_blocks
    if run:
        yield start, end - start, run


def assemble(
    inode: Inode,
    first: int,
    end: int,
    extents: list[tuple[int, Extent]],
    loaded: dict[tuple[int, int], Buffer],
) -> bytes:
    """The bytes [first, end) of a file, holes as zeros. Raises DamageError."""
    parts: list[Buffer] = []
    at = first
    for key, extent in extents:
        data = loaded.get((extent.disk_block, extent.length))
        if data is None:
            raise DamageError("extent", extent.disk_block, "two extents begin here")
        low, high = max(first, key), min(end, key + extent.length)
        if low < at:
            raise DamageError("extent", inode.extent_root, f"two extents hold offset {low}")
        if low > at:
            parts.append(bytes(low - at))
        parts.append(memoryview(data)[low - key : high - key])
        at = high
    if at < end:
        parts.append(bytes(end - at))
    return b"".join(parts)


@contextmanager
def gathered(engine: "Engine") -> Iterator[None]:
    """What the engine writes inside goes out at the end, in disk order. When that fails, the volume
    is shut down: the working tree counts on it.
    """
    device = engine.device
    gathering = GatheringDevice(device)
    engine.device = engine.store.device = gathering
    try:
        yield
    finally:
        engine.device = engine.store.device = device
        try:
            gathering.drain()
        except OSError as error:
            engine.fail(error)
            raise
