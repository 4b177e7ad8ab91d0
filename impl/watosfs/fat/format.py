"""FAT on disk: the boot sector (BPB) of all three types, and the geometry that follows from it.

Field names are those of Microsoft's "FAT: General Overview of On-Disk Format" without prefixes.
What is no FAT at all is EINVAL; what says that it is one and contradicts itself is EUCLEAN.
"""

import errno
import struct
from dataclasses import dataclass
from typing import Final

from watosfs.block.device import Buffer
from watosfs.errors import DamageError, failure

SECTOR_SIZES: Final = (512, 1024, 2048, 4096)
CLUSTER_SIZE_MAX: Final = 65536
BOOT_SECTOR_SIZE: Final = 512
BOOT_SIGNATURE: Final = b"\x55\xaa"
EXTENDED_SIGNATURE: Final = 0x29
ENTRY_SIZE: Final = 32
FILE_SIZE_MAX: Final = 0xFFFFFFFF
DIRECTORY_SLOTS_MAX: Final = 65536
#: A volume with fewer clusters is FAT12; with fewer than the second FAT16.
FAT16_CLUSTERS_MIN: Final = 4085
FAT32_CLUSTERS_MIN: Final = 65525
FAT32_CLUSTERS_MAX: Final = 0x0FFFFFF5
NO_LABEL: Final = b"NO NAME    "

#: Offset of the state byte (bit 0: mounted and changed), and of id and label after it.
_STATE_OFFSETS: Final = {12: 37, 16: 37, 32: 65}
STATE_DIRTY: Final = 1
_MIRRORING_OFF: Final = 0x80

_BPB = struct.Struct("<3s8sHBHBHHBHHHII")
_FAT32 = struct.Struct("<IHHIHH12x")
_EXTENDED = struct.Struct("<BBBI11s8s")
assert (_BPB.size, _FAT32.size, _EXTENDED.size) == (36, 28, 26)


@dataclass(frozen=True, slots=True)
class BootSector:
    """The first sector of a volume. Counts are in sectors unless their name says otherwise."""

    jump: bytes
    oem_name: bytes
    bytes_per_sector: int
    sectors_per_cluster: int
    reserved_sectors: int
    fat_count: int
    root_entry_count: int
    total_sectors_16: int
    media: int
    fat_size_16: int
    sectors_per_track: int
    head_count: int
    hidden_sectors: int
    total_sectors_32: int
    fat_size_32: int = 0
    ext_flags: int = 0
    version: int = 0
    root_cluster: int = 0
    fsinfo_sector: int = 0
    backup_boot_sector: int = 0
    drive_number: int = 0
    state: int = 0
    boot_signature: int = EXTENDED_SIGNATURE
    volume_id: int = 0
    volume_label: bytes = NO_LABEL
    type_name: bytes = b""

    @property
    def is_fat32(self) -> bool:
        """Whether the fields of FAT32 are there: the 16-bit size of a table is 0."""
        return not self.fat_size_16

    def encode(self) -> bytes:
        """The 512 bytes, boot code zero."""
        raw = _BPB.pack(
            self.jump, self.oem_name, self.bytes_per_sector, self.sectors_per_cluster,
            self.reserved_sectors, self.fat_count, self.root_entry_count, self.total_sectors_16,
            self.media, self.fat_size_16, self.sectors_per_track, self.head_count,
            self.hidden_sectors, self.total_sectors_32,
        )  # fmt: skip
        if self.is_fat32:
            raw += _FAT32.pack(
                self.fat_size_32, self.ext_flags, self.version, self.root_cluster,
                self.fsinfo_sector, self.backup_boot_sector,
            )  # fmt: skip
        raw += _EXTENDED.pack(
            self.drive_number, self.state, self.boot_signature, self.volume_id, self.volume_label,
            self.type_name,
        )  # fmt: skip
        return raw.ljust(BOOT_SECTOR_SIZE - 2, b"\0") + BOOT_SIGNATURE


def decode_boot_sector(raw: Buffer) -> BootSector:
    """The fields, not judged. EINVAL without the signature 55 AA or when ``raw`` is too short."""
    if len(raw) < BOOT_SECTOR_SIZE or bytes(raw[510:512]) != BOOT_SIGNATURE:
        raise failure(errno.EINVAL, reason="not a FAT volume: no signature 55 AA")
    fields = _BPB.unpack_from(raw, 0)
    is_fat32 = fields[9] == 0
    middle = _FAT32.unpack_from(raw, 36) if is_fat32 else (0, 0, 0, 0, 0, 0)
    return BootSector(*fields, *middle, *_EXTENDED.unpack_from(raw, 64 if is_fat32 else 36))


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where everything lies, in bytes from the start of the volume unless the name says else."""

    bits: int
    sector_size: int
    cluster_size: int
    total_sectors: int
    fat_start: int
    fat_size: int
    fat_count: int
    #: The table that is read; with mirroring on it is 0 and all are written.
    active_fat: int
    is_mirrored: bool
    root_start: int
    root_entry_count: int
    root_cluster: int
    data_start: int
    cluster_count: int
    media: int
    fsinfo_start: int | None
    backup_start: int | None

    @property
    def state_offset(self) -> int:
        """Where the byte with the dirty flag is in the boot sector."""
        return _STATE_OFFSETS[self.bits]

    @property
    def label_offset(self) -> int:
        """Where the volume label is in the boot sector; its signature is 5 bytes before."""
        return self.state_offset + 6

    @property
    def cluster_end(self) -> int:
        """One more than the number of the last cluster; numbers begin with 2."""
        return self.cluster_count + 2

    def cluster_offset(self, cluster: int) -> int:
        """Where a cluster's bytes are."""
        return self.data_start + (cluster - 2) * self.cluster_size

    def fat_starts(self) -> list[int]:
        """Where the tables are that have to be written."""
        if not self.is_mirrored:
            return [self.fat_start + self.active_fat * self.fat_size]
        return [self.fat_start + i * self.fat_size for i in range(self.fat_count)]


