"""fcntl record locks: ranges of a file, by process [L3..L6]."""

import errno
from collections.abc import Iterable

from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import F_GETLK, F_RDLCK, F_SETLK, F_SETLKW, F_UNLCK, F_WRLCK
from watosfs_model.kernel.process_calls import LockRange
from watosfs_model.kernel.state import File, RangeLock
from watosfs_model.kernel.table import can_read, can_write, description_of
from watosfs_model.state import FILE_SIZE_MAX

#: The end of a range that reaches to the end of all files.
END = FILE_SIZE_MAX + 1


def range_of(call: LockRange) -> tuple[int, int]:
    """First byte and the one behind the last. POSIX fcntl: a length of 0 reaches to the end, a
    negative one lies before start [L4].
    """
    if call.length == 0:
        return call.start, END
    if call.length < 0:
        return call.start + call.length, call.start
    return call.start, call.start + call.length


def range_checks(call: LockRange) -> set[int]:
    """EINVAL before 0, EOVERFLOW beyond 2^63 - 1 [L6]."""
    start, end = range_of(call)
    errnos = set()
    if start < 0 or call.start < 0:
        errnos.add(errno.EINVAL)
    if end > END or call.start > FILE_SIZE_MAX:
        errnos.add(errno.EOVERFLOW)
    return errnos


def lockrange_checks(change: Change, call: LockRange) -> set[int]:
    errnos = range_checks(call)
    kinds = (F_RDLCK, F_WRLCK) if call.command == F_GETLK else (F_RDLCK, F_WRLCK, F_UNLCK)
    if call.command not in (F_GETLK, F_SETLK, F_SETLKW) or call.kind not in kinds:
        errnos.add(errno.EINVAL)  # [L6]
    description = description_of(change, call.fd, errnos)
    if call.command != F_GETLK:
        is_unreadable = call.kind == F_RDLCK and not can_read(description)
        is_unwritable = call.kind == F_WRLCK and not can_write(description)
        if is_unreadable or is_unwritable:
            errnos.add(errno.EBADF)
    if errnos or call.command == F_GETLK:
        return errnos
    holders = {lock.pid for lock in in_the_way(change, change.pid, description.file, call)}
    if holders and call.command == F_SETLK:
        return {errno.EAGAIN}
    if holders and waits_for(change, holders):
        return {errno.EDEADLK}  # [L5]
    return set()


def in_the_way(change: Change, pid: int, file: File, call: LockRange) -> Iterable[RangeLock]:
    """Locks of other processes that overlap, one of the two being for writing."""
    if call.kind == F_UNLCK:
        return
    start, end = range_of(call)
    for lock in change.ranges.get(file, ()):
        overlaps = lock.start < end and start < lock.end
        if lock.pid != pid and overlaps and F_WRLCK in (lock.kind, call.kind):
            yield lock


def waits_for(change: Change, holders: set[int]) -> bool:
    """Whether one of the holders waits, over any number of others, for this process: then waiting
    for it would never end [L5].
    """
    known: set[int] = set()
    waiting = set(holders)
    while waiting:
        pid = waiting.pop()
        if pid == change.pid:
            return True
        known.add(pid)
        parked = change.processes[pid].parked
        if parked is None or not isinstance(parked.call, LockRange):
            continue
        number = change.processes[pid].descriptors[parked.call.fd].description
        file = change.descriptions[number].file
        found = {lock.pid for lock in in_the_way(change, pid, file, parked.call)}
        waiting |= found - known
    return False


def lockrange_core(change: Change, call: LockRange) -> object:
    file = description_of(change, call.fd).file
    blocking = sorted(
        in_the_way(change, change.pid, file, call), key=lambda lock: (lock.start, lock.pid)
    )
    if call.command == F_GETLK:
        if not blocking:
            return None
        first = blocking[0]
        length = 0 if first.end == END else first.end - first.start
        return (first.kind, first.start, length, first.pid)
    if blocking:
        return change.park()
    kept = locked(change.ranges.get(file, ()), change.pid, call)
    if kept:
        change.ranges = {**change.ranges, file: kept}
    else:
        change.ranges = {f: locks for f, locks in change.ranges.items() if f != file}
    return None


def locked(locks: Iterable[RangeLock], pid: int, call: LockRange) -> tuple[RangeLock, ...]:
    """The locks of a file after a process set a range: its own ones are cut, and what touches and
    is of one kind is joined [L4].
    """
    start, end = range_of(call)
    others, own = [], []
    for lock in locks:
        if lock.pid != pid:
            others.append(lock)
            continue
        if lock.start < min(start, lock.end):
            own.append(lock._replace(end=min(start, lock.end)))
        if max(end, lock.start) < lock.end:
            own.append(lock._replace(start=max(end, lock.start)))
    if call.kind != F_UNLCK:
        own.append(RangeLock(start, end, call.kind, pid))
    joined: list[RangeLock] = []
    for lock in sorted(own):
        if joined and joined[-1].end == lock.start and joined[-1].kind == lock.kind:
            joined[-1] = joined[-1]._replace(end=lock.end)
        else:
            joined.append(lock)
    return tuple(sorted([*others, *joined]))
