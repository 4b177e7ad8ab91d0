"""The names of one directory: short names, long names, what belongs together and what does not."""

from dataclasses import dataclass, field
from typing import Final

from watosfs.fat.aliases import short_name_text
from watosfs.fat.checker.legal import is_legal, is_legal_label
from watosfs.fat.checker.report import Report
from watosfs.fat.entries import (
    ARCHIVE,
    DIRECTORY,
    DOT,
    DOT_DOT,
    END,
    FREE,
    VOLUME_LABEL,
    DirectoryEntry,
    decode_entry,
    is_long_name,
)
from watosfs.fat.format import ENTRY_SIZE, FILE_SIZE_MAX
from watosfs.fat.names import LongNameParts, name_key, short_name_checksum

_NO_SHORT_NAME: Final = 0x20


@dataclass(slots=True)
class Item:
    """An entry: ``slot`` is that of its short name, ``long_slots`` those before it."""

    slot: int
    entry: DirectoryEntry
    text: str
    long_slots: list[int] = field(default_factory=list)


class Slots:
    """Reads the slots of a directory and mends its names in ``raw``."""

    def __init__(self, raw: bytearray, path: str, is_root: bool, report: Report) -> None:
        self.raw = raw
        self.path = path
        self.is_root = is_root
        self.report = report
        self.items: list[Item] = []
        #: The volume label of the root.
        self.label: bytes | None = None
        self._gather()
        self._mend_duplicates()

    def _gather(self) -> None:
        raw, parts, gathered = self.raw, LongNameParts(), list[int]()
        for slot in range(0 if self.is_root else 2, len(raw) // ENTRY_SIZE):
            start = slot * ENTRY_SIZE
            if raw[start] == END:
                # What lies behind is nothing's; fsck.fat takes it for entries all the same.
                raw[start:] = bytes(len(raw) - start)
                break
            if raw[start] == FREE:
                self._drop(gathered)
                parts.drop()
                continue
            entry = decode_entry(raw, start)
            if is_long_name(entry.attributes):
                if not parts.is_pending:
                    self._drop(gathered)
                if entry.name[0] & 0x40 and gathered:
                    self._drop(gathered)
                if entry.cluster_low or entry.case:
                    problem = "part of a long name with a cluster or a type"
                    self.report.add("name", self.path or "/", problem)
                    raw[start + 26 : start + 28] = bytes(2)
                    raw[start + 12] = 0
                parts.add(raw[start : start + ENTRY_SIZE], slot)
                gathered.append(slot)
                if not parts.is_pending:
                    self._drop(gathered)
                continue
            is_label = entry.attributes & VOLUME_LABEL and not entry.size
            text = None if is_label else parts.take(entry.name)
            if text is None or not text or text in (".", "..") or "/" in text:
                text = None
                parts.drop()
                self._drop(gathered)
            self._take(slot, entry, text, gathered)
            gathered = []
        self._drop(gathered)

    def _drop(self, gathered: list[int]) -> None:
        """Slots of a long name that belong to no entry."""
        if gathered:
            self.report.add("name", self.path or "/", "part of a long name without an entry")
            for slot in gathered:
                self.raw[slot * ENTRY_SIZE] = FREE
            gathered.clear()

    def _take(self, slot: int, entry: DirectoryEntry, text: str | None, long: list[int]) -> None:
        start = slot * ENTRY_SIZE
        if entry.attributes & VOLUME_LABEL:
            if not entry.size and not entry.cluster_low:
                self._take_label(start, entry)
                return
            self.report.add("name", self.path or "/", "a volume label with clusters or a size")
            self.raw[start + 11] &= ~VOLUME_LABEL
            entry = entry._replace(attributes=entry.attributes & ~VOLUME_LABEL)
        if entry.name in (DOT, DOT_DOT):
            self.report.add("name", self.path or "/", f"{entry.name.decode()!r} out of its place")
            for place in (slot, *long):
                self.raw[place * ENTRY_SIZE] = FREE
            return
        shown = short_name_text(entry.name, entry.case) if text is None else text
        item = Item(slot, entry, shown, long)
        if not is_legal(entry.name) or (entry.case & _NO_SHORT_NAME and text is None):
            self.report.add("name", f"{self.path}/{shown}", "a short name that none may be")
            self._rename(item)
        self.items.append(item)

    def _take_label(self, start: int, entry: DirectoryEntry) -> None:
        if not self.is_root or not is_legal_label(entry.name):
            self.report.add("name", self.path or "/", "a volume label that none may be")
            self.raw[start] = FREE
        elif self.label is not None:
            self.report.add("name", "/", "a second volume label")
            self.raw[start] = FREE
        else:
            self.label = entry.name

    def _rename(self, item: Item) -> None:
        """Another short name; a long name stays, for its checksum is made to follow."""
        taken = {bytes(self.raw[i.slot * 32 : i.slot * 32 + 11]) for i in self.items}
        number = 0
        while (name := b"FSCK%04dREN" % number) in taken:
            number += 1
        start = item.slot * ENTRY_SIZE
        self.raw[start : start + 11] = name
        self.raw[start + 12] &= ~_NO_SHORT_NAME
        checksum = short_name_checksum(name)
        for slot in item.long_slots:
            self.raw[slot * ENTRY_SIZE + 13] = checksum
        item.entry = item.entry._replace(name=name)
        if not item.long_slots:
            item.text = short_name_text(name)

    def _mend_duplicates(self) -> None:
        shorts, texts = set[bytes](), set[str]()
        for item in self.items:
            place = f"{self.path}/{item.text}"
            if item.entry.name in shorts:
                self.report.add("name", place, "a short name that another has")
                self._rename(item)
            shorts.add(item.entry.name)
            if item.long_slots and name_key(item.text) in texts:
                self.report.add("name", place, "a long name that another has")
                for slot in item.long_slots:
                    self.raw[slot * ENTRY_SIZE] = FREE
                item.long_slots = []
                self.raw[item.slot * ENTRY_SIZE + 12] &= ~_NO_SHORT_NAME
                item.text = short_name_text(item.entry.name, item.entry.case)
            texts.add(name_key(item.text))

    def remove(self, item: Item) -> None:
        """Take an entry away."""
        for slot in (item.slot, *item.long_slots):
            self.raw[slot * ENTRY_SIZE] = FREE

    def make_file(self, item: Item, size: int) -> None:
        """Turn a directory's entry into a file's."""
        at = item.slot * ENTRY_SIZE + 11
        self.raw[at] = self.raw[at] & ~DIRECTORY | ARCHIVE
        self.set_size(item, min(size, FILE_SIZE_MAX))

    def set_size(self, item: Item, size: int) -> None:
        """Change an entry's size."""
        start = item.slot * ENTRY_SIZE
        self.raw[start + 28 : start + 32] = size.to_bytes(4, "little")

    def set_cluster(self, slot: int, cluster: int) -> None:
        """Change an entry's first cluster."""
        start = slot * ENTRY_SIZE
        self.raw[start + 20 : start + 22] = (cluster >> 16).to_bytes(2, "little")
        self.raw[start + 26 : start + 28] = (cluster & 0xFFFF).to_bytes(2, "little")
