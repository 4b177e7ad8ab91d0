"""A mounted volume for asyncio: many requests in flight, none of which blocks the others.

The volume itself stays what it is, single-threaded and without ``await``. A request first runs what
it must *read* against a queue that raises ``NotFetched`` for what is not in memory; the runs are
fetched, together with those of everybody else, and it is tried again. A change is made only then,
in one go, so cancelling a request leaves it done or undone, never half; what it reads that nobody
could foresee, such as the neighbours of a node that is merged, it reads blocking. Writes and
flushes are queued in epochs (``watosfs.block.epoch_queue``): on the medium is always a prefix of
what the blocking volume would have written, and ``fsync`` waits until its epoch is there.

Order: requests on one file take effect as they were made (reads among themselves may overtake);
changes of names likewise. At most ``requests_max`` are under way; the others wait (backpressure).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from watosfs.block.device import Buffer
from watosfs.block.epoch_queue import EpochQueue, NotFetched
from watosfs.block.tagged import TaggedDevice
from watosfs.wfs3.attributes import Stat
from watosfs.wfs3.batches import ReadRequest
from watosfs.wfs3.format import CHUNK_SIZE
from watosfs.wfs3.handle import O_CREAT, O_RDONLY, O_TRUNC, Handle
from watosfs.wfs3.inodes import InodeTable
from watosfs.wfs3.pages import PAGE_SIZE_BYTES
from watosfs.wfs3.paths import Follow, as_bytes
from watosfs.wfs3.records import DirectoryEntry
from watosfs.wfs3.turns import Turns
from watosfs.wfs3.volume import Volume

_Result = TypeVar("_Result")

#: The key under which names take their turn; files go by inode number.
_NAMES: Final = "names"
#: Longer reads are made in pieces, so that what they fetch stays until they are done.
_PIECE_BYTES: Final = 4 << 20


class AsyncVolume:
    """Made by ``AsyncVolume.mount``. Every request raises what the blocking one would, and EIO for
    ever once the device failed a write or a flush: then mount again.
    """

    def __init__(self, volume: Volume, queue: EpochQueue, requests_max: int) -> None:
        self.volume = volume
        self.queue = queue
        self.places = asyncio.Semaphore(requests_max)
        self.turns = Turns()
        #: Requests that have their place, and the most there have been at once.
        self.in_flight = self.in_flight_max = 0
        self.next_commit: asyncio.Future[None] | None = None

    @classmethod
    async def mount(
        cls, device: TaggedDevice, *, depth: int = 32, requests_max: int = 256, **options: Any
    ) -> "AsyncVolume":
        """Mount (blocking, a few reads), with ``depth`` device requests in flight at most.
        ``options`` and errors are those of ``Volume.mount``.
        """
        queue = EpochQueue(device, depth)
        volume = Volume.mount(queue, **options)
        await queue.durable()
        return cls(volume, queue, requests_max)

    async def unmount(self) -> None:
        """Commit and close the device. Requests still under way get EBADF."""
        async with self.turn(_NAMES, shared=False):
            self.volume.unmount()
        await self.queue.durable()
        self.queue.close()

    # -- how requests run

    @asynccontextmanager
    async def turn(self, key: Hashable, *, shared: bool) -> AsyncIterator[None]:
        """A request has its place in the order of its key first, then among all."""
        async with self.turns.taken(key, shared=shared), self.places:
            self.in_flight += 1
            self.in_flight_max = max(self.in_flight_max, self.in_flight)
            try:
                self.queue.require_alive()
                yield
            finally:
                self.in_flight -= 1

    async def attempt(self, read: Callable[[], _Result]) -> _Result:
        """Run what only reads until all that it needs is here."""
        while True:
            self.queue.may_wait = True
            try:
                return read()
            except NotFetched as missing:
                runs = missing.runs
            finally:
                self.queue.may_wait = False
            await self.queue.fetch(runs)

    async def change(
        self, key: Hashable, look: Callable[[], object], change: Callable[[], _Result]
    ) -> _Result:
        """Bring in what ``look`` reads, then change, in one go."""
        async with self.turn(key, shared=False):
            await self.queue.room()
            await self.attempt(look)
            return change()

    # -- files

    async def open(self, path: bytes | str, flags: int = O_RDONLY, mode: int = 0o644) -> Handle:
        """As ``Volume.open``; the handle is for the methods here."""
        volume = self.volume
        if flags & (O_CREAT | O_TRUNC):
            return await self.change(
                _NAMES, lambda: self.look_at(path), lambda: volume.open(path, flags, mode)
            )
        async with self.turn(_NAMES, shared=True):
            return await self.attempt(lambda: volume.open(path, flags, mode))

    async def close(self, handle: Handle) -> None:
        """Give a handle up, after all that was asked of its file."""
        await self.change(handle.number, handle.inode, handle.close)

    async def pread(self, handle: Handle, length: int, offset: int) -> bytes:
        """As ``Handle.pread``; what is missing is fetched in few device requests at once."""
        async with self.turn(handle.number, shared=True):
            if length <= PAGE_SIZE_BYTES:
                return await self.attempt(lambda: handle.pread(length, offset))
            parts: list[bytes] = []
            end = offset + length
            while offset < end:
                wanted = [ReadRequest(handle, min(end - offset, _PIECE_BYTES), offset)]
                parts += await self.attempt(lambda wanted=wanted: self.volume.read_many(wanted))  # type: ignore[misc]
                if len(parts[-1]) < wanted[0].length:
                    break
                offset += _PIECE_BYTES
            return b"".join(parts)

    async def pwrite(self, handle: Handle, data: Buffer, offset: int) -> int:
        """As ``Handle.pwrite``. ``data`` must not change meanwhile."""
        return await self.change(
            handle.number,
            lambda: self.look_at_chunks(handle, offset, offset + len(data)),
            lambda: handle.pwrite(data, offset),
        )

    async def truncate(self, handle: Handle, size: int) -> None:
        """As ``Handle.truncate``."""
        await self.change(
            handle.number,
            lambda: self.look_at_chunks(handle, size, size + 1),
            lambda: handle.truncate(size),
        )

    async def fsync(self, handle: Handle) -> None:
        """Return once all that was done to the file before is durable. Those who wait together
        share a commit.
        """
        await self.make_durable(handle.number)

    async def sync(self) -> None:
        """Return once every change of names, and every finished request, is durable."""
        await self.make_durable(_NAMES)

    async def make_durable(self, key: Hashable) -> None:
        """Let those before on the key go first, then wait for the commit that has it all."""
        async with self.turn(key, shared=False):
            pass
        if self.volume.engine.is_dirty:
            if self.next_commit is None:
                self.next_commit = asyncio.ensure_future(self.commit())
            await asyncio.shield(self.next_commit)
        else:
            await self.queue.durable()

    async def commit(self) -> None:
        """When the commit before is durable, one for all that has changed since."""
        try:
            await self.queue.durable()
            self.queue.require_alive()
        finally:
            self.next_commit = None
        self.volume.sync()
        await self.queue.durable()

    # -- names

    async def stat(self, path: bytes | str) -> Stat:
        """As ``Volume.stat``."""
        async with self.turn(_NAMES, shared=True):
            return await self.attempt(lambda: self.volume.stat(path))

    async def readdir(self, path: bytes | str) -> list[DirectoryEntry]:
        """As ``Volume.readdir``."""
        async with self.turn(_NAMES, shared=True):
            return await self.attempt(lambda: list(self.volume.readdir(path)))

    async def mkdir(self, path: bytes | str, mode: int = 0o755) -> None:
        """As ``Volume.mkdir``."""
        await self.change(_NAMES, lambda: self.look_at(path), lambda: self.volume.mkdir(path, mode))

    async def unlink(self, path: bytes | str) -> None:
        """As ``Volume.unlink``."""
        await self.change(_NAMES, lambda: self.look_at(path), lambda: self.volume.unlink(path))

    async def rename(self, old: bytes | str, new: bytes | str) -> None:
        """As ``Volume.rename``."""

        def look() -> None:
            self.look_at(old)
            self.look_at(new)

        await self.change(_NAMES, look, lambda: self.volume.rename(old, new))

    # -- what a change will read

    def look_at(self, path: bytes | str) -> None:
        """Read the nodes that a change at a path needs: of the directory and of the inodes, and
        the extents of what may be freed. What is wrong with the path, the change will say.
        """
        namespace, engine = self.volume.namespace, self.volume.engine
        try:
            place = namespace.resolve(as_bytes(path), Follow.NEVER)
        except OSError:
            return
        self.look_at_free_space()
        for number in (place.parent, place.number):
            if number:
                look_at_inode(engine, number)
        if place.number:
            inode = engine.inode(place.number)
            if not inode.is_directory and inode.blocks:
                for _ in engine.tree(inode).items():
                    pass

    def look_at_chunks(self, handle: Handle, first: int, end: int) -> None:
        """Read what a write of [first, end) needs: the inode, extents, and data at both ends."""
        engine = self.volume.engine
        inode = handle.inode()
        look_at_inode(engine, inode.number)
        self.look_at_free_space()
        if not inode.is_file or first < 0:
            return
        tree = engine.tree(inode)
        tree.lower_bound(end)
        for offset in (first, max(end - 1, first)):
            base = offset - offset % CHUNK_SIZE
            tree.lower_bound(base)
            if not inode.inline and base < inode.size and (first > base or end < base + CHUNK_SIZE):
                engine.data.read(inode, base, CHUNK_SIZE)

    def look_at_free_space(self) -> None:
        """Read the leaf of the free tree that is loaded next."""
        space = self.volume.engine.space
        space.tree.floor(space.allocator.frontier)


def look_at_inode(table: InodeTable, number: int) -> None:
    """Read the nodes on the way to an inode, and the inode."""
    table.inode_tree.floor(number)
    table.inode(number)
