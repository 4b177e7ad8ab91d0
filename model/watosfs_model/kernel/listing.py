"""Getdents: which listings of a directory that changes are right [K9].

Neither order nor what came or went meanwhile is laid down, so a listing is compared by a predicate:
a scan remembers which names were there all the time and which at some time.
"""

import errno
from collections.abc import Mapping
from dataclasses import replace

from watosfs_model.kernel.calls import Getdents
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.state import File, Kernel, Scan
from watosfs_model.kernel.table import description_of, number_of
from watosfs_model.state import DIRECTORY, Difference, Inode


def names_and_kinds(inodes: Mapping[int, Inode], number: int) -> frozenset[tuple[bytes, str]]:
    """The entries of a directory as Getdents gives them; none when it is not there."""
    directory = inodes.get(number)
    if directory is None:
        return frozenset()
    return frozenset((name, inodes[n].kind) for name, n in directory.entries.items())


def views(kernel: Kernel | Change, volume: int) -> list[Mapping[int, Inode]]:
    """The inodes as somebody may see them: the working state, and that at begin [Y2]."""
    disk = kernel.disks[volume]
    return [disk.volume.inodes] if disk.begun is None else [disk.volume.inodes, disk.begun.inodes]


def new_scan(change: Change, file: File) -> Scan:
    """A scan that begins now."""
    volume, number = file
    ever = names_and_kinds(change.inodes(volume), number)
    always = frozenset(name for name, _ in ever)
    if change.disks[volume].begun is not None:
        for inodes in views(change, volume):
            ever |= names_and_kinds(inodes, number)
    return Scan(frozenset(), always, ever)


def keep_up(change: Change) -> None:
    """Tell every scan what the call did to its directory."""
    change.fold()
    if not change.has_new_views:
        return
    for number, description in change.descriptions.items():
        if description.kind != DIRECTORY or description.is_stale:
            continue
        scan = description.scan
        assert scan is not None
        volume, directory = description.file
        old = [inodes.get(directory) for inodes in views(change.before, volume)]
        for inodes in views(change, volume):
            inode = inodes.get(directory)
            if any(known is inode for known in old):
                continue
            now = names_and_kinds(inodes, directory)
            always = scan.always & frozenset(name for name, _ in now)
            scan = Scan(scan.given, always, scan.ever | now)
        if scan is not description.scan:
            changed = replace(description, scan=scan)
            change.descriptions = {**change.descriptions, number: changed}


def getdents_checks(change: Change, call: Getdents) -> set[int]:
    errnos = {errno.EINVAL} if call.count < 1 else set[int]()
    description = description_of(change, call.fd, errnos)
    if description.kind != DIRECTORY:
        errnos.add(errno.ENOTDIR)
    elif change.inode(description.file).nlink == 0:
        errnos.add(errno.ENOENT)  # [K9]
    return errnos


def getdents_core(change: Change, call: Getdents) -> object:
    description = description_of(change, call.fd)
    scan = description.scan
    assert scan is not None
    entries = change.inode(description.file).entries
    if change.observed is None:
        volume, number = description.file
        now = names_and_kinds(change.inodes(volume), number)
        left = sorted((name, kind) for name, kind in now if name not in scan.given)
        value: object = tuple(left[: call.count])
    else:
        value = change.observed.value
    given = judged(scan, frozenset(entries), value, call.count)
    # A name that this process cannot see was not there the whole time for whoever shares the scan.
    scan = scan._replace(given=given, always=scan.always & frozenset(entries))
    change.set_description(number_of(change, call.fd), scan=scan)
    return value


def judged(scan: Scan, present: frozenset[bytes], value: object, count: int) -> frozenset[bytes]:
    """The names given so far when ``value`` is a right answer. Raises Difference otherwise."""
    if not isinstance(value, tuple | list):
        raise Difference(f"getdents gives {value!r}, not a sequence of names and kinds")
    if len(value) > count:
        raise Difference(f"getdents gives {len(value)} names where at most {count} were asked for")
    given = set(scan.given)
    for entry in value:
        pair = tuple(entry) if isinstance(entry, tuple | list) else entry
        if pair not in scan.ever:
            raise Difference(f"getdents gives {entry!r}, which was never there in this scan")
        if pair[0] in given:
            raise Difference(f"getdents gives {pair[0]!r} a second time in this scan")
        given.add(pair[0])
    missing = (scan.always & present) - given
    if not value and missing:
        raise Difference(f"getdents ends without {min(missing)!r}, there during the whole scan")
    return frozenset(given)
