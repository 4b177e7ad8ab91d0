"""Images and partitions of images as block devices, and what file system is on them."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.block.file import FileDevice
from watosfs.block.partitions import open_partition, partitions
from watosfs.cli.failures import Failure, blame
from watosfs.cli.location import image_parts
from watosfs.cli.names import printable
from watosfs.errors import failure
from watosfs.fat.format import BOOT_SECTOR_SIZE, decode_boot_sector, geometry_of
from watosfs.wfs2.superblocks import is_wfs2

FAT_BLOCK_SIZE_BYTES: Final = 512


@contextmanager
def opened_device(image: str, *, write: bool = False) -> Iterator[BlockDevice]:
    """The image, or the partition ``IMAGE@NUMBER``: in blocks of 512 bytes when FAT is on it, else
    of 4096. Raises Failure if it cannot be opened.
    """
    shown = printable(image)
    file, number = image_parts(image)
    with blame(shown):
        device = FileDevice.open(file, read_only=not write, block_size_bytes=FAT_BLOCK_SIZE_BYTES)
    try:
        with blame(shown):
            volume = _part(device, number)
            if not begins_as_fat(volume):
                device.close()
                device = FileDevice.open(file, read_only=not write)
                volume = _part(device, number)
        yield volume
    finally:
        device.close()


def _part(device: FileDevice, number: int | None) -> BlockDevice:
    return device if number is None else open_partition(device, number)


def kind_on(device: BlockDevice) -> str:
    """``fat``, ``wfs2``, or ``wfs3`` for everything else. EIO."""
    if begins_as_fat(device):
        return "fat"
    return "wfs2" if device.block_size_bytes == BLOCK_SIZE_BYTES and is_wfs2(device) else "wfs3"


def kind_of_volume(image: str) -> str:
    """The same of an image; ``wfs3`` where it cannot be opened, which opening it will tell."""
    try:
        with opened_device(image) as device:
            return kind_on(device)
    except (Failure, OSError):
        return "wfs3"


def begins_as_fat(device: BlockDevice) -> bool:
    """Whether a FAT volume is on a device, be it one that contradicts itself. EIO."""
    access = ByteAccess(device)
    raw = access.read(0, min(BOOT_SECTOR_SIZE, access.size_bytes))
    try:
        geometry_of(decode_boot_sector(raw), access.size_bytes)
    except OSError as error:
        return error.errno == errno.EUCLEAN
    return True


def not_a_volume(device: BlockDevice, error: OSError) -> OSError:
    """Why a device does not mount: where it has partitions, that one of them has to be named."""
    try:
        found = [str(partition.number) for partition in partitions(device)]
    except OSError:
        return error
    if error.errno != errno.EINVAL or not found:
        return error
    listed = ", ".join(found)
    return failure(
        errno.EINVAL, reason=f"a disk with partitions ({listed}): write IMAGE@{found[0]}"
    )
