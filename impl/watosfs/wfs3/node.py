"""B+tree nodes of WFS v3: one block, decoded once into lists (``docs/FORMAT.md`` section 3).

A decoded node keeps its keys as a list of ints, because bisecting ints is ten times faster than
bisecting packed bytes, and its values in the cheapest form that still can be changed: children and
free ranges as ints, extents as tuples, inodes and directory entries as the packed bytes of the
entry.
"""

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from zlib import crc32

from watosfs.block.device import Buffer
from watosfs.errors import DamageError
from watosfs.wfs3.format import BLOCK_SIZE, FIRST_USABLE_BLOCK
from watosfs.wfs3.records import Extent, Inode

HEADER: Final = struct.Struct("<IHHQQI4x")
HEADER_SIZE: Final = 32
assert HEADER.size == HEADER_SIZE
_CRC_OFFSET: Final = 24
AREA_SIZE: Final = BLOCK_SIZE - HEADER_SIZE
INTERNAL_CAPACITY: Final = AREA_SIZE // 16
LEVEL_MAX: Final = 15

_QUAD: Final = struct.Struct("<Q")
_EXTENT_ENTRY: Final = struct.Struct("<QQQQIIII")
_DEAD_ENTRY: Final = struct.Struct("<QQQ")


@cache
def _pairs(count: int) -> struct.Struct:
    return struct.Struct("<" + "QQ" * count)


@cache
def _records(count: int, value_size: int) -> struct.Struct:
    return struct.Struct("<" + f"Q{value_size}s" * count)


def _decode_pairs(data: Buffer, count: int) -> tuple[list[int], list[Any]]:
    flat = _pairs(count).unpack_from(data, HEADER_SIZE)
    return list(flat[::2]), list(flat[1::2])


def _encode_pairs(keys: list[int], values: list[Any]) -> bytes:
    flat = keys + values
    flat[::2], flat[1::2] = keys, values
    return _pairs(len(keys)).pack(*flat)


def _decode_extents(data: Buffer, count: int) -> tuple[list[int], list[Any]]:
    area = memoryview(data)[HEADER_SIZE : HEADER_SIZE + count * 48]
    entries = list(_EXTENT_ENTRY.iter_unpack(area))
    return [entry[0] for entry in entries], [Extent(*entry[1:]) for entry in entries]


def _encode_extents(keys: list[int], values: list[Any]) -> bytes:
    pack = _EXTENT_ENTRY.pack
    return b"".join([pack(key, *value) for key, value in zip(keys, values, strict=True)])


def _decode_dead(data: Buffer, count: int) -> tuple[list[int], list[Any]]:
    area = memoryview(data)[HEADER_SIZE : HEADER_SIZE + count * _DEAD_ENTRY.size]
    entries = list(_DEAD_ENTRY.iter_unpack(area))
    return [entry[0] for entry in entries], [entry[1:] for entry in entries]


def _encode_dead(keys: list[int], values: list[Any]) -> bytes:
    pack = _DEAD_ENTRY.pack
    return b"".join([pack(key, *value) for key, value in zip(keys, values, strict=True)])


def _record_decoder(value_size: int) -> Callable[[Buffer, int], tuple[list[int], list[Any]]]:
    def decode(data: Buffer, count: int) -> tuple[list[int], list[Any]]:
        flat = _records(count, value_size).unpack_from(data, HEADER_SIZE)
        return list(flat[::2]), list(flat[1::2])

    return decode


def _encode_entries(keys: list[int], values: list[Any]) -> bytes:
    pack = _QUAD.pack
    return b"".join([pack(key) + value for key, value in zip(keys, values, strict=True)])


def _encode_inodes(keys: list[int], values: list[Any]) -> bytes:
    pack = _QUAD.pack
    return b"".join(
        [
            pack(key) + (value.pack() if type(value) is Inode else value)
            for key, value in zip(keys, values, strict=True)
        ]
    )


class NodeKind:
    """One tree's leaf layout: magic, value size, capacity, codec; ``unique`` when keys may not
    repeat, ``is_kept`` when snapshots keep its nodes.
    """

    __slots__ = ("capacity", "decode", "encode", "is_kept", "magic", "name", "stride", "unique")

    def __init__(
        self,
        name: str,
        magic: int,
        value_size: int,
        decode: Callable[[Buffer, int], tuple[list[int], list[Any]]],
        encode: Callable[[list[int], list[Any]], bytes],
        *,
        unique: bool = True,
        is_kept: bool = True,
    ) -> None:
        self.name = name
        self.magic = magic
        self.stride = 8 + value_size
        self.capacity = AREA_SIZE // self.stride
        self.decode = decode
        self.encode = encode
        self.unique = unique
        self.is_kept = is_kept

    def __repr__(self) -> str:
        return f"NodeKind({self.name})"


