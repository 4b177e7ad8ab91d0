"""A mounted volume's state, and the order in which it is written back.

Data goes to the disk at once, into clusters that nothing leads to or in place. What is changed of
the table and of directories stays in memory until ``write_back``, which writes it in steps with a
flush behind each, so that a power cut leaves lost clusters at worst:

1. new chains; 2. links from old tails to them; 3. entries that moved away are removed, then ``..``
in directories that did; 4. every other entry; 5. end marks behind new tails; 6. what is free, and
FSInfo.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs.errors import DamageError, failure
from watosfs.fat.allocator import Allocator
from watosfs.fat.chains import Chain, Chains
from watosfs.fat.directory import Directory
from watosfs.fat.entries import DIRECTORY, FREE
from watosfs.fat.format import (
    DIRECTORY_SLOTS_MAX,
    ENTRY_SIZE,
    Geometry,
)
from watosfs.fat.fsinfo import UNKNOWN, FsInfo
from watosfs.fat.marks import Marks
from watosfs.fat.node import ROOT_NUMBER, Node
from watosfs.fat.table import FatTable

#: Runs of new clusters, and removed nodes, that may wait for a write-back.
_WAITING_MAX: Final = 100_000


class Engine:
    """What every operation works on. ``clock`` gives ns since 1970, ``offset_s`` is local time."""

    def __init__(
        self,
        access: ByteAccess,
        geometry: Geometry,
        read_only: bool,
        clock: Callable[[], int],
        offset_s: int,
    ) -> None:
        self.access = access
        self.geometry = geometry
        self.read_only = read_only
        self.clock = clock
        self.offset_s = offset_s
        self.table = FatTable(access, geometry)
        self.marks = Marks(access, geometry, self.table)
        #: Whether the volume was not unmounted, the last time: only a check takes that away.
        self.was_dirty = self.marks.is_dirty()
        info = self.marks.read_fsinfo()
        free_count = info.free_count
        is_hint = not self.was_dirty and free_count <= geometry.cluster_count
        self.allocator = Allocator(
            self.table, free_count if is_hint else None, min(info.next_free, UNKNOWN)
        )
        self.chains = Chains(self.table, self.allocator, self.write_back)
        self.is_broken = False
        self.is_mounted = True
        self._is_marked = False
        self._has_written = False
        self._numbers_used = ROOT_NUMBER
        self.unsaved: list[Node] = []
        self.dirty_nodes: set[Node] = set()
        self._directories: dict[int, Directory] = {}
        #: Places on disk of slots that moved to another sector.
        self.moved: list[int] = []
        #: Directories that have another parent than on disk.
        self.reparented: list[Directory] = []
        self.root = Node(ROOT_NUMBER, "", b"", DIRECTORY)
        self.root.first = geometry.root_cluster
        self.nodes: dict[int, Node] = {ROOT_NUMBER: self.root}

    # -- nodes and directories

    def new_number(self) -> int:
        """The next inode number."""
        self._numbers_used += 1
        return self._numbers_used

    def node(self, number: int) -> Node:
        """The node of a number that was given out. ESTALE: there is none."""
        node = self.nodes.get(number)
        if node is None:
            raise failure(errno.ESTALE)
        return node

    def directory(self, node: Node) -> Directory:
        """A directory's contents, read when they are not there. ENOTDIR, ENOENT when removed."""
        if node.children is not None:
            return node.children
        if not node.is_directory:
            raise failure(errno.ENOTDIR)
        if node.is_removed:
            raise failure(errno.ENOENT)
        geometry = self.geometry
        if node is self.root and geometry.bits != 32:
            size = geometry.root_entry_count * ENTRY_SIZE
            size = -(-size // geometry.sector_size) * geometry.sector_size
            raw, chain = bytearray(self.access.read(geometry.root_start, size)), None
        else:
            if node.first in self._directories or not node.first:
                raise DamageError(f"directory {node.name!r}", node.first, "is another directory")
            chain = self.chain(node)
            raw = bytearray()
            if chain.count * geometry.cluster_size > DIRECTORY_SLOTS_MAX * ENTRY_SIZE:
                raise DamageError(f"directory {node.name!r}", node.first, "larger than it can be")
            for cluster, count in chain.pieces(0, chain.count):
                offset = geometry.cluster_offset(cluster)
                raw += self.access.read(offset, count * geometry.cluster_size)
        return self.adopt(node, chain, raw)

    def adopt(self, node: Node, chain: Chain | None, raw: bytearray) -> Directory:
        """Take over the contents of a directory."""
        own = None if node is self.root else node
        directory = Directory(self.geometry, own, chain, raw, self.new_number)
        node.children = directory
        if chain is not None:
            self._directories[chain.first] = directory
        for child in directory.nodes():
            self.nodes[child.number] = child
        return directory

    def chain(self, node: Node) -> Chain:
        """A node's chain, read when it is not there. EUCLEAN when it is damaged."""
        if node.chain is None:
            node.chain = self.chains.load(node.first)
        return node.chain

    def forget(self, node: Node) -> None:
        """Free the clusters of a node that has neither name nor handle any more."""
        try:
            chain = self.chain(node)
        except DamageError:
            # What a damaged chain leads to may be another's: it stays lost until a check.
            chain = Chain()
        if node.is_directory:
            self._directories.pop(chain.first, None)
            if node.children is not None:
                node.children.dirty.clear()
        self.chains.cut(chain, 0)
        self.dirty_nodes.discard(node)
        self.nodes.pop(node.number, None)

    # -- changing

    def begin_change(self) -> None:
        """Before each change. EROFS, EIO after a write-back failed, EBADF once unmounted."""
        if not self.is_mounted:
            raise failure(errno.EBADF, reason="the volume is unmounted")
        if self.read_only:
            raise failure(errno.EROFS)
        if self.is_broken:
            raise failure(errno.EIO, reason="an earlier write failed")
        if not self._is_marked:
            self.marks.set_dirty(True)
            self.access.device.flush()
            self._is_marked = True
        if len(self.chains.frees) + self.allocator.fresh_run_count > _WAITING_MAX:
            self.write_back()

    def data_written(self) -> None:
        """Data reached the device: the next write-back has to flush even when nothing else is."""
        self._has_written = True

    def touch(self, node: Node) -> None:
        """A node's entry has to be written."""
        if node is not self.root and not node.is_removed:
            self.dirty_nodes.add(node)

    def slots_on_disk(self, node: Node) -> list[int]:
        """Where a node's slots are on the volume, if they have reached it."""
        assert node.directory is not None
        return node.old_slots if node.is_unsaved else list(node.directory.slot_offsets(node))

    def moved_away(self, node: Node, old_slots: list[int]) -> None:
        """A node has left its slots for others: those are removed first, unless one sector, which
        cannot tear, holds all of them. Then they are kept: it may move again before it is written.
        """
        assert node.directory is not None
        slots = [*old_slots, *node.directory.slot_offsets(node)]
        is_torn = len({offset // SECTOR_SIZE_BYTES for offset in slots}) > 1
        if is_torn:
            self.moved += old_slots
        node.old_slots = [] if is_torn else old_slots
        self.unsaved.append(node)

    # -- writing back

    def write_back(self) -> None:
        """Make everything so far durable. A failure leaves the volume as good as read-only: EIO."""
        with self._failing_for_good():
            self._write_back()

    @contextmanager
    def _failing_for_good(self) -> Iterator[None]:
        """EIO now and ever after, once a write or flush inside failed."""
        if self.is_broken:
            raise failure(errno.EIO, reason="an earlier write failed")
        try:
            yield
        except OSError:
            self.is_broken = True
            raise

    def _write_back(self) -> None:
        for node in self.dirty_nodes:
            if node.directory is not None and not node.is_removed:
                node.directory.store(node)
        self.dirty_nodes.clear()
        self.table.write()
        if self._has_written or self.allocator.fresh_run_count:
            self.access.device.flush()
            self._has_written = False
        if self.chains.put_links():
            self._write_table()
        if self.moved:
            for offset in self.moved:
                self.access.write(offset, bytes([FREE]))
            self.moved = []
            self.access.device.flush()
        if self.reparented:
            for directory in self.reparented:
                if directory.node is not None and not directory.node.is_removed:
                    self.access.write(*directory.dots_piece())
            self.reparented = []
            self.access.device.flush()
        self._write_directories()
        if self.chains.put_cuts():
            self._write_table()
        had_frees = bool(self.chains.frees)
        self.chains.put_frees()
        if had_frees:
            self._write_table()
        self.allocator.settle()

    def _write_table(self) -> None:
        self.table.write()
        self.access.device.flush()

    def _write_directories(self) -> None:
        written = False
        for node in self.unsaved:
            node.is_unsaved = False
            node.old_slots = []
        self.unsaved = []
        contents = [self.root.children, *self._directories.values()]
        for directory in contents:
            if directory is not None and directory.dirty:
                for offset, raw in directory.dirty_pieces():
                    self.access.write(offset, raw)
                directory.dirty.clear()
                written = True
        if written:
            self.access.device.flush()

    def _write_fsinfo(self) -> None:
        if self.marks.has_fsinfo():
            next_free = max(2, self.allocator.cursor - 1)
            self.marks.write_fsinfo(FsInfo(self.allocator.free_count, next_free))

    def sync(self) -> None:
        """Write back, FSInfo too."""
        if self.read_only or not self._is_marked:
            return
        with self._failing_for_good():
            self._write_back()
            self._write_fsinfo()
            self.access.device.flush()

    def unmount(self) -> None:
        """Write back and say that the volume is clean, unless it was not before."""
        if not self.is_mounted:
            return
        if self._is_marked and not self.is_broken:
            for node in [node for node in self.nodes.values() if node.is_removed]:
                self.forget(node)
            self.sync()
            if not self.was_dirty:
                self.marks.set_dirty(False)
                self.access.device.flush()
        self.is_mounted = False
