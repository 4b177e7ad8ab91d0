"""One crash, written in a line: where the power went, and what each undecided sector that matters
held.

    crash at=57 4:11111111 5:01000000

Event 57 is where the log ends; in block 4 every sector holds the second of its legal values, in
block 5 only the second sector does. Blocks that are not named hold what was written last
("everything persisted"). A power cut in the recovery from that follows behind ``then``; its events
are the writes and flushes of that recovery.

    crash at=57 4:11111111 then at=3 1:00000000
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs_fuzz.crash.log import ZERO_BLOCK, Event, Flush, Image, Write
from watosfs_fuzz.crash.persistence import SECTOR, SECTORS, Persistence, sector_values

_THEN = " then "
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class CrashChoice:
    """``sectors`` maps a block to one digit a sector: the index of its value, oldest first;
    ``then`` is a power cut in the recovery.
    """

    event_index: int
    sectors: tuple[tuple[int, str], ...]
    then: "CrashChoice | None" = None

    def __str__(self) -> str:
        return f"crash {_THEN.join(choice.words() for choice in self.chain())}"

    def words(self) -> str:
        """This power cut alone."""
        named = [f"{block}:{digits}" for block, digits in self.sectors]
        return " ".join([f"at={self.event_index}", *named])

    def chain(self) -> "list[CrashChoice]":
        """The power cuts in their order, each alone."""
        alone = CrashChoice(self.event_index, self.sectors)
        return [alone] if self.then is None else [alone, *self.then.chain()]


def chained(choices: Sequence[CrashChoice]) -> CrashChoice:
    """Power cuts, each alone, as one choice: each in the recovery from the one before."""
    first, *later = choices
    return replace(first, then=chained(later) if later else None)


def parse_choice(text: str) -> CrashChoice:
    """The choice in a line. Raises ValueError naming the word that is wrong."""
    word, _, cuts = text.partition(" ")
    if word != "crash" or not cuts.lstrip().startswith("at="):
        raise ValueError(f"not a crash choice: {text!r}")
    return chained([_parse_cut(cut.split()) for cut in cuts.split(_THEN)])


def _parse_cut(words: Sequence[str]) -> CrashChoice:
    sectors = []
    place = words[0] if words else ""
    for word in words[1:]:
        block, _, digits = word.partition(":")
        if not block.isdigit() or len(digits) != len(SECTORS) or set(digits) - set(_DIGITS):
            raise ValueError(f"not BLOCK:SECTORS: {word!r}")
        sectors.append((int(block), digits))
    if not place.startswith("at=") or not place[3:].isdigit():
        raise ValueError(f"not a place in the log: {place!r}")
    return CrashChoice(int(place[3:]), tuple(sectors))


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
    persisted. A sector that no write of these events explains is taken for the newest: recovery's
    own write hides it.
    """
    _, versions = in_flight(base, events[:event_index], persistence)
    sectors = []
    for block, content in sorted(decided.items()):
        known = versions.get(block)
        if known is None or content == known[-1]:
            continue
        values = sector_values(known)
        digits = "".join(
            _DIGITS[_index_of(values[i], content[start : start + SECTOR_SIZE_BYTES])]
            for i, start in enumerate(SECTORS)
        )
        sectors.append((block, digits))
    return CrashChoice(event_index, tuple(sectors))


def _index_of(values: Sequence[bytes], content: bytes) -> int:
    return values.index(content) if content in values else len(values) - 1


def nested_choice_of(
    base: Image,
    events: Sequence[Event],
    event_index: int,
    decided: Sequence[Mapping[int, bytes]],
    logs: Sequence[Sequence[Event]],
    persistence: Persistence = SECTOR,
) -> CrashChoice:
    """The choices that a run made whose recoveries were cut short: ``logs`` holds what each of
    those wrote, ``decided`` what was read of open blocks before the first and after each.
    """
    choices: list[CrashChoice] = []
    image, log = base, events[:event_index]
    for depth in range(len(decided)):
        wanted: dict[int, bytes] = {}
        for later in reversed(decided[depth:]):
            wanted |= later
        choices.append(choice_of(image, log, len(log), wanted, persistence))
        image = apply_choice(image, log, choices[-1], persistence)
        log = logs[depth] if depth < len(logs) else ()
    return chained(choices)


def apply_choice(
    base: Image, events: Sequence[Event], choice: CrashChoice, persistence: Persistence = SECTOR
) -> dict[int, bytes]:
    """The one image that a choice's first power cut leaves. Raises ValueError when the log has no
    such place or value, or the device could not leave it.
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
