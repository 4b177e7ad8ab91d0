"""Any block of a WFS v3 volume, decoded for people: what ``watosfs dump`` prints.

Reads one block and interprets it by what it says of itself, valid or not: who dumps a block has a
damaged volume in hand, so every field is shown as it is stored and what cannot be right is marked,
never hidden. Raises OSError only for what the device itself refuses.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from stat import filemode
from typing import Any, Final
from uuid import UUID

from watosfs.block.device import BlockDevice, Buffer
from watosfs.errors import DamageError
from watosfs.wfs3.checker.superblocks import bit_names, find_superblock
from watosfs.wfs3.format import (
    COMPAT_NANOSECOND_TIMES,
    INCOMPAT_COMPRESSION,
    INCOMPAT_RAW_DATA,
    RO_COMPAT_ATTRIBUTES,
    RO_COMPAT_ORPHAN_TREE,
    RO_COMPAT_SNAPSHOTS,
    SUPERBLOCK_SLOTS,
    Superblock,
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
    SNAPSHOTS,
    NodeKind,
    node_crc,
)
from watosfs.wfs3.records import Extent, decode_entry, decode_inode, entry_hash
from watosfs.wfs3.snapshot_records import OPEN_LIST, record_problem, unpack_record

FEATURE_NAMES: Final = {
    "compat": {COMPAT_NANOSECOND_TIMES: "nanosecond-times"},
    "ro_compat": {
        RO_COMPAT_ORPHAN_TREE: "orphan-tree",
        RO_COMPAT_ATTRIBUTES: "attributes",
        RO_COMPAT_SNAPSHOTS: "snapshots",
    },
    "incompat": {INCOMPAT_RAW_DATA: "raw-data", INCOMPAT_COMPRESSION: "compression"},
}
ENTRY_TYPE_NAMES: Final = (
    "unknown", "file", "directory", "symlink", "block device", "character device", "fifo", "socket",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROW_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Description:
    """One block, decoded: ``fields`` of its header, and one mapping for each of its ``entries``.

    ``structure`` is ``"superblock"``, the name of a tree, or ``"data"`` for anything else, which is
    then shown as a hexdump in ``lines``.
    """

    block: int
    structure: str
    fields: dict[str, Any]
    entries: tuple[dict[str, Any], ...] = ()
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        width = max((len(name) for name in self.fields), default=0)
        text = [f"block {self.block}: {self.structure}"]
        text += [f"  {name:<{width}}  {value}" for name, value in self.fields.items()]
        for number, entry in enumerate(self.entries):
            shown = "  ".join(f"{name}={value}" for name, value in entry.items())
            text.append(f"  [{number}] {shown}")
        return "\n".join([*text, *(f"  {line}" for line in self.lines)])

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``."""
        shown: dict[str, Any] = {
            "block": self.block,
            "structure": self.structure,
            "fields": self.fields,
        }
        if self.lines:
            shown["hexdump"] = list(self.lines)
        else:
            shown["entries"] = list(self.entries)
        return shown


def describe_block(device: BlockDevice, block: int) -> Description:
    """``block`` of ``device`` decoded. Raises OSError (EINVAL, EIO) when it cannot be read."""
    data = bytes(device.read(block))
    if block in SUPERBLOCK_SLOTS:
        found = find_superblock(data)
        if found is not None:
            return Description(block, "superblock", _superblock_fields(*found))
    kind = KINDS.get(int.from_bytes(data[:4], "little"))
    if kind is not None:
        return _describe_node(data, block, kind)
    note = {"contents": "all zero" if not any(data) else "no structure of WFS v3"}
    return Description(block, "data", note, lines=tuple(hexdump(data)))


def _superblock_fields(offset: int, superblock: Superblock) -> dict[str, Any]:
    fields: dict[str, Any] = {"offset": offset, **superblock._asdict()}
    fields["magic"] = f"{superblock.magic:#010x}"
    fields["signature"] = superblock.signature.rstrip(b"\0").decode("utf-8", "backslashreplace")
    fields["label"] = superblock.label.rstrip(b"\0").decode("utf-8", "backslashreplace")
    fields["uuid"] = str(UUID(bytes=superblock.uuid))
    fields["commit_time_ns"] = _time(superblock.commit_time_ns)
    for word, names in FEATURE_NAMES.items():
        bits = getattr(superblock, word)
        known = [name for bit, name in names.items() if bits & bit]
        unknown = bits & ~sum(names)
        fields[word] = ", ".join(known + ([f"unknown {bit_names(unknown)}"] if unknown else []))
    fields["crc32"] = "valid"
    return fields


