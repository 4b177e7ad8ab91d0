"""Stored file data against the CRC of its extent, in disk order, each block at most once."""

from collections.abc import Callable
from typing import Final
from zlib import crc32

from watosfs.block.device import Buffer
from watosfs.errors import DamageError
from watosfs.wfs3.checker.contents import StoredExtent
from watosfs.wfs3.checker.trees import MEMO_ENTRIES_MAX, Memo, TreeWalker
from watosfs.wfs3.compression import decompressed
from watosfs.wfs3.format import BLOCK_SIZE

PROGRESS_STEP: Final = 256
REMEMBERED_BYTES_MAX: Final = 4 * BLOCK_SIZE


def verify_data(
    walker: TreeWalker,
    wanted: list[StoredExtent],
    progress: Callable[[str, int, int], None] | None,
) -> int:
    """Read every extent in ``wanted``; the count of bytes whose CRC was right.

    An extent that overlaps one already read is skipped: that is a problem reported by the
    accounting, and a hostile image could otherwise have one block read a million times.
    """
    verified = 0
    end = 0
    wanted.sort()
    for position, extent in enumerate(wanted):
        if progress is not None and position % PROGRESS_STEP == 0:
            progress("data", position, len(wanted))
        if extent.disk_block < end:
            continue
        end = extent.disk_block + extent.block_count
        if _is_intact(walker, extent):
            verified += extent.block_count * BLOCK_SIZE
    if progress is not None:
        progress("data", len(wanted), len(wanted))
    return verified if walker.strict else 0


def _is_intact(walker: TreeWalker, extent: StoredExtent) -> bool:
    block, count, expected, tail, number, offset, length = extent
    memo = walker.memo
    strict = walker.strict

    def accept(buffer: Buffer) -> bool:
        return not strict or _crc(memo, buffer) == expected

    what = f"inode {number}, file offset {offset}: "
    try:
        data = walker.device.read(block, count, accept)
    except OSError as error:
        walker.findings.problem(
            "data", _unreadable(walker, block, count), "read", f"{what}the device says: {error}"
        )
        return False
    if not accept(data):
        walker.findings.problem(
            "data", block, "crc32", f"{what}the {count} stored blocks do not have {expected:#010x}"
        )
        return False
    if length and strict:
        try:
            data = decompressed(data, length, block)
        except DamageError as error:
            walker.findings.problem("data", block, "frame", f"{what}{error.problem}")
            return False
    tail = max(tail, 0)
    beyond = len(data) - tail
    if strict and beyond > 0 and memoryview(data)[tail:] != bytes(beyond):
        walker.findings.problem("data", block, "padding", f"{what}not zero beyond the file's end")
        return False
    return True


def _crc(memo: Memo, buffer: Buffer) -> int:
    """CRC-32, remembered for short extents, which a device may hand out again and again."""
    if type(buffer) is not bytes or len(buffer) > REMEMBERED_BYTES_MAX:
        return crc32(buffer)
    key = ("data", buffer)
    known = memo.get(key)
    if known is None:
        if len(memo) >= MEMO_ENTRIES_MAX:
            memo.clear()
        known = memo[key] = crc32(buffer)
    value: int = known
    return value


def _unreadable(walker: TreeWalker, block: int, count: int) -> int:
    """The first block of the run that cannot be read on its own, or the run's first."""
    for candidate in range(block, block + count):
        try:
            walker.device.read(candidate)
        except OSError:
            return candidate
    return block
