"""The structures of WFS v3 as a mutator sees them: where the fields are, and how each is sealed.

Written down from ``docs/FORMAT.md`` once more and not taken from the implementation, so that a
mutant and its parser do not share a mistake; a test holds both against the same images.
"""

from random import Random
from typing import Final
from zlib import crc32

from watosfs.wfs3.node import KINDS
from watosfs_fuzz.parsers.layout import Layout, layout_of, mutate_bytes, mutate_field, new_number

BLOCK: Final = 4096
HEADER_BYTES: Final = 32

SUPERBLOCK: Final = layout_of(
    "superblock",
    "IHH64sIIQQQQQQQQIII4x16s32sQQQQQI4x",
    "magic version flags signature block_size chunk_size total_blocks free_blocks root_tree_block"
    " root_generation free_tree_block inode_count next_inode data_start_block compat ro_compat"
    " incompat uuid label snapshot_root refcount_root commit_time_ns orphan_root"
    " snapshot_deleting crc32",
)
HEADER: Final = layout_of(
    "node header", "IHHQQII", "magic level item_count generation parent crc32 unused"
)
PAIR: Final = layout_of("pair", "QQ", "key value")
INODE: Final = layout_of(
    "inode",
    "QIIQQIIQQQIIQQHHI160s",
    "inode_num mode flags size blocks uid gid atime mtime ctime nlink attributes_low extent_root"
    " refcount inline_size attributes_high crc32 inline",
)
ENTRY: Final = layout_of(
    "directory entry", "QBB6xQ256s", "inode_num type name_length name_hash name"
)
EXTENT: Final = layout_of(
    "extent", "QQQIIII", "file_offset disk_block length flags refcount crc32 generation"
)
SNAPSHOT: Final = layout_of(
    "snapshot",
    "QQQQIIQ256s",
    "root_tree_block orphan_root dead_root time_ns state name_length unused name",
)
DEAD_RUN: Final = layout_of("dead run", "QQ", "start count")
ATTRIBUTE: Final = layout_of("attribute", "HI", "key_length value_length")
_KEY: Final = 8
#: By magic: the fields of an entry behind its key, and the bytes of key and entry together.
LEAVES: Final[dict[int, tuple[Layout, int]]] = {
    0x494E4F44: (INODE, _KEY + INODE.size),
    0x44495245: (ENTRY, _KEY + ENTRY.size),
    # The key of an extent stands before the entry, which repeats it.
    0x45585445: (EXTENT, _KEY + EXTENT.size),
    0x46524545: (PAIR, PAIR.size),
    0x4F525048: (PAIR, PAIR.size),
    0x534E4150: (SNAPSHOT, _KEY + SNAPSHOT.size),
    0x44454144: (DEAD_RUN, _KEY + DEAD_RUN.size),
}
assert LEAVES.keys() == KINDS.keys()
assert (SUPERBLOCK.size, HEADER.size, INODE.size, ENTRY.size) == (256, 32, 256, 280)
_CRC_AT: Final = 24
_SUPERBLOCK_CRC_AT: Final = 248


def seal_superblock(raw: bytearray, start: int) -> None:
    """Make the checksum of the superblock at ``start`` right."""
    check = crc32(memoryview(raw)[start : start + _SUPERBLOCK_CRC_AT])
    at = start + _SUPERBLOCK_CRC_AT
    raw[at : at + 4] = check.to_bytes(4, "little")


def seal_node(raw: bytearray, start: int) -> None:
    """Make the checksum of the node at ``start`` right."""
    view = memoryview(raw)[start : start + BLOCK]
    check = crc32(view[_CRC_AT + 4 :], crc32(view[:_CRC_AT]))
    view.release()
    raw[start + _CRC_AT : start + _CRC_AT + 4] = check.to_bytes(4, "little")


def seal_inode(raw: bytearray, start: int) -> None:
    """Make the inode's own checksum right (over its first 74 bytes)."""
    raw[start + 92 : start + 96] = crc32(memoryview(raw)[start : start + 74]).to_bytes(4, "little")


def entry_place(raw: bytearray, magic: int, random: Random) -> tuple[Layout, int]:
    """(layout, start) of one entry of the node in ``raw``, rarely of the one behind the last."""
    level, count = HEADER.get(raw, 0, "level"), HEADER.get(raw, 0, "item_count")
    layout, stride = (PAIR, PAIR.size) if level else LEAVES[magic]
    capacity = (BLOCK - HEADER_BYTES) // stride
    index = random.randrange(min(count + random.choice((0, 0, 0, 1)), capacity) or 1)
    return layout, HEADER_BYTES + index * stride


def mutate_node(raw: bytearray, random: Random) -> None:
    """Change a node: a field of its header or of an entry, or its entries as a whole."""
    magic = HEADER.get(raw, 0, "magic")
    kind = random.random()
    if magic not in LEAVES or kind < 0.2:
        mutate_field(raw, 0, HEADER, random)
        return
    layout, start = entry_place(raw, magic, random)
    if layout is PAIR:
        mutate_field(raw, start, PAIR, random)
    elif kind < 0.3:
        _put_key(raw, start, new_number(_key(raw, start), 8, random))
    elif kind < 0.4:
        _double_entry(raw, magic, start, random)
    else:
        changed = mutate_field(raw, start + _KEY, layout, random)
        if changed in ("inode_num", "file_offset", "name_hash") and random.random() < 0.5:
            _put_key(raw, start, layout.get(raw, start + _KEY, changed))


def _key(raw: bytearray, start: int) -> int:
    return int.from_bytes(raw[start : start + _KEY], "little")


def _put_key(raw: bytearray, start: int, key: int) -> None:
    raw[start : start + _KEY] = (key & ((1 << 64) - 1)).to_bytes(_KEY, "little")


def _double_entry(raw: bytearray, magic: int, start: int, random: Random) -> None:
    """One entry once more behind itself, or gone; the count follows."""
    layout, stride = LEAVES[magic]
    count = HEADER.get(raw, 0, "item_count")
    end = min(HEADER_BYTES + count * stride, BLOCK)
    if random.random() < 0.5:
        tail = raw[start:end]
        raw[start + stride : end + stride] = tail
        del raw[BLOCK:]
        HEADER.put(raw, 0, "item_count", count + 1)
        mutate_field(raw, start + _KEY * (layout is not PAIR), layout, random)
    else:
        raw[start:end] = raw[start + stride : end].ljust(max(end - start, 0), b"\0")
        HEADER.put(raw, 0, "item_count", max(count - 1, 0))


def cross_nodes(one: bytearray, two: bytes, random: Random) -> None:
    """Entries of one node into another of the same kind."""
    magic = HEADER.get(one, 0, "magic")
    if magic not in LEAVES or HEADER.get(two, 0, "magic") != magic:
        mutate_bytes(one, 0, BLOCK, random)
        return
    _, here = entry_place(one, magic, random)
    _, there = entry_place(bytearray(two), magic, random)
    stride = PAIR.size if HEADER.get(one, 0, "level") else LEAVES[magic][1]
    one[here : here + stride] = two[there : there + stride]
    del one[BLOCK:]
