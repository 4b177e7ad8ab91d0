"""The contents of a file by blocks: what is on disk, what a draft has, and the two made one.

A block that is damaged keeps its wrong CRC when its file is copied: it stays EUCLEAN, and the rest
of the file goes on.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from watosfs.errors import DamageError
from watosfs.wfs2.blocks import PAYLOAD_SIZE, blocks_of, seal, unseal
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.format import BLOCK_SIZE
from watosfs.wfs2.node import Node

#: Blocks that are read or written at once.
RUN_BLOCKS: Final = 256
ZERO_BLOCK: Final = seal(b"")


def place(node: Node, index: int) -> int | None:
    """Where block ``index`` of the contents is; None for zeros that are not written yet."""
    draft = node.draft
    if draft is not None:
        if index in draft.fresh:
            return draft.start + index
        return node.entry.start_block + index if index < draft.kept else None
    return node.entry.start_block + index if index < node.entry.blocks else None


def runs(node: Node, first: int, count: int) -> Iterator[tuple[int, int, int | None]]:
    """(index, count, block): the contents in runs that are consecutive on disk, or all zeros."""
    index, end = first, first + count
    while index < end:
        block = place(node, index)
        length = 1
        while index + length < end and length < RUN_BLOCKS:
            due = None if block is None else block + length
            if place(node, index + length) != due:
                break
            length += 1
        yield index, length, block
        index += length


def read_blocks(engine: Engine, node: Node, first: int, count: int) -> bytes:
    """The payloads of blocks ``first`` to ``first + count``. EUCLEAN: damage; EIO."""
    if node.damage:
        raise DamageError("file data", node.entry.start_block, node.damage)
    parts = []
    for _, length, block in runs(node, first, count):
        if block is None:
            parts.append(bytes(length * PAYLOAD_SIZE))
        else:
            parts.append(unseal(engine.device.read(block, length), block))
    return b"".join(parts)


def write_blocks(engine: Engine, node: Node, first: int, data: bytes) -> None:
    """Write whole payloads (the last may be short) from block ``first`` of the draft on."""
    draft = node.draft
    assert draft is not None
    step = RUN_BLOCKS * PAYLOAD_SIZE
    for offset in range(0, len(data), step):
        piece = data[offset : offset + step]
        sealed = b"".join(
            seal(piece[i : i + PAYLOAD_SIZE]) for i in range(0, len(piece), PAYLOAD_SIZE)
        )
        at = first + offset // PAYLOAD_SIZE
        assert at + len(sealed) // BLOCK_SIZE <= draft.blocks, (at, draft)
        engine.write(draft.start + at, sealed)
        draft.fresh.update(range(at, at + len(sealed) // BLOCK_SIZE))


def settle(engine: Engine, node: Node) -> None:
    """Complete the draft with what it keeps of the version on disk; the entry leads to it."""
    draft = node.draft
    assert draft is not None
    count, crc = blocks_of(node.size), 0
    for index, length, block in list(runs(node, 0, count)):
        raw = ZERO_BLOCK * length if block is None else bytes(engine.device.read(block, length))
        if draft.start + index != block:
            engine.write(draft.start + index, raw)
        for i in range(length):
            size = min(PAYLOAD_SIZE, node.size - (index + i) * PAYLOAD_SIZE)
            crc = zlib.crc32(memoryview(raw)[i * BLOCK_SIZE : i * BLOCK_SIZE + max(size, 0)], crc)
    engine.settled(node, draft, count, crc)


def move(engine: Engine, node: Node, start: int, blocks: int) -> None:
    """Put what is written of a draft to another run, which is larger."""
    draft = node.draft
    assert draft is not None
    for index, length, block in list(runs(node, 0, draft.blocks)):
        if block is not None and index in draft.fresh:
            engine.write(start + index, engine.device.read(block, length))
    keeps = node.entry.blocks if draft.in_place else 0
    engine.release(draft.start + keeps, draft.blocks - keeps)
    draft.start, draft.blocks, draft.in_place = start, blocks, False
