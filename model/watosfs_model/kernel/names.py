"""Names: mkdirat, mkfifoat, unlinkat, linkat, symlinkat, readlinkat [N1..N9, A5, A7, M1]."""

import errno

from watosfs_model.kernel.access import WRITE, denied, effective, ownership, sticky_denied
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import AT_REMOVEDIR, AT_SYMLINK_FOLLOW
from watosfs_model.kernel.opening import entering_checks
from watosfs_model.kernel.path_calls import (
    Linkat,
    Mkdirat,
    Mkfifoat,
    Readlinkat,
    Symlinkat,
    Unlinkat,
)
from watosfs_model.kernel.reading_writing import busy_checks
from watosfs_model.kernel.walking import Place, find, find_inode, resolve
from watosfs_model.resolution import ALWAYS, NEVER, SLASHED, Refused
from watosfs_model.state import DIRECTORY, FIFO, LINK_MAX, PATH_MAX, SYMLINK


def flag_checks(flags: int, known: int) -> set[int]:
    """EINVAL for bits that the call does not know [K12]."""
    return {errno.EINVAL} if flags & ~known else set()


def mkdir_checks(change: Change, call: Mkdirat) -> set[int]:
    place = resolve(change, call.dirfd, call.path, NEVER)
    if place.special:
        return {errno.EEXIST} | busy_checks(change, place.directory)  # [N1]
    errnos = entering_checks(change, place.directory)
    if place.file is not None:
        return errnos | {errno.EEXIST}  # [N1]
    return errnos | full_checks(change, place)


def full_checks(change: Change, place: Place) -> set[int]:
    """EMLINK when a directory has as many subdirectories as it can [N2]."""
    return {errno.EMLINK} if change.inode(place.directory).nlink >= LINK_MAX else set()


def mkdir_core(change: Change, call: Mkdirat) -> None:
    place = resolve(change, call.dirfd, call.path, NEVER)
    create(change, place, DIRECTORY, call.mode)
    change.edit(place.directory[0]).add_links(place.directory[1], 1)


def create(change: Change, place: Place, kind: str, mode: int, **fields: object) -> None:
    """A new inode at a missing name, owned as access says [A5]."""
    volume, directory = place.directory
    owner = ownership(change, change.inode(place.directory), kind, mode)
    if kind == SYMLINK:
        owner["mode"] = 0o777  # [N7]
    edit = change.edit(volume)
    links = 2 if kind == DIRECTORY else 1
    number = edit.new(kind, owner.pop("mode"), links, **owner, **fields)
    edit.enter(directory, place.name, number)


def new_name_checks(change: Change, place: Place) -> set[int]:
    """Why a non-directory cannot be entered here [N5]."""
    if place.special:
        return {errno.EEXIST} | busy_checks(change, place.directory)
    errnos = entering_checks(change, place.directory)
    if place.file is not None:
        errnos.add(errno.EEXIST)
    elif place.slashed:
        errnos.add(errno.ENOENT)
    return errnos


def mkfifo_checks(change: Change, call: Mkfifoat) -> set[int]:
    return new_name_checks(change, resolve(change, call.dirfd, call.path, NEVER))


def mkfifo_core(change: Change, call: Mkfifoat) -> None:
    """POSIX mkfifo; the FIFO holds nothing until it is opened [Q2]."""
    create(change, resolve(change, call.dirfd, call.path, NEVER), FIFO, call.mode)


def symlink_checks(change: Change, call: Symlinkat) -> set[int]:
    errnos = set()
    if not call.target:
        errnos.add(errno.ENOENT)  # [N7]
    if len(call.target) >= PATH_MAX:
        errnos.add(errno.ENAMETOOLONG)
    if b"\0" in call.target:
        errnos.add(errno.EINVAL)
    try:
        return errnos | new_name_checks(change, resolve(change, call.dirfd, call.path, NEVER))
    except Refused as refused:
        return errnos | refused.errnos


def symlink_core(change: Change, call: Symlinkat) -> None:
    place = resolve(change, call.dirfd, call.path, NEVER)
    create(change, place, SYMLINK, 0o777, target=call.target, size=len(call.target))


