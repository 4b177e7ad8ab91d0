"""Scrubbing finds every damaged block, reads each once, and lets others work in between."""

import os
from random import Random

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.block.statistics import CountingDevice
from watosfs.wfs3.check import check, reachable_runs
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.scrub import Damage, Scrub
from watosfs.wfs3.volume import Volume

BLOCKS = 2048


def write(volume: Volume, path: bytes, data: bytes, offset: int = 0) -> None:
    with volume.open(path, os.O_CREAT | os.O_RDWR) as handle:
        handle.pwrite(data, offset)


def a_volume() -> MemoryDevice:
    """Files with extents and inline, attributes, and two snapshots with changes behind them."""
    device = MemoryDevice(BLOCKS)
    mkfs(device, uuid=bytes(16), clock=lambda: 0)
    with Volume.mount(device, clock=lambda: 0) as volume:
        for number in range(30):
            volume.mkdir(b"/d%d" % number)
            write(volume, b"/d%d/f" % number, bytes([number]) * (number * 1000))
        volume.setxattr(b"/d1", b"user.k", b"v" * 5000)
        for name in (b"one", b"two"):
            volume.snapshot_create(name)
            write(volume, b"/d29/f", name * 3000, 4096)
            volume.unlink(b"/d20/f" if name == b"one" else b"/d21/f")
    return device


def damages_of(device: MemoryDevice) -> list[Damage]:
    volume = Volume.mount(device, read_only=True)
    scrub = Scrub(volume)
    scrub.run()
    return scrub.damages


def reached(device: MemoryDevice) -> list[int]:
    runs = reachable_runs(device, Volume.mount(device, read_only=True).superblock)
    return [block for start, count in runs for block in range(start, start + count)]


def test_a_sound_volume_is_read_once() -> None:
    device = a_volume()
    counting = CountingDevice(device)
    volume = Volume.mount(counting, read_only=True)
    scrub = Scrub(volume)
    scrub.run()
    assert not scrub.damages
    assert not scrub.mended
    assert scrub.blocks_read == len(reached(device)) + 2


def test_any_damaged_block_is_found() -> None:
    device = a_volume()
    blocks = reached(device)
    random = Random(1)
    volume = Volume.mount(device, read_only=True)
    Scrub(volume).run()  # what the cache knows is no excuse
    for block in blocks:
        before = bytes(device.read(block))
        device.write(block, random.randbytes(BLOCK_SIZE))
        scrub = Scrub(volume)
        scrub.run()
        first, last = scrub.damages[0].block, scrub.damages[0].block + 16
        assert first <= block < last, (block, scrub.damages)
        device.write(block, before)
    assert not damages_of(device)


def test_damage_is_named() -> None:
    device = a_volume()
    volume = Volume.mount(device, read_only=True)
    with volume.snapshot_open(b"one") as view:
        inode = view.find(b"/d20/f")
        (_, extent), *_ = view.engine.tree(inode).items()
    device.write(extent.disk_block, bytes(BLOCK_SIZE))
    assert damages_of(device) == [
        Damage(extent.disk_block, "data at offset 0", inode.number, b"one")
    ]


def test_a_broken_superblock_copy_is_written_again() -> None:
    device = a_volume()
    slot = 1 - Volume.mount(device, read_only=True).engine.slot
    volume = Volume.mount(device)
    device.write(slot, bytes(BLOCK_SIZE))
    scrub = Scrub(volume)
    scrub.run()
    assert scrub.mended == [f"superblock at block {slot}"]
    assert not scrub.damages
    assert check(device).copies == (volume.superblock.root_generation,) * 2
    device.write(slot, bytes(BLOCK_SIZE))
    assert damages_of(device) == [Damage(slot, "superblock")]


@pytest.mark.parametrize("seed", range(6))
def test_others_work_between_the_steps(seed: int) -> None:
    """Nothing that is sound is called damaged, whatever changes in between; nothing is missed that
    stays.
    """
    device = a_volume()
    random = Random(seed)
    volume = Volume.mount(device)
    (_, extent), *_ = volume.engine.tree(volume.find(b"/d28/f")).items()
    device.write(extent.disk_block, bytes(BLOCK_SIZE))
    scrub = Scrub(volume)
    number = 0
    while scrub.step(random.choice((1, 10, 40))):
        number += 1
        path = b"/d%d/f" % random.choice((3, 5, 12, 29))
        random.choice((
            lambda path=path: write(volume, path, b"new" * random.randrange(9000)),
            lambda number=number: write(volume, b"/new%d" % number, b"x" * 9000),
            lambda number=number: volume.snapshot_create(b"s%d" % number),
            lambda: volume.snapshots() and volume.snapshot_delete(volume.snapshots()[0]),
            volume.sync,
        ))()  # fmt: skip
    assert {damage.block for damage in scrub.damages} <= {extent.disk_block}
    assert scrub.damages
    assert number > 10
