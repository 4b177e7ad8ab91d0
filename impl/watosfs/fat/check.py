"""Check a FAT volume, and mend it: by a reader of its own, that mounts nothing.

Checks: the boot sector and its backup, FSInfo, both copies of the table, every chain, every entry,
long names, duplicate names, dots, sizes, lost clusters, the dirty marks.
Does not check: file data (FAT has no checksums), times.
"""

import errno
from typing import Final

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.fat.aliases import SHORT_NAME_SIZE
from watosfs.fat.checker.image import Image
from watosfs.fat.checker.lost import Lost
from watosfs.fat.checker.report import Report
from watosfs.fat.checker.tree import Tree
from watosfs.fat.format import (
    BOOT_SECTOR_SIZE,
    EXTENDED_SIGNATURE,
    NO_LABEL,
    SECTOR_SIZES,
    STATE_DIRTY,
    Geometry,
    decode_boot_sector,
    geometry_of,
)
from watosfs.fat.fsinfo import FSINFO_SIZE, UNKNOWN, FsInfo, decode_fsinfo, encode_fsinfo

_BACKUP_SECTOR: Final = 6
_CLEAN_BITS: Final = {12: 0, 16: 0x8000, 32: 0x08000000}


def check(device: BlockDevice, *, repair: bool = False, reconnect: bool = True) -> Report:
    """What is wrong with the volume on ``device``. With ``repair`` it is mended, and lost chains
    are given names in the root (or freed, without ``reconnect``).

    Raises EINVAL or EUCLEAN when there is no boot sector to go by, not even a backup; EROFS to
    mend a read-only device; EIO.
    """
    if repair and device.capabilities.read_only:
        raise failure(errno.EROFS)
    access = ByteAccess(device)
    report = Report()
    boot, geometry = _boot_sector(access, report)
    report.bits, report.clusters_total = geometry.bits, geometry.cluster_count
    image = Image(access, geometry, report)
    state = _state(boot, geometry, image, report)
    tree = Tree(image, report)
    tree.walk()
    state = _label(state, geometry, tree.label, report)
    lost = Lost(image, report, tree)
    lost.reclaim(reconnect)
    report.clusters_free = image.free_count()
    info = _fsinfo(access, geometry, report)
    if repair and report.problems:
        image.put(0, image.mask & ~0xFF | geometry.media)
        image.put(1, image.end)
        image.write()
        _write_rest(access, geometry, state, info)
        report.is_repaired = True
    return report


def _boot_sector(access: ByteAccess, report: Report) -> tuple[bytes, Geometry]:
    """The boot sector that counts: the first, or a backup of FAT32 where the first is no good."""
    raw = bytes(access.read(0, min(BOOT_SECTOR_SIZE, access.size_bytes)))
    try:
        return raw, geometry_of(decode_boot_sector(raw), access.size_bytes)
    except OSError as error:
        for size in SECTOR_SIZES:
            offset = _BACKUP_SECTOR * size
            if offset + BOOT_SECTOR_SIZE > access.size_bytes:
                break
            raw = bytes(access.read(offset, BOOT_SECTOR_SIZE))
            geometry = _backup(raw, access.size_bytes)
            if geometry is not None and geometry.backup_start == offset:
                report.add("boot", "boot sector", f"{error.strerror}; its backup is good")
                return raw, geometry
        raise


def _backup(raw: bytes, size_bytes: int) -> Geometry | None:
    try:
        return geometry_of(decode_boot_sector(raw), size_bytes)
    except OSError:
        return None


def _state(boot: bytes, geometry: Geometry, image: Image, report: Report) -> bytes:
    """Look at the dirty marks and the backup; the boot sector as it should be."""
    offset = geometry.state_offset
    clean = _CLEAN_BITS[geometry.bits]
    if boot[offset] & STATE_DIRTY or image.get(1) & clean != clean:
        report.add("dirty", "boot sector", "the volume was not unmounted")
    wanted = bytearray(boot)
    wanted[offset] &= ~STATE_DIRTY
    start = geometry.backup_start
    if start is not None:
        backup = bytearray(image.access.read(start, BOOT_SECTOR_SIZE))
        backup[offset] &= ~STATE_DIRTY
        if backup != wanted:
            report.add("backup", "boot sector", "its backup is not the same")
    return bytes(wanted)


def _label(boot: bytes, geometry: Geometry, label: bytes | None, report: Report) -> bytes:
    """The boot sector with the label of the root directory, which is the one that counts."""
    start = geometry.label_offset
    found = boot[start : start + SHORT_NAME_SIZE]
    if boot[start - 5] != EXTENDED_SIGNATURE or found == (label or NO_LABEL):
        return boot
    if label is None and not found.strip():
        return boot
    report.add("label", "boot sector", f"label {found!r}, in the root directory {label!r}")
    return boot[:start] + (label or NO_LABEL) + boot[start + SHORT_NAME_SIZE :]


def _fsinfo(access: ByteAccess, geometry: Geometry, report: Report) -> bytes | None:
    """Compare FSInfo with what was counted; what it should be."""
    start = geometry.fsinfo_start
    if start is None:
        return None
    info = decode_fsinfo(access.read(start, FSINFO_SIZE))
    if info is None:
        report.add("fsinfo", "FSInfo", "its signatures are not there")
    elif info.free_count not in (report.clusters_free, UNKNOWN):
        text = f"{info.free_count} clusters free, really {report.clusters_free}"
        report.add("fsinfo", "FSInfo", text)
    next_free = info.next_free if info is not None else UNKNOWN
    if not 2 <= next_free < geometry.cluster_end:
        next_free = UNKNOWN
    return encode_fsinfo(FsInfo(report.clusters_free, next_free))


def _write_rest(access: ByteAccess, geometry: Geometry, boot: bytes, info: bytes | None) -> None:
    """FSInfo, the backup, and at last the boot sector, which says that all is well."""
    if geometry.fsinfo_start is not None and info is not None:
        access.write(geometry.fsinfo_start, info)
    if geometry.backup_start is not None:
        access.write(geometry.backup_start, boot)
    access.device.flush()
    access.write(0, boot)
    access.device.flush()
