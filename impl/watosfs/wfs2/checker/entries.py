"""The entries of a table against each other: names, folders and blocks that two of them have.

What a repair would make of them is decided on the way: ``kept`` is the table afterwards.
"""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError
from watosfs.wfs2.blocks import PAYLOAD_SIZE, unseal
from watosfs.wfs2.checker.report import Report
from watosfs.wfs2.entries import ENTRY_SIZE, Entry, decode_entry
from watosfs.wfs2.format import ENTRIES_IN_BLOCK, ZERO_BLOCK, Geometry

_READ_BLOCKS: Final = 256
#: Of files that have blocks in common so many times the volume is read to see which is intact.
_READ_ROUNDS: Final = 2


class Entries:
    """``kept``: slot to entry, as it is or as a repair leaves it. ``changed``: slots that differ,
    with None for those that go.
    """

    def __init__(self, device: BlockDevice, geometry: Geometry, report: Report) -> None:
        self.device = device
        self.geometry = geometry
        self.report = report
        self.kept: dict[int, Entry] = {}
        self.changed: dict[int, Entry | None] = {}
        self._intact: dict[tuple[int, int, int], bool] = {}
        self._blocks_left = _READ_ROUNDS * geometry.total_blocks
        self._read()
        self._duplicates()
        self._tree()
        self._overlaps()

    def _read(self) -> None:
        for block in self.geometry.table_blocks():
            raw = memoryview(self.device.read(block))
            if raw == ZERO_BLOCK:
                continue
            first = (block - self.geometry.filetable_block) * ENTRIES_IN_BLOCK
            for i in range(min(ENTRIES_IN_BLOCK, self.geometry.max_files - first)):
                data = bytes(raw[i * ENTRY_SIZE : (i + 1) * ENTRY_SIZE])
                try:
                    entry = decode_entry(data, block, self.geometry)
                except DamageError as error:
                    self._drop(first + i, "entry", f"entry {first + i}", error.problem)
                    continue
                if entry is not None:
                    self.kept[first + i] = entry

    def _drop(self, slot: int, kind: str, place: str, text: str) -> None:
        self.report.add(kind, place, text)
        self.kept.pop(slot, None)
        self.changed[slot] = None

    def _duplicates(self) -> None:
        newest: dict[bytes, int] = {}
        for slot, entry in list(self.kept.items()):
            other = newest.setdefault(entry.name, slot)
            if other == slot:
                continue
            older = slot
            if entry.modified > self.kept[other].modified:
                newest[entry.name], older = slot, other
            self._drop(older, "duplicate", shown(entry), f"entry {older} is an older one")

    def _tree(self) -> None:
        """A file is no folder. What is below one gets another name in a repair."""
        names = {entry.name: entry for entry in self.kept.values()}
        taken = {*names, *(folder for name in names for folder in above(name))}
        used = 0
        for slot, entry in list(self.kept.items()):
            blocker = next((p for p in above(entry.name) if is_file(names.get(p))), None)
            if blocker is None:
                continue
            text = f"below {blocker.decode(errors='replace')!r}, which is a file"
            self.report.add("tree", shown(entry), text)
            while b"FSCK%04d" % used in taken:
                used += 1
            renamed = replace(entry, name=b"FSCK%04d" % used)
            taken.add(renamed.name)
            self.kept[slot] = self.changed[slot] = renamed

    def _overlaps(self) -> None:
        """Of two files with a block in common the one stays whose data its CRC confirms."""
        order = sorted(
            (slot for slot, entry in self.kept.items() if entry.blocks),
            key=lambda slot: (self.kept[slot].start_block, slot),
        )
        widest: int | None = None
        for slot in order:
            entry = self.kept[slot]
            if widest is not None and entry.start_block < end_of(self.kept[widest]):
                other = self.kept[widest]
                goes = slot if self._is_intact(other) or not self._is_intact(entry) else widest
                text = f"has blocks of {shown(other if goes == slot else entry)}"
                self._drop(goes, "overlap", shown(self.kept[goes]), text)
                if goes == slot:
                    continue
                widest = None
            if widest is None or end_of(entry) > end_of(self.kept[widest]):
                widest = slot

    def _is_intact(self, entry: Entry) -> bool:
        """Whether its CRC confirms a file. Each is read once, and no more than ``_READ_ROUNDS``
        says: a table can hold 65,536 files over the same blocks. One that was not read is not.
        """
        key = (entry.start_block, entry.size, entry.data_crc32)
        if key not in self._intact:
            self._blocks_left -= entry.blocks
            self._intact[key] = self._blocks_left >= 0 and not self.data_problem(entry)
        return self._intact[key]

    def data_problem(self, entry: Entry) -> str:
        """What is wrong with a file's data; empty when every CRC is right. EIO."""
        crc = 0
        try:
            for payload in self._payloads(entry):
                crc = zlib.crc32(payload, crc)
                self.report.data_bytes_verified += len(payload)
        except DamageError as error:
            return f"block {error.block}: {error.problem}"
        return "" if crc == entry.data_crc32 else "the CRC of all of it is wrong"

    def _payloads(self, entry: Entry) -> Iterator[bytes]:
        left = entry.size
        for done in range(0, entry.blocks, _READ_BLOCKS):
            count = min(_READ_BLOCKS, entry.blocks - done)
            start = entry.start_block + done
            yield unseal(self.device.read(start, count), start)[:left]
            left = max(0, left - count * PAYLOAD_SIZE)

    def directories(self) -> set[bytes]:
        """Every folder: those with an entry, and those that a path needs."""
        found = {entry.name for entry in self.kept.values() if entry.is_directory}
        for entry in self.kept.values():
            found.update(above(entry.name))
        return found


def above(name: bytes) -> list[bytes]:
    """The folders that a path goes through."""
    parts = name.split(b"/")
    return [b"/".join(parts[:i]) for i in range(1, len(parts))]


def is_file(entry: Entry | None) -> bool:
    """Whether there is an entry, and it is a file's."""
    return entry is not None and not entry.is_directory


def end_of(entry: Entry) -> int:
    """The block behind a file's last."""
    return entry.start_block + entry.blocks


def shown(entry: Entry) -> str:
    """A path for a report."""
    return "/" + entry.name.decode(errors="backslashreplace")
