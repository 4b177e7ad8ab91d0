"""System calls on extended attributes: keys are strings, values come with their length
(``docs/ABI.md``).
"""

import errno

from watosfs.errors import failure
from watosfs.kernel import layouts, xattrs
from watosfs.kernel.handlers import handler
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.process import Process
from watosfs.kernel.registers import Registers


def put_value(r: Registers, index: int, value: bytes | int) -> int:
    """A value into the buffer at ``index``; only its length when that is what was asked for."""
    if isinstance(value, int):
        return value
    r.memory.write(r.room(index, len(value)), value)
    return len(value)


def packed_keys(keys: frozenset[bytes] | int) -> bytes | int:
    """Keys with a NUL each, sorted."""
    return keys if isinstance(keys, int) else b"".join(key + b"\0" for key in sorted(keys))


@handler(213)
def setxattrat(kernel: Kernel, process: Process, r: Registers) -> int:
    """setxattrat(dirfd, path, at_flags, key, arguments): u64 value, length, flags."""
    raw = r.memory.read(r.unsigned(4), layouts.XATTR_ARGUMENTS.size)
    base, length, flags = layouts.XATTR_ARGUMENTS.unpack(raw)
    if length > xattrs.VALUE_BYTES_MAX:
        r.memory.require(base, 1)
        raise failure(errno.E2BIG)
    value = r.memory.read(base, length)
    path, key = r.string(1), r.key(3)
    xattrs.setxattrat(kernel, process, r.fd(0), path, r.unsigned32(2), key, value, flags)
    return 0


@handler(214)
def getxattrat(kernel: Kernel, process: Process, r: Registers) -> int:
    """getxattrat(dirfd, path, at_flags, key, buffer, room)."""
    path, key = r.string(1), r.key(3)
    room = min(r.unsigned(5), xattrs.VALUE_BYTES_MAX)
    r.room(4, room)
    found = xattrs.getxattrat(kernel, process, r.fd(0), path, r.unsigned32(2), key, room)
    return put_value(r, 4, found)


@handler(215)
def listxattrat(kernel: Kernel, process: Process, r: Registers) -> int:
    """listxattrat(dirfd, path, at_flags, buffer, room)."""
    path, room = r.string(1), min(r.unsigned(4), xattrs.VALUE_BYTES_MAX)
    r.room(3, room)
    found = xattrs.listxattrat(kernel, process, r.fd(0), path, r.unsigned32(2), room)
    return put_value(r, 3, packed_keys(found))


@handler(216)
def removexattrat(kernel: Kernel, process: Process, r: Registers) -> int:
    """removexattrat(dirfd, path, at_flags, key)."""
    path, key = r.string(1), r.key(3)
    xattrs.removexattrat(kernel, process, r.fd(0), path, r.unsigned32(2), key)
    return 0


@handler(217)
def fsetxattr(kernel: Kernel, process: Process, r: Registers) -> int:
    """fsetxattr(fd, key, value, length, flags)."""
    key = r.key(1)
    if r.unsigned(3) > xattrs.VALUE_BYTES_MAX:
        r.memory.require(r.unsigned(2), 1)
        raise failure(errno.E2BIG)
    value = r.memory.read(r.unsigned(2), r.unsigned(3))
    xattrs.fsetxattr(kernel, process, r.fd(0), key, value, r.unsigned32(4))
    return 0


@handler(218)
def fgetxattr(kernel: Kernel, process: Process, r: Registers) -> int:
    """fgetxattr(fd, key, buffer, room)."""
    key, room = r.key(1), min(r.unsigned(3), xattrs.VALUE_BYTES_MAX)
    r.room(2, room)
    return put_value(r, 2, xattrs.fgetxattr(kernel, process, r.fd(0), key, room))


@handler(219)
def flistxattr(kernel: Kernel, process: Process, r: Registers) -> int:
    """flistxattr(fd, buffer, room)."""
    room = min(r.unsigned(2), xattrs.VALUE_BYTES_MAX)
    r.room(1, room)
    return put_value(r, 1, packed_keys(xattrs.flistxattr(kernel, process, r.fd(0), room)))


@handler(220)
def fremovexattr(kernel: Kernel, process: Process, r: Registers) -> int:
    """fremovexattr(fd, key)."""
    xattrs.fremovexattr(kernel, process, r.fd(0), r.key(1))
    return 0
