"""The rules inside one leaf of a directory, of extents, free runs, snapshots or dead runs
(``docs/FORMAT.md`` sections 5 to 7 and 9.1).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from watosfs.errors import DamageError
from watosfs.wfs3.compression import is_compressed
from watosfs.wfs3.format import BLOCK_SIZE, CHUNK_SIZE, FIRST_USABLE_BLOCK, name_hash
from watosfs.wfs3.node import AREA_SIZE
from watosfs.wfs3.records import Extent, decode_entry, entry_hash
from watosfs.wfs3.snapshot_records import LIST_ONLY, OPEN_LIST, record_problem, unpack_record


class EntryFacts(NamedTuple):
    """One name in a directory."""

    key: int
    name: bytes
    inode_number: int
    kind: int


class ExtentFacts(NamedTuple):
    """The extents of one leaf, those with an impossible length left out.

    ``runs`` are the (start block, block count); ``first`` and ``end`` the file offsets of the first
    byte and of the byte after the last; ``blocks`` their sum; the rest the extremes that context is
    compared with.
    """

    extents: Sequence[Extent]
    runs: Sequence[tuple[int, int]]
    first: int
    end: int
    blocks: int
    block_end: int
    generation_max: int
    is_compressed: bool


EMPTY_EXTENTS: Final = ExtentFacts((), (), 0, 0, 0, 0, 0, False)


def entry_facts(
    keys: list[int], values: list[bytes], remarks: list[tuple[str, str, str]]
) -> list[EntryFacts]:
    """The entries that can be read, in order of their keys; what is wrong goes to ``remarks``."""
    entries: list[EntryFacts] = []
    for key, raw in zip(keys, values, strict=True):
        try:
            name, inode_number, kind = decode_entry(raw, 0)
        except DamageError as damage:
            remarks.append(("directory entry", "name", damage.problem))
            continue
        hashed = name_hash(name)
        if entry_hash(raw) != key or hashed != key:
            stored = entry_hash(raw)
            remarks.append((
                "directory entry", "name_hash",
                f"{name!r} hashes to {hashed:#x}, stored {stored:#x} under key {key:#x}",
            ))  # fmt: skip
        entries.append(EntryFacts(key, name, inode_number, kind))
    entries.sort(key=lambda entry: entry.key)
    for name in repeated_names(entries):
        remarks.append(("directory entry", "name", f"{name!r} is there twice"))
    return entries


def repeated_names(entries: Sequence[EntryFacts]) -> list[bytes]:
    """The names that stand more than once among neighbours of equal key."""
    repeated: list[bytes] = []
    seen: set[bytes] = set()
    last = -1
    for entry in entries:
        if entry.key != last:
            seen = set()
            last = entry.key
        elif entry.name in seen:
            repeated.append(entry.name)
        seen.add(entry.name)
    return repeated


def extent_facts(
    keys: list[int],
    values: list[Extent],
    remarks: list[tuple[str, str, str]],
    strict: bool,
) -> ExtentFacts:
    """The extents of a leaf that can be followed; what is wrong goes to ``remarks``."""
    good: list[Extent] = []
    runs: list[tuple[int, int]] = []
    end = 0
    for key, extent in zip(keys, values, strict=True):
        offset, block, length = extent[:3]
        found = _judge_extent(key, extent, end) if strict else _judge_published(extent, end)
        for field, text in found:
            remarks.append(("extent", field, f"extent at file offset {key}: {text}"))
        count = extent.stored_blocks if strict else 1
        if any(field in ("length", "disk_block", "flags") for field, _ in found):
            continue
        good.append(extent)
        runs.append((block, count))
        end = max(end, offset + length)
    if not good:
        return EMPTY_EXTENTS
    return ExtentFacts(
        good,
        runs,
        good[0].file_offset,
        end,
        sum(count for _, count in runs),
        max(start + count for start, count in runs),
        max(extent.generation for extent in good),
        any(extent.flags for extent in good),
    )


def _judge_extent(key: int, extent: Extent, end: int) -> list[tuple[str, str]]:
    offset, block, length, flags, refcount, _crc, _generation = extent
    found: list[tuple[str, str]] = []
    if offset != key or offset % BLOCK_SIZE:
        found.append(("file_offset", f"it says {offset}, which must be the key and whole blocks"))
    elif offset < end:
        found.append(("file_offset", f"it overlaps the extent before, which ends at {end}"))
    if length % BLOCK_SIZE or not BLOCK_SIZE <= length <= CHUNK_SIZE:
        found.append(("length", f"{length} is not whole blocks up to {CHUNK_SIZE}"))
    elif offset % CHUNK_SIZE + length > CHUNK_SIZE:
        found.append(("file_offset", f"its {length} bytes cross a border of {CHUNK_SIZE} bytes"))
    if block < FIRST_USABLE_BLOCK:
        found.append(("disk_block", f"{block} is a superblock"))
    if flags and not is_compressed(extent):
        found.append(("flags", f"{flags:#x} is neither 0 nor that of a compressed extent"))
    if refcount != 1:
        found.append(("refcount", f"{refcount} is not 1"))
    return found


def _judge_published(extent: Extent, end: int) -> list[tuple[str, str]]:
    offset, block, length = extent[:3]
    found: list[tuple[str, str]] = []
    if offset < end:
        found.append(("file_offset", f"it overlaps the extent before, which ends at {end}"))
    if not 1 <= length <= AREA_SIZE:
        found.append(("length", f"{length} is outside 1..{AREA_SIZE}"))
    if block < FIRST_USABLE_BLOCK:
        found.append(("disk_block", f"{block} is a superblock"))
    return found


def range_problems(keys: list[int], counts: list[int], remarks: list[tuple[str, str, str]]) -> None:
    """Free ranges of one leaf: none empty, ascending, with at least one used block between."""
    end = 0
    for start, count in zip(keys, counts, strict=True):
        if start < FIRST_USABLE_BLOCK:
            remarks.append(("free range", "start", f"{start} is a superblock"))
        elif end and start <= end:
            what = "touches" if start == end else "overlaps"
            remarks.append(("free range", "start", f"{start} {what} the range that ends at {end}"))
        if not count:
            remarks.append(("free range", "count", f"the range at {start} is empty"))
        end = start + count


def record_problems(
    keys: list[int], values: list[bytes], remarks: list[tuple[str, str, str]]
) -> None:
    """Records of snapshots, each on its own."""
    for key, raw in zip(keys, values, strict=True):
        record, length = unpack_record(raw)
        problem = record_problem(record, length)
        if problem is not None:
            remarks.append(("snapshot", problem[0], f"of generation {key}: {problem[1]}"))
        elif key > OPEN_LIST or (key == OPEN_LIST and record.state != LIST_ONLY):
            remarks.append(("snapshot", "state", f"a snapshot under key {key:#x}"))


def dead_problems(runs: list[tuple[int, int]], remarks: list[tuple[str, str, str]]) -> None:
    """Dead runs of one leaf: none empty, none of superblocks."""
    for start, count in runs:
        if start < FIRST_USABLE_BLOCK:
            remarks.append(("dead run", "start", f"{start} is a superblock"))
        if not count:
            remarks.append(("dead run", "count", f"the run at {start} is empty"))
