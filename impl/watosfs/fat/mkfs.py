"""Make an empty FAT volume, with the defaults of mkfs.fat 4.2: the same layout sector for sector.

Compared with mkfs.fat itself in tests/referee. Only the boot code is left out: a volume made here
has none.
"""

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.fat.aliases import label_bytes
from watosfs.fat.entries import VOLUME_LABEL, encode_entry
from watosfs.fat.format import (
    BOOT_SECTOR_SIZE,
    CLUSTER_SIZE_MAX,
    ENTRY_SIZE,
    NO_LABEL,
    SECTOR_SIZES,
    BootSector,
    Geometry,
    geometry_of,
)
from watosfs.fat.fsinfo import FsInfo, encode_fsinfo
from watosfs.fat.mkfs_layout import Layout, layout_of
from watosfs.fat.times import encode_time

_OEM_NAME: Final = b"mkfs.fat"
_MEDIA_DISK: Final = 0xF8
_END_MARK: Final = 0x0FFFFFF8
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """What mkfs may be told; ``None`` and 0 leave the choice to it. ``label`` is UTF-8."""

    bits: int = 0
    label: bytes = b""
    volume_id: int | None = None
    sector_size: int = 512
    sectors_per_cluster: int = 0
    fat_count: int = 2
    reserved_sectors: int = 0
    root_entry_count: int = 0
    hidden_sectors: int = 0


def mkfs(
    device: BlockDevice,
    options: Options | None = None,
    *,
    clock: Callable[[], int] = time.time_ns,
) -> Geometry:
    """Make a volume over all of ``device``; returns where everything is. Durable on return.

    EINVAL: the size or an option leaves no volume of that type. EROFS, EIO as the device says.
    """
    options = options or Options()
    access = ByteAccess(device)
    _require_sound(options)
    label = label_bytes(options.label) if options.label else NO_LABEL
    layout = layout_of(
        access.size_bytes,
        options.bits,
        options.sector_size,
        options.sectors_per_cluster,
        options.fat_count,
        options.reserved_sectors,
        options.root_entry_count,
    )
    now_ns = clock()
    volume_id = options.volume_id
    if volume_id is None:
        volume_id = (now_ns // 1_000_000_000 & 0xFFFFFFFF) ^ (now_ns // 1000 % 1_000_000 << 12)
    boot = _boot_sector(layout, options, label, volume_id & 0xFFFFFFFF)
    geometry = geometry_of(boot, access.size_bytes)
    if geometry.bits != layout.bits:
        raise failure(
            errno.EINVAL,
            reason=f"{geometry.cluster_count} clusters are too few or too many for "
            f"FAT{layout.bits}",
        )
    _write(access, boot, geometry, label, now_ns)
    device.flush()
    return geometry


def _require_sound(options: Options) -> None:
    per_cluster = options.sectors_per_cluster
    if options.bits not in (0, 12, 16, 32):
        raise failure(errno.EINVAL, reason=f"FAT{options.bits} does not exist")
    if options.sector_size not in SECTOR_SIZES:
        raise failure(errno.EINVAL, reason=f"sectors of {options.sector_size} bytes")
    is_power = per_cluster >= 0 and not per_cluster & (per_cluster - 1)
    if not is_power or per_cluster * options.sector_size > CLUSTER_SIZE_MAX:
        raise failure(errno.EINVAL, reason=f"clusters of {per_cluster} sectors")
    if not 1 <= options.fat_count <= 4 or not 0 <= options.reserved_sectors < 65536:
        raise failure(errno.EINVAL, reason="number of tables or of reserved sectors")
    if not 0 <= options.root_entry_count < 65536:
        raise failure(errno.EINVAL, reason=f"{options.root_entry_count} root entries")


def _boot_sector(layout: Layout, options: Options, label: bytes, volume_id: int) -> BootSector:
    is_fat32 = layout.bits == 32
    small = layout.total_sectors < 65536
    backup = 0
    if is_fat32:
        backup = 6 if layout.reserved_sectors >= 7 else layout.reserved_sectors - 1
    return BootSector(
        jump=b"\xeb\x58\x90" if is_fat32 else b"\xeb\x3c\x90",
        oem_name=_OEM_NAME,
        bytes_per_sector=layout.sector_size,
        sectors_per_cluster=layout.sectors_per_cluster,
        reserved_sectors=layout.reserved_sectors,
        fat_count=options.fat_count,
        root_entry_count=layout.root_entry_count,
        total_sectors_16=layout.total_sectors if small else 0,
        media=layout.media,
        fat_size_16=0 if is_fat32 else layout.fat_sectors,
        sectors_per_track=layout.sectors_per_track,
        head_count=layout.head_count,
        hidden_sectors=options.hidden_sectors,
        total_sectors_32=0 if small else layout.total_sectors,
        fat_size_32=layout.fat_sectors if is_fat32 else 0,
        root_cluster=2 if is_fat32 else 0,
        fsinfo_sector=1 if is_fat32 else 0,
        backup_boot_sector=backup if backup > 1 else 0,
        drive_number=0x80 if layout.media == _MEDIA_DISK else 0,
        volume_id=volume_id,
        volume_label=label,
        type_name=f"FAT{layout.bits}   ".encode(),
    )


def _write(
    access: ByteAccess, boot: BootSector, geometry: Geometry, label: bytes, now_ns: int
) -> None:
    """The boot sector is taken away first and comes last: in between the device holds no volume."""
    access.write(0, bytes(BOOT_SECTOR_SIZE))
    access.device.flush()
    end = geometry.data_start
    if geometry.bits == 32:
        end += geometry.cluster_size
    zeros = bytes(_CHUNK_BYTES)
    for offset in range(BOOT_SECTOR_SIZE, end, _CHUNK_BYTES):
        access.write(offset, memoryview(zeros)[: min(_CHUNK_BYTES, end - offset)])
    marks = [0xFFFFFF00 | geometry.media, 0xFFFFFFFF]
    if geometry.bits == 32:
        marks = [0x0FFFFF00 | geometry.media, 0x0FFFFFFF, _END_MARK]
    first = 0
    for i, mark in enumerate(marks):
        first |= (mark & ((1 << geometry.bits) - 1)) << i * geometry.bits
    raw = first.to_bytes(-(-len(marks) * geometry.bits // 8), "little")
    for start in geometry.fat_starts():
        access.write(start, raw)
    if label != NO_LABEL:
        date, clock, _ = encode_time(now_ns)
        root = geometry.root_start
        if geometry.bits == 32:
            root = geometry.cluster_offset(geometry.root_cluster)
        entry = encode_entry(label, VOLUME_LABEL, 0, 0, clock, date, date, 0, clock, date, 0, 0)
        assert len(entry) == ENTRY_SIZE
        access.write(root, entry)
    if geometry.fsinfo_start is not None:
        info = encode_fsinfo(FsInfo(geometry.cluster_count - 1, 2))
        access.write(geometry.fsinfo_start, info)
        if geometry.backup_start is not None:
            access.write(geometry.backup_start, replace(boot).encode())
            access.write(geometry.backup_start + geometry.sector_size, info)
    access.device.flush()
    access.write(0, boot.encode())
