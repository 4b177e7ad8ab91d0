"""Copying from a volume to the host: ``get``.

The image may be hostile and the target may be somebody's home: but for the target that was named in
full nothing is followed, symlinks are made and replaced but never walked through, what is there
gives way only if it is a file or a symlink, and directories that are there keep owner, mode and
times.
"""

import errno
import os
import stat
from typing import Final

from watosfs.cli import output
from watosfs.cli.failures import Failure, blame
from watosfs.cli.location import image_file, place
from watosfs.cli.monitor import Monitor
from watosfs.cli.names import join, printable
from watosfs.cli.walk import Step, Walk
from watosfs.errors import failure
from watosfs.wfs3.attributes import Stat
from watosfs.wfs3.format import BLOCK_SIZE, FILE_SIZE_MAX, INLINE_SIZE_MAX
from watosfs.wfs3.handle import O_NOFOLLOW, O_RDONLY, Handle
from watosfs.wfs3.volume import Volume

PIECE_BYTES: Final = 1 << 20
#: What no other file of the copy would fare better with.
FATAL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
#: Where the host makes no hard link the file is copied once more.
_NO_LINK: Final = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOENT}
)
_SET_ID: Final = stat.S_ISUID | stat.S_ISGID


class CopyOut:
    """One copy: hard links are kept between all that it copies."""

    def __init__(self, volume: Volume, image: str, monitor: Monitor) -> None:
        self.volume = volume
        self.image = image
        self.monitor = monitor
        found = os.stat(image_file(image))
        self._image_file = (found.st_dev, found.st_ino)
        #: Of inodes with several names: the first one's local path, and what was made there.
        self._first_names: dict[int, tuple[bytes, tuple[int, int]]] = {}
        #: The one local path that may lead through a symlink, for the user wrote it.
        self._named: bytes | None = None
        #: Of the directories being copied: whether this copy made them.
        self._is_new: list[bool] = []

    def copy(self, source: bytes, target: bytes, *, follow: bool, is_named: bool) -> None:
        """Copy ``source`` (and all below it) to be ``target``; ``follow`` a symlink at its end.

        ``is_named``: the user wrote ``target`` in full, so that its end was not chosen by the
        image. Raises Failure when going on is hopeless; what concerns one file only is complained
        of.
        """
        self._named = target if is_named else None
        walk = Walk(self.volume, source, self._misread, follow=follow)
        base = len(source.rstrip(b"/"))
        with blame(self._place(source)):
            steps = iter(walk)
            step = next(steps)
        while True:
            self.monitor.pause()
            self._copy_step(walk, step, join(target, step.path[base:].lstrip(b"/")))
            following = next(steps, None)
            if following is None:
                return
            step = following

    def copy_stream(self, source: bytes) -> None:
        """A file to standard output."""
        with blame(self._place(source)), self.volume.open(source) as handle:
            offset = 0
            while piece := handle.pread(PIECE_BYTES, offset):
                with self.monitor.stop.waiting():
                    output.write(piece)
                offset += len(piece)

    def _place(self, path: bytes) -> str:
        return place(self.image, path)

    def _misread(self, path: bytes, error: OSError) -> None:
        self.monitor.complain(Failure.at(self._place(path), error))

    def _copy_step(self, walk: Walk, step: Step, target: bytes) -> None:
        try:
            if step.is_leaving:
                if self._is_new.pop():
                    self._settle(target, step.stat)
            elif step.is_directory:
                self._enter(step, target)
            else:
                self._copy_leaf(step, target)
        except (Failure, OSError) as error:
            if step.is_directory and not step.is_leaving:
                walk.skip()
            if isinstance(error, OSError):
                trouble = Failure.at(printable(target), error)
                if error.errno in FATAL:
                    raise trouble from error
                error = trouble
            self.monitor.complain(error)

    def _enter(self, step: Step, target: bytes) -> None:
        try:
            os.mkdir(target, 0o700)
            is_new = True
        except FileExistsError:
            found = os.stat(target, follow_symlinks=target == self._named)
            if not stat.S_ISDIR(found.st_mode):
                raise failure(errno.ENOTDIR, reason="not replaced by a directory") from None
            is_new = False
        self._is_new.append(is_new)
        self.monitor.tally.directories += 1
        self.monitor.say(step.path, to=target)

    def _copy_leaf(self, step: Step, target: bytes) -> None:
        kind = stat.S_IFMT(step.stat.st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFLNK):
            self.monitor.complain(f"{self._place(step.path)}: neither file nor symlink: skipped")
            return
        number = step.stat.st_ino
        if step.stat.st_nlink > 1 and self._link(number, target):
            self.monitor.tally.files += 1
        elif kind == stat.S_IFLNK:
            with blame(self._place(step.path)):
                text = self.volume.readlink(step.path)
                if b"\0" in text:
                    raise failure(errno.EUCLEAN, reason="damaged: NUL in a symlink's target")
            self._make_way(target)
            os.symlink(text, target)
            self._settle(target, step.stat)
            self.monitor.tally.symlinks += 1
        else:
            self._copy_file(step, target)
            self.monitor.tally.files += 1
        if step.stat.st_nlink > 1 and number not in self._first_names:
            self._first_names[number] = (target, _identity(target))
        self.monitor.say(step.path, to=target)

    def _link(self, number: int, target: bytes) -> bool:
        """Whether ``target`` could become another name of a file copied before."""
        first, identity = self._first_names.get(number, (b"", (0, 0)))
        if not first or first == target:
            return False
        try:
            if _identity(first) != identity:
                return False
            self._make_way(target)
            os.link(first, target, follow_symlinks=False)
        except OSError as error:
            if error.errno in _NO_LINK:
                return False
            raise
        return True

    def _make_way(self, target: bytes) -> None:
        """Remove a file or symlink that is there; refuse to remove anything else."""
        try:
            found = os.lstat(target)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(found.st_mode):
            raise failure(errno.EISDIR, reason="not replaced by a file")
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISLNK(found.st_mode):
            raise failure(errno.EEXIST, reason="not replaced, for it is no file")
        if (found.st_dev, found.st_ino) == self._image_file:
            raise failure(errno.EBUSY, reason="this is the image itself")
        os.unlink(target)

    def _copy_file(self, step: Step, target: bytes) -> None:
        with blame(self._place(step.path)):
            handle = self.volume.open(step.path, O_RDONLY | (O_NOFOLLOW if step.depth else 0))
        with handle:
            descriptor, is_new = self._open_target(target)
            try:
                self._copy_data(step, handle, descriptor)
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    self._settle(descriptor, step.stat)
            except BaseException:
                if is_new:
                    os.unlink(target)
                raise
            finally:
                os.close(descriptor)

    def _open_target(self, target: bytes) -> tuple[int, bool]:
        """(descriptor, whether the file is new). What the user named is written through, as ``cp``
        does: it may be a symlink or a device.
        """
        create = os.O_WRONLY | os.O_CREAT
        is_named = target == self._named
        if is_named and os.path.exists(target):
            found = os.stat(target)
            if (found.st_dev, found.st_ino) == self._image_file:
                raise failure(errno.EBUSY, reason="this is the image itself")
            return os.open(target, create | os.O_TRUNC, 0o600), False
        if not is_named:
            self._make_way(target)
        return os.open(target, create | os.O_EXCL | os.O_NOFOLLOW, 0o600), True

    def _copy_data(self, step: Step, handle: Handle, descriptor: int) -> None:
        size = step.stat.st_size
        if size > FILE_SIZE_MAX:
            raise self._oversized(step, size)
        is_dense = size <= INLINE_SIZE_MAX or step.stat.st_blocks * 512 >= size
        can_seek = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if is_dense or not can_seek or self.volume.engine.is_published:
            self._copy_range(step, handle, descriptor, 0, size)
            return
        offset = 0
        while offset < size:
            with blame(self._place(step.path)):
                start, end = _data_range(handle, offset, size)
            os.lseek(descriptor, start, os.SEEK_SET)
            self._copy_range(step, handle, descriptor, start, end)
            offset = end
        os.ftruncate(descriptor, size)

    def _copy_range(
        self, step: Step, handle: Handle, descriptor: int, offset: int, end: int
    ) -> None:
        if end - offset > self.volume.superblock.total_blocks * BLOCK_SIZE:
            raise self._oversized(step, end - offset)
        while offset < end:
            self.monitor.pause()
            with blame(self._place(step.path)):
                piece = memoryview(handle.pread(min(PIECE_BYTES, end - offset), offset))
            if not piece:
                return
            offset += len(piece)
            self.monitor.advance(len(piece))
            while piece:
                piece = piece[os.write(descriptor, piece) :]

    def _oversized(self, step: Step, size: int) -> Failure:
        """Of a size that no volume, or not this one, can hold: a lie would fill the host's disk."""
        text = f"{self._place(step.path)}: damaged: {size:,} bytes are more than there can be"
        return Failure(text, errno=errno.EUCLEAN)

    def _settle(self, target: bytes | int, status: Stat) -> None:
        """Owner (only root may give files away), mode and times, as they are in the image."""
        is_symlink = stat.S_ISLNK(status.st_mode)
        # A descriptor is not followed, and the system refuses to be asked not to.
        follow = isinstance(target, int) or not is_symlink
        mode = stat.S_IMODE(status.st_mode)
        try:
            if os.geteuid() == 0:
                os.chown(target, status.st_uid, status.st_gid, follow_symlinks=follow)
            elif (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                mode &= ~_SET_ID
        except PermissionError:
            mode &= ~_SET_ID
        if not is_symlink:
            os.chmod(target, mode)
        times_ns = (status.st_atime_ns, status.st_mtime_ns)
        os.utime(target, ns=times_ns, follow_symlinks=follow)


def _identity(path: bytes) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _data_range(handle: Handle, offset: int, size: int) -> tuple[int, int]:
    """The first run of data from ``offset`` on; (size, size) if only a hole is left."""
    try:
        start = handle.seek_data(offset)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return size, size
    return start, min(handle.seek_hole(start), size)
