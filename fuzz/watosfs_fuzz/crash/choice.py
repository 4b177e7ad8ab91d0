"""One crash, written in a line: where the power went, and what each undecided sector that matters
held.

    crash at=57 4:11111111 5:01000000

Event 57 is where the log ends; in block 4 every sector holds the second of its legal values, in
block 5 only the second sector does. Blocks that are not named hold what was written last
("everything persisted").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs_fuzz.crash.log import ZERO_BLOCK, Event, Flush, Image, Write
from watosfs_fuzz.crash.persistence import SECTOR, SECTORS, Persistence, sector_values

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class CrashChoice:
    """``sectors`` maps a block to one digit a sector: the index of its value, oldest first."""

    event_index: int
    sectors: tuple[tuple[int, str], ...]

    def __str__(self) -> str:
        named = [f"{block}:{digits}" for block, digits in self.sectors]
        return " ".join(["crash", f"at={self.event_index}", *named])


def parse_choice(text: str) -> CrashChoice:
    """The choice in a line. Raises ValueError naming the word that is wrong."""
    words = text.split()
    if len(words) < 2 or words[0] != "crash" or not words[1].startswith("at="):
        raise ValueError(f"not a crash choice: {text!r}")
    sectors = []
    for word in words[2:]:
        block, _, digits = word.partition(":")
        if not block.isdigit() or len(digits) != len(SECTORS) or set(digits) - set(_DIGITS):
            raise ValueError(f"not BLOCK:SECTORS: {word!r}")
        sectors.append((int(block), digits))
    if not words[1][3:].isdigit():
        raise ValueError(f"not a place in the log: {words[1]!r}")
    return CrashChoice(int(words[1][3:]), tuple(sectors))


def in_flight(
    base: Image, events: Sequence[Event], persistence: Persistence = SECTOR
) -> tuple[dict[int, bytes], dict[int, list[bytes]]]:
    """(durable image, legal versions of each undecided block with the newest last) at the end of
    ``events``.
    """
    durable = dict(base)
    versions: dict[int, list[bytes]] = {}
    for event in events:
        if isinstance(event, Write):
            known = versions.setdefault(event.block, [durable.get(event.block, ZERO_BLOCK)])
            if event.data in known[1:]:
                known.remove(event.data)
            known.append(event.data)
            if (event.fua or persistence.is_ordered) and event is not events[-1]:
                durable[event.block] = event.data
                del versions[event.block]
        elif isinstance(event, Flush) and persistence.is_flushed:
            durable.update({block: known[-1] for block, known in versions.items()})
            versions.clear()
    return durable, versions


def choice_of(
    base: Image,
    events: Sequence[Event],
    event_index: int,
    decided: Mapping[int, bytes],
    persistence: Persistence = SECTOR,
) -> CrashChoice:
    """The choice that a run of the explorer made, leaving out what is as if everything had
    persisted.
    """
    _, versions = in_flight(base, events[:event_index], persistence)
    sectors = []
    for block, content in sorted(decided.items()):
        known = versions.get(block)
        if known is None or content == known[-1]:
            continue
        values = sector_values(known)
        digits = "".join(
            _DIGITS[values[i].index(content[start : start + SECTOR_SIZE_BYTES])]
            for i, start in enumerate(SECTORS)
        )
        sectors.append((block, digits))
    return CrashChoice(event_index, tuple(sectors))


def apply_choice(
    base: Image, events: Sequence[Event], choice: CrashChoice, persistence: Persistence = SECTOR
) -> dict[int, bytes]:
    """The one image that a choice names. Raises ValueError when the log has no such place or
    value, or the device could not leave it.
    """
    if choice.event_index > len(events):
        raise ValueError(f"the log has {len(events)} events, the crash is at {choice.event_index}")
    image, versions = in_flight(base, events[: choice.event_index], persistence)
    named = dict(choice.sectors)
    for block, known in versions.items():
        if block not in named:
            image[block] = known[-1]
            continue
        values = sector_values(known)
        try:
            pieces = [values[i][_DIGITS.index(digit)] for i, digit in enumerate(named[block])]
        except IndexError:
            raise ValueError(f"block {block} has no such sector version") from None
        image[block] = b"".join(pieces)
        if not persistence.permits(known, image[block]):
            raise ValueError(f"block {block} does not tear on {persistence.name!r}")
    unknown = named.keys() - versions.keys()
    if unknown:
        raise ValueError(f"blocks {sorted(unknown)} are not in flight at {choice.event_index}")
    return image
