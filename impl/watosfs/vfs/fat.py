"""FAT behind the interface of the VFS.

What FAT cannot do is refused: links, symlinks and special files with EPERM, owners but root's with
EPERM, explicit transactions with EOPNOTSUPP. Of a mode only "nobody may write" is kept. Names are
found without regard to case; an alias leads to its file.
"""

import errno
import stat
from dataclasses import dataclass

from watosfs.errors import failure
from watosfs.fat import filedata, namespace
from watosfs.fat.entries import READ_ONLY
from watosfs.fat.handle import O_RDWR, Handle
from watosfs.fat.names import encode_name
from watosfs.fat.node import ROOT_NUMBER, Node
from watosfs.fat.stat import stat_of
from watosfs.fat.volume import FatVolume
from watosfs.vfs.filesystem import Cursor, Name, SpaceUse, Traffic


@dataclass(slots=True)
class FatAttributes:
    """See ``vfs.filesystem.Attributes``."""

    mode: int
    uid: int
    gid: int
    nlink: int
    size: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int


class FatPin:
    """Keeps a node alive while it is open; nothing can take it away."""

    is_stale = False

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.number = handle.node.number

    def close(self) -> None:
        """Let go."""
        self._handle.close()


class FatFilesystem:
    """One mounted FAT volume (see ``vfs.filesystem.Filesystem``)."""

    kind = b"fat"
    root = ROOT_NUMBER

    def __init__(self, volume: FatVolume) -> None:
        self.volume = volume
        self.engine = volume.engine
        self.owner: int | None = None
        self.actor = 0
        self.traffic = Traffic()
        self.has_moved_directories = False

    def _node(self, number: int) -> Node:
        self.traffic.is_touched = True
        return self.engine.node(number)

    # -- looking

    def is_visible(self, number: int) -> bool:
        """Whether there is such an inode."""
        return number in self.engine.nodes

    def attributes(self, number: int) -> FatAttributes:
        """The inode; ESTALE when it is gone."""
        found = stat_of(self.engine, self._node(number))
        return FatAttributes(
            found.st_mode,
            found.st_uid,
            found.st_gid,
            found.st_nlink,
            found.st_size,
            found.st_atime_ns,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )

    def lookup(self, parent: int, name: bytes) -> int:
        """The inode of a name, or 0."""
        node = self._node(parent)
        if node.is_removed:
            return 0
        found = namespace.lookup(self.engine, node, name)
        return found.number if found is not None else 0

    def readlink(self, number: int) -> bytes:
        """There are no symlinks: EINVAL."""
        self._node(number)
        raise failure(errno.EINVAL)

    def parent_of(self, number: int) -> int:
        """The directory that holds a directory; 0 when it was removed."""
        node = self._node(number)
        if node.is_removed or node.directory is None:
            return 0
        above = node.directory.node
        return above.number if above is not None else self.root

    def entries(self, number: int, after: Cursor, count: int) -> list[tuple[Cursor, int]]:
        """At most ``count`` (cursor, inode number) that follow a cursor, in the order of slots."""
        node = self._node(number)
        found: list[tuple[Cursor, int]] = []
        if node.is_removed:
            return found
        for child in self.engine.directory(node).nodes():
            if child.slot < after.key:
                continue
            cursor = Cursor(child.slot, encode_name(child.name))
            if cursor > after:
                found.append((cursor, child.number))
                if len(found) == count:
                    break
        return found

    # -- names

    def require_change(self) -> None:
        """Nobody has a transaction open: there are none."""

    def _parent(self, name: Name) -> Node:
        return self._node(name.ancestors[-1])

    def create(self, name: Name, mode: int, owner: tuple[int, int]) -> int:
        """A new file or directory; of the mode only whether anybody may write is kept."""
        parent = self._parent(name)
        if stat.S_ISDIR(mode):
            node = namespace.mkdir(self.engine, parent, name.name)
        elif stat.S_ISREG(mode):
            node = namespace.create(self.engine, parent, name.name)
        else:
            raise failure(errno.EPERM, name.path, "FAT has files and directories only")
        self._set_read_only(node, mode)
        return node.number

    def symlink(self, target: bytes, name: Name, owner: tuple[int, int]) -> None:
        """EPERM."""
        raise failure(errno.EPERM, name.path, "FAT has no symlinks")

    def link(self, number: int, name: Name) -> None:
        """EPERM."""
        raise failure(errno.EPERM, name.path, "FAT has no links")

    def unlink(self, name: Name) -> None:
        """Remove the name of a file."""
        namespace.unlink(self.engine, self._parent(name), name.name)

    def rmdir(self, name: Name) -> None:
        """Remove an empty directory."""
        namespace.rmdir(self.engine, self._parent(name), name.name)

    def rename(self, old: Name, new: Name) -> None:
        """Move a name, replacing what the new one led to."""
        has_slash = old.trailing_slash or new.trailing_slash
        if has_slash and old.number and not self._node(old.number).is_directory:
            raise failure(errno.ENOTDIR, new.path)
        old_parent, new_parent = self._parent(old), self._parent(new)
        namespace.rename(self.engine, old_parent, old.name, new_parent, new.name)

    # -- attributes

    def _set_read_only(self, node: Node, mode: int) -> None:
        read_only = 0 if mode & 0o222 else READ_ONLY
        if node.attributes & READ_ONLY != read_only and node is not self.engine.root:
            node.attributes = node.attributes & ~READ_ONLY | read_only
            self.engine.touch(node)

    def set_mode(self, number: int, mode: int) -> None:
        """Mark read-only when nobody may write, else take the mark away."""
        self.engine.begin_change()
        self._set_read_only(self._node(number), mode)

    def set_owner(self, number: int, uid: int, gid: int, mode: int) -> None:
        """EPERM for any owner but root, who owns everything."""
        if (uid, gid) != (0, 0):
            raise failure(errno.EPERM, reason="FAT keeps no owners")
        self.set_mode(number, mode)

    def set_times(self, number: int, atime_ns: int, mtime_ns: int) -> None:
        """Set the day of access and the time of change, which is kept to 2 s."""
        self.engine.begin_change()
        node = self._node(number)
        node.set_accessed(atime_ns, self.engine.offset_s)
        node.set_modified(mtime_ns, self.engine.offset_s)
        self.engine.touch(node)

    # -- data

    def open(self, number: int) -> FatPin:
        """Keep the inode alive."""
        return FatPin(Handle(self.engine, self._node(number), O_RDWR))

    def read(self, number: int, offset: int, count: int) -> bytes:
        """Bytes of a file."""
        found = filedata.read(self.engine, self._node(number), offset, count)
        self.traffic.read += len(found)
        return found

    def write(self, number: int, offset: int, data: bytes, mode: int) -> None:
        """Write all of ``data``; of the mode nothing is kept that a write could change."""
        node = self._node(number)
        self.traffic.written += filedata.write(self.engine, node, offset, data)

    def truncate(self, number: int, size: int, mode: int) -> None:
        """Set the size."""
        filedata.truncate(self.engine, self._node(number), size)

    def zero(self, number: int, offset: int, end: int) -> None:
        """Let a range of a file read as zeros; FAT has no holes."""
        filedata.zero(self.engine, self._node(number), offset, end)

    def seek_data(self, number: int, offset: int) -> int | None:
        """All of a file is data."""
        return offset if offset < self._node(number).size else None

    def seek_hole(self, number: int, offset: int) -> int:
        """The end of the file."""
        return self._node(number).size

    # -- what FAT has none of, or little

    def attribute_keys(self, number: int) -> list[bytes]:
        """None."""
        return []

    def get_attribute(self, number: int, key: bytes) -> bytes:
        """EOPNOTSUPP: FAT has no extended attributes."""
        raise failure(errno.EOPNOTSUPP, reason="FAT has no extended attributes")

    def set_attribute(self, number: int, key: bytes, value: bytes, flags: int) -> None:
        """EOPNOTSUPP."""
        raise failure(errno.EOPNOTSUPP, reason="FAT has no extended attributes")

    def remove_attribute(self, number: int, key: bytes) -> None:
        """EOPNOTSUPP."""
        raise failure(errno.EOPNOTSUPP, reason="FAT has no extended attributes")

    def space(self) -> SpaceUse:
        """In clusters; FAT does not count its files: 0 inodes are in use."""
        found = self.volume.statfs()
        return SpaceUse(
            found.block_size, found.total, found.free, found.available, 0, found.name_max
        )

    # -- durability

    def sync(self) -> None:
        """Make everything so far durable."""
        self.volume.sync()

    def begin(self) -> None:
        """EOPNOTSUPP: FAT changes in place."""
        raise failure(errno.EOPNOTSUPP, reason="FAT has no transactions")

    def commit(self) -> None:
        """EINVAL: there is no transaction."""
        raise failure(errno.EINVAL, reason="FAT has no transactions")

    def abort(self) -> None:
        """EINVAL: there is no transaction."""
        raise failure(errno.EINVAL, reason="FAT has no transactions")
