"""File contents as sparse blocks: a canonical form, in which a hole and written zeros are the same
[F5].
"""

from collections.abc import Mapping

from watosfs_model.state import BLOCK_BYTES, FIFO, FILE, SYMLINK, Inode

WHOLE_BYTES_MAX = 1 << 20
_ZERO = bytes(BLOCK_BYTES)


def read(inode: Inode, offset: int, count: int) -> bytes:
    """At most ``count`` bytes from ``offset``; empty at and beyond the end [F4]."""
    end = min(offset + count, inode.size)
    if offset >= end:
        return b""
    out = bytearray(end - offset)
    first, last = offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
    blocks = inode.blocks
    inside = (
        range(first, last + 1)
        if last - first <= len(blocks)
        else [index for index in blocks if first <= index <= last]
    )
    for index in inside:
        block = blocks.get(index)
        if block is not None:
            base = index * BLOCK_BYTES
            low, high = max(base, offset), min(base + BLOCK_BYTES, end)
            out[low - offset : high - offset] = block[low - base : high - base]
    return bytes(out)


def written(blocks: Mapping[int, bytes], offset: int, data: bytes) -> dict[int, bytes]:
    """The blocks after ``data`` is put at ``offset``."""
    new = dict(blocks)
    overwrite(new, offset, data)
    return new


def overwrite(blocks: dict[int, bytes], offset: int, data: bytes) -> None:
    """Put ``data`` at ``offset``, in place."""
    end = offset + len(data)
    for index in range(offset // BLOCK_BYTES, -(-end // BLOCK_BYTES)):
        base = index * BLOCK_BYTES
        low, high = max(base, offset), min(base + BLOCK_BYTES, end)
        block = blocks.get(index, _ZERO)
        piece = data[low - offset : high - offset]
        put(blocks, index, block[: low - base] + piece + block[high - base :])


def pieces(blocks: Mapping[int, bytes], start: int, end: int) -> list[tuple[int, bytes]]:
    """What is kept of the bytes from ``start`` to before ``end``: (offset, bytes), in order."""
    found = []
    for index in sorted(blocks):
        base = index * BLOCK_BYTES
        low, high = max(base, start), min(base + BLOCK_BYTES, end)
        if low < high:
            found.append((low, blocks[index][low - base : high - base]))
    return found


def zeroed(blocks: Mapping[int, bytes], start: int, end: int) -> dict[int, bytes]:
    """The blocks after the bytes from ``start`` to before ``end`` are zeros."""
    new = dict(blocks)
    for offset, piece in pieces(blocks, start, end):
        overwrite(new, offset, bytes(len(piece)))
    return new


def first_nonzero(blocks: Mapping[int, bytes], start: int, end: int) -> int | None:
    """Where the first byte that is not zero lies, or None."""
    for offset, piece in pieces(blocks, start, end):
        rest = piece.lstrip(b"\0")
        if rest:
            return offset + len(piece) - len(rest)
    return None


def cut(blocks: Mapping[int, bytes], size: int) -> dict[int, bytes]:
    """The blocks after everything from ``size`` on is gone [F6]."""
    new = {index: block for index, block in blocks.items() if index * BLOCK_BYTES < size}
    index, inside = divmod(size, BLOCK_BYTES)
    if inside and index in new:
        put(new, index, new[index][:inside].ljust(BLOCK_BYTES, b"\0"))
    return new


def put(blocks: dict[int, bytes], index: int, block: bytes) -> None:
    """Keep a block unless it is all zero."""
    if block == _ZERO:
        blocks.pop(index, None)
    else:
        blocks[index] = block


def observed(inode: Inode) -> object:
    """The content as an observation has it (``docs/DESIGN.md`` section 2.3)."""
    if inode.kind == SYMLINK:
        return inode.target
    if inode.kind != FILE:
        return b"" if inode.kind == FIFO else None
    if inode.size <= WHOLE_BYTES_MAX:
        return read(inode, 0, inode.size)
    return tuple(sorted(inode.blocks.items()))
