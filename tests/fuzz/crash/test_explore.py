"""The explorer against brute force: every legal image of small logs, correct and broken, nested
too.
"""

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.crash.toys import BLOCKS, Journal, Lost, Store, Toy
from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs_fuzz.crash import lazy as lazy_module
from watosfs_fuzz.crash.choice import apply_choice, parse_choice
from watosfs_fuzz.crash.explore import Exploration, explore
from watosfs_fuzz.crash.lazy import LazyDevice
from watosfs_fuzz.crash.log import Event, Flush, RecordingDevice, Write
from watosfs_fuzz.crash.persistence import SECTOR, Persistence, sector_values
from watosfs_fuzz.crash.windows import Window, windows

UNDECIDED_MAX = 12
Outcomes = dict[int, set[object]]
CORRECT = [Store(), Store("fua"), Store(sectors=2), Journal()]
BROKEN = [
    (Store("no-flush"), 0),
    (Store("no-flush", sectors=2, leaves=1), 0),
    (Store("early-ack"), 0),
    (Store("same-slot", sectors=2), 0),
    (Store("fua-only"), 0),
    (Journal("no-recovery-flush"), 1),
]


def undecided(window: Window) -> int:
    """Sectors with more than one legal value."""
    return sum(
        len(values) > 1 for known in window.versions.values() for values in sector_values(known)
    )


def recorded(toy: Toy, generations: int = 2) -> list[Event]:
    device = RecordingDevice(BLOCKS)
    toy.run(device, generations)
    return device.events


def outcome(toy: Toy, device: BlockDevice, *, with_accept: bool) -> object:
    try:
        return toy.recover(device, with_accept=with_accept)
    except Lost as error:
        return str(error)


def permitted(found: object, window: Window) -> str | None:
    """Old or new as a whole, and never older than what was acknowledged."""
    begun = max((m[1] for m in window.marks if m[0] == "begin"), default=0)
    ended = max((m[1] for m in window.marks if m[0] == "end"), default=-1)
    if ended < 0:
        return None
    legal = (
        [tuple([g] * len(found)) for g in range(ended, max(begun, ended) + 1)]
        if isinstance(found, tuple)
        else []
    )
    return None if found in legal else f"found {found}, acknowledged {ended}"


def explored(
    toy: Toy,
    events: list[Event],
    *,
    with_accept: bool,
    nested: int = 0,
    persistence: Persistence = SECTOR,
) -> tuple[Outcomes, Exploration]:
    outcomes: Outcomes = defaultdict(set)

    def recover(device: LazyDevice) -> object:
        found = outcome(toy, device, with_accept=with_accept)
        device.end_of_recovery()
        return found

    def judge(found: object, window: Window) -> str | None:
        outcomes[window.event_index].add(found)
        return permitted(found, window)

    report = explore({}, events, BLOCKS, recover, judge, nested=nested, persistence=persistence)
    return outcomes, report


def images(durable: dict[int, bytes], versions: dict[int, list[bytes]]) -> list[dict[int, bytes]]:
    """Every legal image, one by one."""
    blocks = sorted(versions)
    pieces = [values for block in blocks for values in sector_values(versions[block])]
    made = []
    for mix in product(*pieces):
        content = b"".join(mix)
        size = BLOCK_SIZE_BYTES
        made.append(
            {**durable, **{b: content[i * size : (i + 1) * size] for i, b in enumerate(blocks)}}
        )
    return made


def brute_force(toy: Toy, events: list[Event], *, nested: int = 0) -> Outcomes:
    outcomes: Outcomes = defaultdict(set)

    def recover_all(image: dict[int, bytes], depth: int, found: set[object]) -> None:
        device = RecordingDevice(BLOCKS, image)
        found.add(outcome(toy, device, with_accept=False))
        if depth:
            inner = device.events
            for window in windows(image, [*inner]):
                at_flush = window.event_index < len(inner) and isinstance(
                    inner[window.event_index], Flush
                )
                if window.versions and (at_flush or window.event_index == len(inner)):
                    for again in images(window.durable, window.versions):
                        recover_all(again, depth - 1, found)

    for window in windows({}, events):
        for image in images(window.durable, window.versions):
            recover_all(image, nested, outcomes[window.event_index])
    return outcomes


@pytest.mark.parametrize("with_accept", [False, True])
@pytest.mark.parametrize(
    "toy", [*CORRECT, *(toy for toy, _ in BROKEN)], ids=lambda t: f"{type(t).__name__}-{t.variant}"
)
def test_the_lazy_walk_finds_exactly_what_brute_force_finds(toy: Toy, with_accept: bool) -> None:
    events = recorded(toy)
    lazy, report = explored(toy, events, with_accept=with_accept)
    brute = brute_force(toy, events)
    assert lazy == brute
    total = sum(len(images(w.durable, w.versions)) for w in windows({}, events))
    assert report.images == total
    assert report.images_left_out == 0
    assert report.recoveries < total


@pytest.mark.parametrize(
    "toy",
    [Journal(), Journal("no-recovery-flush"), Store()],
    ids=lambda t: f"{type(t).__name__}-{t.variant}",
)
def test_nested_crashes_find_exactly_what_brute_force_finds(toy: Toy) -> None:
    events = recorded(toy, 1)
    lazy, _ = explored(toy, events, with_accept=False, nested=1)
    assert lazy == brute_force(toy, events, nested=1)


