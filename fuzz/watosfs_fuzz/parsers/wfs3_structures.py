"""Harnesses for the structures of WFS v3, one at a time: superblock, nodes, records of leaves.

Checks: what is accepted round-trips, and holds by rules restated here (checksum over the whole
block, magic, counts within the block, sizes within the device), so that a rule that is taken out of
the parser is missed.
"""

import errno
from types import SimpleNamespace
from typing import Any, Final, cast
from zlib import crc32

from watosfs.errors import DamageError
from watosfs.wfs3 import packed_attributes
from watosfs.wfs3.checker.facts import node_facts
from watosfs.wfs3.checker.inode_facts import inode_facts
from watosfs.wfs3.checker.leaf_facts import extent_facts
from watosfs.wfs3.checker.report import Findings
from watosfs.wfs3.checker.superblocks import is_usable, newest, read_copies
from watosfs.wfs3.filereading import FileReader
from watosfs.wfs3.format import decode_superblock, encode_superblock, superblock_problem
from watosfs.wfs3.mounting import read_superblocks
from watosfs.wfs3.node import (
    DIRECTORY,
    INODES,
    SNAPSHOTS,
    Node,
    NodeKind,
    decode_node,
    encode_node,
)
from watosfs.wfs3.records import (
    DIRECTORY_ENTRY_SIZE,
    Extent,
    decode_entry,
    decode_inode,
    encode_entry,
    entry_hash,
)
from watosfs.wfs3.snapshot_records import decode_record, encode_record
from watosfs_fuzz.parsers.budget import CountingDevice
from watosfs_fuzz.parsers.harness import Wrong, verdict_of
from watosfs_fuzz.parsers.images import SparseImage

_BLOCK: Final = 4096
_DEVICE_BLOCKS: Final = 1024
_GENERATION: Final = 1 << 20
_KNOWN_INCOMPAT: Final = 3
_INODE_BYTES: Final = 256
_EXTENT_FIELDS: Final = 7


def superblock(data: bytes) -> str:
    """256 bytes, and one that says where they stand: slot, behind a header, in both slots."""
    raw, where = data[:256].ljust(256, b"\0"), data[256] if len(data) > 256 else 0
    at = 32 if where & 2 else 0
    block = bytes(at) + raw + bytes(_BLOCK - 256 - at)
    image = SparseImage(_BLOCK, _DEVICE_BLOCKS, {where & 1: block})
    if where & 4:
        image.blocks[1 - (where & 1)] = block
    device = CountingDevice(image)
    found = decode_superblock(block, at)
    if found is not None:
        if crc32(raw[:248]) != int.from_bytes(raw[248:252], "little"):
            raise Wrong("a checksum that does not match is accepted")
        if decode_superblock(encode_superblock(found)) != found:
            raise Wrong("a superblock does not round-trip")
    device.allow("mount", 4)
    try:
        elected = read_superblocks(device).superblock
    except OSError as error:
        verdict = verdict_of(error)
        if error.errno not in (errno.EINVAL, errno.EUCLEAN, errno.ENOTSUP):
            raise
    else:
        verdict = "accepted " + str(elected.is_published_layout)
        if not 256 <= elected.total_blocks <= device.block_count:
            raise Wrong("a volume larger than its device is accepted", str(elected.total_blocks))
        if elected.incompat & ~_KNOWN_INCOMPAT:
            raise Wrong("an unknown incompatible feature is accepted")
    device.allow("check", 4)
    findings = Findings()
    copies = read_copies(device, findings)
    usable = bool(copies) and is_usable(newest(copies), device.block_count, findings)
    if usable != verdict.startswith("accepted"):
        raise Wrong("mount and check disagree about a superblock", verdict)
    if usable and superblock_problem(newest(copies).superblock, device.block_count) is not None:
        raise Wrong("a superblock with a problem is used")
    return verdict + " ".join(sorted({problem.field for problem in findings.problems}))


def node(kind: NodeKind, data: bytes) -> str:
    """A block, and a byte that says what is demanded of it: level (low half) and strictness."""
    raw, demand = data[:_BLOCK].ljust(_BLOCK, b"\0"), data[_BLOCK] if len(data) > _BLOCK else 0
    level, strict = demand & 15, not demand & 16
    facts = node_facts(raw, strict=strict)
    try:
        found = decode_node(
            raw, 5, kind, total_blocks=_DEVICE_BLOCKS, generation_max=_GENERATION,
            level=level if demand & 32 else None, strict=strict,
        )  # fmt: skip
    except DamageError as error:
        if error.problem.startswith("crc32") and checksum_matches(raw):
            raise Wrong("a checksum that matches is refused") from error
        return verdict_of(error)
    count = int.from_bytes(raw[6:8], "little")
    if int.from_bytes(raw[:4], "little") != kind.magic:
        raise Wrong("a node of another type is accepted")
    if not checksum_matches(raw):
        raise Wrong("a checksum that does not match is accepted")
    if len(found.keys) != count or len(found.values) != count:
        raise Wrong("a node has not as many entries as it says")
    if found.level and not all(2 <= child < _DEVICE_BLOCKS for child in found.values):
        raise Wrong("a child outside the volume is accepted")
    if facts is None or facts.kind is not kind:
        raise Wrong("the checker sees no node where the reader sees one")
    if facts.is_broken and strict:
        raise Wrong("the checker calls broken what the reader accepts")
    _round_trip(found, kind)
    return f"{min(found.level, 2)} {min(count, 2)} {_leaf(found, strict)} " + " ".join(
        sorted({remark[1] for remark in facts.remarks})
    )


