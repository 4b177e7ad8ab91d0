"""Reading and changing the contents of a file.

A change goes to a draft: a run of blocks that no entry leads to. What a write touches is written
there at once, the rest is copied at the next sync. Only when no run is free that is long enough is
a file changed where it is.
"""

import errno

from watosfs.block.device import Buffer
from watosfs.errors import DamageError, failure
from watosfs.wfs2.blocks import PAYLOAD_SIZE, blocks_of
from watosfs.wfs2.commit import sync
from watosfs.wfs2.drafts import move, read_blocks, write_blocks
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.node import Draft, Node

_SIZE_MAX = (1 << 63) - 1


def read(engine: Engine, node: Node, offset: int, count: int) -> bytes:
    """At most ``count`` bytes from ``offset`` on. EUCLEAN: damage, EINVAL: a negative range."""
    engine.require_mounted()
    if offset < 0 or count < 0:
        raise failure(errno.EINVAL)
    end = min(node.size, offset + count)
    if offset >= end:
        return b""
    first, skip = divmod(offset, PAYLOAD_SIZE)
    found = read_blocks(engine, node, first, -(-end // PAYLOAD_SIZE) - first)
    return found[skip : skip + end - offset]


def write(engine: Engine, node: Node, offset: int, data: Buffer) -> int:
    """Write all of ``data`` at ``offset``; a gap before it reads as zeros. Returns the count.

    ENOSPC: no run of blocks is long enough; EFBIG, EROFS, EUCLEAN.
    """
    engine.begin_change()
    raw = bytes(data)
    _require_size(offset, len(raw))
    if not raw:
        return 0
    end = offset + len(raw)
    _reserve(engine, node, max(node.size, end))
    if offset > node.size:
        _cut_tail(engine, node, node.size)
    first, skip = divmod(offset, PAYLOAD_SIZE)
    last, rest = divmod(end, PAYLOAD_SIZE)
    head = _cut_block(engine, node, first, skip) if skip else b""
    tail = b""
    if rest and end < node.size:
        tail = read_blocks(engine, node, last, 1)[rest:]
    write_blocks(engine, node, first, head + raw + tail)
    node.size = max(node.size, end)
    engine.modified(node)
    return len(raw)


def truncate(engine: Engine, node: Node, size: int) -> None:
    """Set the size; what is new reads as zeros. ENOSPC, EFBIG, EINVAL, EROFS, EUCLEAN."""
    engine.begin_change()
    _require_size(size, 0)
    if size == node.size:
        engine.modified(node)
        return
    _reserve(engine, node, size)
    draft = node.draft
    assert draft is not None
    _cut_tail(engine, node, min(size, node.size))
    whole = -(-size // PAYLOAD_SIZE)
    draft.kept = min(draft.kept, whole)
    draft.fresh = {index for index in draft.fresh if index < whole}
    node.size = size
    engine.modified(node)


def zero(engine: Engine, node: Node, offset: int, end: int) -> None:
    """Let a range read as zeros, within the size."""
    end = min(end, node.size)
    step = PAYLOAD_SIZE * 256
    for position in range(offset, end, step):
        write(engine, node, position, bytes(min(step, end - position)))


def _require_size(offset: int, count: int) -> None:
    if offset < 0:
        raise failure(errno.EINVAL)
    if offset + count > _SIZE_MAX:
        raise failure(errno.EFBIG)


def _cut_block(engine: Engine, node: Node, index: int, size: int) -> bytes:
    """The first ``size`` bytes of a block; what is beyond the file's end are zeros."""
    within = min(size, max(0, node.size - index * PAYLOAD_SIZE))
    found = read_blocks(engine, node, index, 1)[:within] if within else b""
    return found.ljust(size, b"\0")


def _cut_tail(engine: Engine, node: Node, size: int) -> None:
    """Make what the block at ``size`` has behind it zeros, before a file ends there or grows."""
    index, rest = divmod(size, PAYLOAD_SIZE)
    if rest:
        write_blocks(engine, node, index, _cut_block(engine, node, index, rest))


def _reserve(engine: Engine, node: Node, size: int) -> None:
    """Have a draft with room for ``size`` bytes. ENOSPC changes nothing."""
    if node.damage:
        raise DamageError("file data", node.entry.start_block, node.damage)
    blocks = blocks_of(size)
    if blocks > engine.geometry.total_blocks:
        raise failure(errno.ENOSPC)
    if _has_room(engine, node, blocks):
        return
    if engine.pending:
        sync(engine)
        if _has_room(engine, node, blocks):
            return
    if _has_room_in_place(engine, node, blocks):
        return
    raise failure(errno.ENOSPC, reason=f"no {blocks} free blocks one behind the other")


def _has_room(engine: Engine, node: Node, blocks: int) -> bool:
    draft = node.draft
    if draft is None:
        start = engine.allocate(blocks)
        if start is not None:
            engine.touch(node)
            node.draft = Draft(start, blocks, -(-node.size // PAYLOAD_SIZE))
        return start is not None
    missing = blocks - draft.blocks
    if missing <= 0 or engine.extend(draft.start + draft.blocks, missing):
        draft.blocks = max(draft.blocks, blocks)
        return True
    for wanted in (2 * blocks, blocks):
        start = engine.allocate(wanted)
        if start is not None:
            move(engine, node, start, wanted)
            return True
    return False


def _has_room_in_place(engine: Engine, node: Node, blocks: int) -> bool:
    entry = node.entry
    if node.draft is not None or not entry.blocks:
        return False
    missing = blocks - entry.blocks
    if missing > 0 and not engine.extend(entry.start_block + entry.blocks, missing):
        return False
    room = max(blocks, entry.blocks)
    engine.touch(node)
    kept = -(-node.size // PAYLOAD_SIZE)
    node.draft = Draft(entry.start_block, room, kept, in_place=True)
    return True
