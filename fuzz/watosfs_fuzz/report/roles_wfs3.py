"""What each block of a WFS v3 volume is for, found by walking down from a superblock.

Damage ends a branch quietly: this names blocks for a reader and judges nothing (``check`` does).
"""

from collections.abc import Iterator
from typing import Any

from watosfs.errors import DamageError
from watosfs.wfs3.checker.superblocks import find_superblock
from watosfs.wfs3.format import BLOCK_SIZE, CHUNK_SIZE, ROOT_INODE, SUPERBLOCK_SLOTS, Superblock
from watosfs.wfs3.node import (
    DIRECTORY,
    EXTENTS,
    FREE,
    HEADER,
    INODES,
    KINDS,
    ORPHANS,
    NodeKind,
    node_is_valid,
)
from watosfs.wfs3.records import (
    EXTENT_FLAG_HOLE,
    EXTENT_FLAG_UNWRITTEN,
    Inode,
    decode_entry,
    decode_inode,
)
from watosfs_fuzz.crash.log import ZERO_BLOCK, Image

_WITHOUT_BLOCKS = EXTENT_FLAG_HOLE | EXTENT_FLAG_UNWRITTEN


def superblock_of(block: int, data: bytes) -> Superblock | None:
    """The superblock in a write, if it is one."""
    if block not in SUPERBLOCK_SLOTS:
        return None
    found = find_superblock(data)
    return None if found is None else found[1]


def own_role(block: int, data: bytes) -> str:
    """What a block says of itself."""
    if block in SUPERBLOCK_SLOTS:
        return f"superblock slot {block}"
    kind = KINDS.get(int.from_bytes(data[:4], "little"))
    if kind is None or not node_is_valid(data):
        return "data"
    return f"{shape(kind, data)} (of an unfinished tree)"


def shape(kind: NodeKind, data: bytes) -> str:
    """``inode-tree leaf``, ``free-tree node``."""
    level = HEADER.unpack_from(data)[1]
    return f"{kind.name.replace(' ', '-')} {'node' if level else 'leaf'}"


class _Walk:
    """One walk; ``roles`` by block."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.roles: dict[int, str] = {}

    def leaves(self, root: int, kind: NodeKind, whose: str = "") -> Iterator[tuple[int, Any]]:
        """(key, value) of each leaf entry below ``root``."""
        data = self.image.get(root, ZERO_BLOCK)
        if not root or root in self.roles or not node_is_valid(data):
            return
        magic, level, count, *_ = HEADER.unpack_from(data)
        if magic != kind.magic:
            return
        self.roles[root] = shape(kind, data) + whose
        keys, values = (FREE if level else kind).decode(data, count)
        for key, value in zip(keys, values, strict=True):
            if level:
                yield from self.leaves(value, kind, whose)
            else:
                yield key, value


def tree_roles(image: Image, superblock: Superblock) -> dict[int, str]:
    """The role of each block that ``superblock`` reaches: tree nodes, and data by path and
    chunk.
    """
    walk = _Walk(image)
    for _ in walk.leaves(superblock.free_tree_block, FREE):
        pass
    for _ in walk.leaves(superblock.orphan_root, ORPHANS):
        pass
    inodes: dict[int, Inode] = {}
    for key, raw in walk.leaves(superblock.root_tree_block, INODES):
        try:
            inodes[key] = decode_inode(raw, 0)
        except DamageError:  # the checker's to report
            continue
    names = _paths(walk, inodes)
    for number, inode in sorted(inodes.items()):
        if inode.is_directory:
            continue
        name = names.get(number, f"inode {number}")
        if inode.holds_attributes:
            name = f"the attributes in inode {number}"
        for offset, extent in walk.leaves(inode.extent_root, EXTENTS, f" of {name}"):
            if extent.flags & _WITHOUT_BLOCKS:
                continue
            for i in range(-(-extent.length // BLOCK_SIZE)):
                chunk = (offset + i * BLOCK_SIZE) // CHUNK_SIZE
                walk.roles.setdefault(extent.disk_block + i, f"data of {name} chunk {chunk}")
    return walk.roles


def _paths(walk: _Walk, inodes: dict[int, Inode]) -> dict[int, str]:
    """The first path to each inode; the nodes of directories get their roles on the way."""
    names = {ROOT_INODE: "/"}
    waiting = [ROOT_INODE]
    while waiting:
        number = waiting.pop()
        inode = inodes.get(number)
        if inode is None or not inode.is_directory:
            continue
        here = names[number]
        for _, raw in walk.leaves(inode.extent_root, DIRECTORY, f" of {here}"):
            try:
                entry = decode_entry(raw, 0)
            except DamageError:  # the checker's to report
                continue
            if entry.inode_number not in names and entry.name not in (b".", b".."):
                text = entry.name.decode("utf-8", "backslashreplace")
                names[entry.inode_number] = f"{here.rstrip('/')}/{text}"
                waiting.append(entry.inode_number)
    return names
