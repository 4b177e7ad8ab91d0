"""Extended attributes by path and by descriptor: who may, and what fits in the caller's room."""

import errno

from watosfs.errors import failure
from watosfs.kernel.attributes import follow_of
from watosfs.kernel.descriptions import InodeDescription, PipeEnd
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.process import Process
from watosfs.vfs.access import READ, WRITE, require, require_attribute_owner
from watosfs.vfs.filesystem import Attributes, Filesystem

#: Longest key, and most bytes of a value (xattr(7)).
KEY_MAX = 255
VALUE_BYTES_MAX = 65536


class Subject:
    """The inode that a call is about; ``filesystem`` is None for a pipe: it has no attributes."""

    __slots__ = ("filesystem", "inode", "number")

    def __init__(
        self, filesystem: Filesystem | None, number: int, inode: Attributes | None
    ) -> None:
        self.filesystem = filesystem
        self.number = number
        self.inode = inode

    def get(self, process: Process, key: bytes, size: int) -> bytes | int:
        """A value, or its length when ``size`` is 0. EACCES, ENODATA, ERANGE."""
        require_size(size)
        if self.filesystem is None:
            raise failure(errno.ENODATA)
        assert self.inode is not None
        require(process.credentials, self.inode, READ)
        value = self.filesystem.get_attribute(self.number, key)
        return value if fits(len(value), size) else len(value)

    def list(self, size: int) -> frozenset[bytes] | int:
        """The keys, or their length with a NUL each when ``size`` is 0. ERANGE."""
        require_size(size)
        keys = [] if self.filesystem is None else self.filesystem.attribute_keys(self.number)
        length = sum(len(key) + 1 for key in keys)
        return frozenset(keys) if fits(length, size) else length

    def changing(self, process: Process) -> Filesystem:
        """The file system, once the process may change the attributes. EPERM, EACCES, EBUSY."""
        if self.filesystem is None:
            raise failure(errno.EPERM)
        assert self.inode is not None
        self.filesystem.require_change()
        require_attribute_owner(process.credentials, self.inode)
        require(process.credentials, self.inode, WRITE)
        return self.filesystem


def require_size(size: int) -> None:
    """A result's room is not negative."""
    if size < 0:
        raise failure(errno.EINVAL)


def fits(length: int, size: int) -> bool:
    """False when only the length is asked for. Raises ERANGE for what does not fit."""
    if size and length > size:
        raise failure(errno.ERANGE)
    return size > 0


def at_path(kernel: Kernel, process: Process, dirfd: int, path: bytes, flags: int) -> Subject:
    """What a path leads to."""
    location = kernel.walk(process, dirfd, path, follow_of(flags, path))
    return Subject(location.filesystem, location.number, location.attributes())


def at_descriptor(process: Process, number: int) -> Subject:
    """What a descriptor leads to."""
    description = process.fresh(number)
    if isinstance(description, PipeEnd):
        return Subject(None, 0, None)
    assert isinstance(description, InodeDescription)
    return Subject(description.filesystem, description.number, description.attributes())


def setxattrat(
    kernel: Kernel,
    process: Process,
    dirfd: int,
    path: bytes,
    at_flags: int,
    key: bytes,
    value: bytes,
    flags: int,
) -> None:
    """Set one; flags 0, XATTR_CREATE 1, XATTR_REPLACE 2."""
    subject = at_path(kernel, process, dirfd, path, at_flags)
    subject.changing(process).set_attribute(subject.number, key, value, flags)


def getxattrat(
    kernel: Kernel, process: Process, dirfd: int, path: bytes, at_flags: int, key: bytes, size: int
) -> bytes | int:
    """The value, or with size 0 its length."""
    return at_path(kernel, process, dirfd, path, at_flags).get(process, key, size)


def listxattrat(
    kernel: Kernel, process: Process, dirfd: int, path: bytes, at_flags: int, size: int
) -> frozenset[bytes] | int:
    """The keys, or with size 0 their length."""
    return at_path(kernel, process, dirfd, path, at_flags).list(size)


def removexattrat(
    kernel: Kernel, process: Process, dirfd: int, path: bytes, at_flags: int, key: bytes
) -> None:
    """Remove one."""
    subject = at_path(kernel, process, dirfd, path, at_flags)
    subject.changing(process).remove_attribute(subject.number, key)


def fsetxattr(
    kernel: Kernel, process: Process, number: int, key: bytes, value: bytes, flags: int
) -> None:
    """The same by descriptor, whatever it is open for."""
    subject = at_descriptor(process, number)
    subject.changing(process).set_attribute(subject.number, key, value, flags)


def fgetxattr(kernel: Kernel, process: Process, number: int, key: bytes, size: int) -> bytes | int:
    """The same by descriptor."""
    return at_descriptor(process, number).get(process, key, size)


def flistxattr(kernel: Kernel, process: Process, number: int, size: int) -> frozenset[bytes] | int:
    """The same by descriptor."""
    return at_descriptor(process, number).list(size)


def fremovexattr(kernel: Kernel, process: Process, number: int, key: bytes) -> None:
    """The same by descriptor."""
    subject = at_descriptor(process, number)
    subject.changing(process).remove_attribute(subject.number, key)
