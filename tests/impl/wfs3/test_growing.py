"""Growing a mounted volume: what is there stays, what is added can be used, and a crash leaves the
one size or the other.
"""

import errno
import os

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.block.sub_device import SubDevice
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.check import check
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.growing import grow
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

SMALL, LARGE = 256, 4096
DATA = bytes(range(256)) * 16


def small_volume() -> tuple[MemoryDevice, Volume]:
    """A volume of 1 MiB on a device of 16."""
    device = MemoryDevice(LARGE)
    mkfs(SubDevice(device, 0, SMALL * BLOCK_SIZE))
    return device, Volume.mount(device)


def fill(volume: Volume, path: bytes) -> int:
    """Blocks of data that went in before there was no room."""
    count = 0
    with volume.open(path, os.O_CREAT | os.O_RDWR) as handle:
        while True:
            try:
                handle.pwrite(DATA, count * len(DATA))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return count
            count += 1


def test_a_full_volume_has_room_again() -> None:
    device, volume = small_volume()
    before = fill(volume, b"/first")
    volume.snapshot_create(b"kept") if volume.statfs().available > 0 else volume.sync()
    with volume.open(b"/first") as handle:
        grow(volume, LARGE)
        assert handle.pread(len(DATA), 0) == DATA
    assert volume.statfs().total == LARGE
    volume.sync()
    assert check(device, data=True).is_clean
    assert fill(volume, b"/second") > 10 * before
    volume.unmount()
    report = check(device, data=True)
    assert report.is_clean, report.problems[:3]
    assert report.blocks_total == LARGE
    assert Volume.mount(device).stat(b"/first").st_size == before * len(DATA)


def test_free_space_is_that_of_a_volume_made_so_large() -> None:
    device, volume = small_volume()
    grow(volume, 1000)
    grow(volume, LARGE)
    volume.sync()
    fresh = MemoryDevice(LARGE)
    mkfs(fresh)
    assert volume.statfs().free == Volume.mount(fresh).statfs().free
    assert volume.engine.space.reserve == Volume.mount(fresh).engine.space.reserve
    assert check(device).is_clean


@pytest.mark.parametrize("blocks", [0, SMALL - 1, LARGE + 1, -1])
def test_what_cannot_be(blocks: int) -> None:
    device, volume = small_volume()
    with pytest.raises(OSError, match="bytes") as caught:
        grow(volume, blocks)
    assert caught.value.errno == errno.EINVAL
    grow(volume, SMALL)
    assert volume.statfs().total == SMALL
    assert check(device).is_clean


def test_not_inside_a_transaction_and_not_read_only() -> None:
    device, volume = small_volume()
    volume.begin()
    with pytest.raises(OSError, match="transaction") as caught:
        grow(volume, LARGE)
    assert caught.value.errno == errno.EBUSY
    volume.abort()
    volume.unmount()
    with pytest.raises(OSError, match="read-only") as caught:
        grow(Volume.mount(device, read_only=True), LARGE)
    assert caught.value.errno == errno.EROFS


def test_a_device_that_fails_leaves_the_old_size(monkeypatch: pytest.MonkeyPatch) -> None:
    device, volume = small_volume()

    def fail() -> None:
        raise OSError(errno.EIO, "no flush")

    with monkeypatch.context() as patch:
        patch.setattr(device, "flush", fail)
        with pytest.raises(OSError, match="no flush"):
            grow(volume, LARGE)
    assert volume.statfs().total == SMALL
    assert volume.engine.allocator.hi == SMALL
    assert check(device).is_clean


def test_the_checker_sees_blocks_that_were_not_added(monkeypatch: pytest.MonkeyPatch) -> None:
    device, volume = small_volume()
    monkeypatch.setattr(Allocator, "drop", lambda *_: None)
    grow(volume, LARGE)
    assert "neither free nor in use" in str(check(device).problems)
