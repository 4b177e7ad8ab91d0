"""A mounted WFS v2 volume, by paths: what users of the library call.

Paths are bytes, resolved within the volume. Every failure is an ``OSError`` with an errno. Changes
wait in memory until ``sync``, ``fsync`` or ``unmount`` (see ``watosfs.wfs2.engine``).
"""

import errno
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, NamedTuple, Self

from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.wfs2 import filedata, namespace
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.format import BLOCK_SIZE, NAME_MAX
from watosfs.wfs2.handle import ACCESS_MODE, O_CREAT, O_EXCL, O_TRUNC, Handle, Stat, stat_of
from watosfs.wfs2.node import Node

_NEW_FILE: Final = O_CREAT | O_EXCL | 2


class DirectoryEntry(NamedTuple):
    """A name in a folder. ``kind`` is ``"file"`` or ``"directory"``."""

    name: bytes
    inode_number: int
    kind: str


class SpaceUse(NamedTuple):
    """Blocks of ``block_size`` bytes. ``available`` equals ``free``."""

    block_size: int
    total: int
    free: int
    available: int
    files: int
    files_max: int
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
        """Mount what is on ``device``, from any good copy of the superblock.

        EINVAL: not a WFS v2 volume. EUCLEAN: no copy is good. A volume whose table is damaged is
        mounted read-only (``engine.read_only_reason``), as is a read-only device.
        """
        return cls(Engine(device, read_only or device.capabilities.read_only, clock))

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
        """The node of a path. ENOENT, ENOTDIR."""
        parent, name = self._parent(path)
        return self._child(parent, name, path)

    def _child(self, parent: Node, name: bytes, path: bytes | str) -> Node:
        self.engine.require_mounted()
        if not name:
            return parent
        node = namespace.lookup(parent, name)
        if node is None:
            raise failure(errno.ENOENT, path)
        if os.fsencode(path).endswith(b"/") and not node.is_directory:
            raise failure(errno.ENOTDIR, path)
        return node

    def _parent(self, path: bytes | str) -> tuple[Node, bytes]:
        """(folder, last name); the name is empty when the path leads to the folder itself."""
        parts = [part for part in os.fsencode(path).split(b"/") if part and part != b"."]
        node = self.engine.root
        for i, part in enumerate(parts):
            if part == b"..":
                node = node.parent or node
            elif i == len(parts) - 1:
                if not node.is_directory:
                    raise failure(errno.ENOTDIR, path)
                return node, part
            else:
                node = self._child(node, part, b"")
        if not node.is_directory:
            raise failure(errno.ENOTDIR, path)
        return node, b""

    def _new(self, path: bytes | str, number: int) -> tuple[Node, bytes]:
        """Where a name goes; the errno ``number`` for the root."""
        parent, name = self._parent(path)
        if not name:
            raise failure(number, path)
        return parent, name

    # -- files

    def open(self, path: bytes | str, flags: int = 0, mode: int = 0o644) -> Handle:
        """Open, or with ``O_CREAT`` make, a file. Folders open for reading only.

        ENOENT, EEXIST, EISDIR, EACCES (a file marked read-only, for writing), EROFS.
        """
        parent, name = self._parent(path)
        found = namespace.lookup(parent, name) if name else parent
        if found is None:
            if not flags & O_CREAT:
                raise failure(errno.ENOENT, path)
            if os.fsencode(path).endswith(b"/"):
                raise failure(errno.EISDIR, path)
            found = namespace.create(self.engine, parent, name)
            found.set_mode(mode)
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
        return self.open(path, _NEW_FILE, mode)

    def _require_writable(self, node: Node, path: bytes | str) -> None:
        if node.is_directory:
            raise failure(errno.EISDIR, path)
        self.engine.require_change()
        if not node.mode & 0o222:
            raise failure(errno.EACCES, path, "the file is marked read-only")

    def read_file(self, path: bytes | str) -> bytes:
        """All of a file."""
        node = self.node(path)
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
        """A new folder. EEXIST, ENOSPC, EINVAL, ENAMETOOLONG."""
        parent, name = self._new(path, errno.EEXIST)
        namespace.create(self.engine, parent, name, is_directory=True).set_mode(mode)

    def rmdir(self, path: bytes | str) -> None:
        """Remove an empty folder. ENOTDIR, ENOTEMPTY, EBUSY for the root."""
        parent, name = self._new(path, errno.EBUSY)
        namespace.rmdir(self.engine, parent, name)

    def unlink(self, path: bytes | str) -> None:
        """Remove a file. EISDIR for a folder."""
        parent, name = self._new(path, errno.EISDIR)
        self._child(parent, name, path)
        namespace.unlink(self.engine, parent, name)

    def rename(self, old: bytes | str, new: bytes | str) -> None:
        """Move a file or folder, replacing a file or an empty folder."""
        old_parent, old_name = self._new(old, errno.EBUSY)
        node = self._child(old_parent, old_name, old)
        new_parent, new_name = self._new(new, errno.EBUSY)
        if os.fsencode(new).endswith(b"/") and not node.is_directory:
            raise failure(errno.ENOTDIR, new)
        namespace.rename(self.engine, old_parent, old_name, new_parent, new_name)

    def readdir(self, path: bytes | str) -> list[DirectoryEntry]:
        """The names in a folder, sorted by their bytes."""
        node = self.node(path)
        if node.children is None:
            raise failure(errno.ENOTDIR, path)
        return [
            DirectoryEntry(name, child.number, "directory" if child.is_directory else "file")
            for name, child in sorted(node.children.items())
        ]

    # -- attributes and the volume

    def stat(self, path: bytes | str) -> Stat:
        """What is known of a file or folder."""
        return stat_of(self.node(path))

    def chmod(self, path: bytes | str, mode: int) -> None:
        """Keep whether anybody may write, and of a file whether anybody may execute."""
        node = self.node(path)
        self.engine.require_change()
        if node.slot is not None:
            node.set_mode(mode)
            self.engine.touch(node)

    def statfs(self) -> SpaceUse:
        """Space in blocks; what waits to become free counts as free."""
        engine = self.engine
        free = engine.space.free_count + sum(count for _, count in engine.pending)
        total, most = engine.layout.total_blocks, engine.layout.max_files
        files = len(engine.owners)
        return SpaceUse(BLOCK_SIZE, total, free, free, files, most, NAME_MAX)

    def sync(self) -> None:
        """Make everything so far durable. EIO: what reached the disk is not known."""
        self.engine.sync()

    def unmount(self) -> None:
        """Close every handle and write back."""
        for handle in list(self._handles):
            handle.close()
        self.engine.unmount()
