"""A block device whose writes and flushes are queued, in epochs, over a device that takes many
requests at once.

``write`` and ``flush`` return at once. Writes between two flushes go out together, those after a
flush only when it is done, so at every moment the medium is one that the blocking device could
have left. What was queued is read from memory. **A returned ``flush`` promises nothing**: who
needs durability awaits ``durable``. A read of what is not here raises ``NotFetched`` when
``may_wait`` is set: fetch it and try again; else it blocks.
"""

import asyncio
import errno
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from watosfs.block.device import Accept, Buffer, Capabilities
from watosfs.block.tagged import Answer, Kind, Request, TaggedDevice
from watosfs.errors import failure

#: Fetched runs are kept for those who try again; the oldest go beyond this.
_FETCHED_BYTES_MAX = 32 << 20
_QUEUED_BYTES_MAX = 16 << 20


class NotFetched(Exception):
    """These runs (block, count) must be fetched first."""

    def __init__(self, runs: Sequence[tuple[int, int]]) -> None:
        super().__init__(runs)
        self.runs = runs


@dataclass(eq=False, slots=True)
class Fetch:
    """A run on its way; withdrawn when its last waiter leaves before it is submitted."""

    run: tuple[int, int]
    future: "asyncio.Future[None]"
    waiters: int = 0
    is_submitted: bool = False
    is_stale: bool = False  #: written meanwhile


@dataclass(slots=True)
class QueueCounts:
    """What the queue did."""

    submitted: int = 0
    in_flight_max: int = 0
    blocking_reads: int = 0
    withdrawn: int = 0


