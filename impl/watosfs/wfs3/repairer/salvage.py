"""What of a damaged volume can still be read: inodes, names, and data whose CRC is right.

Trees are walked by the checker's ``TreeWalker``: nothing is followed twice, so the walk ends
whatever the image says. Nothing is written.
"""

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError
from watosfs.wfs3.checker.leaf_facts import EntryFacts
from watosfs.wfs3.checker.report import Findings
from watosfs.wfs3.checker.trees import TreeWalker
from watosfs.wfs3.extents import ExtentSet
from watosfs.wfs3.format import (
    COUNTER_MAX,
    FILE_SIZE_MAX,
    NAME_MAX,
    Superblock,
    name_hash,
)
from watosfs.wfs3.node import DIRECTORY, FREE, HEADER, INODES, ORPHANS, node_is_valid
from watosfs.wfs3.records import (
    ENTRY_TYPES,
    INODE_FLAG_ATTRIBUTES,
    INODE_FLAG_INLINE,
    INODE_LEVEL_MASK,
    Extent,
    Inode,
    decode_inode,
)
from watosfs.wfs3.repairer.contents import SavedData, save_data

#: Called with (phase, done, total).
Progress = Callable[[str, int, int], None]

_DOTS = (b".", b"..")
_FLAGS_KEPT = INODE_FLAG_INLINE | INODE_FLAG_ATTRIBUTES | INODE_LEVEL_MASK
_KINDS_KEPT = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO)


class Loss(NamedTuple):
    """What could not be saved: of which inode (0 for none), and in words."""

    number: int
    text: str


@dataclass(slots=True)
class Saved:
    """An inode that could be read, with its names when it is a directory, else its data."""

    inode: Inode
    data: SavedData = field(default_factory=SavedData)
    entries: list[tuple[bytes, int]] = field(default_factory=list)


class Salvage:
    """Reads all under one superblock. ``saved`` are the inodes by number; ``kept`` the blocks of
    data that may stay where they are, ``not_kept`` what may not; ``losses`` what is missing.
    """

    def __init__(self, device: BlockDevice, superblock: Superblock) -> None:
        self.device = device
        self.superblock = superblock
        self.walker = TreeWalker(device, superblock, Findings(), None)
        self.saved: dict[int, Saved] = {}
        self.kept = ExtentSet()
        self.not_kept: list[Extent] = []
        self.losses: list[Loss] = []

    def read(self, progress: Progress | None) -> None:
        """Save what can be saved."""
        for inode in self.inodes():
            if inode.number not in self.saved:
                self.saved[inode.number] = Saved(inode)
        numbers = sorted(self.saved)
        for done, number in enumerate(numbers):
            self.read_below(self.saved[number])
            if progress is not None and (done % 64 == 63 or done + 1 == len(numbers)):
                progress("saving", done + 1, len(numbers))
        self.claim_nodes(self.superblock.orphan_root, ORPHANS)

    def inodes(self) -> Iterator[Inode]:
        """Every inode that makes sense, in the order of the tree."""
        root = self.superblock.root_tree_block
        pointer = ("superblock", 0, "root_tree_block")
        for block, _ in self.walker.leaves(root, INODES, (INODES.name, 0), pointer):
            for key, raw in self.entries_of(block):
                try:
                    inode = decode_inode(raw, block)
                except DamageError as error:
                    self.losses.append(Loss(0, f"inode {key}: {error.problem}"))
                    continue
                if 0 < key == inode.number < COUNTER_MAX and self.makes_sense(inode):
                    yield inode
                else:
                    self.losses.append(Loss(0, f"inode {key} makes no sense"))
        if INODES.name in self.walker.damaged:
            self.losses.append(Loss(0, "a part of the inode tree cannot be read"))

    def makes_sense(self, inode: Inode) -> bool:
        """Whether the mode says one of the kinds that are stored."""
        return not inode.mode >> 16 and stat.S_IFMT(inode.mode) in _KINDS_KEPT

    def entries_of(self, block: int) -> list[tuple[int, Any]]:
        """(key, value) of each entry of a leaf that the walker accepted."""
        try:
            data = self.device.read(block, 1, node_is_valid)
        except OSError:  # it could be read a moment ago
            return []
        count = HEADER.unpack_from(data)[2]
        return list(zip(*INODES.decode(data, count), strict=True))

    def read_below(self, saved: Saved) -> None:
        """The names of a directory, the data of anything else."""
        inode = saved.inode
        inode.flags &= _FLAGS_KEPT if inode.is_file else _FLAGS_KEPT & ~INODE_FLAG_ATTRIBUTES
        inode.refcount = 1
        if inode.is_directory:
            saved.entries = list(self.names_of(inode))
            inode.size = inode.blocks = 0
            inode.inline = b""
            return
        inode.size = min(inode.size, FILE_SIZE_MAX)
        if ENTRY_TYPES[stat.S_IFMT(inode.mode)] == ENTRY_TYPES[stat.S_IFIFO]:
            inode.size = 0
            inode.inline = b""
            return
        for text in save_data(self.walker, inode, saved.data, self.kept):
            self.losses.append(Loss(inode.number, text))
        self.not_kept += saved.data.moved + saved.data.left

    def names_of(self, inode: Inode) -> Iterator[tuple[bytes, int]]:
        """(name, inode number) of each entry that can be read, in the order of the tree."""
        if not inode.extent_root:
            return
        seen: set[bytes] = set()
        for _, facts in self.leaves(inode, DIRECTORY):
            for entry in facts.entries:
                if entry.name not in _DOTS and entry.name not in seen and fits(entry):
                    seen.add(entry.name)
                    yield entry.name, entry.inode_number

    def leaves(self, inode: Inode, kind: Any) -> Any:
        """The leaves of an inode's tree; what is missing of it is a loss."""
        damaged = self.walker.damaged
        damaged.discard(kind.name)
        pointer = ("inode", 0, "extent_root")
        found = self.walker.leaves(inode.extent_root, kind, (kind.name, inode.number), pointer)
        if kind.name in damaged:
            self.losses.append(Loss(inode.number, f"a part of its {kind.name} cannot be read"))
        return found

    def claim_nodes(self, root: int, kind: Any) -> None:
        """Know the nodes of a tree whose contents do not matter."""
        if root:
            self.walker.leaves(root, kind, (kind.name, 0), ("superblock", 0, kind.name))

    def known_free(self) -> list[tuple[int, int]]:
        """(start, end) of what the old free tree lists, as far as it can be read and believed."""
        root = self.superblock.free_tree_block
        runs: list[tuple[int, int]] = []
        if not root:
            return runs
        total = self.superblock.total_blocks
        pointer = ("superblock", 0, "free_tree_block")
        for _, facts in self.walker.leaves(root, FREE, (FREE.name, 0), pointer):
            for start, count in zip(facts.keys, facts.values, strict=True):
                if 0 < count <= total - start:
                    runs.append((start, start + count))
        return [] if FREE.name in self.walker.damaged else runs


def fits(entry: EntryFacts) -> bool:
    """Whether a name may stand where it stands."""
    return len(entry.name) <= NAME_MAX and name_hash(entry.name) == entry.key