def checksum_matches(raw: bytes) -> bool:
    """Whether a node's checksum is that of the whole block but the checksum itself."""
    return crc32(raw[28:], crc32(raw[:24])) == int.from_bytes(raw[24:28], "little")


def _round_trip(found: Node, kind: NodeKind) -> None:
    again = decode_node(
        encode_node(found, found.generation), 5, kind, total_blocks=_DEVICE_BLOCKS,
        generation_max=max(found.generation, _GENERATION),
    )  # fmt: skip
    if (again.keys, again.values, again.level) != (found.keys, found.values, found.level):
        raise Wrong("a node does not round-trip")


def _leaf(found: Node, strict: bool) -> str:
    """The records of a leaf."""
    if found.level:
        return ""
    if found.kind is INODES:
        return " ".join(sorted({inode(value) for value in found.values}))
    if found.kind is DIRECTORY:
        return " ".join(sorted({entry(value) for value in found.values}))
    if found.kind is SNAPSHOTS:
        return " ".join(sorted({snapshot(value) for value in found.values}))
    return ""


def snapshot(data: bytes) -> str:
    """The 304 bytes of a snapshot's record."""
    try:
        found = decode_record(data, 0)
    except DamageError as error:
        return verdict_of(error)
    name = found.name
    if found.state == 0 and (not name or b"/" in name or b"\0" in name):
        raise Wrong("a name that none may be is accepted", repr(name))
    if decode_record(encode_record(found), 0) != found:
        raise Wrong("a snapshot's record does not round-trip")
    return f"snapshot {found.state}"


def inode(data: bytes) -> str:
    """The 256 bytes of an inode."""
    raw = data[:_INODE_BYTES].ljust(_INODE_BYTES, b"\0")
    number = int.from_bytes(raw[:8], "little")
    remarks = {
        remark[1] for strict in (True, False) for remark in inode_facts(number, raw, strict).remarks
    }
    try:
        found = decode_inode(raw, 0)
    except DamageError as error:
        return verdict_of(error)
    if len(found.inline) > 160:
        raise Wrong("more inline bytes than the field has")
    again = decode_inode(found.pack(), 0)
    for name in type(found).__slots__:
        if name != "flags" and getattr(again, name) != getattr(found, name):
            raise Wrong("an inode does not round-trip", name)
    return f"inode {found.is_directory} {found.is_symlink} " + " ".join(sorted(remarks))


def entry(data: bytes) -> str:
    """The 280 bytes of a directory entry."""
    raw = data[:DIRECTORY_ENTRY_SIZE].ljust(DIRECTORY_ENTRY_SIZE, b"\0")
    try:
        found = decode_entry(raw, 0)
    except DamageError as error:
        return verdict_of(error)
    if not 1 <= len(found.name) <= 255 or b"/" in found.name or b"\0" in found.name:
        raise Wrong("a name that none may be is accepted", repr(found.name))
    again = encode_entry(found.inode_number, found.kind, entry_hash(raw), found.name)
    if decode_entry(again, 0) != found:
        raise Wrong("a directory entry does not round-trip")
    return f"entry {min(found.kind, 8)}"


def extent(data: bytes) -> str:
    """The key and the 40 bytes of an extent."""
    raw = data[:48].ljust(48, b"\0")
    widths = (8, 8, 8, 8, 4, 4, 4, 4)
    values, at = [], 0
    for width in widths:
        values.append(int.from_bytes(raw[at : at + width], "little"))
        at += width
    key, found = values[0], Extent(*values[1:])
    remarks: list[tuple[str, str, str]] = []
    facts = extent_facts([key], [found], remarks, True)
    extent_facts([key], [found], [], False)
    engine = SimpleNamespace(store=SimpleNamespace(total_blocks=_DEVICE_BLOCKS))
    reader = FileReader(cast(Any, engine))
    try:
        reader.validate(key, found)
    except DamageError as error:
        if not remarks and facts.block_end <= _DEVICE_BLOCKS:
            raise Wrong("check says nothing of an extent that cannot be read") from error
        return verdict_of(error) + " ".join(remark[1] for remark in remarks)
    blocks, stands_for = found.stored_blocks, found.length // _BLOCK
    is_odd = blocks == stands_for if found.flags else blocks != stands_for
    if is_odd or not 1 <= blocks <= stands_for <= 16:
        raise Wrong("an extent of an odd number of blocks is accepted", str(found))
    if not 2 <= found.disk_block <= _DEVICE_BLOCKS - blocks:
        raise Wrong("an extent outside the volume is accepted", str(found))
    return "accepted " + " ".join(remark[1] for remark in remarks)


def attributes(data: bytes) -> str:
    """The packed extended attributes of an inode."""
    try:
        found = packed_attributes.decode(data, 7)
    except DamageError as error:
        return verdict_of(error)
    if packed_attributes.encode(found) != data:
        raise Wrong("extended attributes do not round-trip")
    return f"accepted {min(len(found), 3)}"
