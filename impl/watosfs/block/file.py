"""A block device in an image file, or on a real block device: pread and pwrite, fsync on flush.

The host's page cache is this device's volatile cache. Whatever the host says when an access fails
(EIO, but also ENOSPC under a sparse image) is EIO here: to the file system above, this is a medium
that failed, not a volume that is full. The host's own error is the cause (``__cause__``).
"""

import errno
import os
import stat
import weakref
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from watosfs.block.device import BLOCK_SIZE_BYTES, SECTOR_SIZE_BYTES, Accept, Buffer, Capabilities
from watosfs.block.image_file import Path, create_image, give_back, open_image
from watosfs.errors import failure

#: Buffers that one preadv or pwritev takes.
_BUFFERS_MAX = os.sysconf("SC_IOV_MAX") if "SC_IOV_MAX" in os.sysconf_names else 16
_TRANSFER_BYTES_MAX = 1 << 30
_NO_DSYNC = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class FileDevice:
    """An image as a block device; bytes after its last whole block are left alone.

    Open it with ``FileDevice.open``. A writer excludes every other writer and reader of the image.

    After a failed ``flush`` the host may have marked the lost pages clean, so that the next fsync
    would succeed without them ("fsyncgate"). The device remembers: from then on every ``flush`` and
    FUA write fails with EIO, until the image is opened again and what it holds is looked at anew.
    """

    def __init__(self, descriptor: int, path: Path, block_size_bytes: int, read_only: bool) -> None:
        self.path = os.fspath(path)
        self.block_size_bytes = block_size_bytes
        self.block_count = os.lseek(descriptor, 0, os.SEEK_END) // block_size_bytes
        self.capabilities = Capabilities(
            discard=not read_only,
            read_only=read_only,
            alignment_bytes=block_size_bytes,
            transfer_bytes_max=_TRANSFER_BYTES_MAX,
        )
        self._descriptor = descriptor
        self._has_dsync = hasattr(os, "RWF_DSYNC")
        self._has_lost_writes = False
        # Closes once: by close(), when the last reference goes, or when the interpreter ends.
        self._release = weakref.finalize(self, os.close, descriptor)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        read_only: bool = False,
        create_size: int | None = None,
        block_size_bytes: int = BLOCK_SIZE_BYTES,
    ) -> Self:
        """Open the image at ``path``, or create a sparse one of ``create_size`` bytes of zeros.

        Raises: EBUSY if it is open elsewhere and either side writes; ENOENT without one; EEXIST
        if ``create_size`` is given and there is one; EISDIR, or EINVAL, for what cannot be an image
        (also: smaller than one block); and whatever the host's ``open`` raises.
        """
        if block_size_bytes < 1 or block_size_bytes % SECTOR_SIZE_BYTES:
            raise failure(errno.EINVAL, reason=f"blocks of {block_size_bytes} bytes")
        if create_size is None:
            descriptor = open_image(path, read_only=read_only)
        elif read_only or create_size < block_size_bytes:
            raise failure(errno.EINVAL, os.fspath(path), "cannot create such an image")
        else:
            descriptor = create_image(path, create_size)
        device = cls(descriptor, path, block_size_bytes, read_only)
        if not device.block_count:
            device.close()
            raise failure(errno.EINVAL, os.fspath(path), "smaller than one block")
        return device

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"FileDevice({self.path!r}, {self.block_count} blocks)"

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """A copy of ``count`` blocks."""
        start, size = self._range(block, count)
        with _HostErrors(self.path, "reading", start):
            data = os.pread(self._descriptor, size, start)
            if len(data) < size:
                rest = bytearray(size - len(data))
                self._fill([memoryview(rest)], start + len(data))
                data += rest
        return data

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """A copy of each run; runs that follow one another on the disk are read in one call."""
        starts = [self._range(block, count)[0] for block, count in runs]
        buffers = [bytearray(count * self.block_size_bytes) for _, count in runs]
        for start, views in _joined(starts, [memoryview(buffer) for buffer in buffers]):
            with _HostErrors(self.path, "reading", start):
                self._fill(views, start)
        return list(buffers)

    def _fill(self, views: list[memoryview], offset_bytes: int) -> None:
        while views:
            done = os.preadv(self._descriptor, views[:_BUFFERS_MAX], offset_bytes)
            if not done:
                raise failure(errno.EIO, reason="the image became shorter than when it was opened")
            offset_bytes += done
            views = _after(views, done)

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Hand whole blocks to the host; with ``fua`` return once they are durable."""
        view = _bytes_of(data)
        start = self._writable_range(block, view)
        if fua and self._has_lost_writes:
            raise self._lost()
        if not fua or not self._write_durably(view, start):
            self._drain([view] if view.nbytes else [], start)
            if fua:
                self._make_durable()

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Hand each run to the host; runs that follow one another are written in one call."""
        views = [_bytes_of(data) for _, data in runs]
        starts = [
            self._writable_range(block, view) for (block, _), view in zip(runs, views, strict=True)
        ]
        for start, joined in _joined(starts, views):
            self._drain(joined, start)

    def _drain(self, views: list[memoryview], offset_bytes: int, flags: int = 0) -> None:
        with _HostErrors(self.path, "writing", offset_bytes):
            while views:
                done = os.pwritev(self._descriptor, views[:_BUFFERS_MAX], offset_bytes, flags)
                offset_bytes += done
                views = _after(views, done)

    def _write_durably(self, view: memoryview, start: int) -> bool:
        """Write through to the medium in one call; False where the host has no such call."""
        if not self._has_dsync or not view.nbytes:
            return False
        try:
            self._drain([view], start, os.RWF_DSYNC)
        except OSError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_DSYNC:
                self._has_dsync = False
                return False
            self._has_lost_writes = True
            raise
        return True

    def flush(self) -> None:
        """Return once everything written is durable; EIO, and EIO ever after, if it may not be."""
        self._require_open()
        if not self.capabilities.read_only:
            self._make_durable()

    def _make_durable(self) -> None:
        if self._has_lost_writes:
            raise self._lost()
        try:
            with _HostErrors(self.path, "flushing", 0):
                getattr(os, "fdatasync", os.fsync)(self._descriptor)
        except OSError:
            self._has_lost_writes = True
            raise

    def _lost(self) -> OSError:
        return failure(errno.EIO, self.path, "an earlier flush failed: writes may be lost")

    def discard(self, block: int, count: int) -> None:
        """Punch a hole (an image) or trim (a block device); where the host cannot, do nothing."""
        start, size = self._range(block, count)
        self._require_writable()
        if size:
            with _HostErrors(self.path, "discarding", start):
                give_back(self._descriptor, start, size)

    def resize(self, size_bytes: int) -> None:
        """Grow an image with zeros (a hole) or cut it off; durable on return.

        Raises: EROFS, EBADF; EINVAL for a block device or less than one block; what the host says.
        """
        self._require_writable()
        is_image = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        if not is_image or size_bytes < self.block_size_bytes:
            raise failure(errno.EINVAL, self.path, f"cannot become {size_bytes} bytes")
        os.ftruncate(self._descriptor, size_bytes)
        os.fsync(self._descriptor)
        self.block_count = size_bytes // self.block_size_bytes

    def close(self) -> None:
        """Release the image and its lock; idempotent. Does not flush."""
        self._release()
        self._descriptor = -1

    def _require_open(self) -> None:
        if self._descriptor < 0:
            raise failure(errno.EBADF, self.path, "the device is closed")

    def _require_writable(self) -> None:
        self._require_open()
        if self.capabilities.read_only:
            raise failure(errno.EROFS, self.path)

    def _range(self, block: int, count: int) -> tuple[int, int]:
        """(offset, size) in bytes of a legal run. EBADF once closed, EINVAL outside the device."""
        self._require_open()
        if block < 0 or count < 0 or block + count > self.block_count:
            reason = f"blocks {block} to {block + count} of a device of {self.block_count}"
            raise failure(errno.EINVAL, self.path, reason)
        return block * self.block_size_bytes, count * self.block_size_bytes

    def _writable_range(self, block: int, view: memoryview) -> int:
        self._require_writable()
        count, rest = divmod(view.nbytes, self.block_size_bytes)
        if rest:
            raise failure(errno.EINVAL, self.path, f"{view.nbytes} bytes are not whole blocks")
        return self._range(block, count)[0]


