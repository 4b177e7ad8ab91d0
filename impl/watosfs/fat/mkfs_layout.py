"""How large everything becomes: the arithmetic of mkfs.fat 4.2, with its defaults and alignment."""

import errno
from dataclasses import dataclass
from typing import Final

from watosfs.errors import failure
from watosfs.fat.format import CLUSTER_SIZE_MAX, FAT16_CLUSTERS_MIN

_MIB: Final = 1 << 20
_FAT12_MAX: Final = 4080
_FAT16_MAX: Final = 65520
_FAT32_MIN: Final = 65529
_FAT32_MAX: Final = 0x0FFFFFF0
_UNALIGNED_SECTORS_MAX: Final = 8192
#: KiB of a floppy disk: sectors per track, media byte, sectors per cluster, root entries.
_FLOPPIES: Final = {
    360: (9, 0xFD, 2, 112),
    720: (9, 0xF9, 2, 112),
    1200: (15, 0xF9, 1, 224),
    1440: (18, 0xF0, 1, 224),
    2880: (36, 0xF0, 2, 224),
}
#: Geometry that the SD card association assigns: sectors at most, per track, heads.
_TRACKS: Final = (
    (4096, 16, 2),
    (32768, 32, 2),
    (65536, 32, 4),
    (262144, 32, 8),
    (524288, 32, 16),
    (1032192, 63, 16),
    (2064384, 63, 32),
    (4128768, 63, 64),
    (8257536, 63, 128),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in sectors of ``sector_size`` bytes."""

    bits: int
    sector_size: int
    total_sectors: int
    sectors_per_cluster: int
    reserved_sectors: int
    fat_sectors: int
    root_entry_count: int
    media: int
    sectors_per_track: int
    head_count: int


@dataclass(frozen=True, slots=True)
class _Start:
    """What follows from the size of the device alone."""

    sectors_per_track: int
    head_count: int
    media: int
    sectors_per_cluster: int
    root_entry_count: int


def _start(size_bytes: int, sectors: int, bits: int) -> _Start:
    floppy = _FLOPPIES.get(size_bytes // 1024) if size_bytes % 1024 == 0 else None
    if floppy is not None:
        track, media, cluster, entries = floppy
        return _Start(track, 2, media, 1 if bits == 32 else cluster, entries)
    cluster = 4
    if bits == 32:
        mib = sectors * 512 // _MIB  # mkfs.fat counts sectors here, of whatever size
        steps = ((32768, 64), (16384, 32), (8192, 16), (260, 8))
        cluster = next((sectors for least, sectors in steps if mib > least), 1)
    for most, track, heads in _TRACKS:
        if sectors <= most:
            return _Start(track, heads, 0xF8, cluster, 512)
    return _Start(63, 255, 0xF8, cluster, 512)


def layout_of(
    size_bytes: int,
    bits: int,
    sector_size: int,
    sectors_per_cluster: int,
    fat_count: int,
    reserved: int,
    root_entry_count: int,
) -> Layout:
    """The layout of a volume of ``size_bytes``; 0 leaves a choice open. EINVAL: there is none."""
    asked_bits = bits
    if not bits and size_bytes >= 512 * _MIB:
        bits = 32
    start = _start(size_bytes, size_bytes // sector_size, bits)
    reserved = reserved or (32 if bits == 32 else 1)
    if bits == 32 and reserved < 2:
        raise failure(errno.EINVAL, reason="FAT32 needs at least 2 reserved sectors")
    total = min(size_bytes // sector_size, 0xFFFFFFFF)
    total = total // start.sectors_per_track * start.sectors_per_track or total
    is_aligned = total > _UNALIGNED_SECTORS_MAX
    # Whole sectors, unlike mkfs.fat: mtools takes the rest of the last for data.
    per_sector = sector_size // 32
    entries = 0 if bits == 32 else root_entry_count or start.root_entry_count
    entries = min(_aligned(entries, per_sector), 65536 - per_sector)
    cluster = sectors_per_cluster or start.sectors_per_cluster
    while cluster * sector_size <= CLUSTER_SIZE_MAX:
        unit = cluster if is_aligned else 1
        aligned_reserved = _aligned(reserved, unit)
        root = _aligned(-(-entries * 32 // sector_size), unit)
        room = total - aligned_reserved
        sizes = {
            width: _fat_size(width, room - (0 if width == 32 else root), cluster, sector_size,
                             fat_count, unit, asked_bits)
            for width in (12, 16, 32)
        }  # fmt: skip
        chosen = bits
        if not bits and (sizes[12][0] or sizes[16][0]):
            chosen = 16 if sizes[16][0] > sizes[12][0] else 12
        if chosen and sizes[chosen][0]:
            if is_aligned and chosen != 32:
                entries = root * per_sector
            return Layout(
                chosen, sector_size, total, cluster, aligned_reserved, sizes[chosen][1],
                entries, start.media, start.sectors_per_track, start.head_count,
            )  # fmt: skip
        if sectors_per_cluster:
            break
        cluster *= 2
    raise failure(errno.EINVAL, reason=f"{size_bytes} bytes make no such FAT{bits or ''} volume")


def _aligned(count: int, unit: int) -> int:
    return -(-count // unit) * unit


def _fat_size(
    bits: int, room: int, cluster: int, sector: int, fats: int, unit: int, asked: int
) -> tuple[int, int]:
    """(clusters, sectors of one table) that fit into ``room`` sectors; 0 clusters: not this type.

    The estimates are mkfs.fat's: twice the bits, so that half bytes of FAT12 are whole numbers.
    """
    if room < cluster:
        return 0, 0
    if bits == 12:
        clusters = 2 * (room * sector + fats * 3) // (2 * cluster * sector + fats * 3)
        length = -(-((clusters + 2) * 3 + 1 >> 1) // sector)
    else:
        width = bits // 8
        clusters = (room * sector + fats * 2 * width) // (cluster * sector + fats * width)
        length = -(-(clusters + 2) * width // sector)
    length = _aligned(length, unit)
    clusters = (room - fats * length) // cluster
    if clusters < 1:
        return 0, 0
    most = length * sector * 8 // bits
    if bits == 12:
        fits = clusters <= min(most, _FAT12_MAX) - 2
    elif bits == 16:
        fits = clusters <= min(most, _FAT16_MAX) - 2 and clusters >= FAT16_CLUSTERS_MIN
    else:
        fits = clusters <= min(most, _FAT32_MAX) and (clusters >= _FAT32_MIN or asked == 32)
    return (clusters, length) if fits else (0, 0)
