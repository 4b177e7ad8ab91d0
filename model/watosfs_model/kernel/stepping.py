"""One step of a kernel: which errnos a call may give, when it waits, and what it does otherwise
[R1].
"""

import errno
from dataclasses import replace

from watosfs_model.kernel import descriptors, flocks, listing
from watosfs_model.kernel.attribute_calls import Sendfile
from watosfs_model.kernel.calls import Call, CopyFileRange, Lseek, Openat
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.process_calls import Flock, Interrupt, Resume
from watosfs_model.kernel.state import FIRST_PROCESS, Disk, Kernel, Process
from watosfs_model.kernel.table import description_of
from watosfs_model.kernel.table_of_calls import (
    NEEDS_SPACE_BY_DESCRIPTOR,
    NEEDS_SPACE_BY_PATH,
    TABLE,
)
from watosfs_model.open_flags import O_CREAT, O_TRUNC
from watosfs_model.resolution import Refused
from watosfs_model.snapshots import without_nameless
from watosfs_model.state import FILE, Difference, Outcome
from watosfs_model.stepping import name_of, names_of, short

Errnos = frozenset[int]
NO_ERRNOS: Errnos = frozenset()


def attempt(
    kernel: Kernel, pid: int, call: Call, observed: Outcome | None = None
) -> tuple[Change | None, Errnos]:
    """The working copy, and why the call fails. No copy where the call is none at all [R1]."""
    process = kernel.processes.get(pid)
    if process is None:
        return None, frozenset({errno.ESRCH})
    is_directive = isinstance(call, Resume | Interrupt)
    parked = process.parked
    if is_directive and parked is None:
        return None, frozenset({errno.EINVAL})
    if not is_directive and parked is not None:
        return None, frozenset({errno.EBUSY})
    change = Change(kernel, pid, call, observed)
    if parked is not None:
        change.call, change.done = parked.call, parked.done  # [Q6]
        change.set_process(parked=None)
    is_ended = isinstance(call, Interrupt)
    errnos = frozenset({errno.EINTR}) if is_ended else call_checks(change)
    if errnos and change.done:
        change.is_cut = True  # [Q7]
        errnos = NO_ERRNOS
    return change, errnos


def call_checks(change: Change) -> Errnos:
    """The errnos of a call that a process may make."""
    call = change.call
    if type(call) not in TABLE:
        return frozenset({errno.ENOSYS})
    try:
        return frozenset(TABLE[type(call)][0](change, call))
    except Refused as refused:
        return refused.errnos


def checks(kernel: Kernel, pid: int, call: Call) -> Errnos:
    """The errnos that the call may give now; empty means that it must succeed, or park."""
    return attempt(kernel, pid, call)[1]


def succeed(change: Change) -> tuple[object, Kernel]:
    """Value and next state of a call that may succeed. Raises Difference when what was observed is
    none of its values.
    """
    if change.is_cut:
        return change.done, change.kernel()
    value = TABLE[type(change.call)][1](change, change.call)
    listing.keep_up(change)
    return value, change.kernel()


def fail(kernel: Kernel, change: Change | None, number: int) -> Kernel:
    """A call that fails changes nothing but the clock [T1], save a flock that converts [L2]."""
    if change is None:
        return replace(kernel, calls=kernel.calls + 1)
    if isinstance(change.call, Flock) and number == errno.EAGAIN:
        flocks.give_up(change, change.call)
    return change.kernel()


def step(kernel: Kernel, pid: int, call: Call) -> tuple[Outcome, Kernel]:
    """The canonical outcome (success, parking, or the smallest permitted errno) and the next
    state.
    """
    change, errnos = attempt(kernel, pid, call)
    if errnos or change is None:
        return Outcome(None, min(errnos)), fail(kernel, change, min(errnos))
    value, after = succeed(change)
    return Outcome(value), after


def follow(kernel: Kernel, pid: int, call: Call, observed: Outcome) -> Kernel:
    """The next state if ``observed`` is permitted. Raises Difference otherwise."""
    change, errnos = attempt(kernel, pid, call, observed)
    if observed.errno:
        if observed.errno in errnos or observed.errno in also_permitted(change, errnos):
            return fail(kernel, change, observed.errno)
        raise Difference(f"{name_of(observed.errno)} where {names_of(errnos)} is due")
    if errnos or change is None:
        raise Difference(f"success where {names_of(errnos)} is due")
    value, after = succeed(change)
    if observed.value != value:
        raise Difference(f"value {short(observed.value)} where {short(value)} is due")
    return after


def also_permitted(change: Change | None, errnos: Errnos) -> Errnos:
    """Errnos that may come where success is due as well: no space [S1], no data [K8]."""
    if change is None or change.is_cut:
        return NO_ERRNOS
    call = change.call
    if isinstance(call, Lseek):
        return NO_ERRNOS if errnos else frozenset(descriptors.lseek_allowed(change, call))
    return frozenset({errno.ENOSPC}) if may_need_space(change, call) else NO_ERRNOS


def may_need_space(change: Change, call: Call) -> bool:
    """Whether the call may write to a volume [S1]."""
    if isinstance(call, Openat):
        return bool(call.flags & (O_CREAT | O_TRUNC))
    if isinstance(call, NEEDS_SPACE_BY_PATH):
        return True
    if not isinstance(call, (*NEEDS_SPACE_BY_DESCRIPTOR, CopyFileRange, Sendfile)):
        return False
    fd = call.fd_out if isinstance(call, CopyFileRange | Sendfile) else call.fd
    try:
        return description_of(change, fd).kind == FILE
    except Refused:
        return False


def power_cut(kernel: Kernel) -> Kernel:
    """The newest state that a power cut may leave: open transactions never happened, nameless files
    are gone, processes dead; process 1 is new. Which older states recovery may find is the base
    level's business.
    """
    disks = tuple(Disk(without_nameless(disk.begun or disk.volume)) for disk in kernel.disks)
    return Kernel(disks, {FIRST_PROCESS: Process()}, {}, {}, {}, {}, kernel.calls)
