"""Mutants of whole FAT images: boot sector, table entries in every copy, sealed long names."""

from random import Random
from typing import Final

from watosfs.errors import failure
from watosfs.fat.format import decode_boot_sector, geometry_of
from watosfs_fuzz.parsers.fat_layouts import BOOT_16, BOOT_32, ENTRY, FSINFO, LONG, SECTOR
from watosfs_fuzz.parsers.fat_plain import PlainFat, checksum_of
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.layout import mutate_bytes, mutate_field, new_number

_SLOT: Final = 32
_MIRRORED: Final = 0.8
_SEALED: Final = 0.8
_CLUSTERS_NEAR: Final = 24
_RESERVED: Final = 0.1


def plain_of(image: SparseImage) -> PlainFat:
    """The plain reader's view of where things are. Raises OSError when there is no volume."""
    if image.unit != SECTOR:
        raise failure(22)
    size = image.block_count * SECTOR
    geometry_of(decode_boot_sector(image.read(0)), size)
    return PlainFat(image.read(0))


def mutate(data: bytes, random: Random) -> bytes:
    """A mutant of an image."""
    image = SparseImage.parse(data, SECTOR)
    try:
        plain: PlainFat | None = plain_of(image)
    except OSError:
        plain = None
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        kind = random.random()
        if plain is None or kind < 0.12:
            _boot(image, random)
        elif kind < 0.5:
            _table(image, plain, random)
        elif kind < 0.92:
            _names(image, plain, random)
        elif kind < 0.96:
            _fsinfo(image, random)
        else:
            _anything(image, random)
    return image.encode()


def cross(one: bytes, two: bytes, random: Random) -> bytes:
    """Names of one image in a directory of another."""
    image, other = SparseImage.parse(one, SECTOR), SparseImage.parse(two, SECTOR)
    here, there = _name_sectors(image), _name_sectors(other)
    if not here or not there:
        return one
    number = random.choice(here)
    raw, source = bytearray(image.read(number)), other.read(random.choice(there))
    count = random.choice((1, 1, 2, 3, 16))
    at, start = random.randrange(0, SECTOR, _SLOT), random.randrange(0, SECTOR, _SLOT)
    piece = source[start : start + count * _SLOT]
    raw[at : at + len(piece)] = piece
    image.blocks[number] = bytes(raw[:SECTOR])
    return image.encode()


def _boot(image: SparseImage, random: Random) -> None:
    raw = bytearray(image.read(0))
    layout = BOOT_32 if not BOOT_32.get(raw, 0, "fat_size_16") else BOOT_16
    mutate_field(raw, 0, layout, random)
    if random.random() < 0.9:
        raw[510:512] = b"\x55\xaa"
    image.blocks[0] = bytes(raw)
    if random.random() < 0.2:
        image.blocks[6] = bytes(raw)


def _fsinfo(image: SparseImage, random: Random) -> None:
    raw = bytearray(image.read(1))
    mutate_field(raw, 0, FSINFO, random)
    image.blocks[1] = bytes(raw)


def _table(image: SparseImage, plain: PlainFat, random: Random) -> None:
    """An entry leads elsewhere: to a neighbour, to itself, nowhere, to a mark. The top 4 bits of
    FAT32's entries, which mean nothing, are sometimes set.
    """
    if plain.bits == 32 and random.random() < _RESERVED:
        _reserved_bits(image, plain, random)
        return
    near = min(plain.end, 2 + _CLUSTERS_NEAR)
    cluster = random.randrange(near) if random.random() < 0.9 else random.randrange(plain.end)
    mask = plain.mask
    value = random.choice((
        random.randrange(near), random.randrange(2, near), cluster, cluster + 1, cluster - 1, 0, 1,
        mask, mask & ~7, mask & ~8, mask & ~15, plain.end, plain.end - 1,
        new_number(cluster, 4, random) & mask,
    ))  # fmt: skip
    copies = range(plain.fats) if random.random() < _MIRRORED else (random.randrange(plain.fats),)
    for copy in copies:
        put_entry(image, plain, plain.fat_start + copy * plain.fat_bytes, cluster, value)


