"""Images of FAT to begin with: each type, small, with long names, deep trees and scattered files.

All are made by our own mkfs.
"""

from functools import cache
from itertools import count

from watosfs.block.memory import MemoryDevice
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.volume import FatVolume
from watosfs_fuzz.parsers.images import SparseImage

_SECTOR = 512


def _made(sectors: int, options: Options) -> MemoryDevice:
    device = MemoryDevice(sectors, _SECTOR)
    mkfs(device, options, clock=lambda: 1_600_000_000_000_000_000)
    return device


def _fill(device: MemoryDevice) -> None:
    ticks = count(1_600_000_000_000_000_000, 2_000_000_000)
    with FatVolume.mount(device, clock=lambda: next(ticks)) as volume:
        volume.mkdir(b"/DIR")
        volume.mkdir("/a long name of a directory \u00e9".encode())
        volume.write_file(b"/SHORT.TXT", b"short")
        volume.write_file(b"/lower.txt", b"x" * 700)
        for number in range(4):
            volume.write_file(b"/DIR/%d is a name of more than one slot" % number, b"y" * 1500)
        volume.unlink(b"/DIR/1 is a name of more than one slot")
        volume.write_file(b"/scattered", b"z" * 5000)
        volume.mkdir(b"/DIR/deep")
        volume.mkdir(b"/DIR/deep/deeper")
        volume.write_file("/DIR/deep/deeper/\U0001f600".encode(), b"")
        volume.set_label(b"LABEL")
        volume.unlink(b"/lower.txt")


def _almost_a_sector_of_table() -> MemoryDevice:
    """FAT12 whose next clusters are those with the entry that lies in two sectors of the table:
    341. A file of 3 clusters and a directory of 1 come to have it last.
    """
    device = _made(800, Options(bits=12, sectors_per_cluster=1, root_entry_count=32, volume_id=1))
    with FatVolume.mount(device, clock=lambda: 1_600_000_000_000_000_000) as volume:
        volume.write_file(b"/filler", bytes(336 * _SECTOR))
    return device


def _reserved_bits_set() -> SparseImage:
    """FAT32 whose entries all have their top 4 bits set, which mean nothing."""
    device = _made(600, Options(bits=32, sectors_per_cluster=1, volume_id=1))
    _fill(device)
    image = SparseImage.of_device(device)
    raw = image.read(0)
    start, size = int.from_bytes(raw[14:16], "little"), int.from_bytes(raw[36:40], "little")
    for number in range(start, start + raw[16] * size):
        sector = bytearray(image.read(number))
        sector[3::4] = bytes(byte | 0xF0 for byte in sector[3::4])
        image.blocks[number] = bytes(sector)
    return image


@cache
def images() -> tuple[bytes, ...]:
    """As inputs of the image harness."""
    kinds = (
        (160, Options(bits=12, root_entry_count=16, volume_id=1)),
        (400, Options(bits=12, sector_size=1024, root_entry_count=32, fat_count=1, volume_id=1)),
        (4500, Options(bits=16, root_entry_count=16, sectors_per_cluster=1, volume_id=1)),
        (600, Options(bits=32, sectors_per_cluster=1, volume_id=1)),
    )
    found = [_made(*kinds[0])]
    for sectors, options in kinds:
        device = _made(sectors, options)
        _fill(device)
        found.append(device)
    found.append(_almost_a_sector_of_table())
    made = [SparseImage.of_device(device) for device in found]
    return tuple(image.encode() for image in (*made, _reserved_bits_set()))
