"""Check a WFS v2 volume, and mend it: by a reader of its own, that mounts nothing.

Checks: the three superblocks, the six boundaries, the bitmap, every entry of the table, names
that are there twice or cannot be reached, blocks with two owners, every file's data.
Repair: from the first good superblock; damaged entries are salvaged when their data is what they
say, else they go; files that cannot be reached get names; superblocks, boundaries and bitmap are
written anew. Data cannot be mended: what is bad stays a problem.
"""

import errno
from zlib import crc32

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs2.format import (
    BITMAP_BLOCK,
    BLOCK_SIZE,
    EMPTY_ENTRY,
    ENTRIES_IN_BLOCK,
    ENTRY_SIZE,
    FLAG_DIRECTORY,
    MAGIC,
    PIECE_BLOCKS,
    Entry,
    Layout,
    Superblock,
    decode_data,
    decode_entry,
    decode_superblock,
    encode_bitmap_block,
    encode_entry,
    encode_superblock,
    is_proper_name,
    reseal_entry,
)
from watosfs.wfs2.report import Report
from watosfs.wfs2.space import Space


def check(device: BlockDevice, *, repair: bool = False) -> Report:
    """What is wrong with the volume on ``device``; with ``repair`` it is mended.

    EINVAL: no WFS v2 volume. EUCLEAN: no good superblock. EROFS to mend a read-only device; EIO.
    """
    if repair and device.capabilities.read_only:
        raise failure(errno.EROFS)
    checker = _Checker(device)
    checker.run()
    if repair and checker.report.problems:
        checker.write()
        checker.report.is_repaired = True
    return checker.report


