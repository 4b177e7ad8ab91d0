"""The WFS v2 harnesses: published images pass, and every rule that is taken out is missed."""

import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from watosfs.wfs2 import blocks, entries, superblocks, table
from watosfs.wfs2 import check as check_module
from watosfs.wfs2.checker import entries as checker_entries
from watosfs.wfs2.format import Geometry, Superblock, decode_superblock
from watosfs_fuzz.parsers import loop, wfs2_image, wfs2_plain, wfs2_seeds
from watosfs_fuzz.parsers.budget import CountingDevice
from watosfs_fuzz.parsers.catalogue import require_harness
from watosfs_fuzz.parsers.harness import Failure, execute
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.wfs2_layouts import (
    BLOCK,
    ENTRY,
    SUPERBLOCK,
    put_name,
    seal_data,
    seal_entry,
    seal_superblock,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "published_wfs2"
NAMES = [entry["image"] for entry in json.loads((FIXTURES / "manifest.json").read_text())["images"]]
EXECUTIONS = 4000


@pytest.fixture(params=NAMES)
def published(request: pytest.FixtureRequest) -> bytes:
    return lzma.decompress((FIXTURES / f"{request.param}.xz").read_bytes())


def test_a_published_image_passes(published: bytes) -> None:
    verdict = execute(
        require_harness("wfs2-image"), SparseImage.of_bytes(published, BLOCK).encode()
    )
    assert not isinstance(verdict, Failure), verdict.story
    assert not verdict.startswith("mount")


def test_layouts_and_seals_are_those_of_a_published_image(published: bytes) -> None:
    raw = bytearray(published[: SUPERBLOCK.size])
    seal_superblock(raw, 0)
    assert raw == published[: SUPERBLOCK.size]
    first = SUPERBLOCK.get(raw, 0, "filetable_block") * BLOCK
    found = {}
    for start in range(first, first + 32 * ENTRY.size, ENTRY.size):
        entry = bytearray(published[start : start + ENTRY.size])
        if entry[0]:
            seal_entry(entry, 0)
            assert entry == published[start : start + ENTRY.size]
            found[bytes(entry[:56]).rstrip(b"\0")] = ENTRY.get(entry, 0, "start_block") * BLOCK
    for at in filter(None, found.values()):
        block = bytearray(published[at : at + BLOCK])
        seal_data(block, 0)
        assert block == published[at : at + BLOCK]


def test_the_plain_reader_reads_a_published_image(published: bytes) -> None:
    def read(number: int) -> bytes:
        return published[number * BLOCK : (number + 1) * BLOCK]

    device = CountingDevice(SparseImage.of_bytes(published, BLOCK))
    ours, damage = wfs2_image.read_all(device)
    assert ours is not None
    assert not damage
    plain = wfs2_plain.files(published[: SUPERBLOCK.size], read)
    assert {path[1:]: data for path, data in ours.items()} == plain


def holds_anything(geometry: Geometry, start: int, count: int) -> bool:
    return True


def any_size(raw: bytes, block: int, device_blocks: int) -> Superblock:
    return decode_superblock(raw, block, 1 << 40)


def any_entry(raw: bytes, block: int, geometry: Geometry) -> entries.Entry | None:
    fixed = bytearray(raw)
    seal_entry(fixed, 0)
    return entries.decode_entry(bytes(fixed) if raw[0] else raw, block, geometry)


def first_of_a_name(
    self: table.Tree, slots: list[table.Slot]
) -> dict[bytes, tuple[int, entries.Entry]]:
    return {slot.entry.name: (slot.number, slot.entry) for slot in slots if slot.entry}


def no_overlaps(self: object) -> None:
    """What a tree without this method would be."""


BROKEN: dict[str, tuple[str, object, str, object]] = {
    "blocks outside the data area": ("wfs2-table", Geometry, "holds", holds_anything),
    "total size unbounded": ("wfs2-superblock", superblocks, "decode_superblock", any_size),
    "CRC of an entry unchecked": ("wfs2-table", table, "decode_entry", any_entry),
    "CRC of a data block unchecked": ("wfs2-data", blocks, "is_sealed", lambda raw: True),
    "the last of a name counts": ("wfs2-table", table.Tree, "_newest", first_of_a_name),
    "cross-linked files unseen": ("wfs2-table", table.Tree, "_overlaps", no_overlaps),
    "check blind to cross-links": (
        "wfs2-image", checker_entries.Entries, "_overlaps", no_overlaps,
    ),
    "check blind to bits": (
        "wfs2-bitmap", check_module, "_bitmap", lambda device, geometry, space, report: None,
    ),
    "check blind to duplicates": (
        "wfs2-image", checker_entries.Entries, "_duplicates", no_overlaps,
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_taken_out_is_missed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, where, attribute, broken = BROKEN[rule]
    harness = require_harness(name)
    monkeypatch.setattr(where, attribute, broken)
    tally = loop.run(harness, [], seed=1, executions=EXECUTIONS, stop_at_failure=True)
    assert tally.failures, f"{rule}: not seen in {EXECUTIONS} executions"


def entries_put(change: Callable[[int, bytearray], None], count: int) -> bytes:
    """The seed with files, ``count`` slots of its table changed and sealed."""
    image = SparseImage.parse(wfs2_seeds.images()[1], BLOCK)
    blocks_raw = bytearray(b"".join(image.read(4 + i) for i in range(8)))
    large = next(
        bytes(blocks_raw[at : at + ENTRY.size])
        for at in range(0, BLOCK, ENTRY.size)
        if blocks_raw[at : at + 6] == b"large\0"
    )
    for slot in range(count):
        at = (255 - slot) * ENTRY.size
        entry = bytearray(large)
        change(slot, entry)
        seal_entry(entry, 0)
        blocks_raw[at : at + ENTRY.size] = entry
    for i in range(8):
        image.blocks[4 + i] = bytes(blocks_raw[i * BLOCK : (i + 1) * BLOCK])
    return image.encode()


def bomb() -> bytes:
    """240 files over the same ten blocks, the last of them damaged; each says another CRC."""

    def change(slot: int, entry: bytearray) -> None:
        put_name(entry, 0, b"s%d" % slot)
        ENTRY.put(entry, 0, "data_crc32", slot)

    image = SparseImage.parse(entries_put(change, 240), BLOCK)
    raw = bytearray(image.read(25))
    raw[0] ^= 1
    image.blocks[25] = bytes(raw)
    return image.encode()


def test_files_over_the_same_blocks_are_not_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = require_harness("wfs2-image")
    assert not isinstance(execute(harness, bomb()), Failure)
    monkeypatch.setattr(checker_entries, "_READ_ROUNDS", 1 << 30)
    failed = execute(harness, bomb())
    assert isinstance(failed, Failure)
    assert failed.kind == "check reads too many blocks"


def test_a_repair_gives_no_file_the_name_of_a_folder() -> None:
    def change(slot: int, entry: bytearray) -> None:
        put_name(entry, 0, (b"FSCK0000/x", b"large/x")[slot])
        start = 100 + slot * 10
        ENTRY.put(entry, 0, "start_block", start)

    result = execute(require_harness("wfs2-image"), entries_put(change, 2))
    assert not isinstance(result, Failure), result.story


def test_a_full_table_of_damage_is_written_once_a_block() -> None:
    def change(slot: int, entry: bytearray) -> None:
        put_name(entry, 0, b"//")

    assert not isinstance(execute(require_harness("wfs2-image"), entries_put(change, 240)), Failure)


def test_the_mutator_reaches_what_lies_behind_checksums() -> None:
    harness = require_harness("wfs2-table")
    blind = replace(harness, mutate=lambda data, random: data[:-1] + random.randbytes(1))
    sealed = loop.run(harness, [], executions=1500).verdicts
    unsealed = loop.run(blind, [], executions=1500).verdicts
    assert len(sealed) > 5 * len(unsealed)
