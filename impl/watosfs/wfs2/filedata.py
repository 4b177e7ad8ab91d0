"""Reading, writing and cutting files: a changed file is held in memory until it is written."""

import errno
from typing import Final

from watosfs.block.device import Buffer
from watosfs.errors import failure
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.node import Node

#: A file that is changed is held in memory as a whole; larger ones are read only.
FILE_BYTES_MAX: Final = 1 << 30


def _require_file(node: Node) -> None:
    if node.is_directory:
        raise failure(errno.EISDIR)


def read(engine: Engine, node: Node, offset: int, count: int) -> bytes:
    """At most ``count`` bytes. EISDIR, EINVAL, EUCLEAN."""
    engine.require_mounted()
    _require_file(node)
    if offset < 0 or count < 0:
        raise failure(errno.EINVAL)
    return engine.read(node, offset, count)


def write(engine: Engine, node: Node, offset: int, data: Buffer) -> int:
    """Write all of ``data``; a gap reads as zeros. EFBIG, ENOSPC (nothing changed then)."""
    engine.require_change()
    _require_file(node)
    if offset < 0:
        raise failure(errno.EINVAL)
    view = memoryview(data)
    if not view.nbytes:
        return 0
    end = offset + view.nbytes
    held = _held(engine, node, max(end, node.size))
    if offset > len(held):
        held.extend(bytes(offset - len(held)))
    held[offset:end] = view
    engine.resized(node)
    return view.nbytes


def truncate(engine: Engine, node: Node, size: int) -> None:
    """Set the size; what is new reads as zeros. EINVAL, EFBIG, ENOSPC."""
    engine.require_change()
    _require_file(node)
    if size < 0:
        raise failure(errno.EINVAL)
    if size == node.size:
        engine.touch(node)
        return
    held = _held(engine, node, size)
    if size < len(held):
        del held[size:]
    else:
        held.extend(bytes(size - len(held)))
    engine.resized(node)


def zero(engine: Engine, node: Node, offset: int, end: int) -> None:
    """Let a range within the file read as zeros."""
    end = min(end, node.size)
    if offset < end:
        write(engine, node, offset, bytes(end - offset))


def _held(engine: Engine, node: Node, size: int) -> bytearray:
    if max(size, node.size) > FILE_BYTES_MAX:
        raise failure(errno.EFBIG, reason="WFS v2 files over 1 GiB are read only")
    return engine.load(node, size)
