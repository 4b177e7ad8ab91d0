"""Devices that fail, and repairs that are cut."""

import errno

import pytest

from tests.impl.wfs2.images import mounted
from tests.impl.wfs2.test_check import BROKEN, populated
from tests.impl.wfs2.test_power_cut_names import EpochDevice
from tests.impl.wfs2.traces import tree_on
from watosfs.block.device import Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.errors import failure
from watosfs.wfs2.check import check
from watosfs.wfs2.mkfs import mkfs


class FailingDevice(MemoryDevice):
    """Every write from the ``writes_left``-th on fails; None for none."""

    writes_left: int | None = None

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left < 0:
                raise failure(errno.EIO)
        super().write(block, data)


@pytest.mark.parametrize("writes", range(12))
def test_a_write_that_fails_is_never_acknowledged(writes: int) -> None:
    device = FailingDevice.from_bytes(populated().snapshot())
    assert isinstance(device, FailingDevice)
    before = tree_on(device)
    volume = mounted(device)
    device.writes_left = writes
    done = False
    try:
        volume.write_file("b", b"new" * 3000)
        volume.rename("d/c", "b")
        volume.sync()
        done = True
    except OSError as error:
        assert error.errno == errno.EIO  # noqa: PT017
        for _ in range(2):
            with pytest.raises(OSError, check=lambda e: e.errno == errno.EIO):
                volume.sync()
    device.writes_left = None
    left = MemoryDevice.from_bytes(device.snapshot())
    mounted(left).unmount()
    assert check(left, data=True).is_clean
    found = tree_on(left)
    after = {path: data for path, data in before.items() if path != "/d/c"} | {"/b": b"C"}
    assert found == after if done else found["/b"] in (before["/b"], b"", b"new" * 3000, b"C")


@pytest.mark.parametrize("what", BROKEN)
def test_a_repair_that_is_cut_is_finished_by_the_next_survives_crash(what: str) -> None:
    device = EpochDevice.from_bytes(populated().snapshot())
    assert isinstance(device, EpochDevice)
    BROKEN[what][1](device)
    device.start()
    check(device, repair=True)
    whole = tree_on(device)
    images = device.images()
    assert len(images) > 1
    for image in images[:: max(1, len(images) // 40)]:
        left = MemoryDevice.from_bytes(image)
        check(left, repair=True)
        assert check(left, data=True).is_clean
        assert tree_on(left) == whole


def test_mkfs_that_is_cut_leaves_the_old_volume_none_or_the_new_survives_crash() -> None:
    device = EpochDevice.from_bytes(populated().snapshot())
    assert isinstance(device, EpochDevice)
    old = tree_on(device)
    device.start()
    mkfs(device, max_files=512)
    seen = []
    for image in device.images():
        left = MemoryDevice.from_bytes(image)
        try:
            found: object = tree_on(left)
        except OSError as error:
            found = error.errno
        if found not in seen:
            seen.append(found)
    assert seen == [old, errno.EINVAL, {}]
