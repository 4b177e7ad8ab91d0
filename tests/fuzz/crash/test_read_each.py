"""Reads whose sectors are judged one by one: every value comes, without every mixture."""

from watosfs.block.device import BLOCK_SIZE_BYTES
from watosfs_fuzz.crash.explore import explore
from watosfs_fuzz.crash.log import FLUSH, Event, Write
from watosfs_fuzz.crash.recall import RecoveryDevice
from watosfs_fuzz.crash.windows import Window

SECTOR = 512
BLOCKS = 3


def block(letter: bytes) -> bytes:
    return letter * BLOCK_SIZE_BYTES


BASE = {number: block(b"o") for number in range(BLOCKS)}
EVENTS: list[Event] = [
    *(Write(number, block(b"m")) for number in range(BLOCKS)),
    *(Write(number, block(b"n")) for number in range(BLOCKS)),
    FLUSH,
    Write(0, block(b"o")),
    FLUSH,
]


def look(device: RecoveryDevice) -> bytes:
    return b"".join(bytes(device.read_each(number)) for number in range(BLOCKS))


def seen() -> tuple[dict[int, set[tuple[int, int]]], int]:
    """For each crash point the values of each sector; how many recoveries it took."""
    found: dict[int, set[tuple[int, int]]] = {}

    def judge(outcome: bytes, window: Window) -> None:
        sectors = range(0, len(outcome), SECTOR)
        found.setdefault(window.event_index, set()).update((at, outcome[at]) for at in sectors)

    report = explore(BASE, EVENTS, BLOCKS, look, judge)
    assert not report.images_left_out
    return found, report.recoveries


def test_every_value_of_every_sector_comes_with_few_recoveries() -> None:
    found, recoveries = seen()
    sectors = range(0, BLOCKS * BLOCK_SIZE_BYTES, SECTOR)
    assert found[6] == {(at, letter) for at in sectors for letter in b"omn"}
    assert recoveries < 20


def test_what_is_durable_since_is_not_shown_as_it_was() -> None:
    found, _ = seen()
    last = found[len(EVENTS)]
    assert {(at, letter) for at, letter in last if at < BLOCK_SIZE_BYTES} == {
        (at, ord("o")) for at in range(0, BLOCK_SIZE_BYTES, SECTOR)
    }
    assert {letter for at, letter in last if at >= BLOCK_SIZE_BYTES} == {ord("n")}
