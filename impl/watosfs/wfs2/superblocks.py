"""Which of the three superblocks to go by: the first, or a backup where the first is no good."""

import errno

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs2.format import BLOCK_COUNT_MIN, MAGIC, Superblock, decode_superblock

#: WFS v3, and its later name WFS1.
_OTHER_MAGICS = (0x57465333, 0x57465331)


def newest_superblock(device: BlockDevice) -> tuple[Superblock, int]:
    """(superblock, its block). Three reads at most.

    EINVAL: there is none, so this is no WFS v2 volume. EUCLEAN: those there are damaged. Backups
    are looked for where a volume over the whole device has them.
    """
    count = device.block_count
    if count < BLOCK_COUNT_MIN:
        raise failure(errno.EINVAL, reason=f"not a WFS v2 volume: {count} blocks")
    first: OSError | None = None
    for block in (0, count // 2, count - 1):
        try:
            found = decode_superblock(bytes(device.read(block)), block, count)
        except OSError as error:
            if first is None or first.errno == errno.EINVAL:
                first = error
            continue
        if block and found.geometry.total_blocks != count:
            first = DamageError("WFS v2 superblock", block, "a backup of another volume")
            continue
        return found, block
    assert first is not None
    raise first


def is_wfs2(device: BlockDevice) -> bool:
    """Whether a device begins like a WFS v2 volume, or has a backup where one is due and nothing
    of another WFS in front. EIO.
    """
    magic = int.from_bytes(device.read(0)[:4], "little")
    if magic in (MAGIC, *_OTHER_MAGICS):
        return magic == MAGIC
    try:
        newest_superblock(device)
    except OSError:
        return False
    return True