def _reserved_bits(image: SparseImage, plain: PlainFat, random: Random) -> None:
    """The top 4 bits of a few entries, in all copies."""
    for cluster in random.sample(range(2, min(plain.end, 2 + _CLUSTERS_NEAR)), 4):
        bits = random.randrange(1, 16) << 28
        for copy in range(plain.fats):
            start = plain.fat_start + copy * plain.fat_bytes
            at = start + 4 * cluster
            value = int.from_bytes(_bytes(image, at, 4), "little") & plain.mask
            put_entry(image, plain, start, cluster, value | bits)


def put_entry(image: SparseImage, plain: PlainFat, start: int, cluster: int, value: int) -> None:
    """Change an entry of the table that begins at ``start``."""
    if plain.bits == 12:
        at, size = start + cluster * 3 // 2, 2
        old = int.from_bytes(_bytes(image, at, 2), "little")
        value &= 0xFFF
        value = old & 0xF | value << 4 if cluster & 1 else old & 0xF000 | value
    else:
        size = plain.bits // 8
        at = start + cluster * size
    _set_bytes(image, at, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))


def _bytes(image: SparseImage, at: int, size: int) -> bytes:
    first, skip = divmod(at, SECTOR)
    return (image.read(first) + image.read(first + 1))[skip : skip + size]


def _set_bytes(image: SparseImage, at: int, raw: bytes) -> None:
    for i, byte in enumerate(raw):
        number, skip = divmod(at + i, SECTOR)
        if number < image.block_count:
            block = bytearray(image.read(number))
            block[skip] = byte
            image.blocks[number] = bytes(block)


def _name_sectors(image: SparseImage) -> list[int]:
    """Sectors that look as if they hold names."""
    found = []
    for number, raw in image.blocks.items():
        used = [raw[at + 11] for at in range(0, SECTOR, _SLOT) if raw[at]]
        if number and used and all(kind & 0xC0 == 0 for kind in used):
            found.append(number)
    return sorted(found)


def _names(image: SparseImage, plain: PlainFat, random: Random) -> None:
    sectors = _name_sectors(image)
    if not sectors:
        _anything(image, random)
        return
    number = random.choice(sectors)
    raw = bytearray(image.read(number))
    used = [at for at in range(0, SECTOR, _SLOT) if raw[at]]
    at = random.choice(used) if random.random() < 0.9 else random.randrange(0, SECTOR, _SLOT)
    is_long = raw[at + 11] & 0x3F == 0x0F
    kind = random.random()
    if kind < 0.1:
        raw[at] = random.choice((0x00, 0xE5, 0x05, 0x2E, 0x41, 0x40, 0x20))
    elif kind < 0.2:
        other = random.randrange(0, SECTOR, _SLOT)
        raw[other : other + _SLOT] = raw[at : at + _SLOT]
    elif kind < 0.5 and not is_long:
        near = random.randrange(min(plain.end, 2 + _CLUSTERS_NEAR))
        ENTRY.put(raw, at, "cluster_low", near)
        if random.random() < 0.3:
            ENTRY.put(raw, at, "attributes", random.choice((0x10, 0x20, 0x08, 0x0F, 0x30)))
    elif kind < 0.6 and not is_long:
        ENTRY.put(raw, at, "size", new_number(ENTRY.get(raw, at, "size"), 4, random))
    else:
        mutate_field(raw, at, LONG if is_long else ENTRY, random)
    if random.random() < _SEALED:
        seal_names(raw)
    image.blocks[number] = bytes(raw)


def seal_names(raw: bytearray) -> None:
    """Make the checksum of long names right that stand before a short one."""
    for at in range(0, len(raw) - _SLOT + 1, _SLOT):
        if raw[at + 11] & 0x3F == 0x0F:
            continue
        checksum, before = checksum_of(bytes(raw[at : at + 11])), at - _SLOT
        while before >= 0 and raw[before + 11] & 0x3F == 0x0F:
            raw[before + 13] = checksum
            before -= _SLOT


def _anything(image: SparseImage, random: Random) -> None:
    number = random.choice(sorted(image.blocks) or [0])
    raw = bytearray(image.read(number))
    mutate_bytes(raw, 0, SECTOR, random)
    image.blocks[number] = bytes(raw)
    if random.random() < 0.1:
        image.block_count = max(1, image.block_count + random.choice((-64, -1, 1, 64)))
