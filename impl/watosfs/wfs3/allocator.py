"""The copy-on-write block allocator: pure bookkeeping, no I/O (DESIGN sections 5 and 8).

Every block of [lo, hi) is in exactly one of these states:

- ``free``: nobody reaches it; it may be handed out;
- unloaded: free as well, but still only in the free tree on disk (at or above ``frontier``);
- ``fresh``: handed out by the open transaction; no durable root reaches it;
- ``limbo[0]``: dropped by the open transaction, still reached by the durable root;
- ``limbo[k]``: dropped k commits ago, still reached by an older superblock copy;
- otherwise in use by the working tree.

With ``hold`` = 2 a block dropped by generation g is handed out only after g + 1 is durable, so
both superblock copies always name an intact tree. The free tree on disk of a generation lists
free, unloaded and limbo together: exactly what its root does not reach.
"""

from watosfs.wfs3.extents import ExtentError, ExtentSet


class Allocator:
    """Hands out and takes back runs of blocks; ``unloaded`` counts the free blocks at or above
    ``frontier``.
    """

    __slots__ = ("free", "fresh", "frontier", "generation", "hi", "limbo", "lo", "unloaded")

    def __init__(self, lo: int, hi: int, generation: int, free_count: int, hold: int = 2) -> None:
        self.lo = lo
        self.hi = hi
        self.generation = generation
        self.frontier = lo
        self.unloaded = free_count
        self.free = ExtentSet()
        self.fresh = ExtentSet()
        self.limbo = [ExtentSet() for _ in range(hold)]

    @property
    def available(self) -> int:
        """Blocks that can be handed out now."""
        return self.free.count + self.unloaded

    @property
    def held(self) -> int:
        """Blocks that nobody uses but that later commits must release first."""
        held = 0
        for dead in self.limbo:
            held = held + dead.count
        return held

    def load(self, start: int, end: int) -> None:
        """[start, end) was unloaded and is free: now it may be handed out. Raises ExtentError."""
        if start < self.frontier or end > self.hi or self.unloaded < end - start:
            raise ExtentError("loaded run is not an unloaded one")
        if self.fresh.meets(start, end):
            raise ExtentError("loaded run is in use")
        self.free.add(start, end)
        self.unloaded = self.unloaded - (end - start)

    def alloc(self, count: int) -> int | None:
        """Hand out ``count`` contiguous loaded blocks; the first of them, or None when no run
        fits.
        """
        if not count > 0:
            raise ExtentError("empty run")
        start = self.free.take(count)
        if start is None:
            return None
        self.fresh.add(start, start + count)
        return start

    def drop(self, start: int, count: int) -> None:
        """The working tree stops using [start, start + count). Raises ExtentError when it was not
        in use.
        """
        end = start + count
        if start < self.lo or end > self.hi:
            raise ExtentError("dropped run is outside the volume")
        if self.fresh.covers(start, end):
            self.fresh.remove(start, end)
            self.free.add(start, end)
            return
        if self.fresh.meets(start, end) or self.free.meets(start, end):
            raise ExtentError("block dropped twice")
        for dead in self.limbo[1:]:
            if dead.meets(start, end):
                raise ExtentError("block dropped twice")
        self.limbo[0].add(start, end)

    def committed(self) -> None:
        """The superblock of the next generation is durable: release the oldest limbo."""
        self.generation = self.generation + 1
        oldest = self.limbo.pop()
        self.limbo.insert(0, ExtentSet())
        self.fresh = ExtentSet()
        for start, end in zip(oldest.starts, oldest.ends, strict=True):
            if end <= self.frontier:
                self.free.add(start, end)
            elif start >= self.frontier:
                self.unloaded = self.unloaded + (end - start)
            else:
                self.free.add(start, self.frontier)
                self.unloaded = self.unloaded + (end - self.frontier)

    def aborted(self) -> None:
        """Forget the open transaction."""
        self.free.absorb(self.fresh)
        self.fresh = ExtentSet()
        self.limbo[0] = ExtentSet()

    def unload(self, keep: int) -> None:
        """Between transactions: forget all but the ``keep`` lowest runs (they stay in the free
        tree).
        """
        if self.fresh.count > 0:
            raise ExtentError("unload inside a transaction")
        starts, ends = self.free.starts, self.free.ends
        if len(starts) <= keep:
            return
        self.frontier = starts[keep]
        while len(starts) > keep:
            size = ends[-1] - starts[-1]
            del starts[-1]
            del ends[-1]
            self.free.count = self.free.count - size
            self.unloaded = self.unloaded + size
