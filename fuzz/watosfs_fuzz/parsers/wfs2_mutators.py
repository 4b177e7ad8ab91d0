"""Mutants of WFS v2: entries, superblocks, bitmap, boundaries, data; blocks of another image.

What is changed is sealed again, nine times in ten, so that what lies behind a checksum is reached.
"""

from random import Random
from typing import Final

from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.layout import mutate_bytes, mutate_field, new_number
from watosfs_fuzz.parsers.wfs2_layouts import (
    BLOCK,
    BOUNDARY,
    BOUNDARY_MAGIC,
    ENTRY,
    NAMES,
    SLOTS,
    SUPERBLOCK,
    mutate_entry,
    mutate_superblock,
    put_name,
    seal_data,
    seal_entry,
    seal_superblock,
)

_SEALED: Final = 0.9
_BLOCKS_MAX: Final = 4096


def mutate(data: bytes, random: Random) -> bytes:
    """A mutant of an image."""
    image = SparseImage.parse(data, BLOCK)
    if not image.blocks:
        image.blocks[0] = bytes(BLOCK)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        kind = random.random()
        if kind < 0.5:
            _table(image, random)
        elif kind < 0.65:
            _superblocks(image, random)
        elif kind < 0.75:
            _data(image, random)
        elif kind < 0.85:
            _bitmap_or_boundary(image, random)
        elif kind < 0.95:
            _copy_block(image, random)
        else:
            _size(image, random)
    return image.encode()


def cross(one: bytes, two: bytes, random: Random) -> bytes:
    """Entries, or any block, of another image in its own place."""
    image, other = SparseImage.parse(one, BLOCK), SparseImage.parse(two, BLOCK)
    if not image.blocks or not other.blocks:
        return one
    if random.random() < 0.6:
        number, source = _table_block(image, random), _table_block(other, random)
        raw, block = bytearray(image.read(number)), other.read(source)
        cross_table(raw, block, random)
        image.blocks[number] = bytes(raw)
    else:
        number = random.choice(sorted(other.blocks))
        if number < image.block_count:
            image.blocks[number] = other.blocks[number]
    return image.encode()


def cross_table(raw: bytearray, other: bytes, random: Random) -> None:
    """Some entries of another block of a table in this one."""
    for start in range(0, BLOCK, ENTRY.size):
        if other[start] and random.random() < 0.4:
            raw[start : start + ENTRY.size] = other[start : start + ENTRY.size]


def mutate_table(raw: bytearray, random: Random) -> None:
    """One entry, or an entry once more, in a block of a table."""
    used = [start for start in range(0, BLOCK, ENTRY.size) if raw[start]]
    start = random.choice(used) if used else 0
    kind = random.random()
    if kind < 0.2 and used:
        _double(raw, start, random)
        return
    if kind < 0.25 and used:
        raw[start : start + ENTRY.size] = bytes(ENTRY.size)
        return
    if kind < 0.4 and len(used) > 1:
        _share(raw, start, random.choice(used), random)
    else:
        mutate_entry(raw, start, random)
    if random.random() < _SEALED:
        seal_entry(raw, start)


def _double(raw: bytearray, start: int, random: Random) -> None:
    """An entry in other slots too: under its name, or under others with the same blocks."""
    entry = bytes(raw[start : start + ENTRY.size])
    targets = random.sample(range(SLOTS), random.choice((1, 1, 2, 8, SLOTS)))
    for target in targets:
        at = target * ENTRY.size
        raw[at : at + ENTRY.size] = entry
        if random.random() < 0.6:
            put_name(raw, at, random.choice((b"s%d" % target, *NAMES[:8])))
        elif random.random() < 0.5:
            ENTRY.put(raw, at, "modified", new_number(ENTRY.get(raw, at, "modified"), 8, random))
        seal_entry(raw, at)


def _share(raw: bytearray, start: int, other: int, random: Random) -> None:
    """A file begins in, or near, another's blocks; or has its name, or lies below it."""
    kind = random.randrange(3)
    if kind == 0:
        block = ENTRY.get(raw, other, "start_block")
        ENTRY.put(raw, start, "start_block", max(0, block + random.choice((-1, 0, 0, 1))))
        return
    name = bytes(raw[other : other + 56]).rstrip(b"\0")
    put_name(raw, start, name if kind == 1 else name + b"/x")


def _first_table_block(image: SparseImage) -> tuple[int, int]:
    raw = image.read(0)
    first = SUPERBLOCK.get(raw, 0, "filetable_block")
    return (first, SUPERBLOCK.get(raw, 0, "filetable_blocks")) if 2 < first < 64 else (4, 8)


def _table_block(image: SparseImage, random: Random) -> int:
    """A block of the table, mostly one with entries."""
    first, count = _first_table_block(image)
    used = [number for number in image.blocks if first <= number < first + count]
    if used and random.random() < 0.9:
        return random.choice(sorted(used))
    return min(first + random.randrange(max(1, min(count, 64))), image.block_count - 1)


def _table(image: SparseImage, random: Random) -> None:
    number = _table_block(image, random)
    raw = bytearray(image.read(number))
    mutate_table(raw, random)
    image.blocks[number] = bytes(raw[:BLOCK])


def _superblocks(image: SparseImage, random: Random) -> None:
    """A field of the superblock, in one copy, in two, or in all alike."""
    middle, last = image.block_count // 2, image.block_count - 1
    raw = bytearray(image.read(0 if any(image.read(0)) else middle))
    mutate_superblock(raw, random)
    if random.random() < _SEALED:
        seal_superblock(raw, 0)
    places = random.choice(((0,), (middle,), (last,), (middle, last), (0, middle, last)))
    for place in places:
        image.blocks[place] = bytes(raw)


def _data(image: SparseImage, random: Random) -> None:
    """A block behind the table, its checksum made right or not."""
    first, count = _first_table_block(image)
    used = sorted(number for number in image.blocks if number > first + count)
    if not used:
        return
    number = random.choice(used)
    raw = bytearray(image.blocks[number])
    mutate_bytes(raw, 0, BLOCK, random)
    if random.random() < 0.5:
        seal_data(raw, 0)
    image.blocks[number] = bytes(raw)


def _bitmap_or_boundary(image: SparseImage, random: Random) -> None:
    magic = BOUNDARY_MAGIC.to_bytes(8, "little")
    places = sorted(number for number, raw in image.blocks.items() if raw[:8] == magic)
    number = random.choice((2, *places))
    if number >= image.block_count:
        return
    raw = bytearray(image.read(number))
    if number == 2:
        mutate_bytes(raw, 0, -(-image.block_count // 8) + 1, random)
    else:
        mutate_field(raw, 0, BOUNDARY, random)
    image.blocks[number] = bytes(raw)


def _copy_block(image: SparseImage, random: Random) -> None:
    """A block once more in another place, or a place empty."""
    numbers = sorted(image.blocks)
    if not numbers:
        return
    target = random.choice((*numbers, random.randrange(image.block_count)))
    if random.random() < 0.2 and len(numbers) > 1:
        image.blocks.pop(target, None)
    else:
        image.blocks[target] = image.blocks[random.choice(numbers)]


def _size(image: SparseImage, random: Random) -> None:
    """A larger or smaller device."""
    count = max(1, new_number(image.block_count, 2, random) & 0xFFFF)
    image.block_count = min(count, _BLOCKS_MAX)
    for number in [number for number in image.blocks if number >= image.block_count]:
        del image.blocks[number]
