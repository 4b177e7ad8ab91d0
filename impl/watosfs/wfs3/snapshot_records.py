"""The record of a snapshot in the snapshot tree (``docs/FORMAT.md`` section 9.1)."""

import struct
from typing import Final, NamedTuple

from watosfs.errors import DamageError
from watosfs.wfs3.format import NAME_MAX

_RECORD = struct.Struct("<QQQQIIQ256s")
RECORD_SIZE: Final = 304
assert _RECORD.size == RECORD_SIZE

#: The key of the dead list that is still open: above every generation.
OPEN_LIST: Final = (1 << 63) - 1
#: A snapshot; a dead list by itself.
EXISTS, LIST_ONLY = range(2)


class SnapshotRecord(NamedTuple):
    """A snapshot, found under its generation, or the dead list that its deletion left.

    ``dead_root`` is the list of what was given up between the record before and this one.
    """

    root_tree_block: int
    orphan_root: int
    dead_root: int
    time_ns: int
    state: int
    name: bytes


def encode_record(record: SnapshotRecord) -> bytes:
    """The value of the leaf entry."""
    return _RECORD.pack(*record[:5], len(record.name), 0, record.name)


def record_problem(record: SnapshotRecord, length: int) -> tuple[str, str] | None:
    """(field, text) of the first rule that a record breaks on its own, or None."""
    name = record.name
    if record.state > LIST_ONLY:
        return "state", f"{record.state} is neither 0 nor 1"
    if record.state == LIST_ONLY:
        if length or record.root_tree_block or record.orphan_root:
            return "state", "a list by itself has neither name nor roots"
        return None if record.dead_root else ("dead_root", "0: a list by itself that is empty")
    if not 1 <= length <= NAME_MAX or not is_name(name):
        return "name", f"{name!r} of {length} bytes"
    return None if record.root_tree_block else ("root_tree_block", "0 in a snapshot")


def is_name(name: bytes) -> bool:
    """Whether a snapshot may have this name, but for its length."""
    return bool(name) and b"/" not in name and b"\0" not in name and name not in (b".", b"..")


def decode_record(raw: bytes, block: int) -> SnapshotRecord:
    """The record in ``raw``. Raises DamageError."""
    record, length = unpack_record(raw)
    problem = record_problem(record, length)
    if problem is not None:
        raise DamageError("snapshot", block, f"{problem[0]}: {problem[1]}")
    return record


def unpack_record(raw: bytes) -> tuple[SnapshotRecord, int]:
    """(record, length of its name as it is stored), unjudged."""
    root, orphan_root, dead_root, time_ns, state, length, _, name = _RECORD.unpack(raw)
    return SnapshotRecord(root, orphan_root, dead_root, time_ns, state, name[:length]), length
