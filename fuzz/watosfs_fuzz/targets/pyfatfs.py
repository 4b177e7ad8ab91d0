"""pyfatfs in memory: FAT12 made by its own mkfs (extra ``targets``).

FAT promises nothing about power cuts, so this target has none. It has no rename either:
PyFilesystem's ``move`` copies and deletes. Names are lower case, because FAT ignores case.
"""

import errno
import io
import tempfile
import warnings
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

with warnings.catch_warnings():
    # fs announces that pkg_resources will go.
    warnings.simplefilter("ignore")
    import fs.errors as fs_errors
    from pyfatfs.PyFat import PyFat
    from pyfatfs.PyFatFS import PyFatBytesIOFS

from pyfatfs import PyFATException

from watosfs.block.device import BLOCK_SIZE_BYTES
from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.descriptors import (
    FIELDS,
    FLAGS,
    OPERATIONS,
    DescriptorTarget,
    NativeFile,
    refuse,
)
from watosfs_model import operations as ops
from watosfs_model.open_flags import O_CREAT, O_EXCL, O_TRUNC
from watosfs_model.operations import Operation

#: FAT12 with clusters of one sector; more is not needed.
VOLUME_BYTES_MAX = 2_000_000
FILE_BYTES_MAX = 200_000
#: Entries of 32 bytes; a name takes one, and one more for each 13 characters.
SLOTS_IN_CLUSTER = 512 // 32
CLUSTER_BYTES = 512
DEFAULT_GEOMETRY = Geometry()


class Disk(io.BytesIO):
    """Stays when the library closes it: it is the disk, and outlives a mount."""

    def close(self) -> None:
        self.flush()


@lru_cache
def formatted(size_bytes: int) -> bytes:
    """An empty FAT12 volume."""
    with tempfile.NamedTemporaryFile() as file:
        maker = PyFat()
        maker.mkfs(file.name, PyFat.FAT_TYPE_FAT12, size=size_bytes, volume_id=1)
        maker.close()
        return Path(file.name).read_bytes()


class PyfatfsFile:
    """A file object of the library."""

    def __init__(self, target: "PyfatfsTarget", path: str, mode: str) -> None:
        self.target = target
        self.file = target.volume.openbin(path, mode)

    def read(self, offset: int, count: int) -> bytes:
        self.file.seek(offset)
        return bytes(self.file.read(count))

    def write(self, offset: int, data: bytes) -> int:
        if self.target.steps_around and offset > self.size():
            raise refuse("writing beyond the end (P1)")
        self.file.seek(offset)
        return int(self.file.write(data))

    def truncate(self, size: int) -> None:
        self.target.step_around_cuts(self.size(), size)
        self.file.truncate(size)

    def size(self) -> int:
        return int(self.file.seek(0, io.SEEK_END))

    def sync(self) -> None:
        self.target.volume.fs.flush_fat()

    def close(self) -> None:
        self.file.close()


