"""Names: lookup, creation, links and removal at resolved places, as POSIX and Linux have them
(``docs/SEMANTICS.md``).

Every operation looks first, admits its space second and changes last, so that an error before the
change leaves nothing behind.
"""

import errno
import stat
from typing import TypeAlias

from watosfs.errors import DamageError, failure
from watosfs.wfs3 import directory, orphans
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.compressing import inherit_level
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.filereading import tree_extents
from watosfs.wfs3.format import INLINE_SIZE_MAX, LINK_MAX, PATH_MAX
from watosfs.wfs3.paths import Follow, Place, resolve
from watosfs.wfs3.records import ENTRY_TYPES, TYPE_DIRECTORY, TYPE_SYMLINK, Inode

_NAMES_IN_MEMORY_MAX = 65536

#: User and group of a new inode.
Owner: TypeAlias = tuple[int, int]
ROOT: Owner = (0, 0)


class Namespace:
    """The tree of names over an engine. ``open_counts`` says which inodes have open handles."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.names: dict[tuple[int, bytes], tuple[int, int]] = {}
        self.open_counts: dict[int, int] = {}
        #: Inside a transaction whose start others still look at: they may open what it unlinks.
        self.keeps_unlinked = False

    # -- looking

    def lookup(self, parent: int, name: bytes) -> tuple[int, int] | None:
        """(inode number, kind) of a name in a directory, or None."""
        known = self.names.get((parent, name))
        if known is not None:
            return known
        found = directory.lookup(self.tree_of(parent), name)
        if found is not None and name not in directory.DOT_NAMES:
            if len(self.names) >= _NAMES_IN_MEMORY_MAX:
                self.names.clear()
            self.names[parent, name] = found
        return found

    def directory(self, number: int) -> Inode:
        """The inode of a directory that a name led to. Raises DamageError when it is something
        else.
        """
        inode = self.engine.inode(number)
        if not inode.is_directory:
            raise DamageError("inode", 0, f"inode {number} is not the directory its name says")
        return inode

    def target_of(self, number: int) -> bytes:
        """The target of a symlink."""
        inode = self.engine.inode(number)
        if not inode.is_symlink or not 0 < inode.size < PATH_MAX:
            raise DamageError("inode", 0, f"inode {number} is not a symlink of 1 to 4095 bytes")
        return self.engine.data.read(inode, 0, inode.size)

    def resolve(self, path: bytes, follow: Follow) -> Place:
        """Where a path leads. Raises what ``paths.resolve`` raises."""
        return resolve(path, follow, self.lookup, self.target_of, self.names)

    def find(self, path: bytes, follow: Follow) -> Inode:
        """The inode that a path leads to; ENOENT when there is none."""
        place = self.resolve(path, follow)
        if not place.number:
            raise failure(errno.ENOENT, path)
        return self.engine.inode(place.number)

    def tree_of(self, number: int) -> BTree:
        """A directory's tree, for reading."""
        return self.engine.tree(self.directory(number))

    # -- admission

    def admit(self, *trees: BTree, extra: int = 0, frees: bool = False, drops: int = 0) -> None:
        """Admit one change of names in the given directories."""
        engine = self.engine
        if not engine.admit_at_once(drops):
            cost = engine.namespace_cost() + extra + sum(2 * tree.height + 3 for tree in trees)
            engine.admit(cost, frees=frees, drops=drops)

    def runs_of(self, inode: Inode) -> int:
        """Upper bound on the runs of blocks that deleting the inode gives up: extents and nodes."""
        holder = self.engine.attributes_holder(inode)
        runs = 0 if holder is None else self.runs_of(holder)
        if inode.is_directory or not inode.blocks:
            return runs + 2
        return runs + 2 * tree_extents(self.engine.tree(inode)) + 2

    # -- creating

    def create(self, place: Place, mode: int, kind_bits: int, owner: Owner = ROOT) -> Inode:
        """A new inode under a name that does not exist. The caller has checked ``place``."""
        parent = self.directory(place.parent)
        if kind_bits == stat.S_IFDIR and parent.nlink >= LINK_MAX:
            raise failure(errno.EMLINK, place.path)
        self.admit(self.engine.tree(parent))
        return self.add_inode(place, mode, kind_bits, owner)

    def add_inode(self, place: Place, mode: int, kind_bits: int, owner: Owner) -> Inode:
        """The change of ``create``, space admitted."""
        engine = self.engine
        now = engine.clock()
        parent = engine.modify(place.parent)
        is_directory = kind_bits == stat.S_IFDIR
        inode = engine.new_inode(mode & 0o7777 | kind_bits, now, 2 if is_directory else 1)
        inode.uid, inode.gid = owner
        inherit_level(inode, parent)
        kind = ENTRY_TYPES[kind_bits]
        directory.add(engine.changing_tree(parent), place.name, inode.number, kind)
        self.names[place.parent, place.name] = (inode.number, kind)
        if is_directory:
            parent.nlink += 1
        parent.mtime_ns = parent.ctime_ns = now
        return inode

    def mkdir(self, place: Place, mode: int, owner: Owner = ROOT) -> Inode:
        """A new directory. EEXIST, EMLINK, ENOSPC."""
        if place.number:
            raise failure(errno.EEXIST, place.path)
        return self.create(place, mode, stat.S_IFDIR, owner)

    def symlink(self, target: bytes, place: Place, owner: Owner = ROOT) -> None:
        """A new symlink. EEXIST; ENOENT for an empty target; ENAMETOOLONG beyond 4095 bytes;
        EINVAL for NUL.
        """
        if not target:
            raise failure(errno.ENOENT, place.path, "empty target")
        if len(target) >= PATH_MAX:
            raise failure(errno.ENAMETOOLONG, place.path)
        if b"\0" in target:
            raise failure(errno.EINVAL, place.path, "NUL byte in a target")
        self.refuse_new(place)
        extra = 0 if len(target) <= INLINE_SIZE_MAX else 1 + self.engine.data.nodes_per_chunk(0)
        self.admit(self.tree_of(place.parent), extra=extra)
        inode = self.add_inode(place, 0o777, stat.S_IFLNK, owner)
        self.engine.data.write(inode, 0, target)

    def refuse_new(self, place: Place) -> None:
        """EEXIST or ENOENT when a non-directory cannot be entered at ``place``."""
        if place.number:
            raise failure(errno.EEXIST, place.path)
        if place.trailing_slash:
            raise failure(errno.ENOENT, place.path)

    def link(self, source: Inode, place: Place) -> None:
        """A second name for a file or symlink. EPERM for a directory, EMLINK, EEXIST."""
        self.refuse_new(place)
        if source.is_directory:
            raise failure(errno.EPERM, place.path)
        if source.nlink >= LINK_MAX:
            raise failure(errno.EMLINK, place.path)
        self.admit(self.tree_of(place.parent))
        engine = self.engine
        now = engine.clock()
        inode = engine.modify(source.number)
        inode.nlink += 1
        inode.ctime_ns = now
        parent = engine.modify(place.parent)
        kind = ENTRY_TYPES[inode.mode & 0o170000]
        directory.add(engine.changing_tree(parent), place.name, inode.number, kind)
        parent.mtime_ns = parent.ctime_ns = now

    # -- removing

    def unlink(self, place: Place) -> None:
        """Remove a name; the inode goes with its last name and handle. EISDIR, ENOTDIR (trailing
        slash).
        """
        path = place.path
        if place.special or place.kind == TYPE_DIRECTORY:
            raise failure(errno.EISDIR, path)
        if not place.number:
            raise failure(errno.ENOENT, path)
        if place.trailing_slash:
            raise failure(errno.ENOTDIR, path)
        self.refuse_miscounted(place)
        inode = self.engine.inode(place.number)
        tree, drops = self.tree_of(place.parent), self.runs_of(inode)
        try:
            self.admit(tree, frees=True, drops=drops)
        except OSError as error:
            if error.errno != errno.ENOSPC or drops <= orphans.DROPS_AT_ONCE:
                raise
            self.unlink_piecewise(place, inode)
            return
        self.remove_name(place)
        self.drop_link(inode.number)

    def unlink_piecewise(self, place: Place, inode: Inode) -> None:
        """Space is too short to free a large file at once: its name goes now, its data as an
        orphan.
        """
        number = inode.number
        self.admit(self.tree_of(place.parent), frees=True, drops=2)
        self.open_counts[number] = self.open_counts.get(number, 0) + 1
        try:
            self.remove_name(place)
            self.drop_link(number)
        finally:
            self.open_counts[number] -= 1
        if self.open_counts[number] or self.engine.inode(number).nlink:
            return
        del self.open_counts[number]
        try:
            orphans.reclaim(self, number)
        except OSError as error:
            # Inside a transaction there may be no room: then the orphan goes after it.
            if error.errno != errno.ENOSPC:
                raise

    def rmdir(self, place: Place) -> None:
        """Remove an empty directory. EBUSY (root), EINVAL (``.``), ENOTEMPTY, ENOTDIR."""
        path = place.path
        if place.special:
            refusals = {b"/": errno.EBUSY, b".": errno.EINVAL, b"..": errno.ENOTEMPTY}
            raise failure(refusals[place.special], path)
        if not place.number:
            raise failure(errno.ENOENT, path)
        if place.kind != TYPE_DIRECTORY:
            raise failure(errno.ENOTDIR, path)
        if not directory.is_empty(self.tree_of(place.number)):
            raise failure(errno.ENOTEMPTY, path)
        self.refuse_miscounted(place)
        drops = self.runs_of(self.engine.inode(place.number))
        self.admit(self.tree_of(place.parent), frees=True, drops=drops)
        parent = self.remove_name(place)
        parent.nlink -= 1
        self.drop_directory(place.number)

    def refuse_miscounted(self, place: Place) -> None:
        """EUCLEAN when the inode, or a directory's parent, counts no link; EROFS comes first."""
        is_directory = place.kind == TYPE_DIRECTORY
        counting, least = (place.parent, 3) if is_directory else (place.number, 1)
        nlink = self.engine.inode(counting).nlink
        if nlink < least and self.engine.read_only_reason is None:
            raise DamageError("inode", 0, f"inode {counting} counts {nlink} links")

    def remove_name(self, place: Place) -> Inode:
        """Take the entry out of its directory; the directory's inode."""
        engine = self.engine
        parent = engine.modify(place.parent)
        directory.remove(engine.changing_tree(parent), place.name)
        self.names.pop((place.parent, place.name), None)
        parent.mtime_ns = parent.ctime_ns = engine.clock()
        return parent

    def drop_link(self, number: int) -> None:
        """One name less for a non-directory."""
        engine, inode = self.engine, self.engine.inode(number)
        if inode.nlink > 1 or self.is_kept(number):
            inode = engine.modify(number)
            inode.nlink -= 1
            inode.ctime_ns = engine.clock()
            if inode.nlink:
                return
        self.bury(inode)

    def drop_directory(self, number: int) -> None:
        """The last name of an empty directory is gone."""
        inode = self.engine.modify(number)
        inode.nlink = 0
        inode.ctime_ns = self.engine.clock()
        self.bury(inode)

    def is_kept(self, number: int) -> bool:
        """Whether an inode outlives its names: somebody has it open, or still may."""
        return self.keeps_unlinked or bool(self.open_counts.get(number))

    def bury(self, inode: Inode) -> None:
        """A nameless inode: an orphan while handles are open on it, else deleted."""
        if self.is_kept(inode.number):
            self.engine.orphan_tree.insert(inode.number, self.engine.store.generation)
        else:
            self.engine.delete_inode(inode)

    def readlink(self, place: Place) -> bytes:
        """The target of a symlink; EINVAL for anything else."""
        if not place.number:
            raise failure(errno.ENOENT, place.path)
        if place.kind != TYPE_SYMLINK:
            raise failure(errno.EINVAL, place.path)
        return self.target_of(place.number)

    def forget(self) -> None:
        """After an abort nothing that was remembered is sure."""
        self.names.clear()
