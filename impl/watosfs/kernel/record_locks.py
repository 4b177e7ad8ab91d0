"""POSIX record locks: ranges of an inode that belong to processes."""

from collections.abc import Iterator
from typing import NamedTuple

from watosfs.kernel.descriptions import Identity
from watosfs.kernel.numbers import F_UNLCK, F_WRLCK


class RangeLock(NamedTuple):
    """Bytes ``start`` to ``end``, both included, as a process holds them."""

    start: int
    end: int
    kind: int
    pid: int


class RecordLocks:
    """For each inode its locks, sorted; those of one process do not overlap."""

    def __init__(self) -> None:
        self.locks: dict[Identity, list[RangeLock]] = {}

    def conflicting(self, identity: Identity, wanted: RangeLock) -> Iterator[RangeLock]:
        """Locks of other processes in the way, by start and process."""
        for lock in self.locks.get(identity, ()):
            overlaps = lock.start <= wanted.end and wanted.start <= lock.end
            if lock.pid != wanted.pid and overlaps and F_WRLCK in (lock.kind, wanted.kind):
                yield lock

    def set(self, identity: Identity, wanted: RangeLock) -> None:
        """Put a lock that does not conflict (or F_UNLCK) over the process's own: split what it
        covers in part, merge with equal neighbours.
        """
        kept = []
        start, end = wanted.start, wanted.end
        for lock in self.locks.get(identity, ()):
            if lock.pid != wanted.pid:
                kept.append(lock)
            elif lock.kind == wanted.kind and lock.start <= end + 1 and start <= lock.end + 1:
                start, end = min(start, lock.start), max(end, lock.end)
            else:
                if lock.start < wanted.start:
                    kept.append(lock._replace(end=min(lock.end, wanted.start - 1)))
                if lock.end > wanted.end:
                    kept.append(lock._replace(start=max(lock.start, wanted.end + 1)))
        if wanted.kind != F_UNLCK:
            kept.append(RangeLock(start, end, wanted.kind, wanted.pid))
        self.keep(identity, kept)

    def drop_process(self, identity: Identity, pid: int) -> None:
        """A process closed a descriptor of the inode: all its locks on it go."""
        if identity in self.locks:
            self.keep(identity, [lock for lock in self.locks[identity] if lock.pid != pid])

    def keep(self, identity: Identity, locks: list[RangeLock]) -> None:
        """Replace an inode's locks."""
        if locks:
            self.locks[identity] = sorted(
                locks, key=lambda lock: (lock.start, lock.pid, lock.end, lock.kind)
            )
        else:
            self.locks.pop(identity, None)