def _damage(problem: str) -> DamageError:
    return DamageError("boot sector", 0, problem)


def geometry_of(boot: BootSector, device_bytes: int) -> Geometry:
    """The geometry, every field judged. EINVAL: not FAT. EUCLEAN: says it is, but cannot be."""
    _require_plausible(boot)
    sector = boot.bytes_per_sector
    total = boot.total_sectors_16 or boot.total_sectors_32
    fat_sectors = boot.fat_size_16 or boot.fat_size_32
    if not total or not fat_sectors:
        raise _damage("no size of the volume or of its table")
    if total * sector > device_bytes:
        raise _damage(f"{total} sectors of {sector} bytes exceed the device's {device_bytes} bytes")
    root_sectors = -(-boot.root_entry_count * ENTRY_SIZE // sector)
    root_start = boot.reserved_sectors + boot.fat_count * fat_sectors
    data_start = root_start + root_sectors
    cluster_count = (total - data_start) // boot.sectors_per_cluster
    if cluster_count < 1:
        raise _damage("no room for a single cluster")
    bits = _bits(boot, cluster_count)
    entries = fat_sectors * sector * 8 // bits
    if entries < cluster_count + 2:
        raise _damage(f"{cluster_count} clusters, but a table of {entries} entries")
    flags = boot.ext_flags if bits == 32 else 0
    is_mirrored = not flags & _MIRRORING_OFF
    active = 0 if is_mirrored else flags & 0xF
    if active >= boot.fat_count:
        raise _damage(f"active table {active} of {boot.fat_count}")
    if bits == 32:
        _require_fat32(boot, cluster_count)
    elif not boot.root_entry_count:
        raise _damage("no root directory")
    return Geometry(
        bits=bits,
        sector_size=sector,
        cluster_size=sector * boot.sectors_per_cluster,
        total_sectors=total,
        fat_start=boot.reserved_sectors * sector,
        fat_size=fat_sectors * sector,
        fat_count=boot.fat_count,
        active_fat=active,
        is_mirrored=is_mirrored,
        root_start=root_start * sector,
        root_entry_count=boot.root_entry_count,
        root_cluster=boot.root_cluster if bits == 32 else 0,
        data_start=data_start * sector,
        cluster_count=cluster_count,
        media=boot.media,
        fsinfo_start=_reserved(boot, boot.fsinfo_sector),
        backup_start=_reserved(boot, boot.backup_boot_sector),
    )


def _require_plausible(boot: BootSector) -> None:
    """EINVAL for what no FAT volume has."""
    sector, per_cluster = boot.bytes_per_sector, boot.sectors_per_cluster
    problem = ""
    if sector not in SECTOR_SIZES:
        problem = f"{sector} bytes per sector"
    elif not per_cluster or per_cluster & (per_cluster - 1):
        problem = f"{per_cluster} sectors per cluster"
    elif sector * per_cluster > CLUSTER_SIZE_MAX:
        problem = f"clusters of {sector * per_cluster} bytes"
    elif not boot.reserved_sectors or not boot.fat_count:
        problem = "no reserved sector or no table"
    elif boot.media != 0xF0 and boot.media < 0xF8:
        problem = f"media byte {boot.media:#x}"
    if problem:
        raise failure(errno.EINVAL, reason=f"not a FAT volume: {problem}")


def _bits(boot: BootSector, cluster_count: int) -> int:
    """12, 16 or 32. mkfs.fat and Linux take a 16-bit size of 0 for FAT32 however few clusters."""
    if boot.is_fat32:
        if cluster_count > FAT32_CLUSTERS_MAX:
            raise _damage(f"{cluster_count} clusters")
        return 32
    if cluster_count >= FAT32_CLUSTERS_MIN:
        raise _damage(f"{cluster_count} clusters, but a table size of 16 bits")
    return 12 if cluster_count < FAT16_CLUSTERS_MIN else 16


def _require_fat32(boot: BootSector, cluster_count: int) -> None:
    if boot.version:
        raise failure(errno.EINVAL, reason=f"FAT32 version {boot.version:#x} is not known")
    if boot.root_entry_count:
        raise _damage(f"FAT32 with {boot.root_entry_count} root entries")
    if not 2 <= boot.root_cluster < cluster_count + 2:
        raise _damage(f"root cluster {boot.root_cluster} of {cluster_count}")


def _reserved(boot: BootSector, sector: int) -> int | None:
    """Where a sector of the reserved area is; None for none (0, FFFF or outside)."""
    if boot.is_fat32 and 0 < sector < boot.reserved_sectors:
        return sector * boot.bytes_per_sector
    return None
