"""A mounted WFS v3 volume: paths, handles, durability. The public face of ``watosfs.wfs3``.

Changes gather in memory and become durable together: at ``sync``, a handle's ``fsync``, ``commit``, ``unmount``,
or when memory or space asks for it. After a power cut the volume is exactly as it was after some operation, never
before the last acknowledged one of those.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs3 import directory
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.extents import ExtentError
from watosfs.wfs3.format import (
    BLOCK_SIZE,
    FILE_SIZE_MAX,
    NAME_MAX,
    ROOT_INODE,
    Superblock,
)
from watosfs.wfs3.handle import (
    O_ACCMODE,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    Handle,
)
from watosfs.wfs3.mounting import read_superblocks
from watosfs.wfs3.namespace import Namespace
from watosfs.wfs3.paths import Follow, Place
from watosfs.wfs3.records import (
    TYPE_DIRECTORY,
    TYPE_FILE,
    TYPE_SYMLINK,
    DirectoryEntry,
    Inode,
)

#: 32 MiB of cached nodes by default.
CACHE_BLOCKS = 8192
DIRTY_BYTES_MAX = 16 << 20
OWNER_UNCHANGED = 0xFFFFFFFF


class Stat(NamedTuple):
    """What ``stat`` tells; times in ns since 1970 UTC, ``st_blocks`` in units of 512 bytes."""

    st_ino: int
    st_mode: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_size: int
    st_blocks: int
    st_blksize: int
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int


class SpaceUse(NamedTuple):
    """What ``statfs`` tells, in blocks of ``block_size`` bytes.

    ``free`` counts everything that the working tree does not use; ``available`` leaves out what is held back for
    an older superblock copy, promised to pending changes, or reserved for operations that free space.
    """

    block_size: int
    total: int
    free: int
    available: int
    inodes_used: int
    name_max: int


class Volume:
    """Made by ``Volume.mount``; ``unmount`` (or ``with``) ends it. Not thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.namespace = Namespace(engine)
        self.handles: set[Handle] = set()
        self.is_mounted = True
        self._change = _Change(self)

    @classmethod
    def mount(
        cls,
        device: BlockDevice,
        *,
        read_only: bool = False,
        clock: Callable[[], int] = time.time_ns,
        cache_blocks: int = CACHE_BLOCKS,
        dirty_bytes_max: int = DIRTY_BYTES_MAX,
    ) -> "Volume":
        """Mount the newest intact generation; a read-write mount also finishes what a crash left undone.

        Images of the published tools, unknown read-only-compatible features and read-only devices mount
        read-only. Raises EINVAL for a device without WFS, EUCLEAN for a damaged one, ENOTSUP (naming the
        bits) for unknown incompatible features.
        """
        found = read_superblocks(device)
        engine = Engine(
            device,
            found.superblock,
            found.slot,
            clock=clock,
            cache_blocks=cache_blocks,
            dirty_bytes_max=dirty_bytes_max,
        )
        if device.capabilities.read_only:
            engine.read_only_reason = "the device is read-only"
        elif read_only:
            engine.read_only_reason = "mounted read-only"
        else:
            engine.read_only_reason = found.read_only_reason
        volume = cls(engine)
        volume.check_root()
        if engine.read_only_reason is None:
            if not found.copies_agree:
                engine.mirror()
            volume.reclaim_orphans()
        return volume

    def check_root(self) -> None:
        """Raise DamageError unless inode 1 is a directory (an empty published image has no inodes at all)."""
        engine = self.engine
        root = engine.inode_tree.root_node()
        if engine.is_published and root is not None and not root.keys:
            engine.inodes[ROOT_INODE] = Inode(ROOT_INODE, stat.S_IFDIR | 0o755, 0, 2)
        self.namespace.directory(ROOT_INODE)

    def reclaim_orphans(self) -> None:
        """Delete the orphans that no handle keeps alive."""
        engine = self.engine
        keep = self.namespace.open_counts
        waiting = [number for number, _ in engine.orphan_tree.items() if not keep.get(number)]
        with self.change():
            for number in waiting:
                self.namespace.reclaim(number)
        if waiting:
            engine.commit()

    def __enter__(self) -> "Volume":
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_mounted:
            self.unmount()

    def unmount(self) -> None:
        """Abort an open transaction, close every handle, commit, and let both superblock copies agree.

        Raises what the device raises; the volume is unmounted nevertheless.
        """
        self.require_mounted()
        if self.engine.in_transaction:
            self.abort()
        for handle in sorted(self.handles, key=lambda handle: handle.number):
            handle.close()
        self.is_mounted = False
        if self.engine.read_only_reason is None:
            self.engine.commit()
            self.engine.mirror()

    def require_mounted(self) -> None:
        """Raise EBADF on an unmounted volume."""
        if not self.is_mounted:
            raise failure(errno.EBADF, reason="the volume is unmounted")

    def change(self) -> "_Change":
        """The context in which a change happens: an error after its admission shuts the volume down."""
        self.require_mounted()
        return self._change

    def place(self, path: bytes | str, follow: Follow) -> Place:
        """Where a path leads."""
        self.require_mounted()
        return self.namespace.resolve(as_bytes(path), follow)

    def find(self, path: bytes | str, *, follow: bool = True) -> Inode:
        """The inode at a path; ENOENT and the errors of resolution."""
        self.require_mounted()
        rule = Follow.ALWAYS if follow else Follow.TRAILING_SLASH
        return self.namespace.find(as_bytes(path), rule)

    # -- files

    def create(self, path: bytes | str, mode: int = 0o644) -> Handle:
        """A new file, open for reading and writing; EEXIST when the name exists."""
        return self.open(path, O_RDWR | O_CREAT | O_EXCL, mode)

    def open(self, path: bytes | str, flags: int = O_RDONLY, mode: int = 0o644) -> Handle:
        """An open file or directory; the flags have their Linux values and meanings (``docs/SEMANTICS.md``)."""
        path = as_bytes(path)
        access = flags & O_ACCMODE
        if access == O_ACCMODE or (flags & O_CREAT and flags & O_DIRECTORY):
            raise failure(errno.EINVAL, path)
        exclusive = flags & O_CREAT and flags & O_EXCL
        unfollowed = flags & O_NOFOLLOW or exclusive
        place = self.place(path, Follow.TRAILING_SLASH if unfollowed else Follow.ALWAYS)
        if flags & O_CREAT:
            if exclusive and place.number:
                raise failure(errno.EEXIST, path)
            if place.special or place.trailing_slash or place.kind == TYPE_DIRECTORY:
                raise failure(errno.EISDIR, path)
        if not place.number:
            if not flags & O_CREAT:
                raise failure(errno.ENOENT, path)
            with self.change():
                inode = self.namespace.create(path, place, mode, stat.S_IFREG)
            return self.add_handle(inode, flags)
        if place.kind == TYPE_SYMLINK:
            raise failure(errno.ENOTDIR if flags & O_DIRECTORY else errno.ELOOP, path)
        if place.kind == TYPE_DIRECTORY and (access != O_RDONLY or flags & O_TRUNC):
            raise failure(errno.EISDIR, path)
        if flags & O_DIRECTORY and place.kind != TYPE_DIRECTORY:
            raise failure(errno.ENOTDIR, path)
        if place.kind not in (TYPE_FILE, TYPE_DIRECTORY):
            raise failure(errno.ENXIO, path)
        inode = self.engine.inode(place.number)
        if flags & O_TRUNC:
            self.truncate_inode(inode, 0)
        return self.add_handle(inode, flags)

    def add_handle(self, inode: Inode, flags: int) -> Handle:
        """A new handle on the inode."""
        handle = Handle(self, inode.number, flags)
        self.handles.add(handle)
        counts = self.namespace.open_counts
        counts[inode.number] = counts.get(inode.number, 0) + 1
        return handle

    def close_handle(self, handle: Handle) -> None:
        """The handle is gone; with the last one on it an orphan goes too."""
        self.handles.discard(handle)
        if handle.is_stale:
            return
        counts = self.namespace.open_counts
        counts[handle.number] -= 1
        if counts[handle.number]:
            return
        del counts[handle.number]
        engine = self.engine
        if engine.read_only_reason is None and engine.inode(handle.number).nlink == 0:
            with self.change():
                try:
                    self.namespace.reclaim(handle.number)
                except OSError as error:
                    # Inside a transaction there may be no room: then the orphan goes after it.
                    if error.errno != errno.ENOSPC:
                        raise

    def truncate(self, path: bytes | str, size: int) -> None:
        """Set the size of a file; EINVAL on a negative size, EISDIR on a directory."""
        if size < 0:
            raise failure(errno.EINVAL, as_bytes(path))
        inode = self.find(path)
        if inode.is_directory:
            raise failure(errno.EISDIR, as_bytes(path))
        self.truncate_inode(inode, size)

    def truncate_inode(self, inode: Inode, size: int) -> None:
        """Set the size of a file's inode; EFBIG beyond 2**63 - 1."""
        if size > FILE_SIZE_MAX:
            raise failure(errno.EFBIG)
        engine = self.engine
        data = engine.data
        with self.change():
            shrinks = size < inode.size
            drops = self.namespace.runs_of(inode) if shrinks else 0
            cost = data.cost_of_truncate(inode, size) + engine.inode_tree.height + 1
            engine.admit(cost, frees=shrinks or size == inode.size, drops=drops)
            engine.is_changing = False
            data.read_before_truncate(inode, size)
            engine.is_changing = True
            inode = engine.modify(inode.number)
            data.truncate(inode, size)
            inode.mtime_ns = inode.ctime_ns = engine.clock()

    # -- names

    def mkdir(self, path: bytes | str, mode: int = 0o755) -> None:
        """A new directory; EEXIST, EMLINK, ENOSPC."""
        with self.change():
            self.namespace.mkdir(as_bytes(path), mode)

    def rmdir(self, path: bytes | str) -> None:
        """Remove an empty directory; ENOTEMPTY, ENOTDIR, EBUSY for the root, EINVAL for ``.``."""
        with self.change():
            self.namespace.rmdir(as_bytes(path))

    def unlink(self, path: bytes | str) -> None:
        """Remove a file's or symlink's name; EISDIR for a directory."""
        with self.change():
            self.namespace.unlink(as_bytes(path))

    def rename(self, old: bytes | str, new: bytes | str) -> None:
        """Move a name in one step, replacing what ``new`` led to."""
        with self.change():
            self.namespace.rename(as_bytes(old), as_bytes(new))

    def link(self, old: bytes | str, new: bytes | str) -> None:
        """A second name for a file."""
        with self.change():
            self.namespace.link(as_bytes(old), as_bytes(new))

    def symlink(self, target: bytes | str, path: bytes | str) -> None:
        """A symlink at ``path`` that leads to ``target`` (any bytes but NUL)."""
        with self.change():
            self.namespace.symlink(as_bytes(target), as_bytes(path))

    def readlink(self, path: bytes | str) -> bytes:
        """A symlink's target; EINVAL for anything else."""
        self.require_mounted()
        return self.namespace.readlink(as_bytes(path))

    def readdir(self, path: bytes | str = b"/") -> list[DirectoryEntry]:
        """The entries of a directory, without ``.`` and ``..``, in no meaningful order; ENOTDIR."""
        inode = self.find(path)
        if not inode.is_directory:
            raise failure(errno.ENOTDIR, as_bytes(path))
        return list(directory.entries(self.engine.tree(inode)))

    # -- attributes

    def stat(self, path: bytes | str, follow: bool = True) -> Stat:
        """The attributes of what a path leads to (of a symlink itself when ``follow`` is False)."""
        return self.stat_of(self.find(path, follow=follow))

    def stat_of(self, inode: Inode) -> Stat:
        """The attributes of an inode."""
        return Stat(
            inode.number,
            inode.mode,
            inode.nlink,
            inode.uid,
            inode.gid,
            inode.size,
            inode.blocks * (BLOCK_SIZE // 512),
            BLOCK_SIZE,
            inode.atime_ns,
            inode.mtime_ns,
            inode.ctime_ns,
        )

    def chmod(self, path: bytes | str, mode: int) -> None:
        """Set the permission bits (07777)."""
        inode = self.changed_attributes(path)
        inode.mode = inode.mode & ~0o7777 | mode & 0o7777

    def chown(self, path: bytes | str, uid: int, gid: int, *, follow: bool = True) -> None:
        """Set owner and group; 0xFFFFFFFF (or -1) leaves one as it is."""
        inode = self.changed_attributes(path, follow=follow)
        if uid & OWNER_UNCHANGED != OWNER_UNCHANGED:
            inode.uid = uid & OWNER_UNCHANGED
        if gid & OWNER_UNCHANGED != OWNER_UNCHANGED:
            inode.gid = gid & OWNER_UNCHANGED

    def utimens(
        self, path: bytes | str, atime_ns: int, mtime_ns: int, *, follow: bool = True
    ) -> None:
        """Set access and modification time, ns since 1970; EINVAL outside 0..2**64 - 1."""
        for value in (atime_ns, mtime_ns):
            if not 0 <= value < 1 << 64:
                raise failure(errno.EINVAL, as_bytes(path))
        inode = self.changed_attributes(path, follow=follow)
        inode.atime_ns, inode.mtime_ns = atime_ns, mtime_ns

    def changed_attributes(self, path: bytes | str, *, follow: bool = True) -> Inode:
        """The inode at a path, dirty and with a new ctime."""
        found = self.find(path, follow=follow)
        engine = self.engine
        with self.change():
            engine.admit(engine.inode_tree.height + 1)
            inode = engine.modify(found.number)
            inode.ctime_ns = engine.clock()
        return inode

    def statfs(self) -> SpaceUse:
        """Space and inodes of the volume."""
        self.require_mounted()
        engine = self.engine
        free = engine.allocator.available + engine.allocator.held
        return SpaceUse(
            BLOCK_SIZE,
            engine.superblock.total_blocks,
            free,
            max(engine.room, 0) if not engine.is_published else 0,
            engine.inode_count,
            NAME_MAX,
        )

    @property
    def superblock(self) -> Superblock:
        """The superblock of the last durable generation."""
        return self.engine.superblock

    # -- durability

    def sync(self) -> None:
        """Return once every change so far is durable.

        EBUSY inside an explicit transaction; EIO for ever once a commit failed.
        """
        self.require_mounted()
        if self.engine.in_transaction:
            raise failure(errno.EBUSY, reason="an explicit transaction is open")
        if self.engine.has_failed:
            raise failure(errno.EIO, reason=self.engine.read_only_reason or "")
        self.engine.commit()

    def begin(self) -> None:
        """Open an explicit transaction; EBUSY when one is open."""
        self.require_mounted()
        engine = self.engine
        if engine.in_transaction:
            raise failure(errno.EBUSY, reason="an explicit transaction is open")
        if engine.read_only_reason is not None:
            raise failure(errno.EROFS, reason=engine.read_only_reason)
        engine.begin()

    def commit(self) -> None:
        """Make the explicit transaction durable as a whole; EINVAL without one."""
        self.require_transaction()
        self.engine.in_transaction = False
        self.engine.commit()
        self.reclaim_orphans_left()

    def abort(self) -> None:
        """Undo the explicit transaction; handles on files that thereby vanish turn stale (ESTALE)."""
        self.require_transaction()
        self.engine.abort()
        self.after_revert()
        self.reclaim_orphans_left()

    def require_transaction(self) -> None:
        """Raise EINVAL without an explicit transaction."""
        self.require_mounted()
        if not self.engine.in_transaction:
            raise failure(errno.EINVAL, reason="no explicit transaction is open")

    def after_revert(self) -> None:
        """Handles on inodes that never were durable are stale; no remembered name is sure."""
        self.namespace.forget()
        counts = self.namespace.open_counts
        for handle in list(self.handles):
            if self.engine.inode_tree.get(handle.number) is None:
                handle.is_stale = True
                counts.pop(handle.number, None)

    def reclaim_orphans_left(self) -> None:
        """Orphans whose last handle was closed inside a transaction."""
        if self.engine.orphan_tree.root != 0 and self.engine.read_only_reason is None:
            self.reclaim_orphans()

    def walk(self, path: bytes | str = b"/") -> Iterator[tuple[bytes, Inode]]:
        """Every (path, inode) below and including ``path``, parents first, siblings by name."""
        inode = self.find(path, follow=False)
        yield as_bytes(path), inode
        if inode.is_directory:
            base = as_bytes(path).rstrip(b"/")
            for entry in sorted(directory.entries(self.engine.tree(inode))):
                child = base + b"/" + entry.name
                if entry.kind == TYPE_DIRECTORY:
                    yield from self.walk(child)
                else:
                    yield child, self.engine.inode(entry.inode_number)


class _Change:
    """Context of a change (see ``Volume.change``)."""

    __slots__ = ("volume",)

    def __init__(self, volume: Volume) -> None:
        self.volume = volume

    def __enter__(self) -> None:
        self.volume.engine.is_changing = False

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        engine = self.volume.engine
        was_changing, engine.is_changing = engine.is_changing, False
        if error is None or not was_changing:
            return
        engine.fail(error)
        self.volume.after_revert()
        if isinstance(error, ExtentError):
            raise DamageError("free tree", 0, str(error)) from error


def as_bytes(path: bytes | str) -> bytes:
    """A path as the volume has it."""
    return path if isinstance(path, bytes) else os.fsencode(path)
