"""Chains of clusters as runs, and which changes of the table wait for which write.

A power cut must leave lost clusters at worst. So the table as it is written back never lets a chain
on disk lead anywhere before what it leads to is there, and frees nothing that something on disk may
still lead to. New chains go into the table at once (nothing leads to them); the rest waits here:
``links`` from a tail on disk to its continuation, ``cuts`` behind a tail, ``frees``.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from watosfs.fat.allocator import Allocator, Run
from watosfs.fat.table import FatTable


class Chain:
    """The clusters of one file or directory. ``starts[i]`` is the index, in the file, of the first
    cluster of run i, which is cluster ``firsts[i]`` of the volume.
    """

    __slots__ = ("count", "firsts", "starts")

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self.starts: list[int] = []
        self.firsts: list[int] = []
        self.count = 0
        for first, count in runs:
            self.append(first, count)

    def append(self, first: int, count: int) -> None:
        """One more run; joined with the last when it follows it."""
        if not self.firsts or self.tail + 1 != first:
            self.starts.append(self.count)
            self.firsts.append(first)
        self.count += count

    @property
    def first(self) -> int:
        """The first cluster, 0 of an empty chain."""
        return self.firsts[0] if self.firsts else 0

    @property
    def tail(self) -> int:
        """The last cluster."""
        return self.firsts[-1] + self.count - self.starts[-1] - 1

    def cluster(self, index: int) -> int:
        """The cluster at an index of the file."""
        i = bisect_right(self.starts, index) - 1
        return self.firsts[i] + index - self.starts[i]

    def pieces(self, index: int, count: int) -> Iterator[Run]:
        """(cluster, count) of the runs that hold ``count`` clusters from ``index`` on."""
        i = bisect_right(self.starts, index) - 1
        while count:
            end = self.starts[i + 1] if i + 1 < len(self.starts) else self.count
            piece = min(end - index, count)
            yield self.firsts[i] + index - self.starts[i], piece
            index += piece
            count -= piece
            i += 1

    def cut(self, count: int) -> list[Run]:
        """Keep the first ``count`` clusters; the runs that were cut off."""
        dropped = list(self.pieces(count, self.count - count))
        keep = bisect_right(self.starts, count - 1) if count else 0
        del self.starts[keep:], self.firsts[keep:]
        self.count = count
        return dropped


class Chains:
    """Loads, extends and cuts chains. ``write_back`` is called when a change cannot wait."""

    def __init__(
        self, table: FatTable, allocator: Allocator, write_back: Callable[[], None]
    ) -> None:
        self.table = table
        self.allocator = allocator
        self.links: dict[int, int] = {}
        self.cuts: set[int] = set()
        self.frees: list[Run] = []
        self.held_count = 0
        self._write_back = write_back

    @property
    def free_count(self) -> int:
        """Clusters that are free, or will be with the next write-back."""
        return self.allocator.free_count + self.held_count

    def load(self, first: int) -> Chain:
        """The chain that begins at ``first`` (0: none). EUCLEAN when it is damaged."""
        return Chain(self.table.runs(first)) if first else Chain()

    def extend(self, chain: Chain, count: int) -> None:
        """Add ``count`` clusters, next to the last where that is free. ENOSPC changes nothing."""
        if self.held_count and count > self.allocator.free_count:
            self._write_back()
        if chain.count and chain.tail in self.cuts:
            # On disk the tail still leads to what was cut off, and the old size counts on that.
            self._write_back()
        runs = self.allocator.allocate(count, chain.tail + 1 if chain.count else 0)
        following = self.table.end
        for first, length in reversed(runs):
            self.table.put_run(first, length, following)
            following = first
        if chain.count:
            if self.allocator.is_fresh(chain.tail):
                self.table.put(chain.tail, following)
            else:
                self.links[chain.tail] = following
        for first, length in runs:
            chain.append(first, length)

    def cut(self, chain: Chain, count: int) -> None:
        """Keep the first ``count`` clusters of a chain."""
        if count >= chain.count:
            return
        dropped = chain.cut(count)
        if count:
            tail = chain.tail
            if self.allocator.is_fresh(tail):
                self.table.put(tail, self.table.end)
            elif self.links.pop(tail, None) is None:
                self.cuts.add(tail)
        for first, length in dropped:
            self._drop(first, length)

    def _drop(self, first: int, count: int) -> None:
        fresh = self.allocator.fresh_until(first, count)
        held = count - fresh
        if held:
            self.frees.append((first, held))
            self.held_count += held
            self.links.pop(first + held - 1, None)
        if fresh:
            self.table.clear_run(first + held, fresh)
            self.allocator.give_back(first + held, fresh)

    def put_links(self) -> bool:
        """Put the links from old tails into the table; False when there are none."""
        for tail, following in self.links.items():
            self.table.put(tail, following)
        done = bool(self.links)
        self.links = {}
        return done

    def put_cuts(self) -> bool:
        """Put the end marks behind new tails into the table; False when there are none."""
        for tail in self.cuts:
            self.table.put(tail, self.table.end)
        done = bool(self.cuts)
        self.cuts = set()
        return done

    def put_frees(self) -> None:
        """Free in the table what waited, and let it be given out again."""
        for first, count in self.frees:
            self.table.clear_run(first, count)
            self.allocator.give_back(first, count)
        self.frees = []
        self.held_count = 0
