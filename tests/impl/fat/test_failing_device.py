"""A device that fails: what was written is not known any more, and every later sync says so."""

import errno

import pytest

from watosfs.block.device import Accept, Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.errors import failure
from watosfs.fat.check import check
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.volume import FatVolume


class Failing(MemoryDevice):
    """Fails the write or flush, or the read, after so many more."""

    writes_left = reads_left = 1 << 60

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise failure(errno.EIO)
        super().write(block, data)

    def flush(self) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise failure(errno.EIO)

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise failure(errno.EIO)
        return super().read(block, count)


def made() -> Failing:
    device = Failing(4000, 512)
    mkfs(device, Options(bits=12))
    with FatVolume.mount(device) as volume:
        volume.mkdir(b"/d")
        volume.write_file(b"/d/old file", b"x" * 5000)
    return device


@pytest.mark.parametrize("writes", range(16))
def test_a_write_back_that_fails_is_never_acknowledged_survives_crash(writes: int) -> None:
    device = made()
    volume = FatVolume.mount(device)
    volume.write_file(b"/d/new file", b"y" * 3000)
    volume.rename(b"/d/old file", b"/moved file")
    volume.mkdir(b"/e")
    device.writes_left = writes
    try:
        volume.sync()
    except OSError as error:
        failed = error.errno
    else:
        failed = 0
    device.writes_left = 1 << 60
    if failed:
        assert failed == errno.EIO
        for operation in (volume.sync, lambda: volume.mkdir(b"/f")):
            with pytest.raises(OSError) as caught:
                operation()
            assert caught.value.errno == errno.EIO
    volume.unmount()
    report = check(device, repair=True)
    assert report.kinds <= {"dirty", "lost", "mirror", "size", "name"}
    assert check(device).is_clean


@pytest.mark.parametrize("reads", range(12))
def test_a_read_that_fails_is_eio_and_harms_nothing(reads: int) -> None:
    device = made()
    device.reads_left = reads
    try:
        volume = FatVolume.mount(device)
        volume.read_file(b"/d/old file")
        volume.write_file(b"/d/new file", b"y" * 100)
        volume.sync()
    except OSError as error:
        failed = error.errno
    else:
        failed = 0
    assert failed in (0, errno.EIO)
    device.reads_left = 1 << 60
    check(device, repair=True)
    with FatVolume.mount(device) as again:
        assert again.read_file(b"/d/old file") == b"x" * 5000
