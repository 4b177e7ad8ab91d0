"""littlefs through littlefs-python, on a recorded device (extra ``targets``).

Every write is synced before it returns: littlefs promises that a file changes only at sync or
close, so that is the point at which the model's write happens. The device keeps old contents on
erase, as littlefs' own emulated device does by default; a program is cached until sync.
"""

import errno
from contextlib import suppress
from typing import Any

from littlefs import LittleFSError, lfs

from watosfs.block.device import BLOCK_SIZE_BYTES, SECTOR_SIZE_BYTES, BlockDevice
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.progress import progress_problem
from watosfs_fuzz.target import Geometry, WithoutProbes
from watosfs_fuzz.targets.descriptors import FIELDS, FLAGS, OPERATIONS, DescriptorTarget, refuse
from watosfs_fuzz.targets.littlefs_context import DeviceContext
from watosfs_model import Outcome
from watosfs_model import operations as ops
from watosfs_model.open_flags import (
    O_ACCMODE,
    O_APPEND,
    O_CREAT,
    O_EXCL,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)
from watosfs_model.operations import Operation

#: Names are bytes to littlefs; this encoding carries each byte as it is.
ENCODING = "latin-1"
FILE_BYTES_MAX = 200_000
#: LFS_ERR_CORRUPT is EILSEQ's number on Linux; what it means is EUCLEAN.
_ERRNOS = {-84: errno.EUCLEAN, -61: errno.ENODATA}
#: Values of LFS_O_ in lfs.h.
_FLAGS = {O_CREAT: 0x100, O_EXCL: 0x200, O_TRUNC: 0x400, O_APPEND: 0x800}
_MODES = {O_RDONLY: 1, O_WRONLY: 2, O_RDWR: 3}
DEFAULT_GEOMETRY = Geometry()


class LittlefsFile:
    """A handle; after a failed write littlefs wants it opened again."""

    def __init__(self, target: "LittlefsTarget", path: bytes, flags: int) -> None:
        self.target = target
        self.path = path
        self.mode = flags & O_ACCMODE
        self.handle = self.opened(flags)

    def opened(self, flags: int) -> Any:
        """A handle of the library."""
        bits = sum(flag for bit, flag in _FLAGS.items() if flags & bit)
        native = lfs.LFSFileFlag(_MODES[flags & O_ACCMODE] | bits)
        found = self.target.call(lfs.file_open, self.path.decode(ENCODING), native, ENCODING)
        if flags & O_TRUNC:
            self.target.call(lfs.file_sync, found)
        return found

    def read(self, offset: int, count: int) -> bytes:
        self.target.call(lfs.file_seek, self.handle, offset, 0)
        return bytes(self.target.call(lfs.file_read, self.handle, count))

    def write(self, offset: int, data: bytes) -> int:
        try:
            self.target.call(lfs.file_seek, self.handle, offset, 0)
            count = int(self.target.call(lfs.file_write, self.handle, data))
            self.sync()
        except LittleFSError:
            self.start_over()
            raise
        return count

    def truncate(self, size: int) -> None:
        try:
            self.target.call(lfs.file_truncate, self.handle, size)
            self.sync()
        except LittleFSError:
            self.start_over()
            raise

    def start_over(self) -> None:
        """Forget what was not synced."""
        with suppress(LittleFSError):  # closing says again what the write said
            self.close()
        self.handle = self.opened(self.mode)

    def size(self) -> int:
        return int(self.target.call(lfs.file_size, self.handle))

    def sync(self) -> None:
        self.target.call(lfs.file_sync, self.handle)

    def close(self) -> None:
        self.target.call(lfs.file_close, self.handle)


