"""A mounted FAT volume, by paths: what users of the library call.

Paths are bytes, resolved within the volume; names compare without case, trailing dots and spaces
do not count. Every failure is an ``OSError`` with an errno. Between two calls of ``sync`` a power
cut loses changes, and leaves lost clusters at worst (see ``watosfs.fat.engine``).
"""

import errno
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, NamedTuple, Self

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.fat import filedata, namespace
from watosfs.fat.aliases import label_bytes, label_text
from watosfs.fat.engine import Engine
from watosfs.fat.entries import READ_ONLY
from watosfs.fat.format import BOOT_SECTOR_SIZE, NO_LABEL, decode_boot_sector, geometry_of
from watosfs.fat.handle import ACCESS_MODE, O_CREAT, O_EXCL, O_TRUNC, Handle
from watosfs.fat.names import encode_name
from watosfs.fat.node import Node
from watosfs.fat.stat import FatStat, stat_of
from watosfs.fat.times import encode_time

NAME_MAX: Final = 255


class DirectoryEntry(NamedTuple):
    """A name in a directory. ``kind`` is ``"file"`` or ``"directory"``."""

    name: bytes
    inode_number: int
    kind: str


class SpaceUse(NamedTuple):
    """Clusters, whose size is ``block_size`` bytes. ``available`` equals ``free``."""

    block_size: int
    total: int
    free: int
    available: int
    name_max: int


