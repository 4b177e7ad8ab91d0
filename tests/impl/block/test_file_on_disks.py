"""The file device on a real block device (a loop device, where root may make one)."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from watosfs.block.file import FileDevice

BLOCK = 4096


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[str]:
    if os.geteuid() != 0 or shutil.which("losetup") is None:
        pytest.skip("needs root and losetup (Debian package mount)")
    backing = tmp_path / "backing"
    FileDevice.open(backing, create_size=64 * BLOCK).close()
    command = ["losetup", "--find", "--show", str(backing)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no loop device to be had here: {made.stderr.strip()}")
    name = made.stdout.strip()
    yield name
    subprocess.run(["losetup", "--detach", name], check=True)


def test_a_block_device_has_the_size_of_the_disk_and_keeps_what_is_written(loop: str) -> None:
    with FileDevice.open(loop) as device:
        assert device.block_count == 64
        device.write(0, b"x" * (64 * BLOCK))
        device.write(5, b"y" * BLOCK, fua=True)
        device.discard(7, 8)
        device.flush()
    with FileDevice.open(loop, read_only=True) as device:
        assert bytes(device.read(5)) == b"y" * BLOCK
        assert bytes(device.read(6)) == bytes(device.read(15)) == b"x" * BLOCK
        assert set(bytes(device.read(7, 8))) <= {0, ord("x")}


def test_a_block_device_is_locked_and_cannot_be_resized(loop: str) -> None:
    with FileDevice.open(loop) as device:
        for read_only in (False, True):
            with pytest.raises(OSError) as caught:
                FileDevice.open(loop, read_only=read_only)
            assert caught.value.errno == errno.EBUSY
        with pytest.raises(OSError) as caught:
            device.resize(32 * BLOCK)
        assert caught.value.errno == errno.EINVAL


def test_a_disk_that_the_host_has_mounted_is_refused(loop: str, tmp_path: Path) -> None:
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("needs mkfs.ext4 (Debian package e2fsprogs)")
    subprocess.run(["mkfs.ext4", "-q", loop], check=True)
    place = tmp_path / "mounted"
    place.mkdir()
    mounted = subprocess.run(["mount", loop, str(place)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        with pytest.raises(OSError) as caught:
            FileDevice.open(loop)
        assert caught.value.errno == errno.EBUSY
    finally:
        subprocess.run(["umount", str(place)], check=True)
