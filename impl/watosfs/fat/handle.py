"""An open file of a FAT volume."""

import errno
from types import TracebackType
from typing import Final, Self

from watosfs.block.device import Buffer
from watosfs.errors import failure
from watosfs.fat import filedata
from watosfs.fat.engine import Engine
from watosfs.fat.node import Node
from watosfs.fat.stat import FatStat, stat_of

ACCESS_MODE: Final = 0o3
O_WRONLY: Final = 0o1
O_RDWR: Final = 0o2
O_CREAT: Final = 0o100
O_EXCL: Final = 0o200
O_TRUNC: Final = 0o1000
O_APPEND: Final = 0o2000


class Handle:
    """Keeps a node alive: its clusters stay its own though its name goes. EBADF once closed."""

    __slots__ = ("_engine", "_flags", "_is_open", "_siblings", "node")

    def __init__(
        self, engine: Engine, node: Node, flags: int, siblings: "set[Handle] | None" = None
    ) -> None:
        self._engine = engine
        self.node = node
        self._flags = flags
        self._siblings = siblings
        self._is_open = True
        node.handle_count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _require(self, writing: bool) -> None:
        if not self._is_open:
            raise failure(errno.EBADF, reason="the file is closed")
        access = self._flags & ACCESS_MODE
        if (writing and not access) or (not writing and access == O_WRONLY):
            raise failure(errno.EBADF, reason="not opened for this")
        if self.node.is_directory:
            raise failure(errno.EISDIR)

    def pread(self, count: int, offset: int) -> bytes:
        """At most ``count`` bytes from ``offset`` on."""
        self._require(writing=False)
        return filedata.read(self._engine, self.node, offset, count)

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, at the end with ``O_APPEND``; the count. EINVAL for
        a negative offset.
        """
        self._require(writing=True)
        if offset < 0:
            raise failure(errno.EINVAL)
        if self._flags & O_APPEND:
            offset = self.node.size
        return filedata.write(self._engine, self.node, offset, data)

    def truncate(self, size: int) -> None:
        """Set the file's size. EINVAL when the file is not open for writing."""
        if self._is_open and not self._flags & ACCESS_MODE:
            raise failure(errno.EINVAL, reason="not opened for this")
        self._require(writing=True)
        filedata.truncate(self._engine, self.node, size)

    def stat(self) -> FatStat:
        """The file's attributes."""
        return stat_of(self._engine, self.node)

    def fsync(self) -> None:
        """Make the file durable, and with it all of the volume."""
        self._engine.sync()

    fdatasync = fsync

    def seek_data(self, offset: int) -> int:
        """FAT has no holes: ``offset`` itself. ENXIO at and beyond the end."""
        if not 0 <= offset < self.node.size:
            raise failure(errno.ENXIO)
        return offset

    def seek_hole(self, offset: int) -> int:
        """The end of the file. ENXIO at and beyond the end."""
        if not 0 <= offset < self.node.size:
            raise failure(errno.ENXIO)
        return self.node.size

    def close(self) -> None:
        """Let go; idempotent. The clusters of a file without a name are free then."""
        if not self._is_open:
            return
        self._is_open = False
        if self._siblings is not None:
            self._siblings.discard(self)
        node = self.node
        node.handle_count -= 1
        if node.is_removed and not node.handle_count:
            self._engine.forget(node)
