"""A mounted WFS v3 volume: paths, handles, durability. The public face of ``watosfs.wfs3``.

Changes gather in memory and become durable together: at ``sync``, a handle's ``fsync``,
``commit``, ``unmount``, or when memory or space asks for it. After a power cut the volume is
exactly as it was after some operation, never before the last acknowledged one of those.
"""

import errno
import stat
import time
from collections.abc import Callable, Iterable

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs3 import orphans
from watosfs.wfs3.attributes import SpaceUse
from watosfs.wfs3.batches import Batches
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.extents import ExtentError
from watosfs.wfs3.format import BLOCK_SIZE, NAME_MAX, ROOT_INODE, Superblock
from watosfs.wfs3.handle import Handle
from watosfs.wfs3.mounting import read_superblocks
from watosfs.wfs3.namespace import Namespace
from watosfs.wfs3.node import INODES
from watosfs.wfs3.pathops import PathOperations
from watosfs.wfs3.records import Inode
from watosfs.wfs3.snapshotting import Snapshotting
from watosfs.wfs3.xattrs import ExtendedAttributes

#: 32 MiB of cached nodes by default.
CACHE_BLOCKS = 8192
DIRTY_BYTES_MAX = 16 << 20


class Volume(PathOperations, Batches, Snapshotting):
    """Made by ``Volume.mount``; ``unmount`` (or ``with``) ends it. Not thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.namespace = Namespace(engine)
        self.attributes = ExtendedAttributes(self.namespace)
        self.handles: set[Handle] = set()
        self.is_mounted = True
        self.views: list[tuple[int, Volume]] = []
        self._change = Change(self)
        engine.reverted = self.after_revert

    @classmethod
    def mount(
        cls,
        device: BlockDevice,
        *,
        read_only: bool = False,
        clock: Callable[[], int] = time.time_ns,
        cache_blocks: int = CACHE_BLOCKS,
        dirty_bytes_max: int = DIRTY_BYTES_MAX,
        node_entries_max: int | None = None,
    ) -> "Volume":
        """Mount the newest intact generation; a read-write mount also finishes what a crash left
        undone.

        ``node_entries_max`` (at least 3) splits tree nodes early: the image stays legal, and small
        trees grow high, which is what tests want. Images of the published tools, unknown
        read-only-compatible features and read-only devices mount read-only. Raises EINVAL for a
        device without WFS, EUCLEAN for a damaged one, ENOTSUP (naming the bits) for unknown
        incompatible features.
        """
        found = read_superblocks(device)
        engine = Engine(
            device,
            found.superblock,
            found.slot,
            clock=clock,
            cache_blocks=cache_blocks,
            dirty_bytes_max=dirty_bytes_max,
            node_entries_max=node_entries_max,
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
            engine.recover(copies_agree=found.copies_agree)
            volume.finish_deletion()
            volume.reclaim_orphans()
        return volume

    def check_root(self) -> None:
        """Raise DamageError unless inode 1 is a directory (an empty published image has no inodes
        at all).
        """
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
                orphans.reclaim(self.namespace, number)
        if waiting:
            engine.commit()

    def __enter__(self) -> "Volume":
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_mounted:
            self.unmount()

    def unmount(self) -> None:
        """Abort an open transaction, close every handle, commit, and let both superblock copies
        agree.

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

    def change(self) -> "Change":
        """The context in which a change happens: an error after its admission shuts the volume
        down.
        """
        self.require_mounted()
        return self._change

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

    # -- handles

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
        if engine.read_only_reason is not None or self.namespace.keeps_unlinked:
            return
        if engine.inode(handle.number).nlink == 0:
            with self.change():
                try:
                    orphans.reclaim(self.namespace, handle.number)
                except OSError as error:
                    # Inside a transaction there may be no room: then the orphan goes after it.
                    if error.errno != errno.ENOSPC:
                        raise

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
        if self.has_orphans_left:
            self.has_orphans_left = False
            self.reclaim_orphans_left()
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
        """Undo the explicit transaction; handles on files that thereby vanish turn stale
        (ESTALE). All that must be read is read first: an abort that fails has done nothing.
        """
        self.require_transaction()
        engine = self.engine
        durable = BTree(engine.store, INODES, engine.superblock.root_tree_block)
        vanishing = [handle for handle in self.handles if durable.get(handle.number) is None]
        engine.abort()
        self.namespace.forget()
        self.make_stale(vanishing)
        self.reclaim_orphans_left()

    def require_transaction(self) -> None:
        """Raise EINVAL without an explicit transaction."""
        self.require_mounted()
        if not self.engine.in_transaction:
            raise failure(errno.EINVAL, reason="no explicit transaction is open")

    def after_revert(self) -> None:
        """Handles on inodes that never were durable are stale; no remembered name is sure."""
        self.namespace.forget()
        tree = self.engine.inode_tree
        self.make_stale([handle for handle in self.handles if tree.get(handle.number) is None])

    def make_stale(self, handles: Iterable[Handle]) -> None:
        """Their files are gone."""
        for handle in handles:
            handle.is_stale = True
            self.namespace.open_counts.pop(handle.number, None)

    def reclaim_orphans_left(self) -> None:
        """Orphans whose last handle was closed inside a transaction. Those that cannot be read now
        wait for the next mount: the transaction has ended.
        """
        if self.engine.orphan_tree.root == 0 or self.engine.read_only_reason is not None:
            return
        try:
            self.reclaim_orphans()
        except OSError:
            if self.engine.has_failed:
                raise


class Change:
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
        if isinstance(error, ExtentError):
            raise DamageError("free tree", 0, str(error)) from error
