"""flock: whole files, by open file description [L1, L2]."""

import errno

from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN
from watosfs_model.kernel.process_calls import Flock
from watosfs_model.kernel.table import description_of, number_of


def is_held_by_others(change: Change, number: int, kind: int) -> bool:
    """Whether another description's lock on the same file is in the way: one of the two is
    exclusive [L1].
    """
    file = change.descriptions[number].file
    return any(
        other != number
        and change.descriptions[other].file == file
        and LOCK_EX in (kind, other_kind)
        for other, other_kind in change.flocks.items()
    )


def flock_checks(change: Change, call: Flock) -> set[int]:
    kind = call.operation & ~LOCK_NB
    errnos = set() if kind in (LOCK_SH, LOCK_EX, LOCK_UN) else {errno.EINVAL}
    description_of(change, call.fd, errnos)
    if errnos or kind == LOCK_UN or not call.operation & LOCK_NB:
        return errnos
    number = number_of(change, call.fd)
    if change.flocks.get(number) != kind and is_held_by_others(change, number, kind):
        return {errno.EAGAIN}
    return set()


def flock_core(change: Change, call: Flock) -> object:
    number = number_of(change, call.fd)
    kind = call.operation & ~LOCK_NB
    if change.flocks.get(number) == kind:
        return None
    give_up(change, call)
    if kind == LOCK_UN:
        return None
    if is_held_by_others(change, number, kind):
        return change.park()
    change.flocks = {**change.flocks, number: kind}
    return None


def give_up(change: Change, call: Flock) -> None:
    """A lock that is converted is given up first, even when the new one cannot be had [L2]."""
    number = number_of(change, call.fd)
    if number in change.flocks:
        change.flocks = {n: kind for n, kind in change.flocks.items() if n != number}
