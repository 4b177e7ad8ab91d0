"""Partitions of an image, MBR (with logical ones) and GPT, each as a device of its own.

Every number is judged before it is used: a table that leads outside the device or into itself is
EUCLEAN. A device without a table has no partitions, which is no failure.
"""

import errno
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple
from uuid import UUID
from zlib import crc32

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import SECTOR_SIZE_BYTES, BlockDevice
from watosfs.block.sub_device import SubDevice
from watosfs.errors import DamageError, failure

_SIGNATURE: Final = b"\x55\xaa"
_TABLE_START: Final = 446
_MBR_ENTRY = struct.Struct("<B3xB3xII")
_TYPE_EMPTY: Final = 0
_TYPE_PROTECTIVE: Final = 0xEE
_TYPES_EXTENDED: Final = frozenset({0x05, 0x0F, 0x85})
_LOGICAL_MAX: Final = 128

_GPT_HEADER = struct.Struct("<8sIII4xQQQQ16sQIII")
_GPT_ENTRY = struct.Struct("<16s16sQQQ72s")
_GPT_SIGNATURE: Final = b"EFI PART"
_GPT_ENTRIES_MAX: Final = 1024
_GPT_ENTRY_SIZE_MAX: Final = 4096
_GPT_SECTOR_SIZES: Final = (512, 4096)
assert (_MBR_ENTRY.size, _GPT_HEADER.size, _GPT_ENTRY.size) == (16, 92, 128)


class Partition(NamedTuple):
    """``number`` counts as Linux counts: logical ones of an MBR from 5 on. ``kind`` is the type:
    two hexadecimal digits of an MBR, a UUID of a GPT. ``name`` is empty on an MBR.
    """

    number: int
    start_bytes: int
    size_bytes: int
    kind: str
    name: str


def partitions(device: BlockDevice) -> list[Partition]:
    """The partitions of a device, by number; none when it has no table.

    EUCLEAN: the table is damaged. EIO as the device says.
    """
    access = ByteAccess(device)
    if access.size_bytes < 2 * SECTOR_SIZE_BYTES:
        return []
    table = _mbr_table(access, 0)
    if table is None or all(entry[1] == _TYPE_EMPTY for entry in table):
        return []
    if any(kind == _TYPE_PROTECTIVE for _, kind, _, _ in table):
        return _gpt(access)
    return sorted(_mbr(access, table))


def open_partition(device: BlockDevice, number: int) -> SubDevice:
    """One partition as a device; closing it leaves ``device`` open. ENXIO when there is none."""
    for partition in partitions(device):
        if partition.number == number:
            return SubDevice(device, partition.start_bytes, partition.size_bytes)
    raise failure(errno.ENXIO, reason=f"no partition {number}")


def _mbr_table(access: ByteAccess, offset: int) -> list[tuple[int, int, int, int]] | None:
    """(flag, type, first sector, sectors) of the four entries; None when this is no table."""
    raw = bytes(access.read(offset, SECTOR_SIZE_BYTES))
    if raw[510:] != _SIGNATURE:
        return None
    entries = [_MBR_ENTRY.unpack_from(raw, _TABLE_START + i * 16) for i in range(4)]
    if any(flag not in (0, 0x80) for flag, _, _, _ in entries):
        return None
    if any(kind != _TYPE_EMPTY and not count for _, kind, _, count in entries):
        return None
    return entries


def _mbr(access: ByteAccess, table: list[tuple[int, int, int, int]]) -> Iterator[Partition]:
    logical = 5
    for index, (_, kind, first, count) in enumerate(table):
        if kind == _TYPE_EMPTY:
            continue
        start, size = _judged(access, first, count, f"partition {index + 1}")
        if kind not in _TYPES_EXTENDED:
            yield Partition(index + 1, start, size, f"{kind:02x}", "")
            continue
        for partition in _logical(access, first, count, logical):
            yield partition
            logical = partition.number + 1


def _judged(access: ByteAccess, first: int, count: int, which: str) -> tuple[int, int]:
    start, size = first * SECTOR_SIZE_BYTES, count * SECTOR_SIZE_BYTES
    if not first or start + size > access.size_bytes:
        raise DamageError(which, 0, f"sectors {first} to {first + count} are not on the device")
    return start, size


def _logical(access: ByteAccess, base: int, count: int, number: int) -> Iterator[Partition]:
    """The partitions of an extended one: a list of tables, each with one and a link."""
    sector, seen = base, set[int]()
    while True:
        if sector in seen or len(seen) >= _LOGICAL_MAX or not base <= sector < base + count:
            raise DamageError("extended partition", sector, "its tables lead astray")
        seen.add(sector)
        table = _mbr_table(access, sector * SECTOR_SIZE_BYTES)
        if table is None:
            raise DamageError("extended partition", sector, "no table")
        following = 0
        for _, kind, first, length in table[:2]:
            if kind in _TYPES_EXTENDED:
                following = base + first
            elif kind != _TYPE_EMPTY:
                start, size = _judged(access, sector + first, length, f"partition {number}")
                yield Partition(number, start, size, f"{kind:02x}", "")
                number += 1
        if not following:
            return
        sector = following


def _gpt(access: ByteAccess) -> list[Partition]:
    """By the first header that is sound, or by the one at the end of the device."""
    problem = "no header"
    for sector in _GPT_SECTOR_SIZES:
        for offset in (sector, access.size_bytes // sector * sector - sector):
            if offset + sector > access.size_bytes:
                continue
            raw = bytes(access.read(offset, sector))
            if not raw.startswith(_GPT_SIGNATURE):
                continue
            found, problem = _gpt_entries(access, raw, sector)
            if found is not None:
                return found
    raise DamageError("GPT", 1, problem)


def _gpt_entries(access: ByteAccess, raw: bytes, sector: int) -> tuple[list[Partition] | None, str]:
    fields = _GPT_HEADER.unpack_from(raw)
    _, _, size, checksum, _, _, low, high, _, table, count, entry_size, entries_checksum = fields
    if not _GPT_HEADER.size <= size <= len(raw):
        return None, f"a header of {size} bytes"
    if crc32(raw[:16] + bytes(4) + raw[20:size]) != checksum:
        return None, "the header's checksum does not match"
    is_size = entry_size >= _GPT_ENTRY.size and entry_size % 8 == 0
    if not is_size or entry_size > _GPT_ENTRY_SIZE_MAX or count > _GPT_ENTRIES_MAX:
        return None, f"{count} entries of {entry_size} bytes"
    offset, length = table * sector, count * entry_size
    if offset + length > access.size_bytes:
        return None, "the entries are not on the device"
    entries = bytes(access.read(offset, length))
    if crc32(entries) != entries_checksum:
        return None, "the entries' checksum does not match"
    found = []
    for index in range(count):
        kind, _, first, last, _, name = _GPT_ENTRY.unpack_from(entries, index * entry_size)
        if kind == bytes(16):
            continue
        if not low <= first <= last <= high or (last + 1) * sector > access.size_bytes:
            return None, f"partition {index + 1}: sectors {first} to {last}"
        text = name.decode("utf-16-le", "replace").partition("\0")[0]
        start, size_bytes = first * sector, (last + 1 - first) * sector
        found.append(Partition(index + 1, start, size_bytes, str(UUID(bytes_le=kind)), text))
    return found, ""
