"""Making an empty WFS v2 volume, block for block as the published mkfs does."""

import errno

from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.wfs2.format import (
    BITMAP_BLOCK,
    BLOCK_COUNT_MAX,
    BLOCK_COUNT_MIN,
    BLOCK_SIZE,
    ENTRIES_IN_BLOCK,
    FILES_DEFAULT,
    FILES_MAX,
    FILES_MIN,
    Layout,
    Superblock,
    encode_bitmap_block,
    encode_superblock,
)


def mkfs(device: BlockDevice, *, max_files: int | None = None) -> Superblock:
    """Lay down an empty volume over the whole device; its superblock.

    ``max_files`` is 256 to 65536; without it 4096, or fewer where the table would not end before
    the middle copy of the superblock. EINVAL for another, a table that does not fit, or a device
    under 1 MiB; EROFS for a read-only one. A power cut on the way leaves no volume.
    """
    total = min(device.block_count, BLOCK_COUNT_MAX)
    if device.block_size_bytes != BLOCK_SIZE or total < BLOCK_COUNT_MIN:
        raise failure(errno.EINVAL, reason=f"{total} blocks: 1 MiB in blocks of 4096 is the least")
    if device.capabilities.read_only:
        raise failure(errno.EROFS)
    if max_files is None:
        max_files = FILES_DEFAULT
        while not Layout(total, max_files).is_sound:
            max_files -= ENTRIES_IN_BLOCK
    layout = Layout(total, max_files)
    if not FILES_MIN <= max_files <= FILES_MAX or not layout.is_sound:
        raise failure(errno.EINVAL, reason=f"a table of {max_files} files on {total} blocks")
    for block in layout.superblocks:
        device.write(block, bytes(BLOCK_SIZE))
    device.flush()
    free = layout.data_runs()
    for index in range(layout.bitmap_blocks):
        device.write(BITMAP_BLOCK + index, encode_bitmap_block(layout, index, free))
    zeros = bytes(256 * BLOCK_SIZE)
    for at in range(0, layout.table_blocks, 256):
        count = min(256, layout.table_blocks - at)
        device.write(layout.table_block + at, memoryview(zeros)[: count * BLOCK_SIZE])
    for block, raw in layout.boundaries().items():
        device.write(block, raw)
    device.flush()
    count = sum(end - start for start, end in free)
    superblock = Superblock(total, count, max_files, 0)
    for block in layout.superblocks:
        device.write(block, encode_superblock(superblock))
    device.flush()
    return superblock