class _Checker:
    """One pass; ``entries`` and ``raw`` become what they should be."""

    def __init__(self, device: BlockDevice) -> None:
        if device.block_size_bytes != BLOCK_SIZE:
            raise failure(errno.EINVAL, reason=f"blocks of {device.block_size_bytes} bytes")
        self.device = device
        self.report = Report()
        self.copies: dict[int, Superblock] = {}
        self.superblock = self._superblocks()
        self.layout = Layout(self.superblock.total_blocks, self.superblock.max_files)
        self.space = Space(self.layout.data_runs())
        self.raw: list[bytes] = []
        self.entries: dict[int, Entry] = {}

    def run(self) -> None:
        """Everything, in order."""
        self._boundaries()
        self._table()
        self._owners()
        self._names()
        self._data()
        self._bitmap()
        self._counts()

    def _superblocks(self) -> Superblock:
        count = self.device.block_count
        problems: list[DamageError] = []
        is_ours, good = False, None
        for block in dict.fromkeys((0, count // 2, count - 1)):
            raw = bytes(self.device.read(block))
            is_ours = is_ours or raw[:4] == MAGIC.to_bytes(4, "little")
            try:
                good = good or decode_superblock(raw, block, count)
            except DamageError as error:
                problems.append(error)
        if good is None:
            if not is_ours:
                raise failure(errno.EINVAL, reason="no WFS v2 volume")
            raise problems[0]
        layout = Layout(good.total_blocks, good.max_files)
        for block in layout.superblocks:
            try:
                self.copies[block] = decode_superblock(self.device.read(block), block, count)
            except DamageError as error:
                self.report.add("superblock", f"block {block}", error.problem)
        return good

    def _boundaries(self) -> None:
        for block, raw in self.layout.boundaries().items():
            if self.device.read(block) != raw:
                self.report.add("boundary", f"block {block}", "not the boundary that belongs there")

    def _table(self) -> None:
        layout = self.layout
        for at in range(layout.table_blocks):
            raw = bytes(self.device.read(layout.table_block + at))
            self.raw += [raw[i : i + ENTRY_SIZE] for i in range(0, BLOCK_SIZE, ENTRY_SIZE)]
        del self.raw[layout.max_files :]
        for slot, raw in enumerate(self.raw):
            if not raw[0] or not layout.is_usable_slot(slot):
                continue
            try:
                entry = decode_entry(raw, layout, slot)
            except DamageError as error:
                entry = self._salvaged(raw, slot)
                kept = ", but its data is what it says" if entry is not None else ""
                self.report.add("entry", f"entry {slot}", f"{error.problem}{kept}")
            if entry is None:
                self.raw[slot] = EMPTY_ENTRY
            else:
                self.entries[slot] = entry

    def _salvaged(self, raw: bytes, slot: int) -> Entry | None:
        """An entry whose CRC alone is wrong, if its data agrees with it."""
        try:
            entry = decode_entry(reseal_entry(raw), self.layout, slot)
            if entry is None or entry.is_directory or self._data_problem(entry):
                return None
        except OSError:
            return None
        return entry

    def _owners(self) -> None:
        """Blocks have one owner: of several that claim them, one whose data is its own.

        Bounded: sorting, and reading at most twice as many blocks as there are.
        """
        files = sorted(
            (entry.start_block, entry.start_block + entry.block_count, slot)
            for slot, entry in self.entries.items()
            if not entry.is_directory
        )
        rivals: set[int] = set()
        highest, highest_slot = 0, -1
        for start, end, slot in files:
            if start < highest:
                rivals |= {slot, highest_slot}
            if end > highest:
                highest, highest_slot = end, slot
        budget = 2 * self.layout.total_blocks
        order: list[tuple[bool, int]] = []
        for slot in sorted(rivals):
            entry = self.entries[slot]
            budget -= entry.block_count
            order.append((budget < 0 or bool(self._data_problem(entry)), slot))
        alone = [(False, slot) for _, _, slot in files if slot not in rivals]
        for _, slot in alone + sorted(order):
            entry = self.entries[slot]
            if not self.space.take_at(entry.start_block, entry.block_count):
                where = f"{entry.start_block} to {entry.start_block + entry.block_count}"
                self.report.add("owner", f"entry {slot}", f"blocks {where} belong to others")
                del self.entries[slot]
                self.raw[slot] = EMPTY_ENTRY

    def _names(self) -> None:
        """Every entry can be reached: what cannot is called FOUNDnnn.REC."""
        entries = self.entries
        seen: dict[bytes, int] = {}
        order = sorted(entries, key=lambda slot: (-entries[slot].modified_ns, slot))
        for slot in order:
            seen.setdefault(entries[slot].name, slot)
        number = 0
        for slot in sorted(entries):
            entry = entries[slot]
            name, problem = entry.name, ""
            parts = name.split(b"/")
            above = (seen.get(b"/".join(parts[:i])) for i in range(1, len(parts)))
            if not is_proper_name(name):
                problem = f"a name that no path leads to: {name!r}"
            elif seen[name] != slot:
                problem = f"{name!r} is there twice"
            elif any(other is not None and not entries[other].is_directory for other in above):
                problem = f"{name!r} is below a file"
            if not problem:
                continue
            self.report.add("name", f"entry {slot}", problem)
            while (new := b"FOUND%03d.REC" % number) in seen:
                number += 1
            seen[new] = slot
            entries[slot] = entry._replace(name=new)

    def _data_problem(self, entry: Entry) -> str:
        found, left = 0, entry.size
        try:
            for at in range(0, entry.block_count, PIECE_BLOCKS):
                first, count = entry.start_block + at, min(PIECE_BLOCKS, entry.block_count - at)
                data = decode_data(self.device.read(first, count), first)
                if any(data[left:]):
                    return "bytes beyond the size"
                found = crc32(data[:left], found)
                left = max(0, left - len(data))
        except OSError as error:
            return str(error.strerror)
        return "" if found == entry.data_crc else "data_crc32"

    def _data(self) -> None:
        for slot, entry in self.entries.items():
            if entry.is_directory:
                self.report.directories += 1
                continue
            self.report.files += 1
            problem = self._data_problem(entry)
            if problem:
                self.report.add("data", f"entry {slot} {entry.name!r}", problem)

    def _bitmap(self) -> None:
        runs = self.space.runs
        for index in range(self.layout.bitmap_blocks):
            wanted = encode_bitmap_block(self.layout, index, runs)
            found = self.device.read(BITMAP_BLOCK + index)
            if found != wanted:
                have, want = int.from_bytes(found, "little"), int.from_bytes(wanted, "little")
                lost, missing = (have & ~want).bit_count(), (want & ~have).bit_count()
                text = f"{lost} lost blocks, {missing} in use and marked free"
                self.report.add("bitmap", f"block {BITMAP_BLOCK + index}", text)

    def _counts(self) -> None:
        report, layout = self.report, self.layout
        report.files_max, report.blocks_total = layout.max_files, layout.total_blocks
        report.blocks_free = self.space.free_count
        wanted = Superblock(
            layout.total_blocks, report.blocks_free, layout.max_files, len(self.entries)
        )
        for block, copy in self.copies.items():
            if copy[:1] + copy[2:3] != wanted[:1] + wanted[2:3]:
                report.add("superblock", f"block {block}", "differs from another copy")
            elif copy != wanted:
                text = (
                    f"{copy.free_blocks} blocks free and {copy.root_files} files, really "
                    f"{wanted.free_blocks} and {wanted.root_files}"
                )
                report.add("counts", f"block {block}", text)
        self.superblock = wanted

    # -- repair

    def write(self) -> None:
        """The table, the bitmap, the boundaries, and at last the superblocks."""
        layout, device = self.layout, self.device
        for slot, entry in self.entries.items():
            flags = entry.flags | (FLAG_DIRECTORY if entry.is_directory else 0)
            self.raw[slot] = encode_entry(entry._replace(flags=flags))
        for at in range(layout.table_blocks):
            slot = at * ENTRIES_IN_BLOCK
            if layout.is_usable_slot(slot):
                raw = b"".join(self.raw[slot : slot + ENTRIES_IN_BLOCK])
                device.write(layout.table_block + at, raw.ljust(BLOCK_SIZE, b"\0"))
        device.flush()
        for index in range(layout.bitmap_blocks):
            raw = encode_bitmap_block(layout, index, self.space.runs)
            device.write(BITMAP_BLOCK + index, raw)
        for block, raw in layout.boundaries().items():
            device.write(block, raw)
        device.flush()
        for block in layout.superblocks:
            device.write(block, encode_superblock(self.superblock))
        device.flush()
