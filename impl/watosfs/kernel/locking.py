"""Calls that lock: flock, and fcntl record locks."""

import errno

from watosfs.errors import failure
from watosfs.kernel.descriptions import Identity
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    F_GETLK,
    F_RDLCK,
    F_SETLKW,
    F_UNLCK,
    F_WRLCK,
    FILE_SIZE_MAX,
    LOCK_EX,
    LOCK_NB,
    LOCK_SH,
    LOCK_UN,
)
from watosfs.kernel.process import Process, WouldBlock
from watosfs.kernel.record_locks import RangeLock


def flock(kernel: Kernel, process: Process, number: int, operation: int) -> None:
    """Lock or unlock the description. A conversion gives the old lock up before it waits."""
    description = process.fresh(number)
    kind = operation & ~LOCK_NB
    if kind not in (LOCK_SH, LOCK_EX, LOCK_UN):
        raise failure(errno.EINVAL)
    locks = kernel.flocks
    if kind == LOCK_UN or locks.held(description) != kind:
        locks.drop(description)
    if kind == LOCK_UN or locks.held(description):
        return
    if not locks.conflicts(description, kind):
        locks.take(description, kind)
    elif operation & LOCK_NB:
        raise failure(errno.EAGAIN)
    else:
        raise WouldBlock(("flock", description.identity))


def lock_range(
    kernel: Kernel, process: Process, number: int, command: int, kind: int, start: int, length: int
) -> tuple[int, int, int, int] | None:
    """fcntl with F_GETLK, F_SETLK, F_SETLKW."""
    description = process.fresh(number)
    if not F_GETLK <= command <= F_SETLKW or not F_RDLCK <= kind <= F_UNLCK:
        raise failure(errno.EINVAL)
    wanted = RangeLock(*bounds(start, length), kind, process.pid)
    identity, locks = description.identity, kernel.record_locks
    if command == F_GETLK:
        if kind == F_UNLCK:
            raise failure(errno.EINVAL)
        found = next(locks.conflicting(identity, wanted), None)
        return None if found is None else described(found)
    if kind == F_RDLCK:
        description.require_readable()
    elif kind == F_WRLCK:
        description.require_writable()
    blockers = [lock.pid for lock in locks.conflicting(identity, wanted)]
    if kind == F_UNLCK or not blockers:
        locks.set(identity, wanted)
        return None
    if command != F_SETLKW:
        raise failure(errno.EAGAIN)
    if waits_in_a_circle(kernel, process.pid, blockers):
        raise failure(errno.EDEADLK)
    raise WouldBlock(("range", identity, wanted))


def bounds(start: int, length: int) -> tuple[int, int]:
    """First and last byte. EINVAL below 0, EOVERFLOW beyond the largest offset."""
    if start < 0 or start + min(length, 0) < 0:
        raise failure(errno.EINVAL)
    if start > FILE_SIZE_MAX:
        raise failure(errno.EOVERFLOW)
    if length < 0:
        return start + length, start - 1
    end = start + length - 1 if length else FILE_SIZE_MAX
    if end > FILE_SIZE_MAX:
        raise failure(errno.EOVERFLOW)
    return start, end


def described(lock: RangeLock) -> tuple[int, int, int, int]:
    """(kind, start, length, pid) as F_GETLK tells it; length 0 is to the end."""
    length = 0 if lock.end == FILE_SIZE_MAX else lock.end - lock.start + 1
    return lock.kind, lock.start, length, lock.pid


def waits_in_a_circle(kernel: Kernel, pid: int, blockers: list[int]) -> bool:
    """Whether the processes in the way wait, directly or not, for a lock of ``pid``."""
    waiting, seen = list(blockers), set[int]()
    while waiting:
        other = waiting.pop()
        if other == pid:
            return True
        if other not in seen:
            seen.add(other)
            waiting += blockers_of(kernel, other)
    return False


def blockers_of(kernel: Kernel, pid: int) -> list[int]:
    """Whose record locks a parked process waits for."""
    match kernel.processes[pid].waits_for:
        case (("range", (int(first), int(second)), RangeLock() as wanted),):
            identity: Identity = first, second
            return [lock.pid for lock in kernel.record_locks.conflicting(identity, wanted)]
    return []
