"""An open file of a WFS v2 volume."""

import errno
from types import TracebackType
from typing import Final, NamedTuple, Self

from watosfs.block.device import Buffer
from watosfs.errors import failure
from watosfs.wfs2 import filedata
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.format import BLOCK_SIZE
from watosfs.wfs2.node import Node

ACCESS_MODE: Final = 0o3
O_WRONLY: Final = 0o1
O_CREAT: Final = 0o100
O_EXCL: Final = 0o200
O_TRUNC: Final = 0o1000
O_APPEND: Final = 0o2000


class Stat(NamedTuple):
    """The fields of ``os.stat_result``; one time, in ns: when the entry was last changed."""

    st_ino: int
    st_mode: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_size: int
    #: In units of 512 bytes.
    st_blocks: int
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int


def stat_of(node: Node) -> Stat:
    """The attributes of a node."""
    nlink = 1
    if node.children is not None:
        nlink = 2 + sum(1 for child in node.children.values() if child.is_directory)
    blocks = (node.reserved or node.extent)[1] * BLOCK_SIZE // 512
    time_ns = min(node.modified_ns, (1 << 63) - 1)
    return Stat(
        node.number,
        node.mode,
        0 if node.is_removed else nlink,
        0,
        0,
        node.size,
        blocks,
        time_ns,
        time_ns,
        time_ns,
    )


class Handle:
    """Keeps a node alive: its blocks stay its own though its name goes. EBADF once closed."""

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

    def pread(self, count: int, offset: int) -> bytes:
        """At most ``count`` bytes from ``offset`` on."""
        self._require(writing=False)
        return filedata.read(self._engine, self.node, offset, count)

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, at the end with ``O_APPEND``; the count."""
        self._require(writing=True)
        if self._flags & O_APPEND:
            offset = self.node.size
        return filedata.write(self._engine, self.node, offset, data)

    def truncate(self, size: int) -> None:
        """Set the file's size."""
        self._require(writing=True)
        filedata.truncate(self._engine, self.node, size)

    def stat(self) -> Stat:
        """The file's attributes."""
        return stat_of(self.node)

    def fsync(self) -> None:
        """Make the file durable, and with it all of the volume."""
        self._engine.sync()

    fdatasync = fsync

    def close(self) -> None:
        """Let go; idempotent. The blocks of a file without a name are free then."""
        if not self._is_open:
            return
        self._is_open = False
        if self._siblings is not None:
            self._siblings.discard(self)
        node = self.node
        node.handle_count -= 1
        if node.is_removed and not node.handle_count:
            self._engine.forget(node)
