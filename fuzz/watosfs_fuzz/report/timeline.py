"""The log of one crash as a reader sees it: numbered writes and flushes, epochs, what became of
each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs_fuzz.crash.log import ZERO_BLOCK, Event, Flush, Image, Mark, Write
from watosfs_fuzz.crash.persistence import SECTORS, Persistence
from watosfs_fuzz.report.roles import Naming

#: What became of a write: of DURABLE ones the disk had promised it, NEVER came after the crash.
DURABLE, KEPT, LOST, TORN, OVERWRITTEN, NEVER = (
    "durable", "kept", "lost", "torn", "overwritten", "never made",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One event. ``kind`` is write, flush, begin or end; ``number`` counts writes, flushes or
    operations from 1; ``sectors`` has a letter for each sector of an undecided write: ``+`` kept,
    ``-`` lost, ``^`` written over since, ``=`` not changed by it.
    """

    index: int
    kind: str
    number: int
    epoch: int
    operation: int
    commit: int | None = None
    block: int = 0
    role: str = ""
    fate: str = ""
    sectors: str = ""
    fua: bool = False

    @property
    def name(self) -> str:
        """``write 12``."""
        return f"{self.kind} {self.number}"

    @property
    def what(self) -> str:
        """The block and its role."""
        return f"block {self.block}" + (f", {self.role}" if self.role else "")


def timeline(
    base: Image,
    events: Sequence[Event],
    crash_at: int,
    image: Image,
    persistence: Persistence,
    naming: Naming,
) -> list[Step]:
    """All events as steps; ``image`` is what the crash at ``crash_at`` left."""
    fates = fates_of(base, events[:crash_at], image, persistence)
    steps: list[Step] = []
    writes = flushes = operation = 0
    epoch = 1
    for index, event in enumerate(events):
        commit = None if naming.commits is None else naming.commits[index]
        if isinstance(event, Mark):
            assert isinstance(event.label, tuple)
            kind, operation = event.label
            steps.append(Step(index, kind, operation, epoch, operation, commit))
        elif isinstance(event, Flush):
            flushes += 1
            steps.append(Step(index, "flush", flushes, epoch, operation, commit))
            epoch += 1
        else:
            writes += 1
            fate, sectors = fates.get(index, (NEVER if index >= crash_at else DURABLE, ""))
            role = naming.roles.get(index, "")
            steps.append(
                Step(index, "write", writes, epoch, operation, commit, event.block, role, fate,
                     sectors, event.fua)
            )  # fmt: skip
    return steps


def in_flight_writes(events: Sequence[Event], persistence: Persistence) -> dict[int, list[int]]:
    """The event indices of the writes that are undecided at the end of ``events``, by block."""
    flying: dict[int, list[int]] = {}
    last = len(events) - 1
    for index, event in enumerate(events):
        if isinstance(event, Write):
            flying.setdefault(event.block, []).append(index)
            if (event.fua or persistence.is_ordered) and index != last:
                del flying[event.block]
        elif isinstance(event, Flush) and persistence.is_flushed:
            flying.clear()
    return flying


def fates_of(
    base: Image, events: Sequence[Event], image: Image, persistence: Persistence
) -> dict[int, tuple[str, str]]:
    """(fate, letters of its sectors) of each undecided write, by event index."""
    fates: dict[int, tuple[str, str]] = {}
    for block, indices in in_flight_writes(events, persistence).items():
        before = content_before(base, events[: indices[0]], block)
        versions = []
        for index in indices:
            event = events[index]
            assert isinstance(event, Write)
            versions.append(event.data)
        for i, index in enumerate(indices):
            letters = sector_letters(before, versions[i], versions[i + 1 :], image, block)
            fates[index] = fate_of(letters), letters
            before = versions[i]
    return fates


def content_before(base: Image, events: Sequence[Event], block: int) -> bytes:
    """What a block held after some events."""
    for event in reversed(events):
        if isinstance(event, Write) and event.block == block:
            return event.data
    return base.get(block, ZERO_BLOCK)


def sector_letters(
    before: bytes, data: bytes, later: Sequence[bytes], image: Image, block: int
) -> str:
    """One letter a sector, see ``Step``."""
    letters = []
    found = image.get(block, ZERO_BLOCK)
    for start in SECTORS:
        piece = slice(start, start + SECTOR_SIZE_BYTES)
        if data[piece] == before[piece]:
            letters.append("=")
        elif found[piece] == data[piece]:
            letters.append("+")
        elif any(found[piece] == other[piece] for other in later):
            letters.append("^")
        else:
            letters.append("-")
    return "".join(letters)


def fate_of(letters: str) -> str:
    """The fate of a write from its sectors' letters."""
    changed = set(letters) - {"="}
    if not changed or changed == {"+"}:
        return KEPT
    if "-" not in changed:
        return OVERWRITTEN
    return LOST if changed == {"-"} else TORN


def place_of(steps: Sequence[Step], crash_at: int) -> str:
    """``between write 12 and flush 3 of commit 2, in operation 4``."""
    disk = [step for step in steps if step.kind in ("write", "flush")]
    before = next((step for step in reversed(disk) if step.index < crash_at), None)
    after = next((step for step in disk if step.index >= crash_at), None)
    left = before.name if before else "the start of the log"
    right = after.name if after else "the end of the log"
    marks = [step for step in steps if step.index < crash_at and step.kind in ("begin", "end")]
    near = before if after is None else after
    is_inside = bool(marks) and marks[-1].kind == "begin"
    if near is None or near.commit is None:
        where = f"{'of' if is_inside else 'after'} operation {marks[-1].number}" if marks else ""
        return f"between {left} and {right} {where}".rstrip()
    where = f" ({'in' if is_inside else 'after'} operation {marks[-1].number})" if marks else ""
    return f"between {left} and {right} of commit {near.commit}{where}"
