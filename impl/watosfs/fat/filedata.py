"""Bytes of files: runs of clusters read and written as one transfer each.

FAT has no holes: what a file grows by is written as zeros. Bytes behind a file's end are whatever
they were, in the last cluster too, so growing begins with zeros at the old end.
"""

import errno
from collections.abc import Iterator
from typing import Final

from watosfs.block.device import Buffer
from watosfs.errors import DamageError, failure
from watosfs.fat.chains import Chain
from watosfs.fat.engine import Engine
from watosfs.fat.entries import ARCHIVE
from watosfs.fat.format import FILE_SIZE_MAX
from watosfs.fat.node import Node

_ZEROS: Final = memoryview(bytes(1 << 20))
_PADDED_MAX: Final = 65536


def read(engine: Engine, node: Node, offset: int, count: int) -> bytes:
    """At most ``count`` bytes from ``offset`` on. EUCLEAN when the chain is shorter than the size;
    EINVAL for negative numbers.
    """
    if offset < 0 or count < 0:
        raise failure(errno.EINVAL)
    count = min(count, node.size - offset)
    if count <= 0:
        return b""
    chain = node.chain or engine.chain(node)
    geometry, access = engine.geometry, engine.access
    if offset + count > chain.count * geometry.cluster_size:
        raise _too_short(node)
    if len(chain.firsts) == 1:
        return bytes(access.read(geometry.cluster_offset(chain.firsts[0]) + offset, count))
    pieces = [access.read(*piece) for piece in _pieces(engine, chain, offset, count)]
    return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)


def _pieces(engine: Engine, chain: Chain, offset: int, count: int) -> Iterator[tuple[int, int]]:
    """(place on the volume, bytes) of each contiguous piece of a file's range."""
    geometry = engine.geometry
    size = geometry.cluster_size
    index, skip = divmod(offset, size)
    clusters = -(-(skip + count) // size)
    for cluster, length in chain.pieces(index, clusters):
        piece = min(length * size - skip, count)
        yield geometry.cluster_offset(cluster) + skip, piece
        count -= piece
        skip = 0


def _too_short(node: Node) -> DamageError:
    return DamageError(f"file {node.name!r}", node.first, "its chain is shorter than its size")


def write(engine: Engine, node: Node, offset: int, data: Buffer) -> int:
    """Write all of ``data``; the file grows as needed. EFBIG beyond 4 GiB - 1, ENOSPC: nothing has
    changed.
    """
    if offset < 0:
        raise failure(errno.EINVAL)
    view = memoryview(data)
    count = view.nbytes
    if not count:
        return 0
    end = offset + count
    _reach(engine, node, end)
    old_size = node.size
    if offset > old_size:
        _put_zeros(engine, node, old_size, offset - old_size)
    _put(engine, node, offset, view, is_last=end >= old_size)
    node.size = max(old_size, end)
    _changed(engine, node)
    return count


def _reach(engine: Engine, node: Node, end: int) -> None:
    """Let the chain have room for ``end`` bytes."""
    if end > FILE_SIZE_MAX:
        raise failure(errno.EFBIG)
    engine.begin_change()
    chain = engine.chain(node)
    size = engine.geometry.cluster_size
    if node.size > chain.count * size:
        raise _too_short(node)
    clusters = -(-end // size)
    if clusters > chain.count:
        engine.chains.extend(chain, clusters - chain.count)


def _put(engine: Engine, node: Node, offset: int, view: memoryview, *, is_last: bool) -> None:
    access, chain = engine.access, engine.chain(node)
    count = view.nbytes
    if is_last and count <= _PADDED_MAX:
        # Nothing behind it counts: whole blocks spare reading what they hold.
        rest = -(offset + count) % access.unit
        if rest and engine.geometry.cluster_size % access.unit == 0:
            view = memoryview(bytes(view) + bytes(rest))
            count += rest
    done = 0
    for place, piece in _pieces(engine, chain, offset, count):
        access.write(place, view[done : done + piece])
        done += piece
    engine.data_written()


def _put_zeros(engine: Engine, node: Node, offset: int, count: int) -> None:
    access = engine.access
    for place, piece in _pieces(engine, engine.chain(node), offset, count):
        for done in range(0, piece, len(_ZEROS)):
            access.write(place + done, _ZEROS[: piece - done])
    engine.data_written()


def zero(engine: Engine, node: Node, offset: int, end: int) -> None:
    """Let a range of a file read as zeros; its size stays."""
    engine.begin_change()
    end = min(end, node.size)
    if offset < end:
        if end > engine.chain(node).count * engine.geometry.cluster_size:
            raise _too_short(node)
        _put_zeros(engine, node, offset, end - offset)
        _changed(engine, node)


def truncate(engine: Engine, node: Node, size: int) -> None:
    """Set the size: zeros are added, clusters are given back. EINVAL, EFBIG, ENOSPC."""
    if size < 0:
        raise failure(errno.EINVAL)
    if size > node.size:
        _reach(engine, node, size)
        _put_zeros(engine, node, node.size, size - node.size)
    else:
        engine.begin_change()
        chain = engine.chain(node)
        if size == node.size and chain.count == -(-size // engine.geometry.cluster_size):
            _changed(engine, node)
            return
        engine.chains.cut(chain, -(-size // engine.geometry.cluster_size))
    node.size = size
    _changed(engine, node)


def _changed(engine: Engine, node: Node) -> None:
    node.set_modified(engine.clock(), engine.offset_s)
    node.accessed_date = node.modified[0]
    node.attributes |= ARCHIVE
    engine.touch(node)
