"""WFS v3 behind the interface of the VFS.

While a process has an explicit transaction open, the others look at a second, read-only mount of
the same device: copy-on-write keeps the state at ``begin`` there until the commit.
"""

import errno

from watosfs.errors import failure
from watosfs.vfs.filesystem import Cursor, Name, SpaceUse, Traffic
from watosfs.wfs3 import directory, ranges, rename
from watosfs.wfs3.handle import O_RDWR, Handle
from watosfs.wfs3.paths import Place
from watosfs.wfs3.records import ENTRY_TYPES, TYPE_DIRECTORY, Inode, decode_entry, entry_hash
from watosfs.wfs3.volume import Volume

_KIND_BITS = 0o170000


class Wfs3Filesystem:
    """One mounted WFS v3 volume (see ``vfs.filesystem.Filesystem``)."""

    kind = b"wfs3"
    root = 1

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        #: The state at begin, for everybody but the owner of the transaction.
        self.begun: Volume | None = None
        self.owner: int | None = None
        self.actor = 0
        self.traffic = Traffic()
        self.has_moved_directories = False

    @property
    def seen(self) -> Volume:
        """What the actor looks at."""
        self.traffic.is_touched = True
        if self.begun is None or self.actor == self.owner:
            return self.volume
        return self.begun

    # -- looking

    def attributes(self, number: int) -> Inode:
        """The inode; ESTALE for the actor when it came with somebody else's transaction."""
        if not self.is_visible(number):
            raise failure(errno.ESTALE)
        return self.seen.engine.inode(number)

    def is_visible(self, number: int) -> bool:
        """Whether the actor sees an inode."""
        engine = self.seen.engine
        return number in engine.inodes or engine.inode_tree.get(number) is not None

    def lookup(self, parent: int, name: bytes) -> int:
        """The inode of a name, or 0."""
        namespace = self.seen.namespace
        if not namespace.directory(parent).nlink:
            return 0
        found = namespace.lookup(parent, name)
        return found[0] if found else 0

    def readlink(self, number: int) -> bytes:
        """A symlink's target."""
        return self.seen.namespace.target_of(number)

    def parent_of(self, number: int) -> int:
        """The directory that holds a directory, searched for; 0 when it was removed."""
        volume = self.seen
        waiting = [self.root]
        while waiting:
            parent = waiting.pop()
            inode = volume.namespace.directory(parent)
            for entry in directory.entries(volume.engine.tree(inode)):
                if entry.kind == TYPE_DIRECTORY:
                    if entry.inode_number == number:
                        return parent
                    waiting.append(entry.inode_number)
        return 0

    def entries(self, number: int, after: Cursor, count: int) -> list[tuple[Cursor, int]]:
        """At most ``count`` (cursor, inode number) that follow a cursor, in (hash, name) order."""
        volume = self.seen
        inode = volume.namespace.directory(number)
        found: list[tuple[Cursor, int]] = []
        if not inode.nlink:
            return found
        same: list[tuple[Cursor, int]] = []
        for key, raw in volume.engine.tree(inode).items(max(after.key, 0)):
            if same and same[0][0].key != key:
                found += sorted(same)
                same = []
                if len(found) >= count:
                    return found[:count]
            entry = decode_entry(raw, 0)
            cursor = Cursor(entry_hash(raw), entry.name)
            if cursor > after and entry.name not in directory.DOT_NAMES:
                same.append((cursor, entry.inode_number))
        return (found + sorted(same))[:count]

    # -- names

    def require_change(self) -> None:
        """EBUSY for a change by anyone but the owner of the open transaction."""
        if self.owner is not None and self.actor != self.owner:
            raise failure(errno.EBUSY, reason="another process has a transaction open")

    def place(self, name: Name) -> Place:
        """The name as the volume has it."""
        kind = ENTRY_TYPES[name.mode & _KIND_BITS] if name.number else 0
        special = b"" if name.name else b"."
        return Place(
            name.ancestors, name.name, name.number, kind, name.trailing_slash, special, name.path
        )

    def create(self, name: Name, mode: int, owner: tuple[int, int]) -> int:
        """A new inode of the type in ``mode``."""
        with self.volume.change():
            place = self.place(name)
            bits = mode & _KIND_BITS
            return self.volume.namespace.create(place, mode & 0o7777, bits, owner).number

    def symlink(self, target: bytes, name: Name, owner: tuple[int, int]) -> None:
        """A new symlink."""
        with self.volume.change():
            self.volume.namespace.symlink(target, self.place(name), owner)

    def link(self, number: int, name: Name) -> None:
        """One more name for an inode."""
        with self.volume.change():
            self.volume.namespace.link(self.volume.engine.inode(number), self.place(name))

    def unlink(self, name: Name) -> None:
        """Remove the name of a non-directory."""
        with self.volume.change():
            self.volume.namespace.unlink(self.place(name))

    def rmdir(self, name: Name) -> None:
        """Remove an empty directory."""
        with self.volume.change():
            self.volume.namespace.rmdir(self.place(name))

    def rename(self, old: Name, new: Name) -> None:
        """Move a name, replacing what the new one led to."""
        with self.volume.change():
            rename.rename(self.volume.namespace, self.place(old), self.place(new))

    # -- attributes

    def modified(self, number: int) -> Inode:
        """The inode, dirty and with a new ctime."""
        engine = self.volume.engine
        with self.volume.change():
            engine.admit(engine.inode_tree.height + 1)
            inode = engine.modify(number)
            inode.ctime_ns = engine.clock()
        return inode

    def set_mode(self, number: int, mode: int) -> None:
        """Set the permission and set-id bits."""
        inode = self.modified(number)
        inode.mode = inode.mode & _KIND_BITS | mode & 0o7777

    def set_owner(self, number: int, uid: int, gid: int, mode: int) -> None:
        """Set owner, group and mode at once."""
        inode = self.modified(number)
        inode.uid, inode.gid, inode.mode = uid, gid, inode.mode & _KIND_BITS | mode & 0o7777

    def set_times(self, number: int, atime_ns: int, mtime_ns: int) -> None:
        """Set access and modification time, ns since 1970."""
        inode = self.modified(number)
        inode.atime_ns, inode.mtime_ns = atime_ns, mtime_ns

    def get_attribute(self, number: int, key: bytes) -> bytes:
        """The value of an extended attribute; ENODATA."""
        return self.seen.attributes.get(self.attributes(number), key)

    def attribute_keys(self, number: int) -> list[bytes]:
        """The keys of all extended attributes."""
        return list(self.seen.attributes.of(self.attributes(number)))

    def set_attribute(self, number: int, key: bytes, value: bytes, flags: int) -> None:
        """Set an extended attribute."""
        with self.volume.change():
            self.volume.attributes.set(self.attributes(number), key, value, flags)

    def remove_attribute(self, number: int, key: bytes) -> None:
        """Remove an extended attribute."""
        with self.volume.change():
            self.volume.attributes.remove(self.attributes(number), key)

    def space(self) -> SpaceUse:
        """Space of the volume, the open transaction's changes included."""
        return SpaceUse(*self.volume.statfs())

    # -- data

    def open(self, number: int) -> Handle:
        """Keep the inode alive."""
        return self.volume.add_handle(self.volume.engine.inode(number), O_RDWR)

    def read(self, number: int, offset: int, count: int) -> bytes:
        """Bytes of a file."""
        found = self.seen.engine.data.read(self.attributes(number), offset, count)
        self.traffic.read += len(found)
        return found

    def write(self, number: int, offset: int, data: bytes, mode: int) -> None:
        """Write all of non-empty ``data``, and set the mode that a write leaves."""
        handle = Handle(self.volume, number, O_RDWR)
        self.traffic.written += handle.pwrite(data, offset)
        self.keep_mode(number, mode)

    def truncate(self, number: int, size: int, mode: int) -> None:
        """Set the size, and the mode."""
        self.volume.truncate_inode(self.volume.engine.inode(number), size)
        self.keep_mode(number, mode)

    def keep_mode(self, number: int, mode: int) -> None:
        """After a change of data, whose inode is dirty by now."""
        engine = self.volume.engine
        if engine.inode(number).mode != mode:
            with self.volume.change():
                engine.modify(number).mode = mode

    def zero(self, number: int, offset: int, end: int) -> None:
        """Let a range of a file read as zeros: its whole chunks become holes."""
        ranges.zero(self.volume, number, offset, end)

    def seek_data(self, number: int, offset: int) -> int | None:
        """The first offset from ``offset`` on that holds data, or None."""
        return self.seen.engine.data.seek(self.attributes(number), offset, data=True)

    def seek_hole(self, number: int, offset: int) -> int:
        """The first offset from ``offset`` on in a hole; the end of the file is one."""
        found = self.seen.engine.data.seek(self.attributes(number), offset, data=False)
        assert found is not None
        return found

    # -- durability

    def sync(self) -> None:
        """Make everything so far durable; EBUSY while a transaction is open."""
        self.volume.sync()

    def begin(self) -> None:
        """The actor opens the transaction."""
        self.volume.begin()
        device, clock = self.volume.engine.device, self.volume.engine.clock
        self.begun = Volume.mount(device, read_only=True, clock=clock)
        self.volume.namespace.keeps_unlinked = True
        self.owner = self.actor

    def commit(self) -> None:
        """Make the transaction durable."""
        self.end()
        self.volume.commit()

    def abort(self) -> None:
        """Undo the transaction."""
        self.end()
        self.volume.abort()

    def end(self) -> None:
        """Everybody looks at the working state again."""
        if self.begun is not None:
            self.begun.unmount()
        self.begun = self.owner = None
        self.volume.namespace.keeps_unlinked = False
