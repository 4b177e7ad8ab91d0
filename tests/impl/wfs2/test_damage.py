"""Damaged WFS v2 volumes: an errno, never wrong bytes, never anything else; repair mends.

Checks: seeded random damage to every structure, with CRCs set right again for half of it, so that
the bounds behind them are reached; mounting, reading, changing; repair, and a clean check after it
but for damaged data. Does not check: that repair saves as much as could be saved.
"""

import errno
import random
import struct
import zlib

import pytest

from tests.impl.wfs2.test_volume import made, tree_of
from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.check import check
from watosfs.wfs2.format import Layout, decode_superblock
from watosfs.wfs2.volume import Wfs2Volume

LAYOUT = Layout(320, 256)
VALUES = (0, 1, 2, 13, 255, 319, 320, 1 << 31, (1 << 32) - 1, 1 << 62, 1 << 63, (1 << 64) - 1)
ALLOWED = {errno.EUCLEAN, errno.EIO, errno.EINVAL}


def sound() -> bytes:
    device = made(320, max_files=256)
    with Wfs2Volume.mount(device) as volume:
        volume.mkdir(b"/d")
        for i in range(8):
            volume.write_file(b"/d/%d" % i, bytes([i]) * (3000 * i))
    return device.snapshot()


def sealed(image: bytearray, at: int, size: int) -> None:
    crc = zlib.crc32(image[at : at + size])
    image[at + size : at + size + 4] = struct.pack("<I", crc)


def damage(image: bytearray, rng: random.Random) -> None:
    """One more fault."""
    kind = rng.randrange(6)
    if kind == 0:
        at = rng.choice(LAYOUT.superblocks) * 4096
        offset = rng.choice((0, 4, 72, 80, 88, 96, 104, 112, 120, 124, 128, 132))
        struct.pack_into("<Q", image, at + offset, rng.choice(VALUES))
        if rng.randrange(2):
            sealed(image, at, 248)
    elif kind < 4:
        at = LAYOUT.table_block * 4096 + rng.randrange(10) * 128
        offset = rng.choice((56, 64, 72, 76, 88))
        struct.pack_into("<Q", image, at + offset, rng.choice(VALUES) & 0xFFFF_FFFF_FFFF_FFFF)
        if rng.randrange(4) == 0:
            other = LAYOUT.table_block * 4096 + rng.randrange(10) * 128
            image[at : at + 96] = image[other : other + 96]
        if rng.randrange(4) == 0:
            image[at : at + 4] = rng.choice((b"/a\0\0", b"d//x", b"..\0\0", b"d\0x\0"))
        if rng.randrange(4):
            sealed(image, at, 96)
    elif kind == 4:
        image[rng.randrange(LAYOUT.data_start * 4096, len(image))] ^= 1 << rng.randrange(8)
    else:
        image[8192 + rng.randrange(60)] ^= 0xFF


@pytest.mark.parametrize("seed", range(20))
def test_damage_is_an_errno_and_repair_leaves_nothing_but_damaged_data(seed: int) -> None:
    before = sound()
    for number in range(10):
        rng = random.Random(seed * 1000 + number)
        image = bytearray(before)
        for _ in range(rng.choice((1, 1, 3, 8))):
            damage(image, rng)
        try:
            use(MemoryDevice.from_bytes(image), rng)
        except OSError as error:
            if error.errno not in ALLOWED:
                raise
        device = MemoryDevice.from_bytes(image)
        try:
            check(device, repair=True)
        except OSError as error:
            if error.errno not in ALLOWED:
                raise
            continue
        assert check(device).kinds <= {"data"}
        volume = Wfs2Volume.mount(device)
        assert volume.engine.read_only_reason == ""


def use(device: MemoryDevice, rng: random.Random) -> None:
    """Read everything, and change what can be changed: EUCLEAN and EROFS are fine."""
    volume = Wfs2Volume.mount(device)
    waiting, files = [b""], []
    while waiting:
        folder = waiting.pop()
        for entry in volume.readdir(folder or b"/"):
            target = waiting if entry.kind == "directory" else files
            target.append(folder + b"/" + entry.name)
    for path in files:
        for call in (volume.read_file, volume.unlink):
            try:
                call(path)
            except OSError as error:
                if error.errno not in {errno.EUCLEAN, errno.EROFS}:
                    raise
    volume.unmount()


@pytest.mark.parametrize("block", [0, 160, 319])
def test_any_copy_of_the_superblock_may_be_lost(block: int) -> None:
    image = bytearray(sound())
    image[block * 4096 : block * 4096 + 4096] = b"\xff" * 4096
    device = MemoryDevice.from_bytes(image)
    assert check(device).kinds == {"superblock"}
    before = tree_of(Wfs2Volume.mount(device, read_only=True))
    assert check(device, repair=True).is_repaired
    assert check(device).problems == []
    decode_superblock(device.read(block), block, 320)
    assert tree_of(Wfs2Volume.mount(device)) == before


def test_what_is_no_volume_is_einval_and_three_bad_copies_are_euclean() -> None:
    with pytest.raises(OSError) as caught:
        Wfs2Volume.mount(MemoryDevice(256))
    assert caught.value.errno == errno.EINVAL
    image = bytearray(sound())
    for block in LAYOUT.superblocks:
        image[block * 4096 + 90] ^= 1
    for call in (Wfs2Volume.mount, check):
        with pytest.raises(OSError) as caught:
            call(MemoryDevice.from_bytes(image))
        assert caught.value.errno == errno.EUCLEAN


def test_an_entry_whose_crc_alone_is_wrong_is_saved() -> None:
    image = bytearray(sound())
    image[LAYOUT.table_block * 4096 + 5 * 128 + 96] ^= 1
    device = MemoryDevice.from_bytes(image)
    assert Wfs2Volume.mount(device).engine.read_only_reason != ""
    assert check(device, repair=True).kinds == {"entry"}
    assert check(device).problems == []
    assert len(tree_of(Wfs2Volume.mount(device))) == 9
