"""Damaged volumes: everything works or fails with a documented errno; never a loop.

Checks: seeded random damage to superblocks, table, bitmap and data, with CRCs made right again half
of the time, so that what is behind them is reached; the number of blocks read; that a repair leaves
a clean volume that can be written.
"""

import errno
import random
import zlib
from collections.abc import Callable

import pytest

from tests.impl.wfs2.images import fresh, mounted
from tests.impl.wfs2.traces import Trace, tree_on
from watosfs.block.device import Accept, Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.check import check
from watosfs.wfs2.entries import ENTRY_SIZE
from watosfs.wfs2.format import BLOCK_SIZE
from watosfs.wfs2.volume import Wfs2Volume

EXPECTED = {errno.EUCLEAN, errno.EINVAL, errno.EROFS, errno.EIO, errno.EACCES}
BLOCKS = 320
#: Every block a few times: mounting, walking and reading is linear in the image.
READS_MAX = 40 * BLOCKS


class CountingDevice(MemoryDevice):
    blocks_read = 0

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        self.blocks_read += count
        return super().read(block, count, accept)


def damage(image: bytearray, rng: random.Random) -> None:
    kind = rng.randrange(4)
    if kind == 0:
        block = rng.choice((0, BLOCKS // 2, BLOCKS - 1))
        start, size, crc = block * BLOCK_SIZE, 248, 248
        offset = start + rng.choice((4, 8, 72, 80, 88, 96, 104, 112, 120, 124, 128, 132))
    elif kind == 1:
        start, size, crc = 4 * BLOCK_SIZE + rng.randrange(30) * ENTRY_SIZE, 96, 96
        offset = start + rng.choice((0, 1, 5, 55, 56, 57, 63, 64, 65, 71, 72, 73, 76, 88, 100))
    elif kind == 2:
        image[rng.randrange(2 * BLOCK_SIZE, 3 * BLOCK_SIZE)] = rng.randrange(256)
        return
    else:
        start, size, crc = rng.randrange(13, BLOCKS) * BLOCK_SIZE, 4092, 4092
        offset = start + rng.randrange(BLOCK_SIZE)
    value = rng.choice((0, 1, 0xFF, 0x80, 0x2F, 0x2E, rng.randrange(256)))
    for i in range(rng.choice((1, 1, 2, 8))):
        image[min(offset + i, len(image) - 1)] = value
    if rng.randrange(2):
        found = zlib.crc32(image[start : start + size])
        image[start + crc : start + crc + 4] = found.to_bytes(4, "little")


def attempt(call: Callable[[], object]) -> bool:
    """Whether it worked; what it may fail with is checked."""
    try:
        call()
    except OSError as error:
        if error.errno not in EXPECTED:
            raise
        return False
    return True


def use(volume: Wfs2Volume) -> bool:
    """Read and change everything; whether all could be read."""
    good = not volume.engine.damage
    for node in volume.engine.root.below()[1:]:
        path = b"/" + node.path
        if not node.is_directory:
            good = attempt(lambda path=path: volume.read_file(path)) and good  # type: ignore[misc]
    return good


def change(volume: Wfs2Volume) -> None:
    for node in volume.engine.root.below()[1:]:
        path = b"/" + node.path
        if node.is_directory:
            continue
        attempt(lambda path=path: volume.open(path, 2).pwrite(b"x" * 300, 50))  # type: ignore[misc]
        if node.number % 2:
            attempt(lambda path=path: volume.unlink(path))  # type: ignore[misc]
    attempt(volume.unmount)


@pytest.mark.parametrize("seed", range(10))
def test_damage_is_told_and_a_repair_leaves_a_clean_volume(seed: int) -> None:
    device = fresh(BLOCKS)
    trace = Trace(seed, mounted(device))
    trace.run(60)
    trace.volume.unmount()
    before = device.snapshot()
    rng = random.Random(seed)
    for _ in range(25):
        image = bytearray(before)
        for _ in range(rng.choice((1, 1, 2, 6))):
            damage(image, rng)
        judge(bytes(image))


def judge(image: bytes) -> None:
    device = CountingDevice.from_bytes(image)
    assert isinstance(device, CountingDevice)
    if not attempt(lambda: use(mounted(device, read_only=True))):
        assert not attempt(lambda: check(device, repair=True))
        return
    all_read = use(mounted(device, read_only=True))
    verdict = check(device, data=True)
    if not all_read:
        assert not verdict.is_clean
    assert device.blocks_read < READS_MAX
    mended = MemoryDevice.from_bytes(image)
    check(mended, repair=True)
    assert check(mended).is_clean, check(mended).problems
    assert mounted(mended).engine.read_only_reason is None
    change(mounted(mended))
    assert check(mended).is_clean, check(mended).problems
    change(mounted(MemoryDevice.from_bytes(image)))
    if verdict.is_clean:
        tree_on(mended)
