"""Extended attributes as processes see them: who may, and what fits in the room [E7, E8]."""

import errno
from typing import TypeAlias

from watosfs_model import extended
from watosfs_model.kernel.access import READ, STICKY, WRITE, denied, effective, owner_denied
from watosfs_model.kernel.attribute_calls import (
    Fgetxattr,
    Flistxattr,
    Fremovexattr,
    Fsetxattr,
    GetxattrAt,
    ListxattrAt,
    RemovexattrAt,
    SetxattrAt,
)
from watosfs_model.kernel.attributes import named
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.names import flag_checks
from watosfs_model.kernel.numbers import AT_SYMLINK_NOFOLLOW
from watosfs_model.kernel.reading_writing import busy_checks, number_checks
from watosfs_model.kernel.state import PIPES, File
from watosfs_model.kernel.table import description_of
from watosfs_model.resolution import Refused
from watosfs_model.state import DIRECTORY, FIFO, Inode

Setting: TypeAlias = SetxattrAt | Fsetxattr
Getting: TypeAlias = GetxattrAt | Fgetxattr
Listing: TypeAlias = ListxattrAt | Flistxattr
Removing: TypeAlias = RemovexattrAt | Fremovexattr
ByPath: TypeAlias = SetxattrAt | GetxattrAt | ListxattrAt | RemovexattrAt


def file_of(change: Change, call: Setting | Getting | Listing | Removing) -> File:
    """What the call is about. Raises Refused."""
    if isinstance(call, ByPath):
        return named(change, call.dirfd, call.path, call.at_flags)
    return description_of(change, call.fd).file


def inode_of(change: Change, file: File) -> Inode:
    """Its inode; a pipe is like a FIFO without attributes [E2]."""
    if file[0] == PIPES:
        return Inode(FIFO, 0o600, 1, 0, 0, 0, effective(change).uid)
    return change.inode(file)


def wrong_arguments(call: Setting | Getting | Listing | Removing) -> set[int]:
    """What is wrong whatever the file is."""
    errnos = set[int]()
    if isinstance(call, ByPath):
        errnos |= flag_checks(call.at_flags, AT_SYMLINK_NOFOLLOW)
    if isinstance(call, Getting | Listing):
        errnos |= number_checks(call.size)
    if not isinstance(call, Listing):
        errnos |= extended.key_checks(call.key)
    return errnos


def change_checks(change: Change, file: File, inode: Inode) -> set[int]:
    """Write permission on the inode; a sticky directory's are its owner's [E7]."""
    errnos = denied(inode, effective(change), WRITE)
    if inode.kind == DIRECTORY and inode.mode & STICKY:
        errnos |= owner_denied(inode, effective(change))
    return errnos if file[0] == PIPES else errnos | busy_checks(change, file)


def set_checks(change: Change, call: Setting) -> set[int]:
    errnos = wrong_arguments(call)
    if call.flags & ~(extended.XATTR_CREATE | extended.XATTR_REPLACE):
        errnos.add(errno.EINVAL)
    if len(call.value) > extended.BYTES_MAX:
        errnos.add(errno.E2BIG)
    try:
        file = file_of(change, call)
    except Refused as refused:
        return errnos | refused.errnos
    inode = inode_of(change, file)
    errnos |= change_checks(change, file, inode)
    return errnos | extended.set_checks(inode, call.key, len(call.value), call.flags)


def set_core(change: Change, call: Setting) -> None:
    volume, number = file_of(change, call)
    edit = change.edit(volume)
    attributes = extended.with_value(edit[number], call.key, call.value.bytes())
    edit.update(number, attributes=attributes, ctime_ns=change.now_ns)  # [E5]


def remove_checks(change: Change, call: Removing) -> set[int]:
    errnos = wrong_arguments(call)
    try:
        file = file_of(change, call)
    except Refused as refused:
        return errnos | refused.errnos
    inode = inode_of(change, file)
    errnos |= change_checks(change, file, inode)
    return errnos | extended.remove_checks(inode, call.key)


def remove_core(change: Change, call: Removing) -> None:
    volume, number = file_of(change, call)
    edit = change.edit(volume)
    attributes = extended.without_key(edit[number], call.key)
    edit.update(number, attributes=attributes, ctime_ns=change.now_ns)  # [E5]


def room_checks(length: int, size: int) -> set[int]:
    """ERANGE for what does not fit; size 0 asks for the length [E8]."""
    return {errno.ERANGE} if 0 < size < length else set()


def get_checks(change: Change, call: Getting) -> set[int]:
    errnos = wrong_arguments(call)
    try:
        inode = inode_of(change, file_of(change, call))
    except Refused as refused:
        return errnos | refused.errnos
    errnos |= denied(inode, effective(change), READ) | extended.get_checks(inode, call.key)
    value = inode.attributes.get(call.key, b"")
    return errnos | room_checks(len(value), call.size)


def get_core(change: Change, call: Getting) -> bytes | int:
    value = inode_of(change, file_of(change, call)).attributes[call.key]
    return value if call.size else len(value)


def list_length(inode: Inode) -> int:
    """Keys with a NUL each."""
    return sum(len(key) + 1 for key in inode.attributes)


def list_checks(change: Change, call: Listing) -> set[int]:
    errnos = wrong_arguments(call)
    try:
        inode = inode_of(change, file_of(change, call))
    except Refused as refused:
        return errnos | refused.errnos
    return errnos | room_checks(list_length(inode), call.size)


def list_core(change: Change, call: Listing) -> frozenset[bytes] | int:
    inode = inode_of(change, file_of(change, call))
    return frozenset(inode.attributes) if call.size else list_length(inode)
