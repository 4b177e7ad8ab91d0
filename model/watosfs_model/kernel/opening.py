"""openat, of files, directories and FIFOs [D2..D5, A3, Q1]."""

import errno

from watosfs_model.kernel import pipes
from watosfs_model.kernel.access import (
    EXECUTE,
    READ,
    WRITE,
    denied,
    effective,
    ownership,
    touch_data,
)
from watosfs_model.kernel.calls import Openat
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.listing import new_scan
from watosfs_model.kernel.reading_writing import busy_checks
from watosfs_model.kernel.state import Description, File, Pipe
from watosfs_model.kernel.table import full_checks, install, lowest_free
from watosfs_model.kernel.walking import Place, SlashedFile, landed, resolve
from watosfs_model.open_flags import (
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
)
from watosfs_model.resolution import ALWAYS, SLASHED, Refused
from watosfs_model.state import DIRECTORY, FIFO, FILE, SYMLINK

KEPT_FLAGS = O_ACCMODE | O_APPEND | O_NONBLOCK


def opened_place(change: Change, call: Openat) -> Place:
    """Where an open leads: O_NOFOLLOW and O_CREAT|O_EXCL leave a last symlink alone [D3]."""
    exclusive = call.flags & O_CREAT and call.flags & O_EXCL
    unfollowed = call.flags & O_NOFOLLOW or exclusive
    return resolve(change, call.dirfd, call.path, SLASHED if unfollowed else ALWAYS)


def openat_checks(change: Change, call: Openat) -> set[int]:
    flags = call.flags
    errnos = full_checks(change)
    if flags & O_ACCMODE == O_ACCMODE or (flags & O_CREAT and flags & O_DIRECTORY):
        errnos.add(errno.EINVAL)  # [D2]
    try:
        place = opened_place(change, call)
    except Refused as refused:
        may_end_slashed = (
            call.path.endswith(b"/")
            or errno.ELOOP in refused.errnos
            or isinstance(refused, SlashedFile)
        )
        if flags & O_CREAT and may_end_slashed:
            errnos.add(errno.EISDIR)  # [K12]
        return errnos | refused.errnos
    if place.file is not None:
        return errnos | existing_checks(change, call, place, landed(change, place, place.file))
    if not flags & O_CREAT:
        return errnos | {errno.ENOENT}
    if place.slashed:
        errnos.add(errno.EISDIR)  # [D3]
    return errnos | entering_checks(change, place.directory)


def entering_checks(change: Change, directory: File) -> set[int]:
    """Why no new name may come into a directory [A6, A7, Y3]."""
    inode = change.inode(directory)
    errnos = denied(inode, effective(change), WRITE | EXECUTE)
    if inode.nlink == 0:
        errnos.add(errno.ENOENT)  # [A6]
    return errnos | busy_checks(change, directory)


def existing_checks(change: Change, call: Openat, place: Place, file: File) -> set[int]:
    """Why what is there cannot be opened."""
    flags, access = call.flags, call.flags & O_ACCMODE
    inode = change.inode(file)
    if flags & O_CREAT and flags & O_EXCL:
        return {errno.EEXIST, errno.EISDIR} if place.slashed else {errno.EEXIST}
    if inode.kind == SYMLINK:
        return {errno.ENOTDIR if flags & O_DIRECTORY else errno.ELOOP}  # [D3]
    wanted = (READ if access != O_WRONLY else 0) | (
        WRITE if access != O_RDONLY or flags & O_TRUNC else 0
    )
    errnos = denied(inode, effective(change), wanted)  # [A3]
    if inode.kind == DIRECTORY:
        if flags & O_CREAT or access != O_RDONLY or flags & O_TRUNC:
            errnos.add(errno.EISDIR)  # [D4]
        return errnos
    if flags & O_CREAT and place.slashed:
        errnos.add(errno.EISDIR)
    if flags & O_DIRECTORY:
        errnos.add(errno.ENOTDIR)
    if inode.kind == FILE and flags & O_TRUNC:
        errnos |= busy_checks(change, file)  # [Y3]
    is_impatient_writer = access == O_WRONLY and bool(flags & O_NONBLOCK)
    if inode.kind == FIFO and is_impatient_writer and not pipes.is_answered(change, file, access):
        errnos.add(errno.ENXIO)  # [Q1]
    return errnos


def openat_core(change: Change, call: Openat) -> object:
    place = opened_place(change, call)
    file = None if place.file is None else landed(change, place, place.file)
    if file is None:
        file = created(change, call, place)
    inode = change.inode(file)
    if inode.kind == FILE and place.file is not None and call.flags & O_TRUNC:
        touch_data(change, file, size=0, blocks={})  # [D4]
    if inode.kind == FIFO:
        access = call.flags & O_ACCMODE
        if not call.flags & O_NONBLOCK and not pipes.is_answered(change, file, access):
            return change.park(fifo=file)  # [Q1]
        change.pipes = {file: Pipe(), **change.pipes}
    scan = new_scan(change, file) if inode.kind == DIRECTORY else None
    description = Description(inode.kind, file, call.flags & KEPT_FLAGS, 0, scan)
    number = change.new_description(description)
    is_closed_on_exec = bool(call.flags & O_CLOEXEC)
    return install(change, lowest_free(change), number, is_closed_on_exec=is_closed_on_exec)


def created(change: Change, call: Openat, place: Place) -> File:
    """A new empty file [A5]."""
    volume, directory = place.directory
    owner = ownership(change, change.inode(place.directory), FILE, call.mode)
    edit = change.edit(volume)
    number = edit.new(FILE, owner.pop("mode"), 1, **owner)
    edit.enter(directory, place.name, number)
    return volume, number
