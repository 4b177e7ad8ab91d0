"""Making an empty WFS v3 volume. A crash in the middle leaves no volume, never half of one."""

import errno
import stat
import time
import uuid as uuids
from collections.abc import Callable

from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.wfs3.compressing import LEVEL_MAX, set_level
from watosfs.wfs3.format import (
    BLOCK_COUNT_MAX,
    BLOCK_COUNT_MIN,
    BLOCK_SIZE,
    CHUNK_SIZE,
    COMPAT_NANOSECOND_TIMES,
    DATA_START_BLOCK,
    INCOMPAT_RAW_DATA,
    MAGIC_WFS3,
    RO_COMPAT_ATTRIBUTES,
    RO_COMPAT_ORPHAN_TREE,
    ROOT_INODE,
    SIGNATURE,
    SUPERBLOCK_SLOTS,
    VERSIONS,
    Superblock,
    encode_superblock,
    name_hash,
)
from watosfs.wfs3.node import DIRECTORY, FREE, INODES, Node, encode_node
from watosfs.wfs3.records import TYPE_DIRECTORY, Inode, encode_entry

_INODE_TREE_BLOCK, _FREE_TREE_BLOCK, _ROOT_DIRECTORY_BLOCK = 2, 3, 4
_LABEL_SIZE_MAX = 32


def mkfs(
    device: BlockDevice,
    *,
    label: bytes = b"",
    uuid: bytes | None = None,
    compression: int = 0,
    clock: Callable[[], int] = time.time_ns,
) -> Superblock:
    """Lay down an empty volume over the whole device; its superblock.

    ``label`` is at most 32 bytes of UTF-8, ``uuid`` 16 bytes (random by default), ``compression``
    the level of the root directory (``compressing``). Raises EINVAL for a bad argument or a device
    under 1 MiB, EROFS for a read-only one.
    """
    total = min(device.block_count, BLOCK_COUNT_MAX)
    if device.block_size_bytes != BLOCK_SIZE:
        raise failure(
            errno.EINVAL, reason=f"block size {device.block_size_bytes} is not {BLOCK_SIZE}"
        )
    if total < BLOCK_COUNT_MIN:
        raise failure(
            errno.EINVAL, reason=f"{total} blocks are fewer than {BLOCK_COUNT_MIN} (1 MiB)"
        )
    if len(label) > _LABEL_SIZE_MAX or b"\0" in label:
        raise failure(errno.EINVAL, reason="a label is at most 32 bytes without NUL")
    if not 0 <= compression <= LEVEL_MAX:
        raise failure(errno.EINVAL, reason=f"the level of compression is 0 to {LEVEL_MAX}")
    if device.capabilities.read_only:
        raise failure(errno.EROFS)
    now = max(clock(), 0)
    superblock = Superblock(
        magic=MAGIC_WFS3,
        version=VERSIONS[MAGIC_WFS3],
        flags=0,
        signature=SIGNATURE.ljust(64, b"\0"),
        block_size=BLOCK_SIZE,
        chunk_size=CHUNK_SIZE,
        total_blocks=total,
        free_blocks=total - DATA_START_BLOCK,
        root_tree_block=_INODE_TREE_BLOCK,
        root_generation=1,
        free_tree_block=_FREE_TREE_BLOCK,
        inode_count=1,
        next_inode=ROOT_INODE + 1,
        data_start_block=DATA_START_BLOCK,
        compat=COMPAT_NANOSECOND_TIMES,
        ro_compat=RO_COMPAT_ORPHAN_TREE | RO_COMPAT_ATTRIBUTES,
        incompat=INCOMPAT_RAW_DATA,
        uuid=uuid if uuid is not None else uuids.uuid4().bytes,
        label=label.ljust(_LABEL_SIZE_MAX, b"\0"),
        snapshot_root=0,
        refcount_root=0,
        commit_time_ns=now,
        orphan_root=0,
    )
    for slot in SUPERBLOCK_SLOTS:
        device.write(slot, bytes(BLOCK_SIZE))
    device.flush()
    for node in first_nodes(total, now, compression):
        device.write(node.block, encode_node(node, 1))
    device.flush()
    for slot in SUPERBLOCK_SLOTS:
        device.write(slot, encode_superblock(superblock))
    device.flush()
    return superblock


def first_nodes(total: int, now_ns: int, compression: int = 0) -> list[Node]:
    """The three trees of an empty volume, a leaf each."""
    root = Inode(ROOT_INODE, stat.S_IFDIR | 0o755, now_ns, 2)
    set_level(root, compression)
    root.extent_root = _ROOT_DIRECTORY_BLOCK
    dots = sorted((name_hash(name), name) for name in (b".", b".."))
    entries = [encode_entry(ROOT_INODE, TYPE_DIRECTORY, key, name) for key, name in dots]
    return [
        Node(INODES, 0, [ROOT_INODE], [root], _INODE_TREE_BLOCK),
        Node(FREE, 0, [DATA_START_BLOCK], [total - DATA_START_BLOCK], _FREE_TREE_BLOCK),
        Node(DIRECTORY, 0, [key for key, _ in dots], entries, _ROOT_DIRECTORY_BLOCK),
    ]
