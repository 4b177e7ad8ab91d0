"""What one valid node says and which rules it breaks on its own, whatever stands around it.

Everything here depends on the 4096 bytes alone, so it may be remembered by them: a leaf that did
not change since the last check is not decoded and judged again. What depends on the place of a node
(its block, level, bounds, the superblock) is judged each time, by ``trees`` and the modules above
it.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from watosfs.block.device import Buffer
from watosfs.wfs3.checker.inode_facts import InodeFacts, inode_facts
from watosfs.wfs3.checker.leaf_facts import (
    EMPTY_EXTENTS,
    EntryFacts,
    ExtentFacts,
    dead_problems,
    entry_facts,
    extent_facts,
    range_problems,
    record_problems,
)
from watosfs.wfs3.node import (
    DEAD,
    DIRECTORY,
    EXTENTS,
    FREE,
    HEADER,
    INODES,
    INTERNAL_CAPACITY,
    KINDS,
    LEVEL_MAX,
    SNAPSHOTS,
    NodeKind,
    node_is_valid,
)

#: (structure, field, text); the structure is that of the record, or "" for the node itself.
Remark: TypeAlias = tuple[str, str, str]


class NodeFacts(NamedTuple):
    """One node. ``is_broken`` when its entries cannot be read at all.

    ``keys`` and ``values`` of an internal node are its keys and children, of a leaf of the free
    tree, orphan tree, snapshot tree or a dead list its entries. ``low`` and ``high`` are the least
    and the greatest key.
    """

    kind: NodeKind
    level: int
    generation: int
    item_count: int
    keys: Sequence[int]
    values: Sequence[Any]
    low: int
    high: int
    remarks: Sequence[Remark]
    is_broken: bool
    inodes: Sequence[InodeFacts]
    entries: Sequence[EntryFacts]
    extents: ExtentFacts


_NOTHING: Final[tuple[()]] = ()


def node_facts(data: Buffer, *, strict: bool) -> NodeFacts | None:
    """The facts of the node in ``data``; None when ``node_is_valid`` rejects it, whatever it is."""
    if not node_is_valid(data):
        return None
    magic, level, count, generation, parent, _crc = HEADER.unpack_from(data)
    kind = KINDS[magic]
    remarks: list[Remark] = []
    if parent and strict:
        remarks.append(("", "parent_block", f"{parent} is not 0"))
    capacity = INTERNAL_CAPACITY if level else kind.capacity
    if level > LEVEL_MAX:
        remarks.append(("", "level", f"{level} is above {LEVEL_MAX}"))
    elif count > capacity:
        remarks.append(("", "item_count", f"{count} is above the capacity of {capacity}"))
    elif level and not count:
        remarks.append(("", "item_count", "an internal node without children"))
    else:
        return _read_entries(data, kind, level, count, generation, remarks, strict)
    return NodeFacts(
        kind, level, generation, count, _NOTHING, _NOTHING, 0, 0, remarks, True,
        _NOTHING, _NOTHING, EMPTY_EXTENTS,
    )  # fmt: skip


def _read_entries(
    data: Buffer,
    kind: NodeKind,
    level: int,
    count: int,
    generation: int,
    remarks: list[Remark],
    strict: bool,
) -> NodeFacts:
    keys, values = (FREE if level else kind).decode(data, count)
    in_order = sorted(keys)
    if keys != in_order and (strict or level or kind is not DIRECTORY):
        remarks.append(("", "keys", "they are out of order"))
    elif kind.unique and len(set(keys)) != count:
        remarks.append(("", "keys", "a key repeats"))
    inodes: Sequence[InodeFacts] = _NOTHING
    entries: Sequence[EntryFacts] = _NOTHING
    extents = EMPTY_EXTENTS
    if not level:
        if kind is INODES:
            inodes = [inode_facts(k, raw, strict) for k, raw in zip(keys, values, strict=True)]
            remarks += [remark for facts in inodes for remark in facts.remarks]
        elif kind is DIRECTORY:
            entries = entry_facts(keys, values, remarks)
        elif kind is EXTENTS:
            extents = extent_facts(keys, values, remarks, strict)
        elif kind is FREE:
            range_problems(keys, values, remarks)
        elif kind is SNAPSHOTS:
            record_problems(keys, values, remarks)
        elif kind is DEAD:
            dead_problems(values, remarks)
        if kind in (INODES, DIRECTORY, EXTENTS):
            values = []
    low, high = (in_order[0], in_order[-1]) if count else (0, 0)
    return NodeFacts(
        kind, level, generation, count, keys, values, low, high, remarks, False,
        inodes, entries, extents,
    )  # fmt: skip
