"""Sets of blocks as sorted, disjoint, never adjacent half-open runs: the pure kernel under the
allocator.

Plain Python over anything that behaves like a non-negative integer (no hashing, no slicing by a
word), so that the source that production runs is the source that Hypothesis steps and Z3 proves
(DESIGN section 8).
"""

from bisect import bisect_right
from collections.abc import Iterator


class ExtentError(Exception):
    """A run is empty, overlaps the set, or is missing from it: the caller's books are wrong."""


class ExtentSet:
    """``starts[i] <= block < ends[i]`` for some i if and only if the block is in the set.

    ``count`` is the number of blocks. Cost: O(log n) to find, O(n) list moves (a memmove) to
    change.
    """

    __slots__ = ("count", "ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.count = 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self.starts, self.ends, strict=True))

    def add(self, start: int, end: int) -> None:
        """Insert [start, end), disjoint from the set, joining neighbours. Raises ExtentError."""
        if not start < end:
            raise ExtentError("empty run")
        starts, ends = self.starts, self.ends
        i = bisect_right(starts, start)
        if i > 0 and ends[i - 1] > start:
            raise ExtentError("run overlaps the set")
        if i < len(starts) and starts[i] < end:
            raise ExtentError("run overlaps the set")
        joins_left = i > 0 and ends[i - 1] == start
        joins_right = i < len(starts) and starts[i] == end
        if joins_left and joins_right:
            ends[i - 1] = ends[i]
            del starts[i]
            del ends[i]
        elif joins_left:
            ends[i - 1] = end
        elif joins_right:
            starts[i] = start
        else:
            starts.insert(i, start)
            ends.insert(i, end)
        self.count = self.count + (end - start)

    def remove(self, start: int, end: int) -> None:
        """Delete [start, end), which must lie inside one run. Raises ExtentError."""
        if not start < end:
            raise ExtentError("empty run")
        starts, ends = self.starts, self.ends
        i = bisect_right(starts, start) - 1
        if i < 0 or ends[i] < end:
            raise ExtentError("run is not in the set")
        first, last = starts[i], ends[i]
        if first == start and last == end:
            del starts[i]
            del ends[i]
        elif first == start:
            starts[i] = end
        elif last == end:
            ends[i] = start
        else:
            ends[i] = start
            starts.insert(i + 1, end)
            ends.insert(i + 1, last)
        self.count = self.count - (end - start)

    def covers(self, start: int, end: int) -> bool:
        """Whether every block of the non-empty [start, end) is in the set."""
        i = bisect_right(self.starts, start) - 1
        return i >= 0 and self.ends[i] >= end

    def meets(self, start: int, end: int) -> bool:
        """Whether any block of the non-empty [start, end) is in the set."""
        i = bisect_right(self.starts, start)
        if i > 0 and self.ends[i - 1] > start:
            return True
        return i < len(self.starts) and self.starts[i] < end

    def first_fit(self, count: int) -> int | None:
        """Index of the lowest run of at least ``count`` blocks, or None."""
        for i, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            if end - start >= count:
                return i
        return None

    def largest(self) -> int | None:
        """Index of the largest run (the lowest of equals), or None when the set is empty."""
        best = None
        size = 0
        for i, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            if end - start > size:
                best = i
                size = end - start
        return best

    def take(self, count: int) -> int | None:
        """Remove ``count`` contiguous blocks, lowest fit first; the first of them, or None."""
        i = self.first_fit(count)
        if i is None:
            return None
        start = self.starts[i]
        self.remove(start, start + count)
        return start

    def absorb(self, other: "ExtentSet") -> None:
        """Add every run of ``other``, which must be disjoint from this set."""
        for start, end in zip(other.starts, other.ends, strict=True):
            self.add(start, end)
