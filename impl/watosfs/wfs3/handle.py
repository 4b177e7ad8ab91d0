"""An open file or directory of a volume: reads and writes at offsets, by inode number."""

import errno
from typing import TYPE_CHECKING

from watosfs.block.device import Buffer
from watosfs.errors import failure
from watosfs.wfs3.attributes import Stat, stat_of
from watosfs.wfs3.format import FILE_SIZE_MAX
from watosfs.wfs3.pages import PAGE_SIZE_BYTES
from watosfs.wfs3.records import Inode

if TYPE_CHECKING:
    from watosfs.wfs3.volume import Volume

O_RDONLY = 0
O_WRONLY = 1
O_RDWR = 2
O_ACCMODE = 3
O_CREAT = 0o100
O_EXCL = 0o200
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_DIRECTORY = 0o200000
O_NOFOLLOW = 0o400000


class Handle:
    """Made by ``Volume.open``. Every method raises EBADF once closed and ESTALE after an abort
    took the file.
    """

    __slots__ = ("flags", "is_closed", "is_stale", "number", "volume")

    def __init__(self, volume: "Volume", number: int, flags: int) -> None:
        self.volume = volume
        self.number = number
        self.flags = flags
        self.is_closed = False
        self.is_stale = False

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def inode(self) -> Inode:
        """The inode behind the handle."""
        if self.is_closed:
            raise failure(errno.EBADF)
        if self.is_stale:
            raise failure(errno.ESTALE)
        return self.volume.engine.inode(self.number)

    def stat(self) -> Stat:
        """As ``Volume.stat``."""
        return stat_of(self.inode())

    def pread(self, count: int, offset: int) -> bytes:
        """At most ``count`` bytes from ``offset``; empty at and beyond the end. EINVAL, EISDIR,
        EBADF.
        """
        engine = self.volume.engine
        if 0 <= count <= PAGE_SIZE_BYTES and not (
            self.is_closed or self.is_stale or self.flags & O_ACCMODE == O_WRONLY
        ):
            found = engine.pages.find(self.number, offset, count)
            if found is not None:
                return found
        inode = self.inode_to_read(count, offset)
        inside = offset % PAGE_SIZE_BYTES
        if inside + count <= PAGE_SIZE_BYTES and engine.may_keep_page(inode, offset - inside):
            page = engine.data.read(inode, offset - inside, PAGE_SIZE_BYTES)
            engine.pages.keep(self.number, offset - inside, page)
            return page[inside : inside + count]
        return engine.data.read(inode, offset, count)

    def inode_to_read(self, count: int, offset: int) -> Inode:
        """The inode, when this may be read; else EBADF, ESTALE, EINVAL, EISDIR."""
        inode = self.inode()
        if self.flags & O_ACCMODE == O_WRONLY:
            raise failure(errno.EBADF)
        if count < 0 or offset < 0:
            raise failure(errno.EINVAL)
        if not inode.is_file:
            raise failure(errno.EISDIR)
        return inode

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset`` (at the end with O_APPEND) or nothing; its length.

        EINVAL, EBADF, EFBIG beyond 2**63 - 1, ENOSPC, EROFS.
        """
        inode = self.inode()
        if self.flags & O_ACCMODE == O_RDONLY:
            raise failure(errno.EBADF)
        if offset < 0:
            raise failure(errno.EINVAL)
        if not inode.is_file:
            raise failure(errno.EISDIR)
        if self.flags & O_APPEND:
            offset = inode.size
        length = len(data)
        if offset + length > FILE_SIZE_MAX:
            raise failure(errno.EFBIG)
        if not length:
            return 0
        engine = self.volume.engine
        with self.volume.change():
            cost = engine.data.cost_of_write(inode, offset, length)
            if cost or not engine.admit_at_once():
                engine.admit(cost + engine.inode_tree.height + 1)
            if cost:  # else the file stays in its inode
                engine.is_changing = False
                engine.data.read_before_write(inode, offset, length)
                engine.is_changing = True
            inode = engine.modify(self.number)
            engine.data.write(inode, offset, data)
            inode.mtime_ns = inode.ctime_ns = engine.clock()
        return length

    def truncate(self, size: int) -> None:
        """Set the size; what is added reads as zeros. EINVAL on a negative size or anything but a
        writable file.
        """
        inode = self.inode()
        if size < 0 or self.flags & O_ACCMODE == O_RDONLY or not inode.is_file:
            raise failure(errno.EINVAL)
        self.volume.truncate_inode(inode, size)

    def fsync(self) -> None:
        """Return once every change to the volume so far is durable. EBUSY inside an explicit
        transaction.
        """
        self.inode()
        self.volume.sync()

    def fdatasync(self) -> None:
        """The same as ``fsync``: a commit covers the whole volume."""
        self.fsync()

    def seek_data(self, offset: int) -> int:
        """The first offset from ``offset`` on that holds data; ENXIO when there is none."""
        inode = self.inode()
        if not 0 <= offset < inode.size:
            raise failure(errno.ENXIO)
        found = self.volume.engine.data.seek(inode, offset, data=True)
        if found is None:
            raise failure(errno.ENXIO)
        return found

    def seek_hole(self, offset: int) -> int:
        """The first offset from ``offset`` on that is in a hole (the end of the file counts);
        ENXIO beyond it.
        """
        inode = self.inode()
        if not 0 <= offset < inode.size:
            raise failure(errno.ENXIO)
        found = self.volume.engine.data.seek(inode, offset, data=False)
        assert found is not None
        return found

    def close(self) -> None:
        """Give the handle up; the data of a file without names goes with its last handle. EBADF
        when closed.
        """
        if self.is_closed:
            raise failure(errno.EBADF)
        self.is_closed = True
        self.volume.close_handle(self)
