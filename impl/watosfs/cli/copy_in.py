"""Copying from the host into a volume: ``put``.

A copy is a sequence of changes in a fixed order (names sorted as bytes, a directory before what is
in it), committed now and then. Whatever ends it early, the image holds a prefix of that sequence.
"""

import errno
import os
import stat
import sys
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from watosfs.cli.failures import Failure, blame
from watosfs.cli.holes import data_range
from watosfs.cli.location import image_file, place
from watosfs.cli.monitor import Monitor
from watosfs.cli.names import join, printable
from watosfs.cli.path_volume import require_size
from watosfs.cli.spellings import Spellings
from watosfs.errors import failure
from watosfs.wfs3.handle import Handle
from watosfs.wfs3.volume import Volume

PIECE_BYTES: Final = 1 << 20
#: A commit after so many files or bytes: often enough to lose little, seldom enough to be cheap.
COMMIT_FILES: Final = 2000
COMMIT_BYTES: Final = 64 << 20
#: What no other file of the copy would fare better with.
FATAL: Final = frozenset(
    {errno.ENOSPC, errno.EIO, errno.EROFS, errno.EUCLEAN, errno.EBUSY, errno.EBADF}
)
_SPECIAL: Final = {
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}
#: Where the volume makes no hard link the file is copied once more.
_NO_LINK: Final = frozenset({errno.EMLINK, errno.ENOENT, errno.EPERM})
Made = TypeVar("Made")


class Level(NamedTuple):
    """A directory being copied, and the names in it that are left, last first."""

    source: bytes
    target: bytes
    status: os.stat_result
    names: list[bytes]


