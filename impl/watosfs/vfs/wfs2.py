"""WFS v2 behind the interface of the VFS.

What WFS v2 cannot do is refused: links, symlinks and special files with EPERM, owners but root's
with EPERM, explicit transactions with EOPNOTSUPP. Of a mode "nobody may write" is kept and, of a
file, "anybody may execute". A name is too long when its whole path has more than 55 bytes.
"""

import errno
import stat
from dataclasses import dataclass, replace

from watosfs.errors import failure
from watosfs.vfs.filesystem import Cursor, Name, SpaceUse, Traffic
from watosfs.wfs2 import filedata, namespace
from watosfs.wfs2.commit import sync
from watosfs.wfs2.entries import EXECUTABLE, NAME_BYTES_MAX, READ_ONLY
from watosfs.wfs2.handle import O_RDWR, Handle
from watosfs.wfs2.node import ROOT_NUMBER, Node
from watosfs.wfs2.stat import stat_of
from watosfs.wfs2.volume import Wfs2Volume, flags_of


@dataclass(slots=True)
class Wfs2Attributes:
    """See ``vfs.filesystem.Attributes``."""

    mode: int
    uid: int
    gid: int
    nlink: int
    size: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int


class Wfs2Pin:
    """Keeps a node alive while it is open; nothing can take it away."""

    is_stale = False

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.number = handle.node.number

    def close(self) -> None:
        """Let go."""
        self._handle.close()


class Wfs2Filesystem:
    """One mounted WFS v2 volume (see ``vfs.filesystem.Filesystem``)."""

    kind = b"wfs2"
    root = ROOT_NUMBER

    def __init__(self, volume: Wfs2Volume) -> None:
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

    def attributes(self, number: int) -> Wfs2Attributes:
        """The inode; ESTALE when it is gone."""
        found = stat_of(self._node(number))
        return Wfs2Attributes(
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
        if node.is_removed:
            return 0
        return node.parent.number if node.parent is not None else self.root

    def entries(self, number: int, after: Cursor, count: int) -> list[tuple[Cursor, int]]:
        """At most ``count`` (cursor, inode number) that follow a cursor, by number."""
        node = self._node(number)
        if node.children is None or node.is_removed:
            return []
        children = sorted(node.children.values(), key=lambda child: child.number)
        found = [(Cursor(child.number, child.name), child.number) for child in children]
        return [pair for pair in found if pair[0] > after][:count]

    # -- names

    def require_change(self) -> None:
        """Nobody has a transaction open: there are none."""

    def _parent(self, name: Name) -> Node:
        return self._node(name.ancestors[-1])

    def create(self, name: Name, mode: int, owner: tuple[int, int]) -> int:
        """A new file or directory; of the mode only whether anybody may write is kept."""
        parent = self._parent(name)
        if stat.S_ISDIR(mode):
            return namespace.mkdir(
                self.engine, parent, name.name, flags_of(mode) & READ_ONLY
            ).number
        if stat.S_ISREG(mode):
            return namespace.create(self.engine, parent, name.name, flags_of(mode)).number
        raise failure(errno.EPERM, name.path, "WFS v2 has files and directories only")

    def symlink(self, target: bytes, name: Name, owner: tuple[int, int]) -> None:
        """EPERM."""
        raise failure(errno.EPERM, name.path, "WFS v2 has no symlinks")

    def link(self, number: int, name: Name) -> None:
        """EPERM."""
        raise failure(errno.EPERM, name.path, "WFS v2 has no links")

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

    def set_mode(self, number: int, mode: int) -> None:
        """Keep whether anybody may write and, of a file, whether anybody may execute."""
        node = self._node(number)
        mask = READ_ONLY if node.is_directory else READ_ONLY | EXECUTABLE
        namespace.set_flags(self.engine, node, mask, flags_of(mode) & mask)

    def set_owner(self, number: int, uid: int, gid: int, mode: int) -> None:
        """EPERM for any owner but root, who owns everything."""
        if (uid, gid) != (0, 0):
            raise failure(errno.EPERM, reason="WFS v2 keeps no owners")
        self.set_mode(number, mode)

    def set_times(self, number: int, atime_ns: int, mtime_ns: int) -> None:
        """Set the time of change, the only one there is; the root has none."""
        self.engine.begin_change()
        node = self._node(number)
        node.entry = replace(node.entry, modified=max(0, mtime_ns))
        self.engine.touch(node)

    # -- data

    def open(self, number: int) -> Wfs2Pin:
        """Keep the inode alive."""
        return Wfs2Pin(Handle(self.engine, self._node(number), O_RDWR))

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
        """Let a range of a file read as zeros; WFS v2 has no holes."""
        filedata.zero(self.engine, self._node(number), offset, end)

    def seek_data(self, number: int, offset: int) -> int | None:
        """All of a file is data."""
        return offset if offset < self._node(number).size else None

    def seek_hole(self, number: int, offset: int) -> int:
        """The end of the file."""
        return self._node(number).size

    # -- what WFS v2 has none of, or little

    def attribute_keys(self, number: int) -> list[bytes]:
        """None."""
        return []

    def get_attribute(self, number: int, key: bytes) -> bytes:
        """EOPNOTSUPP: WFS v2 has no extended attributes."""
        raise failure(errno.EOPNOTSUPP, reason="WFS v2 has no extended attributes")

    def set_attribute(self, number: int, key: bytes, value: bytes, flags: int) -> None:
        """EOPNOTSUPP."""
        raise failure(errno.EOPNOTSUPP, reason="WFS v2 has no extended attributes")

    def remove_attribute(self, number: int, key: bytes) -> None:
        """EOPNOTSUPP."""
        raise failure(errno.EOPNOTSUPP, reason="WFS v2 has no extended attributes")

    def space(self) -> SpaceUse:
        """In blocks; the inodes are the entries of the table."""
        found = self.volume.statfs()
        entries = len(self.engine.nodes) - 1
        return SpaceUse(
            found.block_size, found.total, found.free, found.available, entries, NAME_BYTES_MAX
        )

    # -- durability

    def sync(self) -> None:
        """Make everything so far durable."""
        sync(self.engine)

    def begin(self) -> None:
        """EOPNOTSUPP: WFS v2 has no transactions."""
        raise failure(errno.EOPNOTSUPP, reason="WFS v2 has no transactions")

    def commit(self) -> None:
        """EINVAL: there is no transaction."""
        raise failure(errno.EINVAL, reason="WFS v2 has no transactions")

    def abort(self) -> None:
        """EINVAL: there is no transaction."""
        raise failure(errno.EINVAL, reason="WFS v2 has no transactions")
