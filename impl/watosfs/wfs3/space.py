"""Free space: the allocator over the free tree on disk, and the promise that a commit never runs
out.

The free tree is read leaf by leaf as space is needed, so that mounting costs the same whatever the
volume holds, and updated at commit by the runs that changed. Every operation is admitted only when
the blocks that it may come to owe, with all that is owed already, are there; so ENOSPC is said
before anything was changed.
"""

import errno
from bisect import bisect_right
from collections.abc import Iterator

from watosfs.errors import DamageError, failure
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.extents import ExtentError
from watosfs.wfs3.homes import Homes
from watosfs.wfs3.node import FREE, Node
from watosfs.wfs3.store import NodeStore

FREE_RUNS_IN_MEMORY_MAX = 8192
_RESERVE_BASE = 48
_RESERVE_SHARE = 128
_RESERVE_FOR_HIGH_TREES = 12
_ROUNDS_MAX = 1000
_ROUNDS_PATIENT = 4


class Space:
    """Hands out blocks for nodes and data, and keeps the free tree."""

    __slots__ = ("allocator", "reserve", "store", "tree")

    def __init__(self, store: NodeStore, tree: BTree) -> None:
        self.store = store
        self.allocator: Allocator = store.allocator
        self.tree = tree
        self.set_reserve()

    def set_reserve(self) -> None:
        """Blocks that only operations which free space may use, so that a full volume can be
        emptied.
        """
        self.reserve = _RESERVE_BASE + self.store.total_blocks // _RESERVE_SHARE
        if self.store.node_entries_max is not None:
            self.reserve *= _RESERVE_FOR_HIGH_TREES

    # -- handing out

    def alloc(self, count: int) -> int | None:
        """``count`` contiguous blocks, lowest fit first, reading on in the free tree until they
        fit.
        """
        start = self.allocator.alloc(count)
        while start is None and self.load_more():
            start = self.allocator.alloc(count)
        return start

    def alloc_run(self, count: int) -> tuple[int, int]:
        """(start, size) of ``count`` contiguous blocks or, failing that, of the largest free
        run.
        """
        start = self.alloc(count)
        if start is not None:
            return start, count
        free = self.allocator.free
        index = free.largest()
        if index is None:
            raise failure(errno.ENOSPC, reason="a commit found no free block")
        size = min(count, free.ends[index] - free.starts[index])
        found = self.allocator.alloc(size)
        assert found is not None
        return found, size

    def alloc_runs(self, count: int) -> Iterator[tuple[int, int]]:
        """Runs of free blocks that add up to ``count``, as few as first fit gives."""
        while count:
            start, size = self.alloc_run(count)
            yield start, size
            count -= size

    def load_more(self) -> bool:
        """Load the free runs of the next leaf of the free tree; False when all are loaded."""
        allocator = self.allocator
        frontier = allocator.frontier
        if frontier >= allocator.hi:
            return False
        loaded, walked = False, 0
        path = self.tree.floor(frontier)
        while path and not loaded:
            walked += 1
            leaf, first = path[-1]
            for i in range(first, len(leaf.keys)):
                start, end = leaf.keys[i], leaf.keys[i] + leaf.values[i]
                if start < allocator.lo or end > allocator.hi or end <= start:
                    raise DamageError(
                        "free tree", leaf.block, f"run {start}..{end} outside the volume"
                    )
                if end > frontier:
                    loaded |= self.load_run(max(start, frontier), end)
                    frontier = end
            path = self.tree.next_leaf(path, walked)
        allocator.frontier = frontier if path else allocator.hi
        if not path and allocator.unloaded:
            raise DamageError("superblock", 0, "free_blocks is more than the free tree holds")
        return loaded

    def load_run(self, start: int, end: int) -> bool:
        """Load what of [start, end) is not held back; whether there was any."""
        loaded = False
        pieces = [(start, end)]
        for dead in self.allocator.limbo:
            pieces = [piece for run in pieces for piece in subtract(run, dead.starts, dead.ends)]
        for first, last in pieces:
            try:
                self.allocator.load(first, last)
            except ExtentError as error:
                raise DamageError("free tree", first, f"run {first}..{last}: {error}") from error
            loaded = True
        return loaded

    # -- what is owed

    def tree_debt(self, changes: int) -> int:
        """Upper bound on the blocks that updating the free tree by ``changes`` runs will need."""
        splits = changes // max(self.store.capacity(FREE, 0) // 2, 1) + 1
        root = self.tree.root_node()
        if root is None or root.level < 2:
            return self.nodes_changed(self.tree, 2 * changes) + 1 + splits
        return self.nodes_changed(self.tree, 2 * changes) + root.level + 1 + 2 * splits

    def nodes_changed(self, tree: BTree, changes: int) -> int:
        """Upper bound on the nodes that a tree has and that so many changed leaves touch."""
        root = tree.root_node()
        if root is None or root.level == 0:
            return 1
        if root.level == 1:
            return min(len(root.keys), changes) + 1
        whole = (len(root.keys) + 1) * int(self.store.capacity(FREE, 1) ** (root.level - 1) + 1)
        return min(changes * (root.level + 1), whole)

    def debt(self, blocks: int, drops: int = 0) -> int:
        """Blocks that a commit will need in all when nodes and data need ``blocks`` and ``drops``
        runs are freed.
        """
        allocator = self.allocator
        runs = len(allocator.fresh.starts) + len(allocator.limbo[0].starts)
        return blocks + self.tree_debt(runs + drops + 2 * blocks + 2)

    # -- the free tree on disk

    def update_tree(self) -> list[tuple[Node, int]]:
        """Make the free tree list all that the new root does not reach; its dirty nodes with their
        new blocks.

        Giving the tree's own nodes new places changes what is free, so this goes on until nothing
        changes. Only the first round merges nodes: after it a dirty node stays, so the rounds come
        to an end.
        """
        allocator, tree, store = self.allocator, self.tree, self.store
        removed = list(allocator.fresh)
        added = list(allocator.limbo[0])
        placed: dict[int, tuple[Node, int]] = {}
        store.dropped = []
        may_merge = True
        for round_number in range(_ROUNDS_MAX):
            if not removed and not added:
                break
            for start, end in added:
                self.add_run(start, end, may_merge=may_merge)
            for start, end in removed:
                self.remove_run(start, end, may_merge=may_merge)
            if tree.root == 0:
                tree.root = store.new_node(FREE, 0, [], [])
            added = [(block, block + 1) for block in store.dropped]
            removed = []
            store.dropped.clear()
            if may_merge and added:
                continue
            may_merge = False
            alive = {id(node): node for node in tree.dirty_nodes()}
            for gone in [key for key in placed if key not in alive]:
                _, block = placed.pop(gone)
                allocator.drop(block, 1)
                added.append((block, block + 1))
            homeless = [node for key, node in alive.items() if key not in placed]
            # Taking whole runs may empty leaves, and giving those back may fill them again; these
            # homes leave an entry in every leaf.
            patient = round_number < _ROUNDS_PATIENT
            homes = self.alloc_runs if patient else Homes(self).alloc
            for start, size in homes(len(homeless)):
                removed.append((start, start + size))
                for block in range(start, start + size):
                    node = homeless.pop()
                    placed[id(node)] = (node, block)
        else:
            raise AssertionError(f"the free tree did not settle in {_ROUNDS_MAX} rounds")
        store.dropped = None
        return [placed[id(node)] for node in tree.dirty_nodes()]

    def remove_run(self, start: int, end: int, *, may_merge: bool) -> None:
        """Take [start, end), inside one run of the tree, out of it."""
        tree = self.tree
        path = tree.floor(start)
        if not path:
            raise DamageError("free tree", 0, f"no run holds {start}..{end}")
        leaf, i = path[-1]
        first, last = leaf.keys[i], leaf.keys[i] + leaf.values[i]
        if start < first or end > last:
            raise DamageError("free tree", leaf.block, f"no run holds {start}..{end}")
        tree.make_path_dirty(path)
        if first < start:
            leaf.values[i] = start - first
        elif last > end and end < self.tree.upper_bound(path):
            leaf.keys[i] = end
            leaf.values[i] = last - end
            return
        else:
            # A run may reach beyond its leaf's range: what is left of it may belong to the next.
            del leaf.keys[i]
            del leaf.values[i]
            tree.shrink(path, may_merge=may_merge)
        if last > end:
            tree.insert(end, last - end)

    def add_run(self, start: int, end: int, *, may_merge: bool) -> None:
        """Add [start, end), disjoint from the tree, joining neighbours."""
        tree = self.tree
        right = tree.lower_bound(start)
        if right:
            leaf, i = right[-1]
            if leaf.keys[i] < end:
                raise DamageError("free tree", leaf.block, f"run {start}..{end} is free already")
            if leaf.keys[i] == end:
                end += leaf.values[i]
                tree.make_path_dirty(right)
                del leaf.keys[i]
                del leaf.values[i]
                tree.shrink(right, may_merge=may_merge)
        left = tree.floor(start)
        if left:
            leaf, i = left[-1]
            first, last = leaf.keys[i], leaf.keys[i] + leaf.values[i]
            if first <= start < last:
                raise DamageError("free tree", leaf.block, f"run {start}..{end} is free already")
            if last == start:
                tree.make_path_dirty(left)
                leaf.values[i] = end - first
                return
        tree.insert(start, end - start)


def subtract(run: tuple[int, int], starts: list[int], ends: list[int]) -> list[tuple[int, int]]:
    """The pieces of ``run`` outside the sorted, disjoint runs given by ``starts`` and ``ends``."""
    start, end = run
    pieces = []
    i = max(bisect_right(starts, start) - 1, 0)
    while start < end and i < len(starts) and starts[i] < end:
        if ends[i] > start:
            if starts[i] > start:
                pieces.append((start, starts[i]))
            start = ends[i]
        i += 1
    if start < end:
        pieces.append((start, end))
    return pieces
