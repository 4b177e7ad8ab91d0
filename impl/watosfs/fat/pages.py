"""Pieces of a file allocation table in memory, one class for each width of entry.

An array of machine integers makes reading an entry, comparing a stretch and finding free clusters
work of the interpreter's C code. FAT12 has at most 6 KiB of table: it stays as the bytes it is.
"""

import sys
from array import array
from collections.abc import Callable
from typing import Final, Protocol

from watosfs.block.device import Buffer

#: Turns the OR of an entry's bytes into 1 for a free cluster and 0 for any other.
_IS_ZERO: Final = bytes([1]) + bytes(255)
_GALLOP_AFTER: Final = 16
_STEP_FIRST: Final = 64
_STEP_MAX: Final = 4096


class Page(Protocol):
    """Entries ``base`` and up; indexes count from ``base``, values are cluster numbers."""

    def get(self, index: int) -> int:
        """The entry, without bits that are not its own."""

    def put(self, index: int, value: int) -> None:
        """Set the entry; bits that are not its own stay."""

    def put_chain(self, index: int, count: int) -> None:
        """Let each of ``count`` entries lead to the one after it."""

    def clear(self, index: int, count: int) -> None:
        """Set ``count`` entries to 0."""

    def run_length(self, index: int) -> int:
        """How many entries from ``index`` on lead each to the one after it."""

    def free_map(self) -> bytes:
        """One byte for each entry: 1 when it is 0, else 0."""

    def encoded(self, start: int, end: int) -> Buffer:
        """Bytes ``start`` to ``end`` of the page."""


class Page12:
    """The whole table of a FAT12 volume."""

    __slots__ = ("_count", "_raw")

    def __init__(self, raw: Buffer, base: int) -> None:
        assert base == 0
        self._raw = bytearray(raw)
        self._count = len(raw) * 2 // 3

    def get(self, index: int) -> int:
        offset = index * 3 >> 1
        pair = self._raw[offset] | self._raw[offset + 1] << 8
        return pair >> 4 if index & 1 else pair & 0xFFF

    def put(self, index: int, value: int) -> None:
        offset = index * 3 >> 1
        raw = self._raw
        if index & 1:
            raw[offset] = raw[offset] & 0x0F | (value & 0xF) << 4
            raw[offset + 1] = value >> 4
        else:
            raw[offset] = value & 0xFF
            raw[offset + 1] = raw[offset + 1] & 0xF0 | value >> 8

    def put_chain(self, index: int, count: int) -> None:
        for i in range(index, index + count):
            self.put(i, i + 1)

    def clear(self, index: int, count: int) -> None:
        for i in range(index, index + count):
            self.put(i, 0)

    def run_length(self, index: int) -> int:
        end = index
        while end < self._count and self.get(end) == end + 1:
            end += 1
        return end - index

    def free_map(self) -> bytes:
        return bytes([not self.get(i) for i in range(self._count)])

    def encoded(self, start: int, end: int) -> Buffer:
        return memoryview(self._raw)[start:end]


class _ArrayPage:
    """What entries of 16 and of 32 bits share."""

    __slots__ = ("_base", "_expected", "_items", "_width")

    _CODE = "H"
    _MASK = 0xFFFF

    def __init__(self, raw: Buffer, base: int) -> None:
        self._items = array(self._CODE)
        self._width = self._items.itemsize
        self._items.frombytes(raw)
        if sys.byteorder == "big":
            self._items.byteswap()
        self._base = base
        #: What a page would hold in which each entry leads to the next; made when it pays.
        self._expected: array[int] | None = None

    def get(self, index: int) -> int:
        return self._items[index] & self._MASK

    def put(self, index: int, value: int) -> None:
        self._items[index] = self._items[index] & ~self._MASK | value

    def put_chain(self, index: int, count: int) -> None:
        first = self._base + index + 1
        if count > 1 and self._has_own_bits_only(index, count):
            self._items[index : index + count] = array(self._CODE, range(first, first + count))
            return
        for i in range(count):
            self.put(index + i, first + i)

    def clear(self, index: int, count: int) -> None:
        if count > 1 and self._has_own_bits_only(index, count):
            self._items[index : index + count] = array(self._CODE, bytes(count * self._width))
            return
        for i in range(index, index + count):
            self.put(i, 0)

    def _has_own_bits_only(self, index: int, count: int) -> bool:
        return max(self._items[index : index + count]) <= self._MASK

    def run_length(self, index: int) -> int:
        items, mask, first = self._items, self._MASK, self._base + 1
        end, stop = index, min(index + _GALLOP_AFTER, len(items))
        while end < stop and items[end] & mask == first + end:
            end += 1
        if end < stop:
            return end - index
        if self._expected is None:
            last = min(first + len(items), mask + 1)
            self._expected = array(self._CODE, range(first, last))
        expected, step = self._expected, _STEP_FIRST
        while end + step <= len(items) and items[end : end + step] == expected[end : end + step]:
            end += step
            step = min(step * 2, _STEP_MAX)
        while end < len(items) and items[end] & mask == first + end:
            end += 1
        return end - index

    def _raw(self, start: int, end: int) -> bytes:
        items = self._items[start // self._width : end // self._width]
        if sys.byteorder == "big":
            items.byteswap()
        return items.tobytes()

    def encoded(self, start: int, end: int) -> Buffer:
        return self._raw(start, end)


class Page16(_ArrayPage):
    """A piece of a FAT16 table."""

    __slots__ = ()

    def free_map(self) -> bytes:
        raw = self._raw(0, len(self._items) * 2)
        either = int.from_bytes(raw[0::2], "little") | int.from_bytes(raw[1::2], "little")
        return either.to_bytes(len(self._items), "little").translate(_IS_ZERO)


class Page32(_ArrayPage):
    """A piece of a FAT32 table, whose entries' top four bits are not ours to change."""

    __slots__ = ()

    _CODE = "I"
    _MASK = 0x0FFFFFFF

    def free_map(self) -> bytes:
        count = len(self._items)
        raw = self._raw(0, count * 4)
        own = int.from_bytes(b"\x0f" * count, "little")
        either = own & int.from_bytes(raw[3::4], "little")
        for i in range(3):
            either |= int.from_bytes(raw[i::4], "little")
        return either.to_bytes(count, "little").translate(_IS_ZERO)


PAGES: Final[dict[int, Callable[[Buffer, int], Page]]] = {12: Page12, 16: Page16, 32: Page32}
assert array("H").itemsize == 2
assert array("I").itemsize == 4
