"""Growing a mounted volume: one commit, whose free tree has the blocks that were added."""

import errno
from typing import TYPE_CHECKING

from watosfs.errors import failure
from watosfs.wfs3.format import BLOCK_COUNT_MAX, BLOCK_SIZE

if TYPE_CHECKING:
    from watosfs.wfs3.volume import Volume


def grow(volume: "Volume", total_blocks: int) -> None:
    """Let the volume have ``total_blocks``, durably; files may be open. Costs a commit, whatever
    is added. A power cut leaves the old size or the new.

    EINVAL for fewer than it has, more than the device has or the format allows; EBUSY inside a
    transaction; EROFS, ENOSPC, and EIO for ever once a commit failed.
    """
    volume.sync()
    engine = volume.engine
    before = engine.superblock.total_blocks
    most = min(engine.device.block_count, BLOCK_COUNT_MAX)
    if not before <= total_blocks <= most:
        size, limit = total_blocks * BLOCK_SIZE, most * BLOCK_SIZE
        raise failure(
            errno.EINVAL, reason=f"{size} bytes: it has {before * BLOCK_SIZE}, its device {limit}"
        )
    if total_blocks == before:
        return
    with volume.change():
        engine.admit(0, drops=1)
        engine.store.total_blocks = engine.allocator.hi = total_blocks
        # As if it had been in use: the free tree gets it, and it is handed out when that is safe.
        engine.allocator.drop(before, total_blocks - before)
        engine.commit(force=True)
    engine.space.set_reserve()