@dataclass(eq=False)
class EpochQueue:
    """The blocking face of a tagged device, for code that does not know of queues. At most
    ``depth`` requests are in flight.
    """

    device: TaggedDevice
    depth: int = 32
    may_wait: bool = False
    failed: OSError | None = None
    counts: QueueCounts = field(default_factory=QueueCounts)

    def __post_init__(self) -> None:
        self.device.listener = self.answered
        self.in_flight: dict[int, tuple[Request, Fetch | None]] = {}
        self.next_tag = 1
        #: Writes and flushes in order, and reads, that wait for a place.
        self.changes: deque[Request] = deque()
        self.reads: deque[Fetch] = deque()
        #: Of each block with a write that is not answered, the newest such write.
        self.newest: dict[int, Request] = {}
        self.queued_bytes = 0
        self.fetching: dict[tuple[int, int], Fetch] = {}
        self.fetched: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self.fetched_bytes = 0
        self.flushes_queued = self.flushes_done = 0
        self.watchers: list[asyncio.Future[None]] = []

        self.block_size_bytes = self.device.block_size_bytes
        self.block_count = self.device.block_count
        self.capabilities: Capabilities = self.device.capabilities

    # -- what blocking code sees

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """From what is queued and fetched; else NotFetched, or a blocking read."""
        newer = [n for n in range(block, block + count) if n in self.newest] if self.newest else []
        data: Buffer | None = bytes(count * self.block_size_bytes) if len(newer) == count else None
        if data is None:
            data = self.fetched.get((block, count))
        if data is None:
            if self.may_wait and block >= 0 and block + count <= self.block_count:
                raise NotFetched([(block, count)])
            self.counts.blocking_reads += 1
            data = bytes(self.device.read(block, count, None if newer else accept))
        if newer:
            data = self.with_newer(block, data, newer)
        if accept is not None and not accept(data):
            self.forget_fetched([(block, count)])
        return data

    def with_newer(self, block: int, data: Buffer, newer: list[int]) -> bytes:
        """``data`` with the queued writes of some blocks over it."""
        size = self.block_size_bytes
        merged = bytearray(data)
        for number in newer:
            write = self.newest[number]
            start = (number - write.block) * size
            at = (number - block) * size
            merged[at : at + size] = write.data[start : start + size]
        return bytes(merged)

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """The same for each run; NotFetched names all that are missing."""
        missing: list[tuple[int, int]] = []
        found = []
        for block, count in runs:
            try:
                found.append(self.read(block, count))
            except NotFetched as more:
                missing += more.runs
        if missing:
            raise NotFetched(missing)
        return found

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Queue a copy. ``fua`` is taken for a flush after it."""
        size = self.block_size_bytes
        count, rest = divmod(memoryview(data).nbytes, size)
        if rest or block < 0 or block + count > self.block_count:
            raise failure(errno.EINVAL, reason=f"blocks {block} to {block + count}")
        if self.capabilities.read_only:
            raise failure(errno.EROFS)
        self.require_alive()
        request = Request(Kind.WRITE, block, count, bytes(data))
        self.changes.append(request)
        self.queued_bytes += len(request.data)
        for number in range(block, block + count):
            self.newest[number] = request
        self.outdate(block, block + count)
        if fua:
            self.flush()
        self.pump()

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Queue each."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """Queue the end of the epoch."""
        self.require_alive()
        self.changes.append(Request(Kind.FLUSH))
        self.flushes_queued += 1
        self.pump()

    def discard(self, block: int, count: int) -> None:
        """Nothing: the contents may stay."""

    def close(self) -> None:
        """Close the device; await ``durable`` first."""
        self.device.close()

    def require_alive(self) -> None:
        """EIO once a write or flush failed: what came before it may be lost."""
        if self.failed is not None:
            raise failure(errno.EIO, reason=f"an earlier request failed: {self.failed}")

    # -- what waits

    async def fetch(self, runs: Iterable[tuple[int, int]]) -> None:
        """Bring runs in, together. Raises what the device says of the first that fails."""
        fetches = []
        for run in dict.fromkeys(runs):
            fetch = self.fetching.get(run)
            if fetch is None:
                fetch = Fetch(run, asyncio.get_running_loop().create_future())
                self.fetching[run] = fetch
                self.reads.append(fetch)
            fetch.waiters += 1
            fetches.append(fetch)
        self.pump()
        try:
            for fetch in fetches:
                await asyncio.shield(fetch.future)
        finally:
            for fetch in fetches:
                fetch.waiters -= 1
                if not fetch.waiters and not fetch.is_submitted:
                    self.reads.remove(fetch)
                    del self.fetching[fetch.run]
                    fetch.future.cancel()
                    self.counts.withdrawn += 1

    async def durable(self) -> None:
        """Return once every flush queued so far is done; EIO when it may not be."""
        goal = self.flushes_queued
        while self.flushes_done < goal:
            self.require_alive()
            await self.changed()

    async def room(self) -> None:
        """Return once little enough is queued for more. EIO when nothing goes out any more."""
        while self.queued_bytes > _QUEUED_BYTES_MAX:
            self.require_alive()
            await self.changed()

    async def changed(self) -> None:
        """Return when a request has been answered."""
        watcher = asyncio.get_running_loop().create_future()
        self.watchers.append(watcher)
        await watcher

    # -- the device

    def pump(self) -> None:
        """Submit what may go, as far as there are places. Reads leave one for changes."""
        while len(self.in_flight) < self.depth and self.changes and self.may_go(self.changes[0]):
            self.submit(self.changes.popleft(), None)
        while self.reads and len(self.in_flight) < max(self.depth - bool(self.changes), 1):
            fetch = self.reads.popleft()
            fetch.is_submitted = True
            self.submit(Request(Kind.READ, *fetch.run), fetch)

    def may_go(self, request: Request) -> bool:
        """A flush when nothing it covers is in flight, a write in the epoch that is open and away
        from those in flight.
        """
        changes = [other for other, _ in self.in_flight.values() if other.kind is not Kind.READ]
        if request.kind is Kind.FLUSH:
            return not changes
        end = request.block + request.count
        return not any(
            other.kind is Kind.FLUSH
            or (other.block < end and request.block < other.block + other.count)
            for other in changes
        )

    def submit(self, request: Request, fetch: Fetch | None) -> None:
        """Give the request a tag and hand it on."""
        tag = self.next_tag
        self.next_tag += 1
        self.in_flight[tag] = (request, fetch)
        self.counts.submitted += 1
        self.counts.in_flight_max = max(self.counts.in_flight_max, len(self.in_flight))
        self.device.submit(tag, request)

    def answered(self, tag: int, answer: Answer) -> None:
        """The device is done with a request."""
        request, fetch = self.in_flight.pop(tag)
        if fetch is not None:
            self.read_answered(fetch, answer)
        elif isinstance(answer, OSError):
            self.failed = self.failed or answer
            self.changes.clear()
        elif request.kind is Kind.FLUSH:
            self.flushes_done += 1
        else:
            self.queued_bytes -= len(request.data)
            end = request.block + request.count
            self.outdate(request.block, end)
            for number in range(request.block, end):
                if self.newest.get(number) is request:
                    del self.newest[number]
        watchers, self.watchers = self.watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)
        self.pump()

    def read_answered(self, fetch: Fetch, answer: Answer) -> None:
        """Keep what was read, unless it was written meanwhile (then who needs it tries again)."""
        del self.fetching[fetch.run]
        if isinstance(answer, OSError):
            fetch.future.set_exception(answer)
            fetch.future.exception()  # seen, even if nobody waits any more
            return
        if not fetch.is_stale:
            self.fetched[fetch.run] = bytes(answer)
            self.fetched_bytes += len(answer)
            while self.fetched_bytes > _FETCHED_BYTES_MAX:
                self.forget_fetched([next(iter(self.fetched))])
        fetch.future.set_result(None)

    def outdate(self, block: int, end: int) -> None:
        """What was read of these blocks, or is being read, is not what they hold now."""
        self.forget_fetched([run for run in self.fetched if run[0] < end and block < sum(run)])
        for fetch in self.fetching.values():
            fetch.is_stale |= fetch.run[0] < end and block < sum(fetch.run)

    def forget_fetched(self, runs: Iterable[tuple[int, int]]) -> None:
        """Runs that are not to be used any more."""
        for run in runs:
            self.fetched_bytes -= len(self.fetched.pop(run, b""))
