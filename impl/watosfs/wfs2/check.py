"""Check a WFS v2 volume, and mend it: by a reader of its own, that mounts nothing.

Checks: the three superblocks, their counts, the boundaries, every entry, names that two have,
folders, blocks that two have, the bitmap; with ``data`` every block's CRC and every file's.
Does not check: times, and the 24 bytes behind the CRCs of an entry.
"""

import errno

from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.wfs2.blocks import boundaries
from watosfs.wfs2.checker.entries import Entries, end_of, shown
from watosfs.wfs2.checker.report import Report
from watosfs.wfs2.entries import ENTRY_SIZE, FREE_ENTRY, encode_entry
from watosfs.wfs2.format import (
    BITMAP_BLOCK,
    BITS_IN_BLOCK,
    BLOCK_SIZE,
    ENTRIES_IN_BLOCK,
    Geometry,
    Superblock,
    decode_superblock,
    encode_superblock,
)
from watosfs.wfs2.space import Space
from watosfs.wfs2.superblocks import newest_superblock


def check(device: BlockDevice, *, data: bool = False, repair: bool = False) -> Report:
    """What is wrong with the volume on ``device``. With ``repair`` all of it but damaged file data
    is mended: superblocks from each other, the bitmap from the table; entries that are damaged,
    and of files with a block in common all but one, go.

    EINVAL, EUCLEAN: no superblock to go by, not even a backup. EROFS: mending a read-only device.
    EOPNOTSUPP: mending a volume whose second superblock lies in its table. EIO.
    """
    if repair and device.capabilities.read_only:
        raise failure(errno.EROFS)
    if device.block_size_bytes != BLOCK_SIZE:
        raise failure(errno.EINVAL, reason=f"blocks of {device.block_size_bytes} bytes")
    report = Report()
    superblock, _ = newest_superblock(device)
    geometry = superblock.geometry
    report.max_files, report.blocks_total = geometry.max_files, geometry.total_blocks
    if geometry.is_overlapped:
        if repair:
            reason = "the second superblock lies in the file table"
            raise failure(errno.EOPNOTSUPP, reason=reason)
        report.notes.append("the second superblock lies in the file table: read-only")
    entries = Entries(device, geometry, report)
    report.files = sum(not entry.is_directory for entry in entries.kept.values())
    directories = entries.directories()
    report.directories = len(directories)
    explicit = {entry.name for entry in entries.kept.values() if entry.is_directory}
    for name in sorted(directories - explicit):
        report.notes.append(f"/{name.decode(errors='backslashreplace')} has no entry of its own")
    used = [(e.start_block, end_of(e)) for e in entries.kept.values() if e.blocks]
    space = Space(geometry.total_blocks, [*geometry.reserved_runs, *used])
    report.blocks_free = space.free_count
    _bitmap(device, geometry, space, report)
    due = Superblock(geometry, space.free_count, len(entries.kept))
    _superblocks(device, due, report)
    if not geometry.is_overlapped:
        _boundaries(device, geometry, report)
    mendable = not report.is_clean
    if data:
        for entry in entries.kept.values():
            problem = "" if entry.is_directory else entries.data_problem(entry)
            if problem:
                report.add("data", shown(entry), problem)
    if repair and mendable:
        _write(device, due, space, entries)
        report.is_repaired = True
    return report


def _bitmap(device: BlockDevice, geometry: Geometry, space: Space, report: Report) -> None:
    missing = 0
    for index in range(geometry.bitmap_blocks):
        raw = int.from_bytes(device.read(BITMAP_BLOCK + index), "little")
        due = int.from_bytes(space.bitmap_block(index), "little")
        report.blocks_lost += (raw & ~due).bit_count()
        missing += (due & ~raw).bit_count()
        if missing and (due & ~raw):
            first = index * BITS_IN_BLOCK + ((due & ~raw) & -(due & ~raw)).bit_length() - 1
            report.add("bitmap", "bitmap", f"block {first} is in use and marked free")
    if report.blocks_lost:
        report.add("lost", "bitmap", f"{report.blocks_lost} blocks in use that nobody has")


def _superblocks(device: BlockDevice, due: Superblock, report: Report) -> None:
    for block in due.geometry.superblocks:
        kind = "backup" if block else "superblock"
        try:
            found = decode_superblock(bytes(device.read(block)), block, device.block_count)
        except OSError as error:
            report.add(kind, f"superblock at {block}", str(error.strerror))
            continue
        if found.geometry != due.geometry:
            report.add(kind, f"superblock at {block}", "is one of another volume")
        elif found != due:
            counts = f"{found.free_blocks} free, {found.root_files} files"
            text = f"{counts}; really {due.free_blocks}, {due.root_files}"
            report.add("counts", f"superblock at {block}", text)


def _boundaries(device: BlockDevice, geometry: Geometry, report: Report) -> None:
    for block, raw in boundaries(geometry).items():
        if device.read(block) != raw:
            report.add("boundary", f"boundary at {block}", "is not as it has to be")


def _write(device: BlockDevice, due: Superblock, space: Space, entries: Entries) -> None:
    """The table; then everything that is made from it; at last the first superblock."""
    geometry = due.geometry
    by_block: dict[int, list[int]] = {}
    for slot in sorted(entries.changed):
        by_block.setdefault(geometry.filetable_block + slot // ENTRIES_IN_BLOCK, []).append(slot)
    for block, slots in by_block.items():
        raw = bytearray(device.read(block))
        for slot in slots:
            entry = entries.changed[slot]
            offset = slot % ENTRIES_IN_BLOCK * ENTRY_SIZE
            data = FREE_ENTRY if entry is None else encode_entry(entry)
            raw[offset : offset + ENTRY_SIZE] = data
        device.write(block, raw)
    device.flush()
    for index in range(geometry.bitmap_blocks):
        raw_block = space.bitmap_block(index)
        if device.read(BITMAP_BLOCK + index) != raw_block:
            device.write(BITMAP_BLOCK + index, raw_block)
    for block, content in boundaries(geometry).items():
        if device.read(block) != content:
            device.write(block, content)
    for block in geometry.superblocks[1:]:
        device.write(block, encode_superblock(due))
    device.flush()
    device.write(0, encode_superblock(due))
    device.flush()