class FatVolume:
    """One mounted FAT12, FAT16 or FAT32 volume. Open it with ``FatVolume.mount``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._handles: set[Handle] = set()

    @classmethod
    def mount(
        cls,
        device: BlockDevice,
        *,
        read_only: bool = False,
        clock: Callable[[], int] = time.time_ns,
        utc_offset_minutes: int = 0,
    ) -> Self:
        """Mount what is on ``device``; ``utc_offset_minutes`` is the local time that FAT stores.

        EINVAL: not a FAT volume. EUCLEAN: a boot sector that contradicts itself. A read-only device
        is mounted read-only.
        """
        access = ByteAccess(device)
        boot = decode_boot_sector(access.read(0, min(BOOT_SECTOR_SIZE, access.size_bytes)))
        geometry = geometry_of(boot, access.size_bytes)
        read_only = read_only or device.capabilities.read_only
        return cls(Engine(access, geometry, read_only, clock, utc_offset_minutes * 60))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.unmount()

    # -- paths

    def node(self, path: bytes | str) -> Node:
        """The node of a path. ENOENT, ENOTDIR, EINVAL."""
        parent, name = self._parent(path)
        return self._child(parent, name, path)

    def _child(self, parent: Node, name: bytes, path: bytes | str) -> Node:
        if not self.engine.is_mounted:
            raise failure(errno.EBADF, path, "the volume is unmounted")
        if not name:
            return parent
        node = namespace.lookup(self.engine, parent, name)
        if node is None:
            raise failure(errno.ENOENT, path)
        if _has_slash(path) and not node.is_directory:
            raise failure(errno.ENOTDIR, path)
        return node

    def _parent(self, path: bytes | str) -> tuple[Node, bytes]:
        """(directory, last name); the name is empty when the path leads to the directory."""
        parts = [part for part in os.fsencode(path).split(b"/") if part and part != b"."]
        node = self.engine.root
        for i, part in enumerate(parts):
            is_last = i == len(parts) - 1
            if part == b"..":
                node = node.directory.node or self.engine.root if node.directory else node
            elif is_last:
                return node, part
            else:
                node = self._child(node, part, b"")
                if not node.is_directory:
                    raise failure(errno.ENOTDIR, path)
        return node, b""

    def _new(self, path: bytes | str, number: int) -> tuple[Node, bytes]:
        """Where a name goes; the errno ``number`` for the root or a path that ends in dots."""
        parent, name = self._parent(path)
        if not name:
            raise failure(number, path)
        return parent, name

    # -- files

    def open(self, path: bytes | str, flags: int = 0, mode: int = 0o644) -> Handle:
        """Open, or with ``O_CREAT`` make, a file. Directories open for reading only.

        EINVAL (access mode 3), ENOENT, EEXIST, EISDIR, EACCES (a file marked read-only, for
        writing), EROFS.
        """
        if flags & ACCESS_MODE == ACCESS_MODE:
            raise failure(errno.EINVAL, path)
        parent, name = self._parent(path)
        found = namespace.lookup(self.engine, parent, name) if name else parent
        if found is None:
            if not flags & O_CREAT:
                raise failure(errno.ENOENT, path)
            if _has_slash(path):
                raise failure(errno.EISDIR, path)
            found = namespace.create(self.engine, parent, name)
            if not mode & 0o222:
                found.attributes |= READ_ONLY
                self.engine.touch(found)
        else:
            found = self._child(parent, name, path)
            if flags & O_CREAT and flags & O_EXCL:
                raise failure(errno.EEXIST, path)
            if flags & ACCESS_MODE or flags & O_TRUNC:
                self._require_writable(found, path)
            if flags & O_TRUNC:
                filedata.truncate(self.engine, found, 0)
        handle = Handle(self.engine, found, flags, self._handles)
        self._handles.add(handle)
        return handle

    def create(self, path: bytes | str, mode: int = 0o644) -> Handle:
        """Make a new file and open it for reading and writing. EEXIST when there is one."""
        return self.open(path, O_CREAT | O_EXCL | 2, mode)

    def _require_writable(self, node: Node, path: bytes | str) -> None:
        if node.is_directory:
            raise failure(errno.EISDIR, path)
        if self.engine.read_only:
            raise failure(errno.EROFS, path)
        if node.attributes & READ_ONLY:
            raise failure(errno.EACCES, path, "the file is marked read-only")

    def read_file(self, path: bytes | str) -> bytes:
        """All of a file."""
        node = self.node(path)
        if node.is_directory:
            raise failure(errno.EISDIR, path)
        return filedata.read(self.engine, node, 0, node.size)

    def write_file(self, path: bytes | str, data: bytes) -> None:
        """Make or overwrite a file."""
        with self.open(path, O_CREAT | O_TRUNC | 2) as handle:
            handle.pwrite(data, 0)

    def truncate(self, path: bytes | str, size: int) -> None:
        """Set a file's size. EISDIR, EACCES, EINVAL, EFBIG, ENOSPC."""
        node = self.node(path)
        self._require_writable(node, path)
        filedata.truncate(self.engine, node, size)

    # -- names

    def mkdir(self, path: bytes | str, mode: int = 0o755) -> None:
        """A new directory. EEXIST, ENOSPC, EINVAL, ENAMETOOLONG."""
        parent, name = self._new(path, errno.EEXIST)
        node = namespace.mkdir(self.engine, parent, name)
        if not mode & 0o222:
            node.attributes |= READ_ONLY
            self.engine.touch(node)

    def rmdir(self, path: bytes | str) -> None:
        """Remove an empty directory. ENOTDIR, ENOTEMPTY, EBUSY for the root."""
        parent, name = self._new(path, errno.EBUSY)
        namespace.rmdir(self.engine, parent, name)

    def unlink(self, path: bytes | str) -> None:
        """Remove a file. EISDIR for a directory."""
        parent, name = self._new(path, errno.EISDIR)
        self._child(parent, name, path)
        namespace.unlink(self.engine, parent, name)

    def rename(self, old: bytes | str, new: bytes | str) -> None:
        """Move a file or directory, replacing a file or an empty directory."""
        old_parent, old_name = self._new(old, errno.EBUSY)
        node = self._child(old_parent, old_name, old)
        new_parent, new_name = self._new(new, errno.EBUSY)
        if _has_slash(new) and not node.is_directory:
            raise failure(errno.ENOTDIR, new)
        namespace.rename(self.engine, old_parent, old_name, new_parent, new_name)

    def readdir(self, path: bytes | str) -> list[DirectoryEntry]:
        """The names in a directory, in the order of its slots, without ``.`` and ``..``."""
        return [
            DirectoryEntry(
                encode_name(node.name), node.number, "directory" if node.is_directory else "file"
            )
            for node in self.engine.directory(self.node(path)).nodes()
        ]

    # -- attributes

    def stat(self, path: bytes | str) -> FatStat:
        """What is known of a file or directory."""
        return stat_of(self.engine, self.node(path))

    def chmod(self, path: bytes | str, mode: int) -> None:
        """Mark read-only when ``mode`` has no w for anybody, else take the mark away."""
        node = self.node(path)
        self.engine.begin_change()
        if node is not self.engine.root:
            read_only = 0 if mode & 0o222 else READ_ONLY
            node.attributes = node.attributes & ~READ_ONLY | read_only
            self.engine.touch(node)

    def utimens(self, path: bytes | str, atime_ns: int, mtime_ns: int) -> None:
        """Set the day of access and the time of change (2 s); the root has neither."""
        node = self.node(path)
        self.engine.begin_change()
        node.set_accessed(atime_ns, self.engine.offset_s)
        node.set_modified(mtime_ns, self.engine.offset_s)
        self.engine.touch(node)

    @property
    def label(self) -> bytes:
        """The volume label, UTF-8; empty when there is none."""
        raw = self.engine.directory(self.engine.root).label
        return label_text(raw) if raw else b""

    def set_label(self, label: bytes) -> None:
        """Set the label in the root directory and in the boot sector; empty removes it.

        EINVAL: not a label of code page 850. ENOSPC: the root directory is full.
        """
        raw = label_bytes(label) if label else None
        self.engine.begin_change()
        date, clock, _ = encode_time(self.engine.clock(), self.engine.offset_s)
        root = self.engine.directory(self.engine.root)
        root.set_label(self.engine.chains, raw, (date, clock))
        self.engine.marks.write_label(raw or NO_LABEL)
        self.engine.data_written()

    # -- the volume

    def statfs(self) -> SpaceUse:
        """Space in clusters; what waits to become free counts as free."""
        geometry, free = self.engine.geometry, self.engine.chains.free_count
        return SpaceUse(geometry.cluster_size, geometry.cluster_count, free, free, NAME_MAX)

    def sync(self) -> None:
        """Make everything so far durable. EIO: what reached the disk is not known."""
        self.engine.sync()

    def unmount(self) -> None:
        """Close every handle, write back, and mark the volume clean if it was so at mount."""
        for handle in list(self._handles):
            handle.close()
        self.engine.unmount()


def _has_slash(path: bytes | str) -> bool:
    return os.fsencode(path).endswith(b"/")
