"""WFS v3 on disk: constants and the superblock.

Offsets, names and the checksum rule are those of ``docs/FORMAT.md`` sections 1 and 2. The
independent checker builds on this module, ``records`` and ``node`` and on nothing else of
``wfs3``.
"""

import struct
from typing import Final, NamedTuple
from zlib import crc32

from watosfs.block.device import Buffer

BLOCK_SIZE: Final = 4096
CHUNK_SIZE: Final = 65536
CHUNK_BLOCKS: Final = CHUNK_SIZE // BLOCK_SIZE
SUPERBLOCK_SLOTS: Final = (0, 1)
FIRST_USABLE_BLOCK: Final = 2
DATA_START_BLOCK: Final = 5
BLOCK_COUNT_MIN: Final = 256
BLOCK_COUNT_MAX: Final = 1 << 52
#: Generations and inode numbers on disk; what counts on from there never leaves its 64 bits.
COUNTER_MAX: Final = 1 << 62

MAGIC_WFS3: Final = 0x57465333
MAGIC_WFS1: Final = 0x57465331
VERSIONS: Final = {MAGIC_WFS3: 3, MAGIC_WFS1: 1}
SIGNATURE: Final = b"WFS3 CoW FileSystem - Chris Watkins <chris@watkinslabs.com>"

ROOT_INODE: Final = 1
INLINE_SIZE_MAX: Final = 160
NAME_MAX: Final = 255
PATH_MAX: Final = 4096
LINK_MAX: Final = 65000
SYMLINK_DEPTH_MAX: Final = 40
FILE_SIZE_MAX: Final = (1 << 63) - 1
#: Bytes of all extended attributes of an inode.
ATTRIBUTES_MAX: Final = 65536

#: Compatible features (a reader or writer that does not know them may go on).
COMPAT_NANOSECOND_TIMES: Final = 1 << 0
#: Read-only-compatible features (who does not know them may read).
RO_COMPAT_ORPHAN_TREE: Final = 1 << 0
RO_COMPAT_ATTRIBUTES: Final = 1 << 1
RO_COMPAT_SNAPSHOTS: Final = 1 << 2
#: Incompatible features (who does not know them must refuse).
INCOMPAT_RAW_DATA: Final = 1 << 0
INCOMPAT_COMPRESSION: Final = 1 << 1

COMPAT_KNOWN: Final = COMPAT_NANOSECOND_TIMES
RO_COMPAT_KNOWN: Final = RO_COMPAT_ORPHAN_TREE | RO_COMPAT_ATTRIBUTES | RO_COMPAT_SNAPSHOTS
INCOMPAT_KNOWN: Final = INCOMPAT_RAW_DATA | INCOMPAT_COMPRESSION

_SUPERBLOCK = struct.Struct("<IHH64sIIQQQQQQQQIII4x16s32sQQQQQI4x")
_SUPERBLOCK_CRC_BYTES: Final = 248
SUPERBLOCK_SIZE: Final = 256
assert _SUPERBLOCK.size == SUPERBLOCK_SIZE


class Superblock(NamedTuple):
    """The 256 bytes at the start of blocks 0 and 1; field names as in ``docs/FORMAT.md`` section 2.

    ``free_blocks`` counts the blocks in the free tree of this generation (also those that are still
    held back). ``orphan_root`` is the root of the orphan tree. A root of 0 means an empty tree.
    """

    magic: int
    version: int
    flags: int
    signature: bytes
    block_size: int
    chunk_size: int
    total_blocks: int
    free_blocks: int
    root_tree_block: int
    root_generation: int
    free_tree_block: int
    inode_count: int
    next_inode: int
    data_start_block: int
    compat: int
    ro_compat: int
    incompat: int
    uuid: bytes
    label: bytes
    snapshot_root: int
    refcount_root: int
    commit_time_ns: int
    orphan_root: int
    #: Generation of the snapshot that is being deleted, 0 for none.
    snapshot_deleting: int = 0

    @property
    def is_published_layout(self) -> bool:
        """True for an image of the published tools: data blocks in node headers, laxer nodes,
        read-only here.
        """
        return not self.incompat & INCOMPAT_RAW_DATA