class LittlefsTarget(WithoutProbes, DescriptorTarget):
    """Blocks of 4096 bytes, programmed by sectors of 512."""

    name = "littlefs"
    dialect = Dialect(
        OPERATIONS | {ops.Crash},
        can_crash=True,
        fields=FIELDS,
        names=r"[^/\0]{1,255}",
        file_bytes_max=FILE_BYTES_MAX,
        open_flags=FLAGS,
        may_refuse=True,
    )

    #: Whether the defects of ``docs/FOUND.md`` are stepped around, so that others show: L1 is
    #: refused, and fs_mkconsistent after mount hides L2.
    steps_around = True
    #: After so many erases littlefs moves a metadata pair elsewhere.
    block_cycles = 100

    def __init__(self, geometry: Geometry = DEFAULT_GEOMETRY) -> None:
        super().__init__(geometry)
        self.base: dict[int, bytes] = {}
        self.keeps_log = False

    # -- life

    def start(self) -> None:
        self.operations_done = self.refusals = 0
        self.keeps_log = True
        self.device = RecordingDevice(self.geometry.block_count)
        self.attach(self.device)
        self.call(lfs.format, self.config)
        self.base = dict(self.device.image)
        self.device.events.clear()
        self.call(lfs.mount, self.config)

    def attach(self, device: BlockDevice) -> None:
        """A file system that is not mounted yet."""
        self.opened = {}
        self.context = DeviceContext(device)
        self.filesystem = lfs.LFSFilesystem()
        self.config = lfs.LFSConfig(
            context=self.context,
            block_size=BLOCK_SIZE_BYTES,
            block_count=self.geometry.block_count,
            read_size=SECTOR_SIZE_BYTES,
            prog_size=SECTOR_SIZE_BYTES,
            cache_size=SECTOR_SIZE_BYTES,
            lookahead_size=32,
            block_cycles=self.block_cycles,
        )

    def call(self, function: Any, *arguments: Any) -> Any:
        """A function of the library on this file system."""
        try:
            return function(self.filesystem, *arguments)
        finally:
            raised, self.context.raised = self.context.raised, None
            if raised is not None:
                raise raised

    def mount_on(self, device: BlockDevice, operations_done: int) -> None:
        """Mount what a device holds. Raises OSError when littlefs cannot."""
        self.operations_done = operations_done
        self.attach(device)
        try:
            self.call(lfs.mount, self.config)
            if self.steps_around:
                self.call(lfs.fs_mkconsistent)
        except LittleFSError as error:
            raise OSError(self.errno_of(error), f"mount: {error}") from None

    def restart_on(self, image: dict[int, bytes], operations_done: int) -> None:
        self.base = dict(image)
        self.keeps_log = True
        self.device = RecordingDevice(self.geometry.block_count, image)
        self.mount_on(self.device, operations_done)

    def recover(self, device: BlockDevice, operations_done: int) -> "LittlefsTarget":
        target = type(self)(self.geometry)
        target.mount_on(device, operations_done)
        return target

    def sync(self) -> None:
        for file in self.opened.values():
            file.file.sync()
        self.context.device.flush()

    def remount(self) -> None:
        for file in self.opened.values():
            file.file.close()
        self.opened = {}
        self.call(lfs.unmount)
        self.attach(self.device)
        self.call(lfs.mount, self.config)
        self.device.flush()

    def apply(self, pid: int, operation: Operation) -> Outcome:
        if not self.keeps_log:
            return super().apply(pid, operation)
        device = self.device
        number = self.operations_done + 1
        device.mark(("begin", number))
        try:
            return super().apply(pid, operation)
        finally:
            device.mark(("end", number))

    def errno_of(self, error: Exception) -> int | None:
        return _ERRNOS.get(error.code, -error.code) if isinstance(error, LittleFSError) else None

    # -- names

    def mkdir(self, path: bytes) -> None:
        self.call(lfs.mkdir, path.decode(ENCODING), ENCODING)

    def rmdir(self, path: bytes) -> None:
        if path == b"/":
            raise OSError(errno.EBUSY, "the root")
        if self.kind(path) == "file":
            raise OSError(errno.ENOTDIR, "lfs_remove takes both")
        self.remove(path)

    def remove(self, path: bytes) -> None:
        self.call(lfs.remove, path.decode(ENCODING), ENCODING)

    def move(self, old: bytes, new: bytes) -> None:
        if self.steps_around and new.startswith(old + b"/"):
            raise refuse("moving a directory into itself (L1)")
        self.call(lfs.rename, old.decode(ENCODING), new.decode(ENCODING), ENCODING)

    def readdir(self, path: bytes) -> list[tuple[bytes, str]]:
        handle = self.call(lfs.dir_open, path.decode(ENCODING), ENCODING)
        found = []
        while info := self.call(lfs.dir_read, handle, ENCODING):
            if info.name not in (".", ".."):
                kind = "directory" if info.type == lfs.LFSStat.TYPE_DIR else "file"
                found.append((info.name.encode(ENCODING), kind))
        self.call(lfs.dir_close, handle)
        return found

    def kind(self, path: bytes) -> str | None:
        try:
            info = self.call(lfs.stat, path.decode(ENCODING), ENCODING)
        except LittleFSError as error:
            if error.code in (-errno.ENOENT, -errno.ENOTDIR):
                return None
            raise
        return "directory" if info.type == lfs.LFSStat.TYPE_DIR else "file"

    # -- contents

    def open_native(self, path: bytes, flags: int) -> LittlefsFile:
        return LittlefsFile(self, path, flags)

    def content(self, path: bytes) -> bytes:
        file = LittlefsFile(self, path, 0)
        try:
            return file.read(0, file.size())
        finally:
            file.close()

    def observe(self) -> Any:
        try:
            return super().observe()
        except LittleFSError as error:
            raise OSError(self.errno_of(error), str(error)) from None

    def has_room_for(self, operation: Operation) -> bool:
        end = 0
        if isinstance(operation, ops.Pwrite):
            end = operation.offset + len(operation.data)
        elif isinstance(operation, ops.Ftruncate):
            end = operation.size
        sizes = [file.file.size() for file in self.opened.values()]
        need = 2 * (max([end, *sizes]) // BLOCK_SIZE_BYTES) + 16
        return self.geometry.block_count - int(self.call(lfs.fs_size)) > need

    # -- judging crashes

    def problems(self, device: BlockDevice, memo: dict[object, object]) -> list[str]:
        return []

    def progress_problem(self) -> str | None:
        return progress_problem(self)

    def epoch_problem(self) -> str | None:
        return None


class PlainLittlefsTarget(LittlefsTarget):
    """littlefs as it comes: for the traces of ``docs/FOUND.md``."""

    name = "littlefs-plain"
    steps_around = False
