"""The checker finds every rule broken, and a repair takes it away."""

import errno
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.impl.wfs2.images import ENTRIES, fresh, image, mounted
from tests.impl.wfs2.traces import tree_on
from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.check import check
from watosfs.wfs2.entries import ENTRY_SIZE, encode_entry
from watosfs.wfs2.format import BLOCK_SIZE, decode_superblock, encode_superblock

TABLE = 4


def populated() -> MemoryDevice:
    device = fresh()
    volume = mounted(device)
    volume.write_file("a", b"A" * 9000)
    volume.write_file("b", b"B" * 100)
    volume.mkdir("d")
    volume.write_file("d/c", b"C")
    volume.unmount()
    return device


def poke(device: MemoryDevice, block: int, offset: int, data: bytes) -> None:
    raw = bytearray(device.read(block))
    raw[offset : offset + len(data)] = data
    device.write(block, raw)


def edit(device: MemoryDevice, slot: int, **changes: object) -> None:
    node = next(n for n in mounted(device).engine.nodes.values() if n.slot == slot)
    entry = replace(node.entry, **changes)  # type: ignore[arg-type]
    poke(device, TABLE, slot * ENTRY_SIZE, encode_entry(entry))


def clear(block: int) -> Callable[[MemoryDevice], None]:
    return lambda device: device.write(block, bytes(BLOCK_SIZE))


def wrong_counts(device: MemoryDevice) -> None:
    found = decode_superblock(bytes(device.read(0)), 0, 512)
    device.write(0, encode_superblock(found._replace(root_files=9)))


BROKEN: dict[str, tuple[str, Callable[[MemoryDevice], None]]] = {
    "first superblock": ("superblock", clear(0)),
    "second superblock": ("backup", clear(256)),
    "third superblock": ("backup", clear(511)),
    "counts": ("counts", wrong_counts),
    "boundary": ("boundary", clear(3)),
    "boundary at the middle": ("boundary", clear(257)),
    "no bits": ("bitmap", clear(2)),
    "a bit too many": ("lost", lambda device: poke(device, 2, 40, b"\1")),
    "an entry's CRC": ("entry", lambda device: poke(device, TABLE, ENTRY_SIZE + 8, b"x")),
    "a name twice": ("duplicate", lambda device: edit(device, 1, name=b"a", modified=0)),
    "a file below a file": ("tree", lambda device: edit(device, 3, name=b"a/c")),
    "blocks of another": ("overlap", lambda device: edit(device, 1, start_block=14)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found_and_mended(what: str) -> None:
    kind, breaks = BROKEN[what]
    device = populated()
    assert check(device, data=True).is_clean
    breaks(device)
    assert kind in check(device).kinds
    assert check(device, repair=True).is_repaired
    after = check(device, data=True)
    assert after.is_clean, after.problems
    assert tree_on(device)["/a"] == b"A" * 9000
    assert mounted(device).engine.read_only_reason is None


def test_of_two_files_with_a_block_in_common_the_intact_one_stays() -> None:
    device = populated()
    edit(device, 0, start_block=15)
    check(device, repair=True)
    assert sorted(tree_on(device)) == ["/b", "/d", "/d/c"]


def test_damaged_data_is_found_and_not_hidden() -> None:
    device = populated()
    start = mounted(device).node("a").entry.start_block
    poke(device, start + 1, 7, b"?")
    assert check(device).is_clean
    assert check(device, data=True, repair=True).kinds == {"data"}
    volume = mounted(device)
    with volume.open("a", 2) as handle:
        assert handle.pread(10, 0) == b"A" * 10
        with pytest.raises(OSError, check=lambda error: error.errno == errno.EUCLEAN):
            handle.pread(10, 5000)
        handle.pwrite(b"new", 0)
    volume.unmount()
    assert check(device, data=True).kinds == {"data"}


@pytest.mark.parametrize("name", ENTRIES)
def test_published_images_are_clean(name: str) -> None:
    report = check(image(name), data=True)
    assert report.is_clean, report.problems


def test_a_volume_without_its_first_superblock_is_read_only() -> None:
    device = populated()
    clear(0)(device)
    volume = mounted(device)
    assert volume.read_file("b") == b"B" * 100
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EROFS):
        volume.unlink("b")
