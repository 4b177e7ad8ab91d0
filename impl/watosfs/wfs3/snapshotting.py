"""Snapshots of a volume: made, listed, looked into, rolled back to and deleted
(``docs/SEMANTICS.md`` Z1 to Z8).
"""

import errno
from typing import TYPE_CHECKING, NamedTuple

from watosfs.errors import failure
from watosfs.wfs3.born import born_after
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.format import NAME_MAX
from watosfs.wfs3.node import INODES, ORPHANS
from watosfs.wfs3.rollback import roll_back
from watosfs.wfs3.snapshot_records import SnapshotRecord, is_name

if TYPE_CHECKING:
    from watosfs.wfs3.handle import Handle
    from watosfs.wfs3.namespace import Namespace
    from watosfs.wfs3.volume import Change, Volume

_VIEW_CACHE_BLOCKS = 1024


class SnapshotUse(NamedTuple):
    """The space of a snapshot in blocks: what deleting it would free, and what it shares with
    other snapshots or the volume. ``time_ns`` is when it was made.
    """

    name: bytes
    generation: int
    time_ns: int
    exclusive: int
    shared: int


class Snapshotting:
    """The part of ``Volume`` about snapshots."""

    engine: Engine
    namespace: "Namespace"
    handles: "set[Handle]"
    #: Snapshots that are being looked into, by generation.
    views: "list[tuple[int, Volume]]"
    #: A rollback brought back files that were open when they were removed: the next sync reclaims
    #: them (were that a part of the rollback, one that is durable could fail).
    has_orphans_left = False

    def change(self) -> "Change":
        raise NotImplementedError

    def require_mounted(self) -> None:
        raise NotImplementedError

    def sync(self) -> None:
        raise NotImplementedError

    def snapshots(self) -> list[bytes]:
        """The names of all snapshots, in the order in which they were made."""
        self.require_mounted()
        return list(self.engine.snapshots.names())

    def snapshot_create(self, name: bytes) -> None:
        """Keep the volume as it is now, durably. Costs two commits, whatever the volume holds.

        EINVAL or ENAMETOOLONG for a bad name, EEXIST for one that is there, EBUSY inside a
        transaction, ENOSPC, EROFS; EOVERFLOW from generation 2**32 - 1 on.
        """
        self.require_mounted()
        if not is_name(name):
            raise failure(errno.EINVAL, name, reason="a snapshot cannot have this name")
        if len(name) > NAME_MAX:
            raise failure(errno.ENAMETOOLONG, name)
        self.prepare_snapshots()
        engine = self.engine
        if name in engine.snapshots.names():
            raise failure(errno.EEXIST, name)
        with self.change():
            engine.snapshots.create(name, max(engine.clock(), 0))

    def snapshot_delete(self, name: bytes) -> None:
        """Delete a snapshot, durably, and free what only it shows. What looks into it is unmounted.

        ENOENT without one; EBUSY inside a transaction; EROFS.
        """
        self.prepare_snapshots()
        snapshots = self.engine.snapshots
        generation = snapshots.generation_of(name)
        self.close_views(generation)
        with self.change():
            snapshots.delete(name)

    def snapshot_rollback(self, name: bytes) -> None:
        """The volume becomes as its newest snapshot shows, durably; the snapshot stays.

        ENOENT without one; EBUSY inside a transaction, while a file is open, and when there is a
        newer snapshot; ENOSPC, EROFS. Costs what changed since.
        """
        self.prepare_snapshots()
        engine = self.engine
        generation = engine.snapshots.generation_of(name)
        if self.handles:
            raise failure(errno.EBUSY, reason=f"{len(self.handles)} files are open")
        if generation != engine.store.dead.newest:
            raise failure(errno.EBUSY, name, reason="there is a newer snapshot")
        with self.change():
            roll_back(engine, generation)
        self.namespace.forget()
        self.has_orphans_left = True

    def snapshot_open(self, name: bytes) -> "Volume":
        """A read-only volume of what a snapshot shows. The caller unmounts it; deleting the
        snapshot does too. ENOENT without one.
        """
        from watosfs.wfs3.volume import Volume

        self.require_mounted()
        generation, record = self.snapshot_record(name)
        outer = self.engine
        superblock = outer.superblock._replace(
            root_tree_block=record.root_tree_block,
            orphan_root=record.orphan_root,
            root_generation=generation,
            snapshot_root=0,
            commit_time_ns=record.time_ns,
        )
        inner = Engine(
            outer.device,
            superblock,
            outer.slot,
            clock=outer.clock,
            cache_blocks=_VIEW_CACHE_BLOCKS,
            dirty_bytes_max=outer.dirty_bytes_max,
        )
        inner.read_only_reason = f"a snapshot is only read: {name!r}"
        view = Volume(inner)
        view.check_root()
        self.views = [entry for entry in self.views if entry[1].is_mounted]
        self.views.append((generation, view))
        return view

    def snapshot_use(self, name: bytes) -> SnapshotUse:
        """The space of a snapshot. Reads its trees and what only it shows. ENOENT without one."""
        self.require_mounted()
        engine = self.engine
        generation, record = self.snapshot_record(name)
        roots = ((INODES, record.root_tree_block), (ORPHANS, record.orphan_root))
        shown = born_after(engine, roots, -1).count
        exclusive = engine.snapshots.exclusive_blocks(generation)
        return SnapshotUse(name, generation, record.time_ns, exclusive, shown - exclusive)

    # -- below

    def snapshot_record(self, name: bytes) -> tuple[int, SnapshotRecord]:
        """(generation, record) of a snapshot. Raises ENOENT."""
        snapshots = self.engine.snapshots
        generation = snapshots.generation_of(name)
        record = snapshots.record(generation)
        assert record is not None
        return generation, record

    def prepare_snapshots(self) -> None:
        """Everything is durable, or the change is refused: EBUSY, EROFS, EIO."""
        self.require_mounted()
        engine = self.engine
        if engine.in_transaction:
            raise failure(errno.EBUSY, reason="an explicit transaction is open")
        if engine.read_only_reason is not None and not engine.has_failed:
            raise failure(errno.EROFS, reason=engine.read_only_reason)
        self.sync()
        self.finish_deletion()

    def finish_deletion(self) -> None:
        """Go on with the deletion that a crash interrupted, if one was."""
        if self.engine.snapshots.deleting:
            with self.change():
                self.engine.snapshots.finish_deletion()

    def close_views(self, generation: int) -> None:
        """Nobody looks into this snapshot any more."""
        for known, view in self.views:
            if known == generation and view.is_mounted:
                view.unmount()
