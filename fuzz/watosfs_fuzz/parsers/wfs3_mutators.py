"""Mutants of whole WFS v3 images: fields of one block, pointers between blocks, blocks of another.

What is changed is sealed again, nine times in ten, so that what lies behind a checksum is reached.
"""

from random import Random
from typing import Final

from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.layout import mutate_bytes, mutate_field, new_number
from watosfs_fuzz.parsers.wfs3_layouts import (
    HEADER,
    LEAVES,
    PAIR,
    SUPERBLOCK,
    cross_nodes,
    entry_place,
    mutate_node,
    seal_node,
    seal_superblock,
)

_UNIT: Final = 4096
_SEALED: Final = 0.9
_POINTERS: Final = ("root_tree_block", "free_tree_block", "orphan_root", "snapshot_root")


def mutate(data: bytes, random: Random) -> bytes:
    """A mutant of an image."""
    image = SparseImage.parse(data, _UNIT)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        # Also after an edit that took the last block away.
        if not image.blocks:
            image.blocks[0] = bytes(_UNIT)
        kind = random.random()
        if kind < 0.6:
            _block(image, random)
        elif kind < 0.75:
            _pointer(image, random)
        elif kind < 0.85:
            _superblocks(image, random)
        elif kind < 0.94:
            _copy_block(image, random)
        elif kind < 0.97:
            _size(image, random)
        else:
            _phantom(image, random)
    return image.encode()


def cross(one: bytes, two: bytes, random: Random) -> bytes:
    """A block of another image, in a place where one of its kind was; or entries of it."""
    image, other = SparseImage.parse(one, _UNIT), SparseImage.parse(two, _UNIT)
    if not image.blocks or not other.blocks:
        return one
    number = random.choice(sorted(image.blocks))
    raw = bytearray(image.blocks[number])
    same = [block for block in other.blocks.values() if block[:4] == raw[:4]]
    block = random.choice(same or list(other.blocks.values()))
    if same and random.random() < 0.6:
        cross_nodes(raw, block, random)
    else:
        raw[:] = block
    image.blocks[number] = _sealed(raw, random)
    return image.encode()


def _is_node(raw: bytes | bytearray) -> bool:
    return HEADER.get(raw, 0, "magic") in LEAVES


def _sealed(raw: bytearray, random: Random) -> bytes:
    del raw[_UNIT:]
    if random.random() < _SEALED and _is_node(raw):
        seal_node(raw, 0)
    return bytes(raw)


def _block(image: SparseImage, random: Random) -> None:
    """One block, mostly a node: leaves of every kind are as likely, however many there are."""
    by_magic: dict[bytes, list[int]] = {}
    for number, block in image.blocks.items():
        if number > 1:
            by_magic.setdefault(block[:4] if _is_node(block) else b"", []).append(number)
    if not by_magic:
        _superblocks(image, random)
        return
    number = random.choice(by_magic[random.choice(sorted(by_magic))])
    raw = bytearray(image.blocks[number])
    if _is_node(raw):
        mutate_node(raw, random)
    else:
        mutate_bytes(raw, 0, _UNIT, random)
    image.blocks[number] = _sealed(raw, random)


def _pointer(image: SparseImage, random: Random) -> None:
    """A child, an extent, a tree of an inode or snapshot, a dead run or a name leads elsewhere."""
    nodes = sorted(number for number, block in image.blocks.items() if _is_node(block))
    if not nodes:
        return
    inner = [n for n in nodes if HEADER.get(image.blocks[n], 0, "level")]
    number = random.choice(inner if inner and random.random() < 0.5 else nodes)
    raw = bytearray(image.blocks[number])
    layout, start = entry_place(raw, HEADER.get(raw, 0, "magic"), random)
    target = random.choice(nodes)
    if layout is PAIR:
        PAIR.put(raw, start, "value", target)
    elif layout.name == "inode":
        name = random.choice(("extent_root", "attributes_low"))
        value = target if name == "extent_root" else random.randrange(32)
        layout.put(raw, start + 8, name, value)
    elif layout.name == "extent":
        layout.put(raw, start + 8, "disk_block", target)
    elif layout.name == "directory entry":
        layout.put(raw, start + 8, "inode_num", random.randrange(32))
    elif layout.name == "snapshot":
        name = random.choice(("root_tree_block", "orphan_root", "dead_root"))
        layout.put(raw, start + 8, name, target)
    else:
        layout.put(raw, start + 8, "start", target)
    image.blocks[number] = _sealed(raw, random)


def _superblocks(image: SparseImage, random: Random) -> None:
    """A field of the superblock, in one copy or in both alike."""
    raw = bytearray(image.read(0))
    if random.random() < 0.3:
        name = random.choice(_POINTERS)
        SUPERBLOCK.put(raw, 0, name, random.choice(sorted(image.blocks)))
    elif random.random() < 0.1:
        old = SUPERBLOCK.get(raw, 0, "root_generation")
        SUPERBLOCK.put(raw, 0, "root_generation", new_number(old, 8, random))
    else:
        mutate_field(raw, 0, SUPERBLOCK, random)
    if random.random() < _SEALED:
        seal_superblock(raw, 0)
    for slot in random.choice(((0,), (1,), (0, 1), (0, 1))):
        image.blocks[slot] = bytes(raw)


def _copy_block(image: SparseImage, random: Random) -> None:
    """A block once more in another place, or a place empty."""
    numbers = sorted(image.blocks)
    target = random.choice((*numbers, random.randrange(image.block_count)))
    if random.random() < 0.2:
        image.blocks.pop(target, None)
    else:
        image.blocks[target] = image.blocks[random.choice(numbers)]


def _phantom(image: SparseImage, random: Random) -> None:
    """A child that is one commit newer than its parent, on a volume that is newer than both: what
    a lost write of the parent leaves.
    """
    inner = [n for n, raw in image.blocks.items() if _is_node(raw) and HEADER.get(raw, 0, "level")]
    if not inner:
        return
    parent = image.blocks[random.choice(sorted(inner))]
    _, start = entry_place(bytearray(parent), HEADER.get(parent, 0, "magic"), random)
    number = PAIR.get(parent, start, "value")
    child = bytearray(image.blocks.get(number, b""))
    if not child or not _is_node(child):
        return
    newer = HEADER.get(parent, 0, "generation") + 1
    HEADER.put(child, 0, "generation", newer & ((1 << 64) - 1))
    seal_node(child, 0)
    image.blocks[number] = bytes(child)
    for slot in (0, 1):
        raw = bytearray(image.read(slot))
        if SUPERBLOCK.get(raw, 0, "root_generation") < newer < 1 << 64:
            SUPERBLOCK.put(raw, 0, "root_generation", newer)
            seal_superblock(raw, 0)
            image.blocks[slot] = bytes(raw)


def _size(image: SparseImage, random: Random) -> None:
    """A larger or smaller device."""
    image.block_count = max(1, new_number(image.block_count, 2, random) & 0xFFFF)
    image.block_count = min(image.block_count, 4096)
    for number in [number for number in image.blocks if number >= image.block_count]:
        del image.blocks[number]
