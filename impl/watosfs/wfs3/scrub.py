"""Scrubbing: everything that a mounted volume and its snapshots reach is read from the device and
verified, a little at a time, between other operations.

A pass goes from the oldest snapshot to the newest and ends with the volume; of each it reads what
was written after the one before, so every block once. A superblock copy that cannot be used is
written anew from the other. Damage is noted and the pass goes on behind it; what is damaged has no
other copy here (``check --repair`` drops it and says so).

Does not verify: what is not durable yet; rules between structures, which are ``check``'s.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from watosfs.errors import DamageError
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.format import SUPERBLOCK_SLOTS, decode_superblock
from watosfs.wfs3.node import DEAD, DIRECTORY, EXTENTS, INODES, ORPHANS, SNAPSHOTS, Node
from watosfs.wfs3.node import node_is_valid as is_node
from watosfs.wfs3.records import Extent, Inode, decode_inode

if TYPE_CHECKING:
    from watosfs.wfs3.volume import Volume

STEP_BLOCKS = 256


class Damage(NamedTuple):
    """A block that cannot be read or is not what was written; ``snapshot`` is empty for the
    volume itself, ``inode_number`` 0 for what belongs to none.
    """

    block: int
    what: str
    inode_number: int = 0
    snapshot: bytes = b""


class Scrub:
    """One pass over a volume. ``blocks_read`` counts; ``damages`` and ``mended`` say what was
    found. ``known`` are the damages by block.
    """

    def __init__(self, volume: "Volume") -> None:
        self.volume = volume
        self.engine = volume.engine
        self.blocks_read = 0
        self.known: dict[int, Damage] = {}
        self.mended: list[str] = []
        #: Trees of which a part could not be reached: another snapshot may lead there.
        self.unreached = 0
        self.work = self.pass_over()
        self.is_done = False

    @property
    def damages(self) -> list[Damage]:
        """What was found, each block once."""
        return list(self.known.values())

    def damage(self, block: int, what: str, number: int = 0, name: bytes = b"") -> None:
        """A block is damaged."""
        self.known.setdefault(block, Damage(block, what, number, name))

    def step(self, blocks: int = STEP_BLOCKS) -> bool:
        """Read about so many blocks more; whether there is more to do after that. Raises what the
        device raises when it cannot write a superblock.
        """
        end = self.blocks_read + blocks
        while not self.is_done and self.blocks_read < end:
            self.is_done = next(self.work, None) is None
        return not self.is_done

    def run(self) -> None:
        """All that is left of the pass."""
        while self.step():
            pass

    # -- the pass: generators that yield where another operation may come between

    def pass_over(self) -> Iterator[bool]:
        """Superblocks, snapshots, volume."""
        self.superblocks()
        #: What is older than this has been read; snapshots up to the second have been tried.
        before = after = -1
        while True:
            found = self.snapshot_after(after)
            if found is None:
                break
            generation, name = found
            after = generation
            if (yield from self.inodes(generation, before, name)):
                before = generation
        yield from self.inodes(None, before, b"")
        yield from self.bookkeeping()

    def superblocks(self) -> None:
        """Both copies; one that is no superblock is written again."""
        engine = self.engine
        for slot in SUPERBLOCK_SLOTS:
            self.blocks_read += 1
            try:
                is_good = decode_superblock(engine.device.read(slot)) is not None
            except OSError:
                is_good = False
            if is_good:
                continue
            if slot == engine.slot or engine.read_only_reason is not None:
                self.damage(slot, "superblock")
            else:
                engine.mirror()
                self.mended.append(f"superblock at block {slot}")

    def snapshot_after(self, generation: int) -> tuple[int, bytes] | None:
        """The next snapshot that exists now."""
        later = ((g, n) for n, g in self.engine.snapshots.names().items() if g > generation)
        return min(later, default=None)

    def inodes(
        self, generation: int | None, before: int, name: bytes
    ) -> Generator[bool, None, bool]:
        """One tree of inodes with all below, of what was written after ``before``; by number, so
        that whatever changes between two steps, each inode that stays comes once. Returns whether
        all of it was reached.
        """
        number = 0
        unreached = self.unreached
        above: set[int] = set()
        while True:
            tree = self.inode_tree(generation)
            if tree is None:
                return False  # the snapshot was deleted meanwhile
            try:
                path = tree.lower_bound(number)
                if not path:
                    return self.unreached == unreached
                above = self.nodes_of(path, before, above, name)
                leaf, i = path[-1]
                number = leaf.keys[i]
                yield from self.contents(number, generation, before, name)
            except OSError as error:
                self.note(error, "inode tree", 0, name)
                return False
            number += 1
            yield True

    def inode_tree(self, generation: int | None) -> BTree | None:
        """That of a snapshot, None when it is gone; of the volume without a generation."""
        engine = self.engine
        if generation is None:
            return engine.inode_tree
        record = engine.snapshots.record(generation)
        if record is None or not engine.snapshots.exists(generation, record):
            return None
        return BTree(engine.store, INODES, record.root_tree_block)

    def tree_below(self, number: int, generation: int | None) -> BTree | None:
        """The stored directory or extent tree of an inode; None when it has none (any more), or
        one with changes that are not durable.
        """
        tree = self.inode_tree(generation)
        raw = None if tree is None else tree.get(number)
        if raw is None or (generation is None and number in self.engine.dirty_trees):
            return None
        inode = raw if isinstance(raw, Inode) else decode_inode(raw, 0)
        kind = DIRECTORY if inode.is_directory else EXTENTS
        return BTree(self.engine.store, kind, inode.extent_root) if inode.extent_root else None

    def contents(
        self, number: int, generation: int | None, before: int, name: bytes
    ) -> Iterator[bool]:
        """The directory or extent tree of an inode, and its data, a leaf at a time."""
        key, last = 0, 0
        above: set[int] = set()
        while True:
            tree = self.tree_below(number, generation)
            if tree is None:
                return
            try:
                path = tree.lower_bound(key)
                while path and path[-1][0].block == last:
                    path = tree.next_leaf(path)
                if not path:
                    return
                above = self.nodes_of(path, before, above, name, number)
                leaf = path[-1][0]
                if tree.kind is EXTENTS and leaf.generation > before:
                    for offset, extent in zip(leaf.keys, leaf.values, strict=True):
                        if extent.generation > before:
                            self.extent(offset, extent, number, name)
            except OSError as error:
                self.note(error, tree.kind.name, number, name)
                return
            key, last = leaf.keys[-1], leaf.block
            yield True

    def bookkeeping(self) -> Iterator[bool]:
        """The trees that are the volume's alone; not while they have changes that are not
        durable.
        """
        engine = self.engine
        if engine.is_dirty:
            engine.commit()
        roots = [
            (engine.space.tree.kind, engine.superblock.free_tree_block),
            (ORPHANS, engine.superblock.orphan_root),
            (SNAPSHOTS, engine.superblock.snapshot_root),
        ]
        roots += [(DEAD, record.dead_root) for _, record in engine.snapshots.records()]
        for kind, root in roots:
            above: set[int] = set()
            try:
                tree = BTree(engine.store, kind, root)
                path = tree.lower_bound(0)
                while path:
                    above = self.nodes_of(path, -1, above, b"")
                    path = tree.next_leaf(path)
            except OSError as error:
                self.note(error, kind.name, 0, b"")
        yield True

    # -- blocks

    def nodes_of(
        self,
        path: list[tuple[Node, int]],
        before: int,
        above: set[int],
        name: bytes,
        number: int = 0,
    ) -> set[int]:
        """Read the nodes of a path that are on the device, but for those that were on the path
        before (``above``); the blocks of this one.
        """
        blocks = {node.block for node, _ in path}
        for node, _ in path:
            if node.block == 0 or node.block in above or node.generation <= before:
                continue
            self.blocks_read += 1
            try:
                is_good = is_node(self.engine.device.read(node.block, 1, is_node))
            except OSError:
                is_good = False
            if not is_good:
                self.damage(node.block, node.kind.name, number, name)
        return blocks

    def extent(self, key: int, extent: Extent, number: int, name: bytes) -> None:
        """The data of an extent."""
        data = self.engine.data
        try:
            data.validate(key, extent)
            count = extent.stored_blocks
            self.blocks_read += count
            read = self.engine.device.read(
                extent.disk_block, count, lambda found: crc32(found) == extent.crc32
            )
            is_good = crc32(read) == extent.crc32
        except OSError:
            is_good = False
        if not is_good:
            self.damage(extent.disk_block, f"data at offset {key}", number, name)

    def note(self, error: OSError, what: str, number: int, name: bytes) -> None:
        """The rest of a tree cannot be reached."""
        self.unreached += 1
        block = error.block if isinstance(error, DamageError) else 0
        self.damage(block, f"{what}, and all behind it", number, name)