def readlink_checks(change: Change, call: Readlinkat) -> set[int]:
    inode = find_inode(change, call.dirfd, call.path, SLASHED)
    return set() if inode.kind == SYMLINK else {errno.EINVAL}  # [N8]


def readlink_core(change: Change, call: Readlinkat) -> bytes:
    return find_inode(change, call.dirfd, call.path, SLASHED).target


def leaving_checks(change: Change, place: Place) -> set[int]:
    """Why a name that is there cannot be taken away [A7, M3, Y3]."""
    assert place.file is not None
    directory, who = change.inode(place.directory), effective(change)
    errnos = denied(directory, who, WRITE)
    errnos |= sticky_denied(directory, change.inode(place.file), who)
    if change.mounted_on(place.file) is not None:
        errnos.add(errno.EBUSY)  # [M3]
    return errnos | busy_checks(change, place.directory)


def unlinkat_checks(change: Change, call: Unlinkat) -> set[int]:
    errnos = flag_checks(call.flags, AT_REMOVEDIR)
    try:
        place = resolve(change, call.dirfd, call.path, NEVER)
    except Refused as refused:
        return errnos | refused.errnos
    is_rmdir = bool(call.flags & AT_REMOVEDIR)
    if place.special:
        errnos |= busy_checks(change, place.directory)
        if not is_rmdir:
            return errnos | {errno.EISDIR}  # [N4]
        special = {b"/": errno.EBUSY, b".": errno.EINVAL, b"..": errno.ENOTEMPTY}  # [N3]
        return errnos | {special[place.special]}
    if place.file is None:
        return errnos | {errno.ENOENT}
    errnos |= leaving_checks(change, place)
    inode = change.inode(place.file)
    if is_rmdir:
        if inode.kind != DIRECTORY:
            errnos.add(errno.ENOTDIR)
        if inode.entries:
            errnos.add(errno.ENOTEMPTY)
    elif inode.kind == DIRECTORY:
        errnos.add(errno.EISDIR)  # [N4]
    elif place.slashed:
        errnos.add(errno.ENOTDIR)
    return errnos


def unlinkat_core(change: Change, call: Unlinkat) -> None:
    place = resolve(change, call.dirfd, call.path, NEVER)
    assert place.file is not None
    volume, directory = place.directory
    edit = change.edit(volume)
    edit.leave(directory, place.name)
    if call.flags & AT_REMOVEDIR:
        edit.add_links(directory, -1)
        edit.unname(place.file[1], links=2)
    else:
        edit.unname(place.file[1])


def link_source(change: Change, call: Linkat) -> tuple[int, int]:
    """What is linked: a symlink itself unless AT_SYMLINK_FOLLOW [N6]."""
    follow = ALWAYS if call.flags & AT_SYMLINK_FOLLOW else SLASHED
    return find(change, call.old_dirfd, call.old, follow)


def linkat_checks(change: Change, call: Linkat) -> set[int]:
    errnos = flag_checks(call.flags, AT_SYMLINK_FOLLOW)
    source = place = None
    try:
        source = link_source(change, call)
    except Refused as refused:
        errnos |= refused.errnos
    try:
        place = resolve(change, call.new_dirfd, call.new, NEVER)
        errnos |= new_name_checks(change, place)
    except Refused as refused:
        errnos |= refused.errnos
    if source is not None:
        inode = change.inode(source)
        if inode.kind == DIRECTORY:
            errnos.add(errno.EPERM)  # [N6]
        if inode.nlink >= LINK_MAX:
            errnos.add(errno.EMLINK)
        if place is not None and place.directory[0] != source[0]:
            errnos.add(errno.EXDEV)  # [M3]
    return errnos


def linkat_core(change: Change, call: Linkat) -> None:
    number = link_source(change, call)[1]
    place = resolve(change, call.new_dirfd, call.new, NEVER)
    volume, directory = place.directory
    edit = change.edit(volume)
    edit.enter(directory, place.name, number)
    edit.update(number, nlink=edit[number].nlink + 1, ctime_ns=change.now_ns)
