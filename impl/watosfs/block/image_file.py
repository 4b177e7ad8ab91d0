"""Opening an image on the host: the right kind of file, locked, created sparse; giving space back.

The lock is ``flock`` on the image itself, so it needs no second file, sees every name of the image
and ends with the process however that ends. It binds only programs that take it, as ours do. It
belongs to the open file: a child that inherited the descriptor by ``fork`` keeps it held.
"""

import errno
import fcntl
import os
import stat
import struct
from typing import TypeAlias

from watosfs.errors import failure

Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

# ioctl numbers of linux/fs.h and linux/falloc.h; Python's os has no fallocate that punches holes.
_BLKDISCARD = 0x1277
_FS_IOC_UNRESVSP64 = 0x4030582B
#: struct space_resv: type, whence, start, length, and fields that the kernel ignores.
_SPACE_RESV = struct.Struct("hhqqiI16x")
_NOT_TO_BE_HAD = {errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM}


def open_image(path: Path, *, read_only: bool) -> int:
    """The descriptor of an image or block device that exists, locked.

    Raises: EBUSY if another process (or another device object of this one) has it open and either
    of the two writes; EISDIR for a directory; EINVAL for what is neither a regular file nor a block
    device; and whatever ``open`` raises.
    """
    flags = os.O_RDONLY if read_only else os.O_RDWR
    mode = os.stat(path).st_mode
    _require_kind(path, mode)  # before opening: to open a FIFO would wait for its other end
    if stat.S_ISBLK(mode) and not read_only:
        flags |= os.O_EXCL  # refuses a device that the host has mounted
    descriptor = os.open(path, flags)
    try:
        _require_kind(path, os.fstat(descriptor).st_mode)
        _lock(descriptor, path, exclusive=not read_only)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def create_image(path: Path, size_bytes: int) -> int:
    """The descriptor of a new sparse image of zeros, locked; its name is durable.

    Raises: EEXIST if there is something of that name: what is there is never lost; EFBIG, ENOSPC
    and the like if the host cannot hold it: then nothing is left behind.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        _lock(descriptor, path, exclusive=True)
        try:
            os.ftruncate(descriptor, size_bytes)
            os.fsync(descriptor)
            _make_name_durable(path)
        except BaseException:
            os.unlink(path)
            raise
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def give_back(descriptor: int, offset_bytes: int, size_bytes: int) -> bool:
    """Free the space behind a range, which then reads as zeros or, on some disks, as before.

    False where the host cannot: on an old kernel or a file system without holes.
    """
    try:
        if stat.S_ISBLK(os.fstat(descriptor).st_mode):
            fcntl.ioctl(descriptor, _BLKDISCARD, struct.pack("QQ", offset_bytes, size_bytes))
        else:
            request = _SPACE_RESV.pack(0, os.SEEK_SET, offset_bytes, size_bytes, 0, 0)
            fcntl.ioctl(descriptor, _FS_IOC_UNRESVSP64, request)
    except OSError as error:
        if error.errno in _NOT_TO_BE_HAD:
            return False
        raise
    return True


def _require_kind(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise failure(errno.EISDIR, os.fspath(path))
    if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
        raise failure(errno.EINVAL, os.fspath(path), "neither a regular file nor a block device")


def _lock(descriptor: int, path: Path, *, exclusive: bool) -> None:
    operation = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError as error:
        reason = "the image is in use" if exclusive else "the image is open for writing elsewhere"
        raise failure(errno.EBUSY, os.fspath(path), reason) from error


def _make_name_durable(path: Path) -> None:
    folder = os.path.dirname(os.path.abspath(os.fspath(path)))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
