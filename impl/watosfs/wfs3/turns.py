"""Whose turn it is: per key, first come first served; sharers together, others alone."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Line:
    """Those who have their turn (``sharers``; or -1, one alone), and those who wait."""

    sharers: int = 0
    waiting: "deque[tuple[asyncio.Future[None], bool]]" = field(default_factory=deque)


class Turns:
    """Turns by key. A line is there only while somebody stands in it."""

    def __init__(self) -> None:
        self.lines: dict[Hashable, Line] = {}

    @asynccontextmanager
    async def taken(self, key: Hashable, *, shared: bool) -> AsyncIterator[None]:
        """Inside, it is the caller's turn."""
        line = self.lines.setdefault(key, Line())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting.append((turn, shared))
        self.advance(line)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                line.waiting = deque(entry for entry in line.waiting if entry[0] is not turn)
                self.advance(line)
            else:
                self.leave(key, line)
            raise
        try:
            yield
        finally:
            self.leave(key, line)

    def advance(self, line: Line) -> None:
        """Let in whoever may come in."""
        while line.waiting:
            turn, shared = line.waiting[0]
            if line.sharers < 0 or (line.sharers and not shared):
                return
            line.waiting.popleft()
            if turn.done():
                continue
            line.sharers = line.sharers + 1 if shared else -1
            turn.set_result(None)

    def leave(self, key: Hashable, line: Line) -> None:
        """A turn is over."""
        line.sharers = line.sharers - 1 if line.sharers > 0 else 0
        self.advance(line)
        if not line.sharers and not line.waiting:
            self.lines.pop(key, None)
