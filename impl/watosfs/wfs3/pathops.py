"""Every operation of a volume that takes a path: files, names, attributes."""

import errno
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING

from watosfs.errors import failure
from watosfs.wfs3 import directory, rename
from watosfs.wfs3.attributes import Stat, stat_of
from watosfs.wfs3.compressing import LEVEL_MAX, set_level
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.format import FILE_SIZE_MAX
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
from watosfs.wfs3.namespace import Namespace
from watosfs.wfs3.paths import Follow, Place, as_bytes
from watosfs.wfs3.records import (
    TYPE_DIRECTORY,
    TYPE_FILE,
    TYPE_SYMLINK,
    DirectoryEntry,
    Inode,
)
from watosfs.wfs3.xattrs import ExtendedAttributes

if TYPE_CHECKING:
    from watosfs.wfs3.volume import Change

OWNER_UNCHANGED = 0xFFFFFFFF


class PathOperations:
    """What ``Volume`` does with paths. A path is bytes (a str is encoded with ``os.fsencode``)."""

    engine: Engine
    namespace: Namespace
    attributes: ExtendedAttributes

    def require_mounted(self) -> None:
        """Raise EBADF on an unmounted volume."""
        raise NotImplementedError

    def change(self) -> "Change":
        """The context in which a change happens."""
        raise NotImplementedError

    def add_handle(self, inode: Inode, flags: int) -> Handle:
        """A new handle on the inode."""
        raise NotImplementedError

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
        """An open file or directory; the flags have their Linux values and meanings
        (``docs/SEMANTICS.md``).
        """
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
                inode = self.namespace.create(place, mode, stat.S_IFREG)
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
            self.namespace.mkdir(self.place(path, Follow.NEVER), mode)

    def rmdir(self, path: bytes | str) -> None:
        """Remove an empty directory; ENOTEMPTY, ENOTDIR, EBUSY for the root, EINVAL for ``.``."""
        with self.change():
            self.namespace.rmdir(self.place(path, Follow.NEVER))

    def unlink(self, path: bytes | str) -> None:
        """Remove a file's or symlink's name; EISDIR for a directory."""
        with self.change():
            self.namespace.unlink(self.place(path, Follow.NEVER))

    def rename(self, old: bytes | str, new: bytes | str) -> None:
        """Move a name in one step, replacing what ``new`` led to."""
        with self.change():
            source = self.place(old, Follow.NEVER)
            rename.rename(self.namespace, source, self.place(new, Follow.NEVER))

    def link(self, old: bytes | str, new: bytes | str) -> None:
        """A second name for a file."""
        with self.change():
            source = self.find(old, follow=False)
            self.namespace.link(source, self.place(new, Follow.NEVER))

    def symlink(self, target: bytes | str, path: bytes | str) -> None:
        """A symlink at ``path`` that leads to ``target`` (any bytes but NUL)."""
        with self.change():
            self.namespace.symlink(as_bytes(target), self.place(path, Follow.NEVER))

    def readlink(self, path: bytes | str) -> bytes:
        """A symlink's target; EINVAL for anything else."""
        self.require_mounted()
        return self.namespace.readlink(self.place(path, Follow.TRAILING_SLASH))

    def readdir(self, path: bytes | str = b"/") -> list[DirectoryEntry]:
        """The entries of a directory, without ``.`` and ``..``, in no meaningful order; ENOTDIR."""
        inode = self.find(path)
        if not inode.is_directory:
            raise failure(errno.ENOTDIR, as_bytes(path))
        return list(directory.entries(self.engine.tree(inode)))

    # -- attributes

    def stat(self, path: bytes | str, follow: bool = True) -> Stat:
        """The attributes of what a path leads to (of a symlink itself when ``follow`` is False)."""
        return stat_of(self.find(path, follow=follow))

    def chmod(self, path: bytes | str, mode: int) -> None:
        """Set the permission bits (07777)."""
        inode = self.changed_attributes(path)
        inode.mode = inode.mode & ~0o7777 | mode & 0o7777

    def compress(self, path: bytes | str, level: int) -> None:
        """Compress what is written from now on with zstd at ``level``, 1 to 19; 0 turns it off.

        Of a directory: of what is created in it from now on. EINVAL for another level, and for
        what is neither file nor directory.
        """
        found = self.find(path)
        if not (found.is_file or found.is_directory):
            raise failure(errno.EINVAL, path, "only files and directories are compressed")
        if not 0 <= level <= LEVEL_MAX:
            raise failure(errno.EINVAL, path, f"the level is 0 to {LEVEL_MAX}")
        set_level(self.changed_attributes(path), level)

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

    def getxattr(self, path: bytes | str, key: bytes) -> bytes:
        """The value of an extended attribute; ENODATA."""
        return self.attributes.get(self.find(path), key)

    def listxattr(self, path: bytes | str) -> list[bytes]:
        """The keys of all extended attributes, sorted."""
        return sorted(self.attributes.of(self.find(path)))

    def setxattr(self, path: bytes | str, key: bytes, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute; flags XATTR_CREATE 1 (EEXIST), XATTR_REPLACE 2 (ENODATA)."""
        with self.change():
            self.attributes.set(self.find(path), key, value, flags)

    def removexattr(self, path: bytes | str, key: bytes) -> None:
        """Remove an extended attribute; ENODATA."""
        with self.change():
            self.attributes.remove(self.find(path), key)

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