class CopyIn:
    """One copy: hard links are kept between all that it copies."""

    def __init__(self, volume: Volume, image: str, monitor: Monitor) -> None:
        self.volume = volume
        self.image = image
        self.monitor = monitor
        found = os.stat(image_file(image))
        self._image_file = (found.st_dev, found.st_ino)
        #: Of files with several names: the first one's path in the volume, and its inode.
        self._first_names: dict[tuple[int, int], tuple[bytes, int]] = {}
        self._spellings = Spellings(volume)
        self._files_pending = 0
        self._bytes_pending = 0

    def copy(self, source: bytes, target: bytes, status: os.stat_result) -> None:
        """Copy ``source`` (and all below it) to be ``target``. Raises Failure when that is
        hopeless; what concerns one file only is complained of.
        """
        levels = self._copy_one(source, target, status)
        while levels:
            self.monitor.pause()
            level = levels[-1]
            if not level.names:
                levels.pop()
                self._leave(level)
                continue
            name = level.names.pop()
            inner = join(level.source, name)
            try:
                status = os.lstat(inner)
            except OSError as error:
                self.monitor.complain(Failure.at(printable(inner), error))
                continue
            levels += self._copy_one(inner, join(level.target, name), status)

    def copy_stream(self, target: bytes) -> None:
        """Standard input as a file, owned by who runs this."""
        umask = os.umask(0)
        os.umask(umask)
        with blame(self._place(target)):
            handle = self._replaced(target, lambda: self.volume.create(target, 0o666 & ~umask))
            self.volume.chown(target, os.geteuid(), os.getegid())
        with _Unfinished(self.volume, handle, target):
            offset = 0
            while piece := self._read_stream():
                offset = self._write(handle, target, piece, offset)
                self.monitor.pause()
        self._finished_file(b"-", target)

    def _read_stream(self) -> bytes:
        with self.monitor.stop.waiting(), blame("standard input"):
            return sys.stdin.buffer.read(PIECE_BYTES)

    def _place(self, target: bytes) -> str:
        return place(self.image, target)

    def _copy_one(self, source: bytes, target: bytes, status: os.stat_result) -> list[Level]:
        try:
            if stat.S_ISDIR(status.st_mode):
                return [self._enter(source, target, status)]
            self._copy_leaf(source, target, status)
        except Failure as error:
            if error.errno in FATAL:
                raise
            self.monitor.complain(error)
        except OSError as error:
            self.monitor.complain(Failure.at(printable(source), error))
        return []

    def _enter(self, source: bytes, target: bytes, status: os.stat_result) -> Level:
        names = sorted(os.listdir(source), reverse=True)
        with blame(self._place(target)):
            try:
                self.volume.mkdir(target, stat.S_IMODE(status.st_mode))
            except FileExistsError:
                found = self.volume.stat(target, follow=False)
                if not stat.S_ISDIR(found.st_mode):
                    raise failure(errno.ENOTDIR, reason="not replaced by a directory") from None
                self._spellings.require_other(target, found.st_ino)
            self._spellings.note(target)
        self.monitor.tally.directories += 1
        self.monitor.say(source, to=target)
        return Level(source, target, status, names)

    def _leave(self, level: Level) -> None:
        with blame(self._place(level.target)):
            self.volume.chmod(level.target, stat.S_IMODE(level.status.st_mode))
            self._settle(level.source, level.target, level.status)

    def _copy_leaf(self, source: bytes, target: bytes, status: os.stat_result) -> None:
        identity = (status.st_dev, status.st_ino)
        kind = stat.S_IFMT(status.st_mode)
        if identity == self._image_file:
            self.monitor.complain(f"{printable(source)}: is the image itself: skipped")
            return
        if kind in _SPECIAL:
            self.monitor.complain(f"{printable(source)}: is {_SPECIAL[kind]}: skipped")
            return
        if status.st_nlink > 1 and self._link(identity, target):
            self._finished_file(source, target)
            return
        if kind == stat.S_IFLNK:
            text = os.readlink(source)
            with blame(self._place(target)):
                self._replaced(target, lambda: self.volume.symlink(text, target))
                self._settle(source, target, status)
            self.monitor.tally.symlinks += 1
            self.monitor.say(source, to=target)
        else:
            self._copy_file(source, target)
        if status.st_nlink > 1:
            with blame(self._place(target)):
                number = self.volume.stat(target, follow=False).st_ino
            self._first_names[identity] = (target, number)

    def _link(self, identity: tuple[int, int], target: bytes) -> bool:
        """Whether ``target`` could become another name of a file copied before."""
        if identity not in self._first_names:
            return False
        first, number = self._first_names[identity]
        try:
            if self.volume.stat(first, follow=False).st_ino != number:
                return False  # replaced since, by another source of the same name
            if first == target:
                return True  # named twice
            self._replaced(target, lambda: self.volume.link(first, target))
        except OSError as error:
            if error.errno in _NO_LINK:
                return False
            raise Failure.at(self._place(target), error) from error
        return True

    def _copy_file(self, source: bytes, target: bytes) -> None:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise failure(errno.EINVAL, reason="no longer a file")
            mode = stat.S_IMODE(status.st_mode)
            with blame(self._place(target)):
                require_size(self.volume, status.st_size)
                handle = self._replaced(target, lambda: self.volume.create(target, mode))
                self._spellings.note(target)
            with _Unfinished(self.volume, handle, target):
                if status.st_blocks * 512 < status.st_size:
                    self._copy_sparse(descriptor, handle, target, status.st_size)
                else:
                    self._copy_dense(descriptor, handle, target, status.st_size)
                with blame(self._place(target)):
                    self._settle(source, target, status)
        finally:
            os.close(descriptor)
        self._finished_file(source, target)

    def _copy_dense(self, descriptor: int, handle: Handle, target: bytes, size: int) -> None:
        offset = 0
        while piece := os.read(descriptor, PIECE_BYTES):
            offset = self._write(handle, target, piece, offset)
            if offset >= size > 0:
                return
            self.monitor.pause()

    def _copy_sparse(self, descriptor: int, handle: Handle, target: bytes, size: int) -> None:
        offset = 0
        while offset < size:
            start, end = data_range(descriptor, offset, size)
            while start < end:
                piece = os.pread(descriptor, min(PIECE_BYTES, end - start), start)
                if not piece:
                    break  # it became shorter meanwhile
                start = self._write(handle, target, piece, start)
                self.monitor.pause()
            offset = end
        with blame(self._place(target)):
            if handle.stat().st_size < size:
                handle.truncate(size)

    def _write(self, handle: Handle, target: bytes, piece: bytes, offset: int) -> int:
        """The offset after the piece."""
        with blame(self._place(target)):
            handle.pwrite(piece, offset)
            self._bytes_pending += len(piece)
            if self._bytes_pending >= COMMIT_BYTES:
                self._commit()
        self.monitor.advance(len(piece))
        return offset + len(piece)

    def _replaced(self, target: bytes, make: Callable[[], Made]) -> Made:
        """What ``make`` makes at ``target``, in place of any file or symlink there."""
        try:
            return make()
        except FileExistsError:
            found = self.volume.stat(target, follow=False)
        if stat.S_ISDIR(found.st_mode):
            raise failure(errno.EISDIR, reason="not replaced by a file")
        self._spellings.require_other(target, found.st_ino)
        self.volume.unlink(target)
        return make()

    def _settle(self, source: bytes, target: bytes, status: os.stat_result) -> None:
        """Owner and times, as they are at the source."""
        self.volume.chown(target, status.st_uid, status.st_gid, follow=False)
        if min(status.st_atime_ns, status.st_mtime_ns) < 0:
            self.monitor.complain(f"{printable(source)}: its time is before 1970: stored as 1970")
        atime_ns, mtime_ns = max(status.st_atime_ns, 0), max(status.st_mtime_ns, 0)
        self.volume.utimens(target, atime_ns, mtime_ns, follow=False)

    def _finished_file(self, source: bytes, target: bytes) -> None:
        self.monitor.tally.files += 1
        self.monitor.say(source, to=target)
        self._files_pending += 1
        if self._files_pending >= COMMIT_FILES:
            with blame(printable(self.image)):
                self._commit()

    def _commit(self) -> None:
        self.volume.sync()
        self._files_pending = self._bytes_pending = 0


class _Unfinished:
    """A file being filled: closed at the end, removed again if it was not finished."""

    def __init__(self, volume: Volume, handle: Handle, target: bytes) -> None:
        self.volume, self.handle, self.target = volume, handle, target

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            self.handle.close()
            if error is not None:
                self.volume.unlink(self.target)
        except OSError:
            if error is None:  # else the volume has given up: that is what ``error`` tells
                raise
