"""A mounted WFS v2 volume, by paths: what users of the library call.

Paths are bytes, resolved within the volume; names compare as bytes. Every failure is an ``OSError``
with an errno. Between two calls of ``sync`` a power cut loses changes, each file for itself, and
leaves blocks in use that nobody has at worst (see ``watosfs.wfs2.commit``).
"""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Final, NamedTuple, Self

from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.wfs2 import filedata, namespace
from watosfs.wfs2.commit import sync
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.entries import EXECUTABLE, NAME_BYTES_MAX, READ_ONLY
from watosfs.wfs2.format import BLOCK_SIZE
from watosfs.wfs2.handle import ACCESS_MODE, O_CREAT, O_EXCL, O_TRUNC, Handle
from watosfs.wfs2.node import Node
from watosfs.wfs2.stat import Wfs2Stat, stat_of
from watosfs.wfs2.superblocks import newest_superblock

_KEPT_FLAGS: Final = READ_ONLY | EXECUTABLE


class DirectoryEntry(NamedTuple):
    """A name in a directory. ``kind`` is ``"file"`` or ``"directory"``."""

    name: bytes
    inode_number: int
    kind: str


class SpaceUse(NamedTuple):
    """Blocks, whose size is ``block_size`` bytes. ``available`` equals ``free``."""

    block_size: int
    total: int
    free: int
    available: int
    name_max: int


class Wfs2Volume:
    """One mounted WFS v2 volume. Open it with ``Wfs2Volume.mount``."""

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
    ) -> Self:
        """Mount what is on ``device``. A read-only device, damage in the table, or a first
        superblock that only a backup replaces make it read-only: ``engine.read_only_reason``.

        EINVAL: not a WFS v2 volume. EUCLEAN: no superblock that can be used.
        """
        if device.block_size_bytes != BLOCK_SIZE:
            raise failure(errno.EINVAL, reason=f"blocks of {device.block_size_bytes} bytes")
        superblock, block = newest_superblock(device)
        reason = "the first superblock is damaged, see check --repair" if block else None
        if read_only or device.capabilities.read_only:
            reason = "mounted read-only"
        return cls(Engine(device, superblock, reason, clock))

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
                node = node.parent or node
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

        ENOENT, EEXIST, EISDIR, EACCES (a file marked read-only, for writing), EROFS.
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
            found = namespace.create(self.engine, parent, name, flags_of(mode))
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
        if node.entry.flags & READ_ONLY:
            raise failure(errno.EACCES, path, "the file is marked read-only")

    def read_file(self, path: bytes | str) -> bytes:
        """All of a file."""
        node = self.node(path)
        if node.is_directory:
            raise failure(errno.EISDIR, path)
        return self.read_node(node)

    def read_node(self, node: Node) -> bytes:
        """All of a file that may have lost its name. EUCLEAN, EIO."""
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
        namespace.mkdir(self.engine, parent, name, flags_of(mode) & READ_ONLY)

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
        new_parent, new_name = self._new(new, errno.EBUSY)
        if not new_parent.is_directory:
            raise failure(errno.ENOTDIR, new)
        node = self._child(old_parent, old_name, old)
        if _has_slash(new) and not node.is_directory:
            raise failure(errno.ENOTDIR, new)
        namespace.rename(self.engine, old_parent, old_name, new_parent, new_name)

    def readdir(self, path: bytes | str) -> list[DirectoryEntry]:
        """The names in a directory, without ``.`` and ``..``. ENOTDIR."""
        node = self.node(path)
        if node.children is None:
            raise failure(errno.ENOTDIR, path)
        return [
            DirectoryEntry(child.name, child.number, "directory" if child.is_directory else "file")
            for child in node.children.values()
        ]

    # -- attributes

    def stat(self, path: bytes | str) -> Wfs2Stat:
        """What is known of a file or directory."""
        return stat_of(self.node(path))

    def chmod(self, path: bytes | str, mode: int) -> None:
        """Keep of ``mode`` whether anybody may write and, of a file, may execute."""
        node = self.node(path)
        mask = READ_ONLY if node.is_directory else _KEPT_FLAGS
        namespace.set_flags(self.engine, node, mask, flags_of(mode) & mask)

    def utimens(self, path: bytes | str, atime_ns: int, mtime_ns: int) -> None:
        """Set the time of change, which is the only one; the root has none."""
        node = self.node(path)
        self.engine.begin_change()
        node.entry = replace(node.entry, modified=max(0, mtime_ns))
        self.engine.touch(node)

    # -- the volume

    def statfs(self) -> SpaceUse:
        """Space in blocks; what waits to become free counts as free."""
        engine = self.engine
        free = engine.space.free_count + sum(count for _, count in engine.pending)
        total = engine.geometry.total_blocks
        return SpaceUse(BLOCK_SIZE, total, free, free, NAME_BYTES_MAX)

    def sync(self) -> None:
        """Make everything so far durable. EIO: what reached the disk is not known."""
        sync(self.engine)

    def unmount(self) -> None:
        """Close every handle and write back; idempotent. EIO as ``sync``."""
        if not self.engine.is_mounted:
            return
        for handle in list(self._handles):
            handle.close()
        try:
            sync(self.engine)
        finally:
            self.engine.is_mounted = False


def flags_of(mode: int) -> int:
    """The flags that keep what can be kept of a mode."""
    read_only = 0 if mode & 0o222 else READ_ONLY
    return read_only | (EXECUTABLE if mode & 0o111 else 0)


def _has_slash(path: bytes | str) -> bool:
    return os.fsencode(path).endswith(b"/")
