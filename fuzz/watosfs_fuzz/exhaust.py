"""Bounded-exhaustive workloads, in the manner of B3: every short sequence over a tiny tree.

A workload is a setup that satisfies what operations depend on (synced), then one or two
operations, each followed by a persistence point or none. Arguments are symbolic: an offset means
"append" or "overlap, unaligned", not a number. A workload whose operation fails in the model is
left out: what fails changes nothing, so it is a shorter workload. Numbered from 0 on, always in the
same order, so that a budget can be spent in slices.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from watosfs_model import System, step
from watosfs_model.data import Fill, Literal, Repeat
from watosfs_model.open_flags import O_APPEND, O_CREAT, O_RDWR, O_TRUNC
from watosfs_model.operations import (
    Begin,
    Chmod,
    Close,
    Commit,
    Compress,
    Dropsnapshot,
    Fsync,
    Ftruncate,
    Link,
    Mkdir,
    Open,
    Operation,
    Pwrite,
    Removexattr,
    Rename,
    Rmdir,
    Rollback,
    Setxattr,
    Snapshot,
    Symlink,
    Sync,
    Truncate,
    Unlink,
    Utimens,
)

Steps: TypeAlias = tuple[Operation, ...]
#: For each change its persistence points, as ``persisted`` says.
Choices: TypeAlias = Sequence[tuple[Steps, Steps, Steps, Steps]]

PID: Final = 1
_SYNC: Final = Sync()
_FSYNC: Final = Fsync(3)
_BEGIN: Final = Begin()
_COMMIT: Final = Commit()


def compressible(operation: Operation) -> Operation:
    """A write with data that repeats in place of noise; anything else as it is."""
    if isinstance(operation, Pwrite) and isinstance(operation.data, Fill):
        return replace(operation, data=Repeat(operation.data.seed, operation.data.length))
    return operation


#: /a has two blocks, /d/b lives in its inode, /e is an empty directory; /f and /d/f do not exist.
SIZE_OF_A: Final = 5000
SETUP: Final[Steps] = (
    Mkdir(b"/d", 0o755),
    Mkdir(b"/e", 0o755),
    Open(b"/a", O_CREAT | O_RDWR, 0o644),
    Pwrite(3, Fill(1, SIZE_OF_A), 0),
    Open(b"/d/b", O_CREAT | O_RDWR, 0o644),
    Pwrite(4, Literal(b"inline"), 0),
    Setxattr(b"/a", b"user.k", Literal(b"v"), 0),
    Sync(),
)
#: From here on all data is compressed that can be.
COMPRESS: Final = Compress(b"/", 1)
#: The same tree, kept by two snapshots that share most of it, and changed since each.
SNAPSHOT_SETUP: Final[Steps] = (
    *SETUP[:-1],
    Snapshot(b"one"),
    Pwrite(3, Fill(5, 900), 4100),
    Snapshot(b"two"),
    Pwrite(3, Fill(6, 100), 0),
    Sync(),
)
FILES: Final = (b"/a", b"/d/b")
EXISTING: Final = (*FILES, b"/d", b"/e")
MISSING: Final = (b"/f", b"/d/f")
#: Symbolic writes to /a: (offset, length).
WRITES: Final = {
    "append": (SIZE_OF_A, 100),
    "append a block": (SIZE_OF_A, 4096),
    "overlap unaligned start": (4000, 200),
    "overlap a block": (0, 4096),
    "overlap extend": (4900, 300),
    "beyond the end": (70_000, 10),
}


class Workload(NamedTuple):
    """``number`` is its place among all of so many operations."""

    number: int
    operations: Steps


def changes() -> list[Steps]:
    """Every single change, as the operations that make it."""
    found: list[Steps] = [(Mkdir(path, 0o755),) for path in MISSING]
    found += [(Rmdir(path),) for path in (b"/d", b"/e")]
    found += [(Unlink(path),) for path in FILES]
    found += [(Symlink(b"a", path),) for path in MISSING]
    found += [(Rename(old, new),) for old in EXISTING for new in (*EXISTING, *MISSING)]
    found += [(Link(old, new),) for old in FILES for new in MISSING]
    found += [(Open(path, O_CREAT | O_RDWR, 0o600),) for path in MISSING]
    found += [(Open(path, O_RDWR | O_TRUNC, 0),) for path in FILES]
    found += [(Pwrite(3, Fill(2, length), offset),) for offset, length in WRITES.values()]
    found += [(Pwrite(4, Fill(2, length), 0),) for length in (3, 300)]
    found.append((Open(b"/a", O_RDWR | O_APPEND, 0), Pwrite(5, Literal(b"end"), 0)))
    found += [(Truncate(b"/a", size),) for size in (0, 100, 4096, 4500, 9000)]
    found += [(Ftruncate(4, size),) for size in (0, 3, 500)]
    found += [(Chmod(path, 0o700),) for path in (b"/a", b"/d")]
    found.append((Utimens(b"/a", 1, 2),))
    found += [(Setxattr(path, b"user.k", Fill(3, 300), 0),) for path in (b"/a", b"/d")]
    found.append((Removexattr(b"/a", b"user.k"),))
    return found


def persisted(change: Steps) -> tuple[Steps, Steps, Steps, Steps]:
    """The change with each persistence point: none, a sync, an fsync, or in a transaction."""
    return change, (*change, _SYNC), (*change, _FSYNC), (_BEGIN, *change, _COMMIT)


def workloads(
    count: int, *, is_compressed: bool = False, has_snapshots: bool = False
) -> Iterator[Workload]:
    """All workloads of ``count`` changes (1 or more) whose operations succeed."""
    setup = SNAPSHOT_SETUP if has_snapshots else SETUP
    if is_compressed:
        setup = (COMPRESS, *map(compressible, setup))
    base = after(System.fresh(), setup)
    assert base is not None
    each = changes()
    if is_compressed:
        each = [tuple(map(compressible, change)) for change in each]
        each += [(Compress(path, level),) for path in (b"/a", b"/d") for level in (0, 19)]
    if has_snapshots:
        each += [(Snapshot(b"new"),), (Dropsnapshot(b"one"),), (Dropsnapshot(b"two"),)]
        each.append((Close(3), Close(4), Rollback(b"two")))
    choices = [persisted(change) for change in each]
    for number, (steps, _) in enumerate(extended(setup, base, choices, count)):
        yield Workload(number, steps)


def extended(
    start: Steps, system: System, choices: Choices, count: int
) -> Iterator[tuple[Steps, System]]:
    """``start`` with ``count`` more changes, and the model after it. What workloads have in common
    is stepped once.
    """
    if not count:
        yield start, system
        return
    for steps, changed in continuations(system, choices):
        yield from extended((*start, *steps), changed, choices, count - 1)


def continuations(system: System, choices: Choices) -> Iterator[tuple[Steps, System]]:
    """Each change with each persistence point that succeeds, and the model after it."""
    begun = after(system, (_BEGIN,))
    for plain, synced, fsynced, inside in choices:
        changed = after(system, plain)
        if changed is not None:
            yield plain, changed
            for steps in (synced, fsynced):
                persistent = after(changed, steps[-1:])
                if persistent is not None:
                    yield steps, persistent
        committed = begun and after(begun, inside[1:])
        if committed is not None:
            yield inside, committed


def after(system: System, operations: Steps) -> System | None:
    """The model after some operations, None when one of them fails."""
    for operation in operations:
        outcome, system = step(system, PID, operation)
        if outcome.errno:
            return None
    return system