class _HostErrors:
    """Turns what the host says about an access into EIO that names image, place and cause."""

    def __init__(self, path: str | bytes, doing: str, offset_bytes: int) -> None:
        self.path, self.doing, self.offset_bytes = path, doing, offset_bytes

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            reason = f"{self.doing} at byte {self.offset_bytes}: {error.strerror}"
            raise failure(errno.EIO, self.path, reason) from error


def _bytes_of(data: Buffer) -> memoryview:
    view = memoryview(data)
    return view if view.format == "B" else view.cast("B")


def _joined(
    starts: Sequence[int], views: Sequence[memoryview]
) -> Iterator[tuple[int, list[memoryview]]]:
    """(offset, views) of each stretch of runs that follow one another on the disk, in order."""
    stretch: list[memoryview] = []
    stretch_start = end = -1
    for start, view in zip(starts, views, strict=True):
        if not view.nbytes:
            continue
        if start != end:
            if stretch:
                yield stretch_start, stretch
            stretch, stretch_start = [], start
        stretch.append(view)
        end = start + view.nbytes
    if stretch:
        yield stretch_start, stretch


def _after(views: list[memoryview], done: int) -> list[memoryview]:
    """What remains of ``views`` once their first ``done`` bytes are dealt with."""
    for i, view in enumerate(views):
        if done < view.nbytes:
            return [view[done:], *views[i + 1 :]]
        done -= view.nbytes
    return []