#: Stores and journals of all sizes with at most 12 undecided sectors in an epoch.
FAMILY = [
    toy
    for toy in (
        *(
            Store(variant, leaves, sectors)
            for variant in ("", "fua", "no-flush", "early-ack", "same-slot", "fua-only")
            for sectors in (1, 2)
            for leaves in range(1, 12)
        ),
        *(Journal(variant, homes) for variant in ("", "no-recovery-flush") for homes in (1, 2, 4)),
    )
    if max(map(undecided, windows({}, recorded(toy, 1)))) <= UNDECIDED_MAX
]


@pytest.mark.parametrize("toy", FAMILY, ids=str)
def test_the_whole_family_agrees_with_brute_force(toy: Toy) -> None:
    events = recorded(toy, 1)
    lazy, report = explored(toy, events, with_accept=True)
    assert lazy == brute_force(toy, events)
    assert report.images_left_out == 0
    if isinstance(toy, Journal) and toy.homes <= 2:
        lazy, _ = explored(toy, events, with_accept=False, nested=2)
        assert lazy == brute_force(toy, events, nested=2)


def test_the_family_reaches_twelve_undecided_sectors() -> None:
    most = [max(map(undecided, windows({}, recorded(toy, 1)))) for toy in FAMILY]
    assert max(most) == UNDECIDED_MAX
    assert set(most) >= set(range(2, UNDECIDED_MAX + 1))


@pytest.mark.parametrize("toy", CORRECT, ids=lambda t: f"{type(t).__name__}-{t.variant}")
@pytest.mark.parametrize("nested", [0, 1, 2])
def test_correct_toys_have_no_failing_crash(toy: Toy, nested: int) -> None:
    _, report = explored(toy, recorded(toy, 3), with_accept=True, nested=nested)
    assert not report.failures


@pytest.mark.parametrize(("toy", "nested"), BROKEN, ids=lambda t: str(getattr(t, "variant", t)))
def test_broken_toys_fail_and_each_failure_replays_from_its_line(toy: Toy, nested: int) -> None:
    events = recorded(toy, 3)
    _, report = explored(toy, events, with_accept=True, nested=nested)
    assert report.failures
    for failure in report.failures:
        if failure.depth:
            continue
        line = str(failure.choice)
        choice = parse_choice(line)
        assert choice == failure.choice
        device = RecordingDevice(BLOCKS, apply_choice({}, events, choice))
        assert str(outcome(toy, device, with_accept=False)) in failure.reason


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """Random logs over four blocks; only one or two sectors of each ever change."""
    events: list[Event] = []
    for _ in range(draw(st.integers(0, 9))):
        if draw(st.integers(0, 3)) == 0:
            events.append(Flush())
        else:
            content = bytearray(BLOCK_SIZE_BYTES)
            for sector in range(2):
                content[sector * 512] = draw(st.integers(0, 2))
            events.append(Write(draw(st.integers(0, 3)), bytes(content), draw(st.booleans())))
    return events


class Reader:
    """A deterministic program: where it reads next depends on what it read; some reads are
    checked.
    """

    variant = ""

    def recover(self, device: BlockDevice, *, with_accept: bool) -> tuple[int, ...]:
        seen: list[int] = []
        block = 0
        for _ in range(3):
            if with_accept and block == 2:
                data = device.read(2, 2, lambda content: content[0] == content[512])
                if data[0] != data[512]:
                    raise Lost("rejected")
            else:
                data = device.read(block)
                if block == 2 and data[0] != data[512]:
                    raise Lost("rejected")
            seen.append(data[0])
            block = (block + 1 + data[0] + data[512]) % 4
        return tuple(seen)


@settings(max_examples=300)
@given(events=logs(), with_accept=st.booleans())
def test_random_logs_and_readers_agree_with_brute_force(
    events: list[Event], with_accept: bool
) -> None:
    toy: Toy = Reader()  # type: ignore[assignment]
    lazy, _ = explored(toy, events, with_accept=with_accept)
    assert lazy == brute_force(toy, events)


@pytest.mark.parametrize("canary", ["no tearing", "oldest forgotten", "rejected pinned"])
def test_a_broken_explorer_is_caught_by_the_comparison(
    canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = LazyDevice.contents

    def contents(self: LazyDevice, versions: list[list[bytes]]) -> list[bytes]:
        if canary == "no tearing":
            return [b"".join(mix) for mix in product(*(v[::-1] for v in versions))]
        if canary == "oldest forgotten":
            return original(self, [v[1:] or v for v in versions])
        return original(self, versions)

    def decide(
        self: LazyDevice, blocks: list[int], versions: list[list[bytes]], accept: object
    ) -> bytes:
        found = [c for c in contents(self, versions) if accept is None or accept(c)]  # type: ignore[operator]
        return real_decide(
            self, blocks, [[c] for c in found[:1]] if accept and found else versions, None
        )

    real_decide = LazyDevice.decide
    monkeypatch.setattr(lazy_module.LazyDevice, "contents", contents)
    if canary == "rejected pinned":
        monkeypatch.setattr(lazy_module.LazyDevice, "decide", decide)
    toy = Store("same-slot" if canary == "no tearing" else "no-flush", sectors=2, leaves=1)
    events = recorded(toy)
    assert explored(toy, events, with_accept=True)[0] != brute_force(toy, events)