def encode_superblock(superblock: Superblock) -> bytes:
    """A whole block: the superblock at byte 0 with its CRC, the rest zero."""
    body = bytearray(_SUPERBLOCK.pack(*superblock, 0))
    body[_SUPERBLOCK_CRC_BYTES : _SUPERBLOCK_CRC_BYTES + 4] = crc32(
        memoryview(body)[:_SUPERBLOCK_CRC_BYTES]
    ).to_bytes(4, "little")
    return bytes(body) + bytes(BLOCK_SIZE - SUPERBLOCK_SIZE)


def decode_superblock(block: Buffer, offset: int = 0) -> Superblock | None:
    """The superblock at ``offset``, or None when magic, version or CRC are not those of one."""
    fields = _SUPERBLOCK.unpack_from(block, offset)
    if VERSIONS.get(fields[0]) != fields[1]:
        return None
    view = memoryview(block)[offset : offset + _SUPERBLOCK_CRC_BYTES]
    if fields[-1] != crc32(view):
        return None
    return Superblock(*fields[:-1])


def superblock_problem(superblock: Superblock, device_blocks: int) -> str | None:
    """What makes a superblock with a good CRC unusable on a device of ``device_blocks``, or
    None.
    """
    total = superblock.total_blocks
    if superblock.block_size != BLOCK_SIZE:
        return f"block_size {superblock.block_size} is not {BLOCK_SIZE}"
    if not BLOCK_COUNT_MIN <= total <= BLOCK_COUNT_MAX:
        return f"total_blocks {total} is outside {BLOCK_COUNT_MIN}..{BLOCK_COUNT_MAX}"
    if total > device_blocks:
        return f"total_blocks {total} exceeds the device's {device_blocks}"
    if superblock.data_start_block != DATA_START_BLOCK:
        return f"data_start_block {superblock.data_start_block} is not {DATA_START_BLOCK}"
    if not 1 <= superblock.root_generation <= COUNTER_MAX:
        return f"root_generation {superblock.root_generation} is outside 1..{COUNTER_MAX}"
    if superblock.next_inode > COUNTER_MAX:
        return f"next_inode {superblock.next_inode} is above {COUNTER_MAX}"
    if superblock.next_inode <= ROOT_INODE:
        return f"next_inode {superblock.next_inode} is not above the root's"
    if superblock.inode_count > COUNTER_MAX:
        return f"inode_count {superblock.inode_count} is above {COUNTER_MAX}"
    if superblock.free_blocks > total:
        return f"free_blocks {superblock.free_blocks} exceeds total_blocks {total}"
    if not FIRST_USABLE_BLOCK <= superblock.root_tree_block < total:
        return f"root_tree_block {superblock.root_tree_block} is outside the volume"
    for name in ("free_tree_block", "orphan_root", "snapshot_root", "refcount_root"):
        root = getattr(superblock, name)
        if root and not FIRST_USABLE_BLOCK <= root < total:
            return f"{name} {root} is outside the volume"
    return None


def name_hash(name: bytes) -> int:
    """FNV-1a, 64 bits, over the raw bytes of a name: the key of its directory entry."""
    known = _hashes.get(name)
    if known is not None:
        return known
    value = 0xCBF29CE484222325
    for byte in name:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    if len(_hashes) >= _HASHES_MAX:
        _hashes.clear()
    _hashes[name] = value
    return value


_HASHES_MAX: Final = 65536
_hashes: dict[bytes, int] = {}


def block_count_of(size_bytes: int) -> int:
    """How many blocks hold ``size_bytes``."""
    return -(-size_bytes // BLOCK_SIZE)
