"""A superblock whose count of inodes lies: refused when it could not be carried on (BUGS B37)."""

import errno

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.format import COUNTER_MAX, SUPERBLOCK_SLOTS, decode_superblock, encode_superblock
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

BLOCKS = 256


def device_with(inode_count: int) -> MemoryDevice:
    """A volume of three files and its root, that claims another number of inodes."""
    device = MemoryDevice(BLOCKS)
    mkfs(device, clock=lambda: 0)
    volume = Volume.mount(device, clock=lambda: 0)
    for name in (b"/a", b"/b", b"/c"):
        volume.create(name).close()
    volume.unmount()
    for slot in SUPERBLOCK_SLOTS:
        superblock = decode_superblock(device.read(slot))
        assert superblock is not None
        device.write(slot, encode_superblock(superblock._replace(inode_count=inode_count)))
    return device


@pytest.mark.parametrize("count", [COUNTER_MAX + 1, (1 << 64) - 1])
def test_a_count_that_cannot_be_is_refused_at_mount(count: int) -> None:
    with pytest.raises(OSError, match="inode_count") as caught:
        Volume.mount(device_with(count), clock=lambda: 0)
    assert caught.value.errno == errno.EUCLEAN


def test_a_count_that_is_only_wrong_is_the_checkers_affair() -> None:
    device = device_with(2)
    assert [problem.field for problem in check(device).problems] == ["inode_count"]
    volume = Volume.mount(device, clock=lambda: 0)
    volume.create(b"/d").close()
    volume.sync()
    assert volume.engine.superblock.inode_count == 3
