"""Which blocks are free: sorted runs, first fit from a moving place, joined when given back."""

from bisect import bisect_left, bisect_right


class Space:
    """Free blocks as (start, length) runs that neither overlap nor touch. Plain values, no I/O."""

    def __init__(self, runs: list[tuple[int, int]]) -> None:
        self.starts = [start for start, _ in runs]
        self.ends = [end for _, end in runs]
        self._at = 0

    @property
    def runs(self) -> list[tuple[int, int]]:
        """(first, end) of each run."""
        return list(zip(self.starts, self.ends, strict=True))

    @property
    def free_count(self) -> int:
        """Free blocks."""
        return sum(self.ends) - sum(self.starts)

    def take(self, count: int) -> int | None:
        """The first of ``count`` blocks together, or None."""
        starts, ends = self.starts, self.ends
        self._at = min(self._at, len(starts))
        for where in (range(self._at, len(starts)), range(self._at)):
            for i in where:
                if ends[i] - starts[i] >= count:
                    self._at = i
                    start = starts[i]
                    self._cut(i, start, start + count)
                    return start
        return None

    def _cut(self, i: int, start: int, end: int) -> None:
        first, last = self.starts[i], self.ends[i]
        pieces = [(a, b) for a, b in ((first, start), (end, last)) if a < b]
        self.starts[i : i + 1] = [a for a, _ in pieces]
        self.ends[i : i + 1] = [b for _, b in pieces]

    def take_at(self, start: int, count: int) -> bool:
        """Take these blocks; False, and nothing happens, when one of them is not free."""
        i = bisect_right(self.starts, start) - 1
        if i < 0 or start + count > self.ends[i]:
            return False
        self._cut(i, start, start + count)
        return True

    def give(self, start: int, count: int) -> None:
        """Give back what was taken."""
        end, i = start + count, bisect_left(self.starts, start)
        assert i == 0 or self.ends[i - 1] <= start, (start, count)
        assert i == len(self.starts) or end <= self.starts[i], (start, count)
        if i < len(self.starts) and self.starts[i] == end:
            end = self.ends[i]
            del self.starts[i], self.ends[i]
        if i and self.ends[i - 1] == start:
            self.ends[i - 1] = end
            return
        self.starts.insert(i, start)
        self.ends.insert(i, end)
        self._at = min(self._at, i)
