"""Crash points: the places of a log where the set of legal images is largest for one set of
permitted states.

Between two flushes a disk may persist any subset of the writes, in any order, torn at sectors (or
less, or more: ``persistence``). So one window just before each barrier covers every crash in the
epoch; windows at marks are there because what the oracle permits changes, and at FUA writes because
a completed one can no longer be lost.
"""

from collections.abc import Hashable, Iterator, Sequence

from watosfs_fuzz.crash.log import ZERO_BLOCK, Event, Flush, Image, Mark, Write
from watosfs_fuzz.crash.persistence import SECTOR, Persistence


class Window:
    """One crash point. Valid until the next is asked for: it shares the walker's dictionaries.

    ``durable`` maps blocks to their contents at the last barrier. ``versions`` maps each undecided
    block to the contents that its sectors may come from, the durable one first, then as written.
    """

    __slots__ = (
        "changed",
        "durable",
        "event_index",
        "flushes",
        "images",
        "marks",
        "versions",
        "writes",
    )

    def __init__(
        self,
        durable: dict[int, bytes],
        versions: dict[int, list[bytes]],
        event_index: int,
        marks: list[Hashable],
        writes: int,
        flushes: int,
        images: int = 1,
        changed: set[int] | None = None,
    ) -> None:
        self.durable = durable
        self.versions = versions
        self.event_index = event_index
        self.marks = marks
        self.writes = writes
        self.flushes = flushes
        #: How many different images a crash here may leave.
        self.images = images
        #: Blocks that were written, or decided by a barrier, since whoever looks emptied this.
        self.changed: set[int] = set() if changed is None else changed

    def legal(self, block: int) -> tuple[bytes, ...]:
        """The contents that the sectors of a block may come from."""
        found = self.versions.get(block)
        return tuple(found) if found else (self.durable.get(block, ZERO_BLOCK),)

    def __str__(self) -> str:
        return f"after write {self.writes} and flush {self.flushes} (event {self.event_index})"


def windows(
    base: Image, events: Sequence[Event], persistence: Persistence = SECTOR
) -> Iterator[Window]:
    """Every crash point of the log, in order. ``base`` is what was durable before it.

    A mark's window comes after the mark has passed.
    """
    mix_count = persistence.mix_count
    durable = dict(base)
    versions: dict[int, list[bytes]] = {}
    newest: dict[int, bytes] = {}
    marks: list[Hashable] = []
    writes = flushes = 0
    images = 1
    is_new = True
    changed = set(durable)
    for index, event in enumerate(events):
        if isinstance(event, Write):
            writes += 1
            known = versions.setdefault(event.block, [durable.get(event.block, ZERO_BLOCK)])
            if event.data not in known:
                images //= mix_count(known)
                known.append(event.data)
                images *= mix_count(known)
            newest[event.block] = event.data
            changed.add(event.block)
            is_new = True
            if event.fua or persistence.is_ordered:
                yield Window(durable, versions, index + 1, marks, writes, flushes, images, changed)
                durable[event.block] = event.data
                images //= mix_count(versions.pop(event.block))
                del newest[event.block]
                changed.add(event.block)
        elif isinstance(event, Flush):
            flushes += 1
            if not persistence.is_flushed:
                continue
            if is_new and versions:
                yield Window(durable, versions, index, marks, writes, flushes - 1, images, changed)
            changed |= newest.keys()
            durable.update(newest)
            versions.clear()
            newest.clear()
            images = 1
            is_new = True
        else:
            assert isinstance(event, Mark)
            marks.append(event.label)
            yield Window(durable, versions, index + 1, marks, writes, flushes, images, changed)
            is_new = False
    yield Window(durable, versions, len(events), marks, writes, flushes, images, changed)