def _describe_node(data: bytes, block: int, kind: NodeKind) -> Description:
    magic, level, count, generation, parent, stored = HEADER.unpack_from(data)
    computed = node_crc(data)
    capacity = INTERNAL_CAPACITY if level else kind.capacity
    fields: dict[str, Any] = {
        "magic": f"{magic:#010x}",
        "level": level,
        "item_count": count if count <= capacity else f"{count} (above the capacity, {capacity})",
        "generation": generation,
        "parent_block": parent,
        "crc32": f"{stored:#010x} "
        + ("valid" if stored == computed else f"INVALID (contents give {computed:#010x})"),
    }
    shown = min(count, capacity)
    keys, values = (FREE if level else kind).decode(data, shown)
    entries = [_entry(kind, level, key, value) for key, value in zip(keys, values, strict=True)]
    return Description(block, kind.name, fields, tuple(entries))


def _entry(kind: NodeKind, level: int, key: int, value: Any) -> dict[str, Any]:
    if level:
        return {"key": f"{key:#x}" if kind is DIRECTORY else key, "child": value}
    if kind is INODES:
        return _inode(key, value)
    if kind is DIRECTORY:
        return _name(key, value)
    if kind is EXTENTS:
        extent: Extent = value
        return {"key": key, **extent._asdict(), "crc32": f"{extent.crc32:#010x}"}
    if kind is FREE:
        return {"start": key, "count": value}
    if kind is SNAPSHOTS:
        return _snapshot(key, value)
    if kind is DEAD:
        return {"birth": key, "start": value[0], "count": value[1]}
    return {"inode_num": key, "generation": value}


def _inode(key: int, raw: bytes) -> dict[str, Any]:
    try:
        inode = decode_inode(raw, 0)
    except DamageError as damage:
        return {"key": key, "damaged": damage.problem, "raw": raw[:96].hex()}
    shown: dict[str, Any] = {
        "key": key,
        "inode_num": inode.number,
        "mode": f"{filemode(inode.mode)} ({inode.mode:#o})",
        "flags": f"{inode.flags:#x}",
        "size": inode.size,
        "blocks": inode.blocks,
        "uid": inode.uid,
        "gid": inode.gid,
        "atime": _time(inode.atime_ns),
        "mtime": _time(inode.mtime_ns),
        "ctime": _time(inode.ctime_ns),
        "nlink": inode.nlink,
        "attributes_inode": inode.attributes_inode,
        "extent_root": inode.extent_root,
        "refcount": inode.refcount,
        "inline_size": len(inode.inline),
    }
    if inode.inline:
        shown["inline"] = repr(inode.inline)[1:]
    return shown


def _name(key: int, raw: bytes) -> dict[str, Any]:
    try:
        entry = decode_entry(raw, 0)
    except DamageError as damage:
        return {"key": f"{key:#x}", "damaged": damage.problem, "raw": raw[:24].hex()}
    kind = ENTRY_TYPE_NAMES[entry.kind] if entry.kind < len(ENTRY_TYPE_NAMES) else str(entry.kind)
    return {
        "key": f"{key:#x}",
        "inode_num": entry.inode_number,
        "type": kind,
        "name_hash": f"{entry_hash(raw):#x}",
        "name": repr(entry.name)[1:],
    }


def _snapshot(key: int, raw: bytes) -> dict[str, Any]:
    record, _ = unpack_record(raw)
    shown: dict[str, Any] = {
        "key": "open" if key == OPEN_LIST else key,
        **record._asdict(),
        "time_ns": _time(record.time_ns),
        "name": repr(record.name)[1:],
    }
    problem = record_problem(*unpack_record(raw))
    return shown if problem is None else {**shown, "damaged": ": ".join(problem)}


def _time(time_ns: int) -> str:
    """ISO time with nine decimals; the bare number when it is beyond the calendar."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"{time_ns} ns"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def hexdump(data: Buffer) -> list[str]:
    """Rows of 16 bytes, offset, hex and ASCII; a run of two or more zero rows becomes one line."""
    lines: list[str] = []
    view = bytes(data)
    offset = 0
    while offset < len(view):
        zeros = offset
        while zeros < len(view) and not any(view[zeros : zeros + _ROW_BYTES]):
            zeros += _ROW_BYTES
        if zeros - offset > _ROW_BYTES:
            lines.append(f"{offset:04x}  zero up to {min(zeros, len(view)):04x}")
            offset = zeros
            continue
        row = view[offset : offset + _ROW_BYTES]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{offset:04x}  {row.hex(' '):<{_ROW_BYTES * 3 - 1}}  |{text}|")
        offset += _ROW_BYTES
    return lines
