"""Which clusters are free: one byte a cluster, filled page by page as the search comes by.

The map is 1 for a cluster that may be given out, 2 for one that was given out since the volume was
last written back (no structure on disk leads to it), 0 for every other and for pages not seen yet.
"""

import errno
from typing import Final

from watosfs.errors import failure
from watosfs.fat.table import FatTable

_USED: Final = 0
_FREE: Final = b"\1"
_FRESH: Final = 2

Run = tuple[int, int]


class Allocator:
    """Gives out runs of clusters, as contiguous as can be.

    ``free_count`` may be given from FSInfo; without it the first who asks pays for counting.
    """

    def __init__(self, table: FatTable, free_count: int | None, next_free: int) -> None:
        self._table = table
        self._end = table.cluster_end
        self._map = bytearray(self._end)
        self._is_known = bytearray(table.page_count)
        self._free_count = free_count
        self._fresh: list[Run] = []
        #: Where the next search begins.
        self.cursor = next_free if 2 <= next_free < self._end else 2

    @property
    def free_count(self) -> int:
        """Clusters that may be given out."""
        if self._free_count is None:
            for page in range(self._table.page_count):
                self._learn(page)
            self._free_count = self._map.count(1)
        return self._free_count

    def _learn(self, page: int) -> None:
        if self._is_known[page]:
            return
        start = page * self._table.page_entries
        known = self._table.page(page).free_map()[: self._end - start]
        self._map[start : start + len(known)] = known
        if not page:
            self._map[:2] = b"\0\0"
        self._is_known[page] = 1

    def allocate(self, count: int, near: int = 0) -> list[Run]:
        """``count`` clusters as runs, beginning at ``near`` when that is free. ENOSPC, with nothing
        given out, when there are not so many.
        """
        if count > self.free_count:
            raise failure(errno.ENOSPC)
        runs: list[Run] = []
        try:
            if near and near < self._end:
                self._take_at(near, count, runs)
            rest = count - sum(length for _, length in runs)
            if rest:
                self._take_anywhere(rest, runs)
        except BaseException:
            for run in runs:
                self._map[run[0] : run[0] + run[1]] = _FREE * run[1]
            raise
        self._fresh += runs
        assert self._free_count is not None
        self._free_count -= count
        self.cursor = runs[-1][0] + runs[-1][1]
        return runs

    def _take_at(self, start: int, count: int, runs: list[Run]) -> None:
        """As many of ``count`` clusters from ``start`` on as are free."""
        end = self._free_until(start, min(start + count, self._end))
        if end > start:
            self._take(start, end - start, runs)

    def _free_until(self, start: int, stop: int) -> int:
        """The first cluster of a range that is not free, or its end."""
        entries = self._table.page_entries
        while start < stop:
            page = start // entries
            self._learn(page)
            page_end = min((page + 1) * entries, stop)
            piece = self._map[start:page_end]
            if piece.count(1) != len(piece):
                return start + len(piece) - len(piece.lstrip(_FREE))
            start = page_end
        return stop

    def _take(self, start: int, count: int, runs: list[Run]) -> None:
        self._map[start : start + count] = bytes([_FRESH]) * count
        if runs and sum(runs[-1]) == start:
            start, count = runs[-1][0], runs[-1][1] + count
            runs[-1] = (start, count)
        else:
            runs.append((start, count))

    def _take_anywhere(self, count: int, runs: list[Run]) -> None:
        """One run if there is such a run, else what comes first."""
        start = self._find(count)
        if start >= 0:
            self._take(start, count, runs)
            return
        for low, high in ((min(self.cursor, self._end), self._end), (2, self._end)):
            while count:
                start = self._map.find(_FREE, low, high)
                if start < 0:
                    break
                end = self._free_until(start, min(start + count, high))
                self._take(start, end - start, runs)
                count -= end - start
                low = end
        if count:
            # The count came from FSInfo, and was wrong. Everything has been seen by now.
            self._free_count = self._map.count(1) + sum(length for _, length in runs)
            raise failure(errno.ENOSPC)

    def _find(self, count: int) -> int:
        """Where ``count`` free clusters lie together, from the cursor on and then from the start;
        -1 when nowhere, and then every page has been seen.
        """
        wanted = _FREE * count
        entries = self._table.page_entries
        cursor = min(self.cursor, self._end)
        pages = self._table.page_count
        for low, first, last in ((cursor, cursor // entries, pages), (2, 0, pages)):
            for page in range(first, last):
                ahead = min(page + (count - 1) // entries + 2, pages)
                for number in range(page, ahead):
                    self._learn(number)
                start = max(low, page * entries)
                stop = min((page + 1) * entries + count - 1, self._end)
                found = self._map.find(wanted, start, stop)
                if found >= 0:
                    return found
        return -1

    def is_fresh(self, cluster: int) -> bool:
        """Whether nothing on disk can lead to a cluster."""
        return self._map[cluster] == _FRESH

    def fresh_until(self, start: int, count: int) -> int:
        """How many of a run's clusters, from its end, are fresh; given out together they are."""
        piece = self._map[start : start + count]
        return len(piece) - len(piece.rstrip(bytes([_FRESH])))

    def give_back(self, start: int, count: int) -> None:
        """These clusters may be given out again."""
        self._map[start : start + count] = _FREE * count
        if self._free_count is not None:
            self._free_count += count
        page, last = start // self._table.page_entries, start + count - 1
        for number in range(page, last // self._table.page_entries + 1):
            self._learn_late(number)

    def _learn_late(self, page: int) -> None:
        """A page that was not seen: the table has what was just given back."""
        if not self._is_known[page]:
            self._learn(page)

    def settle(self) -> None:
        """What was given out is now on disk."""
        for start, count in self._fresh:
            piece = self._map[start : start + count]
            self._map[start : start + count] = piece.replace(bytes([_FRESH]), b"\0")
        self._fresh = []

    @property
    def fresh_run_count(self) -> int:
        """How many runs wait for ``settle``."""
        return len(self._fresh)
