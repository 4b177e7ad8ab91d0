"""Make an empty WFS v2 volume: byte for byte what the published mkfs makes, where that is sound.

The published tool lets the second superblock lie in the table of a small volume. Such a table is
made shorter here, or refused when its length was asked for.
"""

import errno

from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.wfs2.blocks import boundaries
from watosfs.wfs2.format import (
    BITMAP_BLOCK,
    BLOCK_COUNT_MAX,
    BLOCK_COUNT_MIN,
    BLOCK_SIZE,
    FILES_DEFAULT,
    FILES_MAX,
    FILES_MIN,
    Geometry,
    Superblock,
    encode_superblock,
)
from watosfs.wfs2.space import Space

_CHUNK_BLOCKS = 256


def mkfs(device: BlockDevice, *, max_files: int | None = None) -> Superblock:
    """Make a volume over all of ``device``, with room for ``max_files`` (256 to 65,536; 4,096, or
    what fits). Durable on return; until then there is no volume. EINVAL, EROFS, EIO.
    """
    if device.block_size_bytes != BLOCK_SIZE:
        raise failure(errno.EINVAL, reason=f"blocks of {device.block_size_bytes} bytes")
    geometry = _geometry(device.block_count, max_files)
    for block in geometry.superblocks:
        device.write(block, bytes(BLOCK_SIZE))
    device.flush()
    space = Space(geometry.total_blocks, geometry.reserved_runs)
    for index in range(geometry.bitmap_blocks):
        device.write(BITMAP_BLOCK + index, space.bitmap_block(index))
    end = geometry.filetable_block + geometry.filetable_blocks
    for first in range(geometry.filetable_block, end, _CHUNK_BLOCKS):
        device.write(first, bytes(min(_CHUNK_BLOCKS, end - first) * BLOCK_SIZE))
    for block, raw in boundaries(geometry).items():
        device.write(block, raw)
    superblock = Superblock(geometry, space.free_count, 0)
    for block in geometry.superblocks[1:]:
        device.write(block, encode_superblock(superblock))
    device.flush()
    device.write(0, encode_superblock(superblock))
    device.flush()
    return superblock


def _geometry(total_blocks: int, max_files: int | None) -> Geometry:
    if not BLOCK_COUNT_MIN <= total_blocks <= BLOCK_COUNT_MAX:
        reason = f"{total_blocks} blocks, a WFS v2 volume has at least {BLOCK_COUNT_MIN}"
        raise failure(errno.EINVAL, reason=reason)
    if max_files is not None and not FILES_MIN <= max_files <= FILES_MAX:
        reason = f"a table of {max_files} files, it has {FILES_MIN} to {FILES_MAX}"
        raise failure(errno.EINVAL, reason=reason)
    geometry = Geometry(total_blocks, FILES_DEFAULT if max_files is None else max_files)
    while geometry.is_overlapped and max_files is None:
        geometry = Geometry(total_blocks, geometry.max_files // 2)
    if geometry.is_overlapped:
        reason = f"a table of {max_files} files does not fit before block {geometry.mid - 1}"
        raise failure(errno.EINVAL, reason=reason)
    return geometry