class PyfatfsTarget(DescriptorTarget):
    """One volume in memory."""

    name = "pyfatfs"
    #: Whether the defects of ``docs/FOUND.md`` are stepped around, so that others show.
    steps_around = True
    dialect = Dialect(
        OPERATIONS - {ops.Rename},
        can_crash=False,
        fields=FIELDS,
        names="[a-z0-9]{1,100}",
        file_bytes_max=FILE_BYTES_MAX,
        open_flags=FLAGS,
        may_refuse=True,
    )

    def __init__(self, geometry: Geometry = DEFAULT_GEOMETRY) -> None:
        super().__init__(geometry)
        self.disk = Disk()

    def start(self) -> None:
        self.operations_done = self.refusals = 0
        self.opened = {}
        size = min(self.geometry.block_count * BLOCK_SIZE_BYTES, VOLUME_BYTES_MAX)
        self.disk = Disk(formatted(size))
        self.volume = PyFatBytesIOFS(self.disk)

    def remount(self) -> None:
        for opened in self.opened.values():
            opened.file.close()
        self.opened = {}
        self.volume.close()
        self.volume = PyFatBytesIOFS(self.disk)

    def sync(self) -> None:
        self.volume.fs.flush_fat()

    def has_room_for(self, operation: Operation) -> bool:
        return False

    def errno_of(self, error: Exception) -> int | None:
        match error:
            case fs_errors.ResourceNotFound():
                below = self.is_below_a_file(b"/" + str(error.path).strip("/").encode())
                return errno.ENOTDIR if below else errno.ENOENT
            case fs_errors.DirectoryExists() | fs_errors.FileExists():
                return errno.EEXIST
            case fs_errors.DirectoryExpected():
                return errno.ENOTDIR
            case fs_errors.FileExpected():
                return errno.EISDIR
            case fs_errors.DirectoryNotEmpty():
                return errno.ENOTEMPTY
            case fs_errors.RemoveRootError():
                return errno.EBUSY
            case PyFATException():
                return None if error.errno is None else int(error.errno)
        return None

    # -- names

    def mkdir(self, path: bytes) -> None:
        if path == b"/":
            raise OSError(errno.EEXIST, "the root")
        self.volume.makedir(path.decode())

    def rmdir(self, path: bytes) -> None:
        self.step_around_crowds(path)
        self.volume.removedir(path.decode())

    def step_around_crowds(self, path: bytes) -> None:
        """P3: a directory that shrinks by a cluster keeps what stood there."""
        parent = path.rpartition(b"/")[0]
        if self.steps_around and parent and self.kind(parent) == "directory":
            slots = 2 + sum(2 + len(name) // 13 for name in self.volume.listdir(parent.decode()))
            if slots > SLOTS_IN_CLUSTER:
                raise refuse("removing from a directory of several clusters (P3)")

    def step_around_cuts(self, before: int, after: int) -> None:
        """P2: what is cut off is free, and still part of the chain."""
        clusters = [max(1, -(-size // CLUSTER_BYTES)) for size in (before, after)]
        if self.steps_around and clusters[1] < clusters[0]:
            raise refuse("cutting whole clusters off (P2)")

    def remove(self, path: bytes) -> None:
        self.step_around_crowds(path)
        self.volume.remove(path.decode())

    def move(self, old: bytes, new: bytes) -> None:
        raise refuse("no rename")

    def readdir(self, path: bytes) -> list[tuple[bytes, str]]:
        base = path.decode().rstrip("/")
        names = self.volume.listdir(path.decode())
        return [(n.encode(), self.kind(f"{base}/{n}".encode()) or "?") for n in names]

    def kind(self, path: bytes) -> str | None:
        try:
            info = self.volume.getinfo(path.decode())
        except fs_errors.ResourceNotFound:
            return None
        return "directory" if info.is_dir else "file"

    # -- contents

    def open_native(self, path: bytes, flags: int) -> NativeFile:
        name = path.decode()
        exists = self.kind(path) is not None
        if exists and flags & O_CREAT and flags & O_EXCL:
            return PyfatfsFile(self, name, "x+")
        if exists and flags & O_TRUNC:
            self.step_around_cuts(self.volume.getsize(name), 0)
        if not exists and flags & O_CREAT:
            self.volume.create(name)
        return PyfatfsFile(self, name, "w+" if flags & O_TRUNC and exists else "r+")

    def content(self, path: bytes) -> bytes:
        file = PyfatfsFile(self, path.decode(), "r")
        try:
            return file.read(0, file.size())
        finally:
            file.close()


class PlainPyfatfsTarget(PyfatfsTarget):
    """pyfatfs as it comes: for the traces of ``docs/FOUND.md``."""

    name = "pyfatfs-plain"
    steps_around = False
    dialect = replace(PyfatfsTarget.dialect, names="[a-z0-9]{1,255}")
