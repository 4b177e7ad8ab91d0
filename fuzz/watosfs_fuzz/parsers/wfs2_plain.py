"""A plain reader of WFS v2, from ``docs/FORMAT_WFS2.md`` and a sound superblock: a second opinion.

It reads blocks one at a time and holds no tree: names with what they lead to. What ``watosfs.wfs2``
shows is held against it.
"""

from collections.abc import Callable
from typing import Final
from zlib import crc32

from watosfs.block.device import Buffer
from watosfs_fuzz.parsers.wfs2_layouts import ENTRY, PAYLOAD, SLOTS, SUPERBLOCK

_FOLDER: Final = 0x10
_SHOWN_BYTES: Final = 1 << 20


def files(superblock: bytes, read: Callable[[int], Buffer]) -> dict[bytes, bytes | None]:
    """By path the bytes of every file (the first MiB), None where a block's checksum is wrong.

    Entries that are not sound are left out; of two with a name the later counts, else the first.
    """
    get = SUPERBLOCK.get
    total = get(superblock, 0, "total_blocks")
    first, count = get(superblock, 0, "filetable_block"), get(superblock, 0, "filetable_blocks")
    slots_left = get(superblock, 0, "max_files")
    data_start = get(superblock, 0, "data_start_block")
    newest: dict[bytes, tuple[int, bytes]] = {}
    for number in range(first, first + count):
        raw = b"" if abs(number - total // 2) <= 1 else bytes(read(number))
        for start in range(0, min(slots_left, SLOTS) * ENTRY.size if raw else 0, ENTRY.size):
            entry = raw[start : start + ENTRY.size]
            if entry[0] and crc32(entry[:96]) == ENTRY.get(entry, 0, "crc32"):
                name, modified = entry[:56].rstrip(b"\0"), ENTRY.get(entry, 0, "modified")
                if _is_sound(entry, data_start, total) and (
                    name not in newest or modified > newest[name][0]
                ):
                    newest[name] = (modified, entry)
        slots_left -= SLOTS
    found: dict[bytes, bytes | None] = {}
    for name, (_, entry) in newest.items():
        start, blocks = (ENTRY.get(entry, 0, key) for key in ("start_block", "blocks"))
        if blocks:
            found[name] = _data(entry, start, blocks, read)
    return found


def _is_sound(entry: bytes, data_start: int, total: int) -> bool:
    """Whether an entry's fields agree, and its blocks are where data may be."""
    size, start, blocks = (ENTRY.get(entry, 0, key) for key in ("size", "start_block", "blocks"))
    name = entry[:56].rstrip(b"\0")
    if len(name) > 55 or b"\0" in name or {b"", b".", b".."} & set(name.split(b"/")):
        return False
    if ENTRY.get(entry, 0, "flags") & _FOLDER:
        return not (size or start or blocks)
    end, middle = start + blocks, total // 2
    if not data_start <= start < end <= total - 2 or (start <= middle + 1 and end > middle - 1):
        return False
    return blocks == max(1, -(-size // PAYLOAD))


def _data(entry: bytes, start: int, blocks: int, read: Callable[[int], Buffer]) -> bytes | None:
    size = min(ENTRY.get(entry, 0, "size"), _SHOWN_BYTES)
    parts = []
    for number in range(start, start + min(blocks, -(-size // PAYLOAD))):
        raw = bytes(read(number))
        if crc32(raw[:PAYLOAD]) != int.from_bytes(raw[PAYLOAD:], "little"):
            return None
        parts.append(raw[:PAYLOAD])
    return b"".join(parts)[:size]
