"""renameat [N10, N11, A7, A8, M3]."""

import errno

from watosfs_model.kernel.access import WRITE, denied, effective
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.names import full_checks, leaving_checks
from watosfs_model.kernel.opening import entering_checks
from watosfs_model.kernel.path_calls import Renameat
from watosfs_model.kernel.reading_writing import busy_checks
from watosfs_model.kernel.walking import Place, ancestors, resolve
from watosfs_model.resolution import NEVER, Refused
from watosfs_model.state import DIRECTORY


def renameat_checks(change: Change, call: Renameat) -> set[int]:
    errnos = set[int]()
    source = target = None
    try:
        source = resolve(change, call.old_dirfd, call.old, NEVER)
    except Refused as refused:
        errnos |= refused.errnos
    try:
        target = resolve(change, call.new_dirfd, call.new, NEVER)
    except Refused as refused:
        errnos |= refused.errnos
    for place in (source, target):
        if place is not None:
            errnos |= end_checks(change, place)
    if source is not None and source.file is None:
        errnos.add(errno.ENOENT)
    if source is None or target is None:
        return errnos
    if source.directory[0] != target.directory[0]:
        errnos.add(errno.EXDEV)  # [M3]
    if source.file is None:
        return errnos
    if source.special or target.special or errno.EXDEV in errnos:
        return errnos
    return errnos | pair_checks(change, source, target)


def end_checks(change: Change, place: Place) -> set[int]:
    """Why neither end of a rename may be here, whatever the other is."""
    errnos = busy_checks(change, place.directory)
    if place.special:
        errnos.add(errno.EBUSY)  # [N10]
    if place.file is not None and change.mounted_on(place.file) is not None:
        errnos.add(errno.EBUSY)  # [M3]
    return errnos


def pair_checks(change: Change, source: Place, target: Place) -> set[int]:
    """Two ends in one volume, the source being there."""
    assert source.file is not None
    errnos = set()
    moved = change.inode(source.file)
    is_directory = moved.kind == DIRECTORY
    if not is_directory and (source.slashed or target.slashed):
        errnos.add(errno.ENOTDIR)
    if is_directory and source.file[1] in ancestors(change, target.directory):
        errnos.add(errno.EINVAL)  # [N10]
    if target.file is not None and target.file[1] in ancestors(change, source.directory):
        errnos.add(errno.ENOTEMPTY)  # [N10]
    if source.file == target.file:
        return errnos  # [N11, A8]
    errnos |= leaving_checks(change, source) | entering_checks(change, target.directory)
    is_moved_away = source.directory != target.directory
    if is_directory and is_moved_away:
        errnos |= denied(moved, effective(change), WRITE)  # [A8]
    if target.file is not None:
        return errnos | leaving_checks(change, target) | replace_checks(change, moved.kind, target)
    if is_directory and is_moved_away:
        errnos |= full_checks(change, target)
    return errnos


def replace_checks(change: Change, kind: str, target: Place) -> set[int]:
    """Why a rename cannot replace what the new name leads to [N10]."""
    assert target.file is not None
    replaced = change.inode(target.file)
    if kind == DIRECTORY:
        if replaced.kind != DIRECTORY:
            return {errno.ENOTDIR}
        return {errno.ENOTEMPTY} if replaced.entries else set()
    return {errno.EISDIR} if replaced.kind == DIRECTORY else set()


def renameat_core(change: Change, call: Renameat) -> None:
    source = resolve(change, call.old_dirfd, call.old, NEVER)
    target = resolve(change, call.new_dirfd, call.new, NEVER)
    assert source.file is not None
    if source.file == target.file:
        return  # [N11]
    volume, number = source.file
    edit = change.edit(volume)
    is_directory = edit[number].kind == DIRECTORY
    edit.leave(source.directory[1], source.name)
    edit.enter(target.directory[1], target.name, number)
    edit.update(number, ctime_ns=change.now_ns)
    if target.file is not None:
        edit.unname(target.file[1], links=2 if is_directory else 1)
    if is_directory:
        edit.add_links(source.directory[1], -1)
        if target.file is None:
            edit.add_links(target.directory[1], 1)
