"""Free blocks as a sorted list of runs, and the bitmap blocks that say the same.

Plain values, no I/O. As large as the files are many, not as the volume is large: a volume has at
most 65,536 files. The table of files is the truth, the bitmap is made from it.
"""

from bisect import bisect_right
from collections.abc import Iterable

from watosfs.wfs2.format import BITS_IN_BLOCK, BLOCK_SIZE


class Space:
    """Runs (start, end) that are free within ``total_blocks``."""

    def __init__(self, total_blocks: int, used: Iterable[tuple[int, int]]) -> None:
        """``used``: runs as (first, end), in any order, that may overlap."""
        self.total_blocks = total_blocks
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.free_count = 0
        position = 0
        for first, end in sorted(used):
            if first > position:
                self._append(position, first)
            position = max(position, end)
        if position < total_blocks:
            self._append(position, total_blocks)

    def _append(self, start: int, end: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.free_count += end - start

    @property
    def longest_run(self) -> int:
        """The blocks of the longest free run."""
        return max((e - s for s, e in zip(self.starts, self.ends, strict=True)), default=0)

    def allocate(self, count: int) -> int | None:
        """The first run of ``count`` blocks, taken; None when there is none."""
        if count > self.free_count:
            return None
        for i, start in enumerate(self.starts):
            if self.ends[i] - start >= count:
                self._take(i, start, start + count)
                return start
        return None

    def extend(self, end: int, count: int) -> bool:
        """Take the ``count`` blocks from ``end`` on if they are all free."""
        i = bisect_right(self.starts, end) - 1
        if i < 0 or self.ends[i] < end + count or self.starts[i] > end:
            return False
        self._take(i, end, end + count)
        return True

    def _take(self, i: int, start: int, end: int) -> None:
        first, last = self.starts[i], self.ends[i]
        assert first <= start < end <= last, (first, start, end, last)
        pieces = [piece for piece in ((first, start), (end, last)) if piece[0] < piece[1]]
        self.starts[i : i + 1] = [piece[0] for piece in pieces]
        self.ends[i : i + 1] = [piece[1] for piece in pieces]
        self.free_count -= end - start

    def release(self, start: int, count: int) -> None:
        """Give back a run that is in use."""
        if not count:
            return
        end = start + count
        i = bisect_right(self.starts, start)
        assert i == 0 or self.ends[i - 1] <= start, ("freed twice", start, count)
        assert i == len(self.starts) or end <= self.starts[i], ("freed twice", start, count)
        low, high = i, i
        if i and self.ends[i - 1] == start:
            low, start = i - 1, self.starts[i - 1]
        if i < len(self.starts) and self.starts[i] == end:
            high, end = i + 1, self.ends[i]
        self.starts[low:high] = [start]
        self.ends[low:high] = [end]
        self.free_count += count

    def bitmap_block(self, index: int) -> bytes:
        """Block ``index`` of the bitmap: a set bit is a used block, bits past the end are 0."""
        base = index * BITS_IN_BLOCK
        width = min(BITS_IN_BLOCK, self.total_blocks - base)
        bits = (1 << width) - 1
        i = max(0, bisect_right(self.starts, base) - 1)
        while i < len(self.starts) and self.starts[i] < base + width:
            first, end = max(self.starts[i], base), min(self.ends[i], base + width)
            if first < end:
                bits &= ~(((1 << end - first) - 1) << first - base)
            i += 1
        return bits.to_bytes(BLOCK_SIZE, "little")


def bitmap_indexes(start: int, count: int) -> range:
    """The blocks of the bitmap that cover a run."""
    return range(start // BITS_IN_BLOCK, (start + count - 1) // BITS_IN_BLOCK + 1)
