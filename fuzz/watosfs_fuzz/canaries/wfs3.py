"""The planted faults of WFS v3: each takes the original functions and makes broken ones."""

from collections.abc import Callable
from typing import Any

from watosfs.wfs3 import commit as commit_module
from watosfs.wfs3 import filedata as filedata_module
from watosfs.wfs3 import namespace as namespace_module
from watosfs.wfs3 import rename as rename_module
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.chunks import Chunk
from watosfs.wfs3.compressing import level_of
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.filedata import FileData
from watosfs.wfs3.format import BLOCK_SIZE, CHUNK_BLOCKS, block_count_of
from watosfs.wfs3.inodes import InodeTable
from watosfs.wfs3.namespace import Namespace
from watosfs.wfs3.node import DIRECTORY, INODES, Node
from watosfs.wfs3.paths import Place
from watosfs.wfs3.records import TYPE_DIRECTORY
from watosfs.wfs3.store import NodeStore
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.canaries.registry import canary

Function = Callable[..., Any]


@canary(
    "no-flush-before-superblock", "tree and superblock share an epoch", (commit_module, "commit")
)
def no_flush_before_superblock(_: Function) -> Function:
    def commit(medium: Any, allocator: Any, slot: int, writes: Any, superblock: Any) -> int:
        for block, data in writes:
            medium.write(block, data)
        medium.write_superblock(1 - slot, superblock)
        medium.flush()
        allocator.committed()
        return 1 - slot

    return commit


@canary(
    "second-flush-missing",
    "acknowledged before the superblock is durable",
    (commit_module, "commit"),
)
def second_flush_missing(_: Function) -> Function:
    def commit(medium: Any, allocator: Any, slot: int, writes: Any, superblock: Any) -> int:
        for block, data in writes:
            medium.write(block, data)
        medium.flush()
        medium.write_superblock(1 - slot, superblock)
        allocator.committed()
        return 1 - slot

    return commit


@canary(
    "pending-reused-early", "a block dropped in a transaction is reused in it", (Allocator, "alloc")
)
def pending_reused_early(original: Function) -> Function:
    def alloc(self: Allocator, count: int) -> Any:
        start = self.limbo[0].take(count)
        return original(self, count) if start is None else start

    return alloc


@canary(
    "modified-in-place",
    "inode-tree nodes keep their block when they change",
    (NodeStore, "make_dirty"),
    (Engine, "encode"),
)
def modified_in_place(make_dirty: Function, encode: Function) -> tuple[Function, Function]:
    homes: dict[int, int] = {}

    def broken_make_dirty(self: NodeStore, node: Node) -> None:
        if node.kind is not INODES or node.level:
            make_dirty(self, node)
            return
        homes[id(node)] = node.block
        self.cache.pop(node.block, None)
        node.block = 0
        node.generation = self.generation
        self.dirty_count += 1

    def broken_encode(self: Engine, placed: list[tuple[Node, int]]) -> Any:
        moved = []
        for node, block in placed:
            home = homes.pop(id(node), None)
            if home is not None:
                self.allocator.drop(block, 1)
            moved.append((node, block if home is None else home))
        return encode(self, moved)

    return broken_make_dirty, broken_encode


@canary(
    "free-count-drifts", "the superblock's free count loses one at each commit", (Engine, "prepare")
)
def free_count_drifts(original: Function) -> Function:
    def prepare(self: Engine) -> Any:
        superblock, writes = original(self)
        return superblock._replace(free_blocks=superblock.free_blocks - 1), writes

    return prepare


@canary("split-key-off-by-one", "a new root's separator is one too high", (BTree, "split"))
def split_key_off_by_one(original: Function) -> Function:
    def split(self: BTree, path: Any) -> None:
        height = self.height
        original(self, path)
        root = self.root
        if isinstance(root, Node) and root.level > height:
            root.keys[1] += 1

    return split


@canary("merge-loses-entry", "merging two directory leaves drops the last entry", (BTree, "merge"))
def merge_loses_entry(original: Function) -> Function:
    def merge(self: BTree, parent: Node, index: int, capacity: int) -> Any:
        merged = original(self, parent, index, capacity)
        if merged and self.kind is DIRECTORY:
            left = parent.values[index - 1 if index else index]
            del left.keys[-1], left.values[-1]
        return merged

    return merge


@canary(
    "rename-onto-itself-deletes",
    "renaming a file onto itself unlinks it",
    (rename_module, "rename"),
)
def rename_onto_itself_deletes(original: Function) -> Function:
    def rename(names: Namespace, source: Place, target: Place) -> None:
        same = source.number == target.number and source.number and not source.special
        if same and source.kind != TYPE_DIRECTORY and not source.trailing_slash:
            names.unlink(source)
        else:
            original(names, source, target)

    return rename


@canary("truncate-shows-old-bytes", "cutting a block leaves its tail as it was", (Chunk, "cut"))
def truncate_shows_old_bytes(_: Function) -> Function:
    def cut(self: Chunk, end: int) -> None:
        blocks = block_count_of(end)
        del self.data[blocks * BLOCK_SIZE :]
        self.mask &= (1 << blocks) - 1

    return cut


@canary(
    "unlinked-freed-at-once",
    "the blocks of an open file go with its last name",
    (Namespace, "bury"),
)
def unlinked_freed_at_once(original: Function) -> Function:
    def bury(self: Namespace, inode: Any) -> None:
        if self.open_counts.get(inode.number):
            self.engine.data.drop_all(inode)
        original(self, inode)

    return bury


@canary("abort-keeps-changes", "abort ends the transaction without undoing it", (Engine, "abort"))
def abort_keeps_changes(_: Function) -> Function:
    def abort(self: Engine) -> None:
        self.in_transaction = False

    return abort


@canary(
    "orphan-not-reclaimed", "mounting leaves the orphans of a crash", (Volume, "reclaim_orphans")
)
def orphan_not_reclaimed(_: Function) -> Function:
    return lambda self: None


@canary(
    "attributes-leak",
    "deleting an inode leaves the holder of its attributes",
    (InodeTable, "delete_attributes"),
)
def attributes_leak(_: Function) -> Function:
    return lambda self, inode: None


@canary(
    "compressed-counted-plain",
    "a compressed extent is counted as what it stands for",
    (filedata_module, "store_compressed"),
)
def compressed_counted_plain(original: Function) -> Function:
    def store_compressed(engine: Engine, inode: Any, key: int, view: Any) -> bool:
        before = inode.blocks
        done: bool = original(engine, inode, key, view)
        if done:
            inode.blocks = before + len(view) // BLOCK_SIZE
        return done

    return store_compressed


@canary(
    "compressed-freed-short",
    "the last block of a compressed extent is never freed",
    (Allocator, "drop"),
    (FileData, "remove_extents"),
)
def compressed_freed_short(drop: Function, remove: Function) -> tuple[Function, Function]:
    removing: list[object] = []

    def short(self: Allocator, start: int, count: int) -> None:
        drop(self, start, count - 1 if removing and 1 < count < CHUNK_BLOCKS else count)

    def remove_extents(self: FileData, inode: Any, first: int, end: Any) -> None:
        removing.append(inode) if level_of(inode) else None
        try:
            remove(self, inode, first, end)
        finally:
            removing.clear()

    return short, remove_extents


@canary(
    "level-not-inherited",
    "what is created does not take the level of its directory",
    (namespace_module, "inherit_level"),
)
def level_not_inherited(_: Function) -> Function:
    return lambda inode, directory: None
