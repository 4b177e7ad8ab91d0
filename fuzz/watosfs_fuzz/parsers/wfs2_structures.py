"""Harnesses for the structures of WFS v2, one at a time: superblock, table, bitmap, data blocks.

Checks: what is accepted round-trips, and holds by rules restated here (checksums, sections, blocks
for a size, no reserved block), so that a rule that is taken out of the parser is missed. Does not
check: counts that FORMAT_WFS2 calls hints.
"""

import errno
from typing import Final
from zlib import crc32

from watosfs.errors import DamageError
from watosfs.wfs2.blocks import boundaries, unseal
from watosfs.wfs2.check import check
from watosfs.wfs2.entries import Entry, decode_entry, encode_entry
from watosfs.wfs2.format import (
    Geometry,
    Superblock,
    decode_superblock,
    encode_superblock,
)
from watosfs.wfs2.space import Space
from watosfs.wfs2.superblocks import is_wfs2, newest_superblock
from watosfs.wfs2.table import Tree, read_slots
from watosfs_fuzz.parsers.budget import CountingDevice
from watosfs_fuzz.parsers.harness import Wrong, verdict_of, words_of
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.wfs2_layouts import BLOCK, ENTRY, PAYLOAD, SLOTS, SUPERBLOCK

_DEVICE_BLOCKS: Final = 512
_FILES: Final = 256
_NO_VOLUME: Final = frozenset({errno.EINVAL, errno.EUCLEAN})
_GEOMETRY: Final = Geometry(_DEVICE_BLOCKS, _FILES)


