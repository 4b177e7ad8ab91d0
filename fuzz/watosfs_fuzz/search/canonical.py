"""Abstract states as keys: equal keys are one state to the search.

A key leaves out what says only how a state was reached: times (each operation has its own) and
inode numbers (an inode is named by its first path). Interchangeable names are put in the order of
what they lead to. What is open, the transaction and the state that a crash falls back to belong
to the state.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from watosfs_fuzz.dialect import FIELDS, Dialect, Entry, Observed
from watosfs_model import System, observe
from watosfs_model.durability import crash_state

KEY_BYTES: Final = 8
_LONG: Final = 64
_TIMES: Final = tuple(FIELDS.index(name) for name in ("atime_ns", "mtime_ns", "ctime_ns"))
_IDENTITY: Final = FIELDS.index("identity")


def state_key(
    system: System, dialect: Dialect, interchangeable: Sequence[bytes], shape: Hashable
) -> bytes:
    """The key of a model's state together with the coarse shape of the target's own."""
    parts: list[object] = [canonical(dialect.shown(observe(system)), interchangeable), shape]
    if system.begun is not None:
        begun = replace(system, volume=system.begun, descriptors={})
        parts.append(canonical(dialect.shown(observe(begun)), interchangeable))
    if len(system.history) > 1:
        durable = crash_state(system, system.history[0])
        parts.append(canonical(dialect.shown(observe(durable)), interchangeable))
    return digest(repr(parts).encode())


def canonical(observed: Observed, interchangeable: Sequence[bytes]) -> list[object]:
    """An observation as a list that prints the same for all that count as one."""
    tree, files = observed
    names = renaming(tree, interchangeable)
    entries = sorted((names.get(path, path), short(entry, names)) for path, entry in tree.items())
    return [entries, sorted((number, short(entry, names)) for number, entry in files.items())]


def renaming(tree: dict[bytes, Entry], interchangeable: Sequence[bytes]) -> dict[bytes, bytes]:
    """New names for the interchangeable ones that are there: by what they lead to."""
    present = [path for path in interchangeable if path in tree]
    links = [tree[path][_IDENTITY] for path in present]
    assert len(set(links)) == len(links), "interchangeable names must not be links to one file"
    present.sort(key=lambda path: repr(short(tree[path], {})[:-1]))
    return dict(zip(present, interchangeable, strict=False))


def short(entry: Entry, names: dict[bytes, bytes]) -> tuple[object, ...]:
    """An entry without times, long content as its digest, its identity renamed."""
    values = [
        digest(value) if isinstance(value, bytes) and len(value) > _LONG else value
        for i, value in enumerate(entry)
        if i not in _TIMES
    ]
    identity = entry[_IDENTITY]
    values[-1] = names.get(identity, identity) if isinstance(identity, bytes) else identity
    return tuple(repr(value) for value in values)


def digest(data: bytes) -> bytes:
    """Short, and the same in every process."""
    return blake2b(data, digest_size=KEY_BYTES).digest()
