"""Devices that keep less order, or more: the explorer against images made from the definitions."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings

from tests.fuzz.crash.test_explore import Reader, explored, logs, outcome
from tests.fuzz.crash.toys import BLOCKS, Store, Toy
from watosfs.block.device import BLOCK_SIZE_BYTES
from watosfs_fuzz.case import Case
from watosfs_fuzz.crash import persistence as persistence_module
from watosfs_fuzz.crash.choice import apply_choice, parse_choice
from watosfs_fuzz.crash.log import Event, Flush, RecordingDevice, Write
from watosfs_fuzz.crash.persistence import (
    ATOMIC_4K,
    LYING_FLUSH,
    ORDERED,
    PERSISTENCES,
    SECTOR,
    Persistence,
)
from watosfs_fuzz.findings import Finding, read_finding, write_finding
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.oracles.crash import CrashOracle
from watosfs_model.operations import Mkdir, Sync

ZERO = bytes(BLOCK_SIZE_BYTES)


def torn(versions: list[bytes]) -> list[bytes]:
    """Every mixture of sectors of some blocks."""
    places = range(0, BLOCK_SIZE_BYTES, 512)
    return [
        b"".join(mix)
        for mix in product(*(dict.fromkeys(v[at : at + 512] for v in versions) for at in places))
    ]


def images(events: list[Event], persistence: Persistence) -> Iterator[dict[int, bytes]]:
    """What a crash now may leave, from the definition of the device; FUA is not used."""
    writes = [event for event in events if isinstance(event, Write)]
    if persistence is ORDERED:
        image = {write.block: write.data for write in writes[:-1]}
        yield image
        for write in writes[-1:]:
            for data in torn([image.get(write.block, ZERO), write.data]):
                yield {**image, write.block: data}
        return
    flushes = [i for i, event in enumerate(events) if isinstance(event, Flush)]
    last = 0 if persistence is LYING_FLUSH or not flushes else flushes[-1]
    durable = {e.block: e.data for e in events[:last] if isinstance(e, Write)}
    versions: dict[int, list[bytes]] = {}
    for event in events[last:]:
        if isinstance(event, Write):
            known = versions.setdefault(event.block, [durable.get(event.block, ZERO)])
            known.append(event.data)
    mixed = versions.values() if persistence is ATOMIC_4K else map(torn, versions.values())
    for mix in product(*mixed):
        yield {**durable, **dict(zip(versions, mix, strict=True))}


def by_definition(toy: Toy, events: list[Event], persistence: Persistence) -> set[object]:
    """Outcomes of a crash at every place of the log."""
    return {
        outcome(toy, RecordingDevice(BLOCKS, image), with_accept=False)
        for end in range(len(events) + 1)
        for image in images(events[:end], persistence)
    }


def by_explorer(toy: Toy, events: list[Event], persistence: Persistence) -> set[object]:
    """The explorer's outcomes."""
    outcomes, report = explored(toy, events, with_accept=True, persistence=persistence)
    assert report.images_left_out == 0
    return set().union(*outcomes.values())


@pytest.mark.parametrize("persistence", PERSISTENCES.values(), ids=lambda found: found.name)
@settings(max_examples=100)
@given(events=logs())
def test_the_explorer_finds_what_the_definition_says(
    persistence: Persistence, events: list[Event]
) -> None:
    toy: Toy = Reader()  # type: ignore[assignment]
    plain = [replace(e, fua=False) if isinstance(e, Write) else e for e in events]
    assert by_explorer(toy, plain, persistence) == by_definition(toy, plain, persistence)


def recorded(toy: Toy) -> list[Event]:
    device = RecordingDevice(BLOCKS)
    toy.run(device, 1)
    return device.events


@pytest.mark.parametrize(
    ("variant", "fails_on"),
    [
        ("", {"lying-flush"}),
        ("no-flush", {"sector", "atomic-4k", "lying-flush"}),
        ("early-ack", {"sector", "atomic-4k", "lying-flush"}),
    ],
)
def test_what_each_device_shows(variant: str, fails_on: set[str]) -> None:
    events = recorded(Store(variant))
    found = {
        name
        for name, persistence in PERSISTENCES.items()
        if explored(Store(variant), events, with_accept=True, persistence=persistence)[1].failures
    }
    assert found == fails_on


def test_only_a_device_that_tears_shows_a_torn_superblock() -> None:
    toy = Store("same-slot", sectors=2)
    events = recorded(toy)
    failing = {
        name: bool(explored(toy, events, with_accept=True, persistence=p)[1].failures)
        for name, p in PERSISTENCES.items()
    }
    assert failing == {"sector": True, "atomic-4k": False, "ordered": True, "lying-flush": True}


def test_a_device_that_forgets_to_keep_order_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(ORDERED, is_ordered=False)
    toy = Store("no-flush")
    events = recorded(toy)
    assert by_explorer(toy, events, broken) != by_definition(toy, events, ORDERED)
    monkeypatch.setattr(persistence_module.Persistence, "pieces", ATOMIC_4K.pieces)
    reader: Toy = Reader()  # type: ignore[assignment]
    whole = bytearray(BLOCK_SIZE_BYTES)
    whole[0] = whole[512] = 1
    tears: list[Event] = [Write(2, bytes(whole))]
    assert by_explorer(reader, tears, SECTOR) != by_definition(reader, tears, SECTOR)


def test_a_choice_that_the_device_cannot_leave_is_refused() -> None:
    old, new = b"o" * BLOCK_SIZE_BYTES, b"n" * BLOCK_SIZE_BYTES
    events: list[Event] = [Write(3, old), Write(4, new), Write(5, new)]
    tear = parse_choice("crash at=3 5:01000000")
    assert apply_choice({}, events, tear)[5][:512] == bytes(512)
    with pytest.raises(ValueError, match="does not tear"):
        apply_choice({}, events, tear, ATOMIC_4K)
    with pytest.raises(ValueError, match="not in flight"):
        apply_choice({}, events, parse_choice("crash at=3 4:00000000"), ORDERED)
    flushed: list[Event] = [*events, Flush()]
    lost = parse_choice("crash at=4 4:00000000")
    with pytest.raises(ValueError, match="not in flight"):
        apply_choice({}, flushed, lost)
    assert apply_choice({}, flushed, lost, LYING_FLUSH)[4] == ZERO


def test_an_exception_on_a_lying_device_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case((Mkdir(b"/a", 0o755), Sync()), device=LYING_FLUSH.name, cap=50)
    assert case.run().failure is None
    real = CrashOracle.recover

    def recover(self: CrashOracle, device: object) -> object:
        found = real(self, device)  # type: ignore[arg-type]
        if found.oracle == "recovery":
            return found._replace(oracle="exception", problem="recovery raises KeyError")
        return found

    monkeypatch.setattr(CrashOracle, "recover", recover)
    failure = case.run().failure
    assert failure is not None
    assert failure.subject == "exception"


def test_a_finding_keeps_its_device(tmp_path: object) -> None:
    case = Case((Sync(),), device=ORDERED.name)
    path = write_finding(Finding(case, Failure("crash", "state", "")), tmp_path)  # type: ignore[arg-type]
    assert read_finding(path).case.device == ORDERED.name
    path.write_text(path.read_text().replace("device: ordered", "device: floppy"))
    with pytest.raises(ValueError, match="no device 'floppy'"):
        read_finding(path)
