"""What targets over a library share: descriptors, access modes, and what such libraries lack.

A library has file objects where the model has descriptors. Its rules about names, kinds and data
are tested as they are; access modes and descriptor numbers are this adapter's own. Refused (see
``dialect``), because no such library promises them: a second descriptor on one file, descriptors on
directories, and removing or renaming what is open.
"""

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from watosfs_fuzz.dialect import Dialect, Entry, Observed, Tree
from watosfs_fuzz.target import DESCRIPTORS_MAX, FIRST_DESCRIPTOR, Geometry
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

FIELDS = frozenset({"kind", "size", "content"})
FLAGS = O_WRONLY | O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_APPEND
OPERATIONS: frozenset[type[Operation]] = frozenset({
    ops.Mkdir, ops.Rmdir, ops.Open, ops.Close, ops.Pread, ops.Pwrite, ops.Ftruncate, ops.Unlink,
    ops.Rename, ops.Readdir, ops.Fsync, ops.Sync, ops.Remount,
})  # fmt: skip


class NativeFile(Protocol):
    """An open file of the library. What it writes is on the device when ``write`` returns."""

    def read(self, offset: int, count: int) -> bytes:
        """At most ``count`` bytes."""

    def write(self, offset: int, data: bytes) -> int:
        """How many were written."""

    def truncate(self, size: int) -> None:
        """Cut or grow."""

    def size(self) -> int:
        """Bytes."""

    def sync(self) -> None:
        """Make it durable."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(slots=True)
class Opened:
    """A descriptor."""

    path: bytes
    flags: int
    file: NativeFile


def refuse(why: str) -> OSError:
    """The error that says: not supported, nothing changed."""
    return OSError(errno.EOPNOTSUPP, why)


class DescriptorTarget(ABC):
    """Subclasses say how the library does each thing, and what its exceptions mean."""

    name: str
    dialect: Dialect

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.opened: dict[int, Opened] = {}
        self.operations_done = self.refusals = 0
        self.calls: dict[type[Operation], Callable[[Any], object]] = {
            ops.Mkdir: lambda o: self.mkdir(o.path),
            ops.Rmdir: lambda o: self.rmdir(o.path),
            ops.Open: self.open,
            ops.Close: self.close_descriptor,
            ops.Pread: self.pread,
            ops.Pwrite: self.pwrite,
            ops.Ftruncate: self.ftruncate,
            ops.Unlink: self.unlink,
            ops.Rename: self.rename,
            ops.Readdir: lambda o: frozenset(self.readdir(o.path)),
            ops.Fsync: lambda o: self.descriptor(o.fd).file.sync(),
            ops.Sync: lambda o: self.sync(),
            ops.Remount: lambda o: self.remount(),
        }

    # -- the library's

    @abstractmethod
    def mkdir(self, path: bytes) -> None: ...
    @abstractmethod
    def rmdir(self, path: bytes) -> None: ...
    @abstractmethod
    def remove(self, path: bytes) -> None: ...
    @abstractmethod
    def move(self, old: bytes, new: bytes) -> None: ...
    @abstractmethod
    def readdir(self, path: bytes) -> list[tuple[bytes, str]]: ...
    @abstractmethod
    def kind(self, path: bytes) -> str | None:
        """``file``, ``directory``, or None when there is nothing."""

    @abstractmethod
    def open_native(self, path: bytes, flags: int) -> NativeFile: ...
    @abstractmethod
    def content(self, path: bytes) -> bytes: ...
    @abstractmethod
    def sync(self) -> None: ...
    @abstractmethod
    def remount(self) -> None: ...
    @abstractmethod
    def errno_of(self, error: Exception) -> int | None:
        """What an exception of the library means; None when it means nothing to a caller."""

    # -- operations

    def apply(self, pid: int, operation: Operation) -> Outcome:
        self.operations_done += 1
        try:
            return Outcome(self.calls[type(operation)](operation), 0)
        except Exception as error:
            number = error.errno if isinstance(error, OSError) else self.errno_of(error)
            if number is None:
                raise
            self.refusals += number == errno.EOPNOTSUPP
            return Outcome(None, number)

    def open(self, operation: ops.Open) -> int:
        """Open with the lowest free number."""
        path, flags = operation.path, operation.flags
        mode = flags & O_ACCMODE
        if mode == O_ACCMODE:
            raise OSError(errno.EINVAL, "no such access mode")
        if mode == O_RDONLY and flags & (O_CREAT | O_TRUNC | O_APPEND):
            raise refuse("changing what is opened for reading")
        if self.is_open(path):
            raise refuse("a second descriptor on one file")
        if path == b"/" or self.kind(path) == "directory":
            raise refuse("a descriptor on a directory")
        number = next(n for n in range(FIRST_DESCRIPTOR, DESCRIPTORS_MAX) if n not in self.opened)
        self.opened[number] = Opened(path, flags, self.open_native(path, flags))
        return number

    def descriptor(self, number: int) -> Opened:
        """What is open under a number."""
        if number not in self.opened:
            raise OSError(errno.EBADF, "no such descriptor")
        return self.opened[number]

    def is_open(self, path: bytes) -> bool:
        """Whether a descriptor is on the path or below it."""
        return any((file.path + b"/").startswith(path + b"/") for file in self.opened.values())

    def close_descriptor(self, operation: ops.Close) -> None:
        """Free the number, whatever closing says."""
        opened = self.descriptor(operation.fd)
        del self.opened[operation.fd]
        opened.file.close()

    def pread(self, operation: ops.Pread) -> bytes:
        """Read; nothing beyond the end."""
        opened = self.descriptor(operation.fd)
        if opened.flags & O_ACCMODE == O_WRONLY:
            raise OSError(errno.EBADF, "not open for reading")
        if operation.offset < 0 or operation.count < 0:
            raise OSError(errno.EINVAL, "negative")
        count = min(operation.count, opened.file.size() - operation.offset)
        return opened.file.read(operation.offset, count) if count > 0 else b""

    def pwrite(self, operation: ops.Pwrite) -> int:
        """Write all of it or nothing."""
        opened = self.descriptor(operation.fd)
        if opened.flags & O_ACCMODE == O_RDONLY:
            raise OSError(errno.EBADF, "not open for writing")
        if operation.offset < 0:
            raise OSError(errno.EINVAL, "negative")
        data = operation.data.bytes()
        if not data:
            return 0
        offset = opened.file.size() if opened.flags & O_APPEND else operation.offset
        if offset + len(data) > self.dialect.file_bytes_max:
            raise refuse("a file beyond the limit of the dialect")
        return opened.file.write(offset, data)

    def ftruncate(self, operation: ops.Ftruncate) -> None:
        """Cut or grow."""
        opened = self.descriptor(operation.fd)
        if opened.flags & O_ACCMODE == O_RDONLY or operation.size < 0:
            raise OSError(errno.EINVAL, "not open for writing, or negative")
        opened.file.truncate(operation.size)

    def unlink(self, operation: ops.Unlink) -> None:
        """Remove a file that is not open."""
        if self.is_open(operation.path):
            raise refuse("removing what is open")
        if operation.path == b"/" or self.kind(operation.path) == "directory":
            raise OSError(errno.EISDIR, "a directory")
        self.remove(operation.path)

    def rename(self, operation: ops.Rename) -> None:
        """Rename what is not open onto what is not open."""
        if self.is_open(operation.old) or self.is_open(operation.new):
            raise refuse("renaming what is open")
        if b"/" in (operation.old, operation.new):
            raise refuse("renaming the root")
        if self.kind(operation.old) is None and self.is_below_a_file(operation.new):
            # Both apply; our model, as Linux, looks at the directories first.
            raise OSError(errno.ENOTDIR, "the new path leads through a file")
        try:
            self.move(operation.old, operation.new)
        except Exception as error:
            is_over_ancestor = operation.old.startswith(operation.new + b"/")
            if is_over_ancestor and self.errno_of(error) == errno.EISDIR:
                raise OSError(errno.ENOTEMPTY, "both apply") from None
            raise

    def is_below_a_file(self, path: bytes) -> bool:
        """Whether a component on the way is a file."""
        parts = path.split(b"/")[1:]
        above = (b"/" + b"/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self.kind(p) == "file" for p in above)

    # -- looking

    def observe(self) -> Observed:
        tree: Tree = {b"/": shown("directory", 0, None)}
        waiting = [b""]
        while waiting:
            base = waiting.pop()
            for name, kind in self.readdir(base or b"/"):
                path = base + b"/" + name
                assert path not in tree, f"{path!r} is listed twice"
                if kind == "directory":
                    tree[path] = shown(kind, 0, None)
                    waiting.append(path)
                else:
                    data = self.content(path)
                    tree[path] = shown(kind, len(data), data)
        return tree, {number: tree[file.path] for number, file in self.opened.items()}

    def statistics(self) -> dict[str, int]:
        return {"refusals": self.refusals}

    def close(self) -> None:
        self.opened.clear()


def shown(kind: str, size: int, content: bytes | None) -> Entry:
    """An entry of these fields."""
    return (kind, None, None, None, None, size, None, None, None, content, None, None)
