"""How far to read beyond what was asked for: further on sequential streams, not at all elsewhere.

Pure decisions on block numbers. A miss where an earlier one ended continues a stream, and each
time its window doubles; any other miss starts one without a window. Blocks that were read ahead
and then forgotten unused halve the limit of all windows, and used ones raise it slowly.
"""

STREAMS_MAX = 8
#: 1 MiB.
WINDOW_BLOCKS_MAX = 256
_WINDOW_BLOCKS_FIRST = 4


class ReadAhead:
    """``streams`` maps the block where each stream will go on to its window, oldest first."""

    __slots__ = ("blocks_max", "limit", "streams")

    def __init__(self, blocks_max: int = WINDOW_BLOCKS_MAX) -> None:
        self.blocks_max = blocks_max
        self.limit = blocks_max
        self.streams: dict[int, int] = {}

    def window(self, block: int, count: int) -> int:
        """How many blocks to read beyond a miss of ``count`` blocks at ``block``."""
        window = self.streams.pop(block, None)
        if window is None:
            if len(self.streams) >= STREAMS_MAX:
                del self.streams[next(iter(self.streams))]
            self.streams[block + count] = 0
            return 0
        window = min(max(2 * window, _WINDOW_BLOCKS_FIRST), self.limit)
        self.streams[block + count + window] = window
        return window

    def used(self) -> None:
        """A block that was read ahead was asked for."""
        if self.limit < self.blocks_max:
            self.limit += 1

    def wasted(self) -> None:
        """A block that was read ahead was forgotten, or overwritten, before anybody asked."""
        self.limit //= 2