INODES: Final = NodeKind("inode tree", 0x494E4F44, 256, _record_decoder(256), _encode_inodes)
DIRECTORY: Final = NodeKind(
    "directory tree", 0x44495245, 280, _record_decoder(280), _encode_entries, unique=False
)
EXTENTS: Final = NodeKind("extent tree", 0x45585445, 40, _decode_extents, _encode_extents)
FREE: Final = NodeKind("free tree", 0x46524545, 8, _decode_pairs, _encode_pairs, is_kept=False)
ORPHANS: Final = NodeKind("orphan tree", 0x4F525048, 8, _decode_pairs, _encode_pairs)
SNAPSHOTS: Final = NodeKind(
    "snapshot tree", 0x534E4150, 304, _record_decoder(304), _encode_entries, is_kept=False
)
#: Blocks that only snapshots use, by the generation that wrote them: (first block, count).
DEAD: Final = NodeKind(
    "dead list", 0x44454144, 16, _decode_dead, _encode_dead, unique=False, is_kept=False
)
KINDS: Final = {
    kind.magic: kind for kind in (INODES, DIRECTORY, EXTENTS, FREE, ORPHANS, SNAPSHOTS, DEAD)
}
assert (INODES.capacity, DIRECTORY.capacity, EXTENTS.capacity, FREE.capacity) == (15, 14, 84, 254)
assert (SNAPSHOTS.capacity, DEAD.capacity) == (13, 169)


class Node:
    """A decoded node. ``values`` are children (block numbers, or dirty ``Node`` objects) when
    ``level`` > 0.

    ``block`` is where the node is stored, 0 while it is dirty (it gets a new place at commit).
    """

    __slots__ = ("block", "generation", "keys", "kind", "level", "values")

    def __init__(
        self, kind: NodeKind, level: int, keys: list[int], values: list[Any], block: int = 0
    ) -> None:
        self.kind = kind
        self.level = level
        self.keys = keys
        self.values = values
        self.block = block
        self.generation = 0


def node_crc(data: Buffer) -> int:
    """CRC-32 over the block without its CRC field (bytes 24..27)."""
    view = memoryview(data)
    return crc32(view[_CRC_OFFSET + 4 :], crc32(view[:_CRC_OFFSET]))


def node_is_valid(data: Buffer) -> bool:
    """Known magic and matching CRC: the ``accept`` check of node reads."""
    return int.from_bytes(data[:4], "little") in KINDS and int.from_bytes(
        data[24:28], "little"
    ) == node_crc(data)


def encode_node(node: Node, generation: int) -> bytes:
    """The node's block, with CRC; unused bytes are zero. Children must be block numbers by now."""
    kind = node.kind
    if node.level:
        body = _encode_pairs(node.keys, node.values)
    else:
        body = kind.encode(node.keys, node.values)
    head = HEADER.pack(kind.magic, node.level, len(node.keys), generation, 0, 0)
    tail = body.ljust(AREA_SIZE, b"\0")
    check = crc32(tail, crc32(b"\0\0\0\0", crc32(head[:_CRC_OFFSET])))
    return b"%b%b\0\0\0\0%b" % (head[:_CRC_OFFSET], check.to_bytes(4, "little"), tail)


def decode_node(
    data: Buffer,
    block: int,
    kind: NodeKind,
    *,
    total_blocks: int,
    generation_max: int,
    level: int | None = None,
    strict: bool = True,
) -> Node:
    """The node in ``data``, validated before anything of it is used.

    ``level`` is what the parent demands (None for a root). ``strict`` is False only for images of
    the published tools, whose nodes may be newer than the superblock and whose root directory is
    unsorted. Raises DamageError naming the field.
    """
    magic, found_level, count, generation, _parent, stored_crc = HEADER.unpack_from(data)

    def damage(problem: str) -> DamageError:
        return DamageError(kind.name, block, problem)

    if magic != kind.magic:
        raise damage(f"magic {magic:#010x} is not {kind.magic:#010x}")
    if stored_crc != node_crc(data):
        raise damage(f"crc32 {stored_crc:#010x} does not match the contents")
    if found_level > LEVEL_MAX or (level is not None and found_level != level):
        raise damage(f"level {found_level} where {'at most 15' if level is None else level} is due")
    if strict and generation > generation_max:
        raise damage(f"generation {generation} is above {generation_max}")
    capacity = INTERNAL_CAPACITY if found_level else kind.capacity
    if count > capacity or (found_level and not count):
        raise damage(f"item_count {count} of a level-{found_level} node is outside 0..{capacity}")
    keys, values = _decode_pairs(data, count) if found_level else kind.decode(data, count)
    in_order = sorted(keys)
    if keys != in_order:
        if strict or found_level or kind is not DIRECTORY:
            raise damage("keys are out of order")
        values = [value for _, value in sorted(zip(keys, values, strict=True))]
        keys = in_order
    if (kind.unique and len(set(keys)) != count) if count else False:
        raise damage("a key repeats")
    if found_level and not all(FIRST_USABLE_BLOCK <= child < total_blocks for child in values):
        raise damage("a child lies outside the volume")
    node = Node(kind, found_level, keys, values, block)
    node.generation = generation
    return node