def superblock(data: bytes) -> str:
    """256 bytes, and one that says in which of the three places they stand (bits 0 to 2)."""
    raw = data[: SUPERBLOCK.size].ljust(SUPERBLOCK.size, b"\0")
    where = data[SUPERBLOCK.size] if len(data) > SUPERBLOCK.size else 1
    block = raw.ljust(BLOCK, b"\0")
    places = (0, _DEVICE_BLOCKS // 2, _DEVICE_BLOCKS - 1)
    blocks = {place: block for bit, place in enumerate(places) if where >> bit & 1}
    device = CountingDevice(SparseImage(BLOCK, _DEVICE_BLOCKS, blocks))
    device.allow("mount", 3)
    try:
        found, at = newest_superblock(device)
    except OSError as error:
        if error.errno not in _NO_VOLUME:
            raise
        device.allow("the question whether it is one", 4)
        if is_wfs2(device) and not where & 1:
            raise Wrong("a backup makes it a volume that does not mount") from error
        return verdict_of(error)
    _require_sound(found, raw)
    if at and found.geometry.total_blocks != _DEVICE_BLOCKS:
        raise Wrong("a backup of another volume is accepted")
    if decode_superblock(encode_superblock(found), at, _DEVICE_BLOCKS) != found:
        raise Wrong("a superblock does not round-trip")
    return f"accepted {at} {found.geometry.is_overlapped} {found.geometry.max_files.bit_length()}"


def _require_sound(found: Superblock, raw: bytes) -> None:
    if crc32(raw[:248]) != int.from_bytes(raw[248:252], "little"):
        raise Wrong("a checksum that does not match is accepted")
    get = SUPERBLOCK.get
    total, files = get(raw, 0, "total_blocks"), get(raw, 0, "max_files")
    if not 256 <= total <= _DEVICE_BLOCKS or not 256 <= files <= 65536:
        raise Wrong("a volume of another size is accepted", f"{total} blocks, {files} files")
    if (total, files) != found.geometry:
        raise Wrong("a geometry that the superblock does not say", str(found.geometry))
    table = 3 + get(raw, 0, "bitmap_blocks")
    data = table + get(raw, 0, "filetable_blocks") + 1
    if (table, data) != (get(raw, 0, "filetable_block"), get(raw, 0, "data_start_block")):
        raise Wrong("sections that overlap are accepted")
    if not data < total - 2:
        raise Wrong("a volume without room for data is accepted", str(data))
    if get(raw, 0, "free_blocks") > total or get(raw, 0, "root_files") > files:
        raise Wrong("counts above what there is are accepted")


def table(data: bytes) -> str:
    """Blocks of the file table of a volume of 512 blocks and 256 files."""
    blocks = _blocks_of(data, _GEOMETRY.filetable_blocks)
    first = _GEOMETRY.filetable_block
    image = SparseImage(BLOCK, _DEVICE_BLOCKS, {first + i: b for i, b in enumerate(blocks)})
    device = CountingDevice(image)
    device.allow("the table", _GEOMETRY.filetable_blocks)
    slots, free = read_slots(device, _GEOMETRY)
    if sorted([*(slot.number for slot in slots), *free]) != list(range(_FILES)):
        raise Wrong("a slot is neither in use nor free, or both")
    said: set[str] = set()
    for slot in slots:
        raw = blocks[slot.number // SLOTS][slot.number % SLOTS * ENTRY.size :][: ENTRY.size]
        if slot.entry is not None:
            _require_entry(raw, slot.entry)
        elif slot.problem is not None:
            said.add(verdict_of(slot.problem))
    tree = Tree(slots)
    _require_tree(tree, [slot.entry for slot in slots if slot.entry is not None])
    said.update(map(words_of, tree.damage[:8]))
    return f"{min(len(tree.nodes), 3)} {len(tree.stale) > 0} {' '.join(sorted(said))[:300]}"


def _require_entry(raw: bytes, entry: Entry) -> None:
    if crc32(raw[:96]) != int.from_bytes(raw[96:100], "little"):
        raise Wrong("an entry whose checksum does not match is accepted")
    name, get = entry.name, ENTRY.get
    if not 1 <= len(name) <= 55 or raw[:56].rstrip(b"\0") != name or b"\0" in name:
        raise Wrong("a name that the field does not say", repr(name))
    if any(part in (b"", b".", b"..") for part in name.split(b"/")):
        raise Wrong("a name that none may be is accepted", repr(name))
    size, start, count = (get(raw, 0, key) for key in ("size", "start_block", "blocks"))
    if get(raw, 0, "flags") & 0x10:
        if size or start or count:
            raise Wrong("a directory with data is accepted")
    elif count != max(1, -(-size // PAYLOAD)):
        raise Wrong("blocks that the size does not take are accepted", f"{size} in {count}")
    elif not _is_data(start, count):
        raise Wrong("a file outside the data area is accepted", f"{count} at {start}")
    again = decode_entry(encode_entry(entry), 0, _GEOMETRY)
    if again != entry:
        raise Wrong("an entry does not round-trip", str(entry))


def _is_data(start: int, count: int) -> bool:
    """No section, boundary or superblock of the volume of 512 blocks: 4 to 11 is the table."""
    end, mid = start + count, _DEVICE_BLOCKS // 2
    return start >= 13 and end <= _DEVICE_BLOCKS - 2 and (end <= mid - 1 or start >= mid + 2)


def _require_tree(tree: Tree, entries: list[Entry]) -> None:
    """Every name is once in the tree, stale, or damage; no two sound files share a block."""
    names = {entry.name for entry in entries}
    shown = {node.path for node in tree.nodes.values()} - {b""}
    implied = {node.path for node in tree.implied}
    if not shown - names <= implied or (not tree.damage and shown - names != implied):
        raise Wrong("a name that no entry has", repr(sorted(shown - names - implied)[:3]))
    if not tree.damage and names - shown:
        raise Wrong("an entry is lost", repr(sorted(names - shown)[:3]))
    newest: dict[bytes, int] = {}
    for entry in entries:
        newest[entry.name] = max(newest.get(entry.name, 0), entry.modified)
    owner: dict[int, bytes] = {}
    for node in tree.nodes.values():
        has_entry = node.path in newest and node.slot is not None
        if has_entry and node.entry.modified != newest[node.path]:
            raise Wrong("an older entry of a name counts", repr(node.path))
        if node.is_directory or node.damage:
            continue
        for block in range(node.entry.start_block, node.entry.start_block + node.entry.blocks):
            if owner.setdefault(block, node.path) != node.path:
                raise Wrong("two files have a block", f"{owner[block]!r} and {node.path!r}")


def bitmap(data: bytes) -> str:
    """The bitmap of an otherwise sound, empty volume: what check says of it, and mends."""
    raw = _blocks_of(data, 1)[0]
    space = Space(_DEVICE_BLOCKS, _GEOMETRY.reserved_runs)
    image = SparseImage(BLOCK, _DEVICE_BLOCKS, dict(boundaries(_GEOMETRY)))
    sealed = encode_superblock(Superblock(_GEOMETRY, space.free_count, 0))
    image.blocks |= dict.fromkeys(_GEOMETRY.superblocks, sealed)
    image.blocks[2] = raw
    device = CountingDevice(image)
    device.allow("check", 64)
    report = check(device)
    due = space.bitmap_block(0)
    changed = int.from_bytes(raw, "little") ^ int.from_bytes(due, "little")
    if report.is_clean != (not changed):
        raise Wrong("check is mistaken about a bitmap", str(report.problems[:1]))
    lost = changed & int.from_bytes(raw, "little")
    if report.blocks_lost != lost.bit_count():
        raise Wrong("another number of lost blocks", str(report.blocks_lost))
    device.allow("repair", 128, 16)
    check(device, repair=True)
    if device.read(2) != due:
        raise Wrong("the bitmap is not mended")
    return " ".join(sorted(report.kinds)) + f" {min(lost.bit_count(), 2)}"


def data_blocks(data: bytes) -> str:
    """Consecutive data blocks."""
    blocks = _blocks_of(data, 16)
    broken = next(
        (i for i, raw in enumerate(blocks) if crc32(raw[:PAYLOAD]) != _last_word(raw)), None
    )
    try:
        found = unseal(b"".join(blocks), 100)
    except DamageError as error:
        if broken is None or error.block != 100 + broken:
            raise Wrong("another block is called damaged", str(error)) from error
        return f"{min(broken, 2)} {verdict_of(error)}"
    if broken is not None:
        raise Wrong("a data block whose checksum does not match is accepted")
    if found != b"".join(raw[:PAYLOAD] for raw in blocks):
        raise Wrong("other bytes than the blocks carry")
    return f"accepted {min(len(blocks), 3)}"


def _last_word(raw: bytes) -> int:
    return int.from_bytes(raw[PAYLOAD:], "little")


def _blocks_of(data: bytes, count_max: int) -> list[bytes]:
    """At least one block, the last filled up."""
    pieces = range(0, min(max(len(data), 1), count_max * BLOCK), BLOCK)
    return [data[at : at + BLOCK].ljust(BLOCK, b"\0") for at in pieces]
