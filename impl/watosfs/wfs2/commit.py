"""The order in which changes reach the disk.

Four steps with a flush behind each: new data and its bits in the bitmap; the entries that changed,
each in one sector; the entries that a rename replaced; the bits of what is free now, and the counts
in the superblocks. A file is not changed where it is, as long as there is room elsewhere: so a
power cut leaves every file as it was or as it became, and at worst bits set for blocks that nobody
has, which the next mount takes back.
"""

import errno
import heapq
from collections.abc import Mapping
from dataclasses import replace

from watosfs.errors import failure
from watosfs.wfs2.drafts import settle
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.entries import ENTRY_SIZE, FREE_ENTRY, Entry, encode_entry
from watosfs.wfs2.format import BITMAP_BLOCK, ENTRIES_IN_BLOCK, encode_superblock


def sync(engine: Engine) -> None:
    """Make everything so far durable. EIO: what reached the disk is not known."""
    engine.require_mounted()
    if engine.read_only:
        return
    if engine.has_failed:
        raise failure(errno.EIO, reason="a write failed before: what is on disk is not known")
    settle_all(engine)
    if not engine.has_changes:
        engine.flush()
        return
    _write_bitmap(engine)
    engine.flush()
    _write_entries(engine)
    engine.flush()
    if engine.replaced:
        _write_slots(engine, dict.fromkeys(engine.replaced))
        engine.flush()
        for slot in engine.replaced:
            heapq.heappush(engine.free_slots, slot)
        engine.replaced.clear()
    pending, engine.pending = engine.pending, []
    for start, count in pending:
        engine.release(start, count)
    _write_bitmap(engine)
    _write_superblocks(engine)
    engine.flush()


def settle_all(engine: Engine) -> None:
    """Complete the drafts: every change has its blocks, and no entry leads there yet."""
    for node in sorted(engine.dirty, key=lambda node: node.number):
        if node.draft is not None:
            settle(engine, node)


def require_name(engine: Engine, path: bytes) -> None:
    """Before a node takes a path which the medium has for another: let the medium forget it."""
    if path in engine.vacated:
        sync(engine)


def _write_entries(engine: Engine) -> None:
    """What changed and what is removed, in one step: each entry is old or new by itself."""
    slots: dict[int, Entry | None] = dict.fromkeys(engine.cleared)
    for node in engine.dirty:
        node.entry = replace(node.entry, name=node.path)
        if node.slot is not None:
            slots[node.slot] = node.durable = node.entry
    _write_slots(engine, slots)
    engine.dirty.clear()
    engine.cleared.clear()
    engine.vacated.clear()
    for slot, _ in engine.tree.stale:
        heapq.heappush(engine.free_slots, slot)
    engine.tree.stale.clear()


def _write_slots(engine: Engine, slots: Mapping[int, Entry | None]) -> None:
    by_block: dict[int, list[int]] = {}
    for slot in sorted(slots):
        by_block.setdefault(slot // ENTRIES_IN_BLOCK, []).append(slot)
    for index, members in by_block.items():
        block = engine.geometry.filetable_block + index
        raw = bytearray(engine.device.read(block))
        for slot in members:
            entry = slots[slot]
            offset = slot % ENTRIES_IN_BLOCK * ENTRY_SIZE
            data = FREE_ENTRY if entry is None else encode_entry(entry)
            raw[offset : offset + ENTRY_SIZE] = data
        engine.write(block, raw)


def _write_bitmap(engine: Engine) -> None:
    for index in sorted(engine.stale_bitmap):
        engine.write(BITMAP_BLOCK + index, engine.space.bitmap_block(index))
    engine.stale_bitmap.clear()


def _write_superblocks(engine: Engine) -> None:
    found = engine.counted()
    if found != engine.superblock or engine.superblocks_stale:
        raw = encode_superblock(found)
        for block in engine.geometry.superblocks:
            engine.write(block, raw)
        engine.superblock = found
        engine.superblocks_stale = False
