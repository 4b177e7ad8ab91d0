"""Forward progress, tried out on any target by its operations: create, write, read, sync, delete.

Checks: what works on every sound file system with room works after recovery. Does not check: a
target that cannot open and write; a full one.
"""

import errno

from watosfs_fuzz.target import Target
from watosfs_model.data import Fill
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import (
    Close,
    Fsync,
    Open,
    Operation,
    Pread,
    Pwrite,
    Sync,
    Unlink,
)

_NAMES = (b"/.progress", b"/progress", b"/probe", b"/z", b"/y", b"/x")
_DATA = Fill(7, 700)
#: A full disk, or one that has no room for another name, makes no progress and is no fault.
_NO_FAULT = (errno.ENOSPC, errno.EOPNOTSUPP, errno.EDQUOT)


def progress_problem(target: Target) -> str | None:
    """What does not work, or None. Uses process 1."""
    accepts = target.dialect.accepts
    taken = target.observe()[0]
    opens = [Open(name, O_CREAT | O_RDWR, 0o644) for name in _NAMES if name not in taken]
    opening = next((op for op in opens if accepts(op)), None)
    if opening is None or not accepts(Pwrite(3, _DATA, 0)):
        return None
    opened = target.apply(1, opening)
    if opened.errno:
        return None if opened.errno in _NO_FAULT else failing(opening, opened.errno)
    fd = opened.value
    assert isinstance(fd, int), fd
    syncing: Operation = Fsync(fd) if accepts(Fsync(fd)) else Sync()
    for operation in (
        Pwrite(fd, _DATA, 0), Pread(fd, len(_DATA), 0), syncing, Close(fd), Unlink(opening.path),
    ):  # fmt: skip
        if not accepts(operation):
            continue
        outcome = target.apply(1, operation)
        if outcome.errno in _NO_FAULT:
            return None
        if outcome.errno:
            return failing(operation, outcome.errno)
        if isinstance(operation, Pread) and outcome.value != _DATA.bytes():
            return "what was written reads back differently"
    return None


def failing(operation: Operation, number: int) -> str:
    """In words."""
    return f"no forward progress: {operation.name()}: {errno.errorcode.get(number, str(number))}"
