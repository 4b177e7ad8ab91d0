"""A B+tree of any height whose nodes are copied on write (``docs/FORMAT.md`` section 3).

Search treats entry i of an internal node as covering the keys from ``keys[i]`` to ``keys[i + 1]``;
the first separator is not looked at. Equal keys (colliding directory hashes) are neighbours and
may straddle nodes. Changing a node makes it and its ancestors dirty in memory; nothing is written
before commit.
"""

# Size: search and change follow the same rules for separators and paths; apart they would drift.

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from watosfs.errors import DamageError
from watosfs.wfs3.node import LEVEL_MAX, Node, NodeKind
from watosfs.wfs3.store import NodeStore

#: Above every key: keys are 64-bit words.
KEY_MAX: Final = 1 << 64

#: From the root down: each node with the index taken in it; in the leaf, the entry's.
Path: TypeAlias = list[tuple[Node, int]]


class BTree:
    """One tree. ``root`` is a block number (0 = empty), or the dirty root node."""

    __slots__ = ("kind", "root", "store")

    def __init__(self, store: NodeStore, kind: NodeKind, root: int | Node) -> None:
        self.store = store
        self.kind = kind
        self.root = root

    # -- reading

    def root_node(self) -> Node | None:
        """The root, read if need be; None for an empty tree."""
        root = self.root
        if type(root) is Node:
            return root
        if root == 0:
            return None
        assert isinstance(root, int)
        return self.store.read(root, self.kind, None, self.store.generation_max)

    @property
    def height(self) -> int:
        """Levels above the leaves (0 for a single leaf or an empty tree)."""
        root = self.root_node()
        return root.level if root is not None else 0

    def child(self, node: Node, index: int) -> Node:
        """The ``index``-th child of an internal node, validated against what its parent says of
        it.
        """
        child = node.values[index]
        if type(child) is Node:
            return child
        found = self.store.cache.get(child)
        if found is not None and found.level == node.level - 1 and found.kind is self.kind:
            return found
        found = self.store.read(child, self.kind, node.level - 1, node.generation)
        keys = found.keys
        if not keys:
            raise DamageError(self.kind.name, child, "empty node below a root")
        separators = node.keys
        # The first separator of an internal node is not used: it may lie anywhere.
        first = 1 if found.level else 0
        if first < len(keys) and (
            (index and keys[first] < separators[index])
            or (index + 1 < len(separators) and keys[-1] > separators[index + 1])
        ):
            raise DamageError(self.kind.name, child, "keys outside the parent's range")
        return found

    def get(self, key: int) -> Any:
        """The value of a unique key, or None."""
        node = self.root_node()
        if node is None:
            return None
        while node.level:
            node = self.child(node, bisect_right(node.keys, key, 1) - 1)
        keys = node.keys
        i = bisect_left(keys, key)
        if i < len(keys) and keys[i] == key:
            return node.values[i]
        return None

    def lower_bound(self, key: int) -> Path:
        """The path to the first entry whose key is at least ``key``; the empty list when there is
        none.
        """
        path: Path = []
        node = self.root_node()
        if node is None:
            return path
        while node.level:
            i = bisect_left(node.keys, key, 1) - 1
            path.append((node, i))
            node = self.child(node, i)
        i = bisect_left(node.keys, key)
        path.append((node, i))
        if i == len(node.keys):
            return self.next_leaf(path)
        return path

    def floor(self, key: int) -> Path:
        """The path to the last entry whose key is at most ``key`` (unique keys), or else to the
        first entry.
        """
        path: Path = []
        node = self.root_node()
        if node is None:
            return path
        while node.level:
            i = bisect_right(node.keys, key, 1) - 1
            path.append((node, i))
            node = self.child(node, i)
        i = bisect_right(node.keys, key) - 1
        if i < 0 and len(path) and any(index for _, index in path):
            return self.previous_leaf(path)
        if not node.keys:
            return []
        path.append((node, max(i, 0)))
        return path

    def upper_bound(self, path: Path) -> int:
        """What the entry at the end of ``path`` must stay below: the next key or separator."""
        for node, index in reversed(path):
            if index + 1 < len(node.keys):
                return node.keys[index + 1]
        return KEY_MAX

    def previous_leaf(self, above: Path) -> Path:
        """The last entry of the leaf before the one under ``above`` (a path without its leaf)."""
        depth = len(above) - 1
        while above[depth][1] == 0:
            depth -= 1
        parent, index = above[depth]
        path = above[:depth]
        path.append((parent, index - 1))
        node = self.child(parent, index - 1)
        while node.level:
            path.append((node, len(node.keys) - 1))
            node = self.child(node, len(node.keys) - 1)
        path.append((node, len(node.keys) - 1))
        return path

    def next_leaf(self, path: Path, walked: int = 0) -> Path:
        """The path to the first entry of the leaf after the one that ``path`` ends in, or the
        empty list.

        ``walked`` is how many leaves a walk has seen: nodes that many parents share could make
        it endless, so more than the volume has blocks is damage.
        """
        if walked > self.store.total_blocks:
            raise DamageError(self.kind.name, 0, "more leaves than the volume has blocks")
        depth = len(path) - 2
        while depth >= 0 and path[depth][1] + 1 >= len(path[depth][0].keys):
            depth -= 1
        if depth < 0:
            return []
        parent, index = path[depth]
        following = path[:depth]
        following.append((parent, index + 1))
        node = self.child(parent, index + 1)
        while node.level:
            following.append((node, 0))
            node = self.child(node, 0)
        following.append((node, 0))
        return following

    def items(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, Any]]:
        """(key, value) with ``first`` <= key <= ``last``, ascending. The tree must not change
        meanwhile.
        """
        path, walked = self.lower_bound(first), 0
        while path:
            walked += 1
            leaf, start = path[-1]
            keys, values = leaf.keys, leaf.values
            if last is not None and keys[-1] > last:
                for i in range(start, bisect_right(keys, last)):
                    yield keys[i], values[i]
                return
            for i in range(start, len(keys)):
                yield keys[i], values[i]
            path = self.next_leaf(path, walked)

    # -- changing

    def make_path_dirty(self, path: Path) -> None:
        """Copy-on-write: every node of the path becomes dirty and hangs on its parent."""
        if path[-1][0].block == 0:
            return
        parent: Node | None = None
        parent_index = 0
        for node, index in path:
            if node.block:
                self.store.make_dirty(node)
                if parent is None:
                    self.root = node
                else:
                    parent.values[parent_index] = node
            parent, parent_index = node, index

    def insert(self, key: int, value: object) -> None:
        """Add an entry behind those with equal keys."""
        path: Path = []
        node = self.root_node()
        if node is None:
            self.root = self.store.new_node(self.kind, 0, [key], [value])
            return
        while node.level:
            i = bisect_right(node.keys, key, 1) - 1
            path.append((node, i))
            node = self.child(node, i)
        i = bisect_right(node.keys, key)
        path.append((node, i))
        self.make_path_dirty(path)
        node.keys.insert(i, key)
        node.values.insert(i, value)
        if len(node.keys) > self.store.capacity(self.kind, 0):
            self.split(path)

    def split(self, path: Path) -> None:
        """Split the overfull node at the end of ``path``, and its ancestors as far as they
        overflow.
        """
        while True:
            node, index = path.pop()
            # An entry added at the end belongs to an ascending run: leave the left node full.
            at = len(node.keys) - 1 if index == len(node.keys) - 1 else len(node.keys) // 2
            right = self.store.new_node(node.kind, node.level, node.keys[at:], node.values[at:])
            del node.keys[at:]
            del node.values[at:]
            separator = right.keys[0]
            if not path:
                if node.level == LEVEL_MAX:
                    raise DamageError(self.kind.name, 0, "tree higher than 15 levels")
                keys = [0, separator]
                self.root = self.store.new_node(self.kind, node.level + 1, keys, [node, right])
                return
            parent, i = path[-1]
            if i == 0:
                # The first separator may be above what the first child has come to cover.
                parent.keys[0] = min(parent.keys[0], node.keys[0])
            parent.keys.insert(i + 1, separator)
            parent.values.insert(i + 1, right)
            path[-1] = (parent, i + 1)
            if len(parent.keys) <= self.store.capacity(self.kind, parent.level):
                return

    def delete(self, path: Path) -> None:
        """Remove the entry that ``path`` (of ``lower_bound``) ends at; merge nodes that became
        small.
        """
        self.make_path_dirty(path)
        leaf, i = path[-1]
        del leaf.keys[i]
        del leaf.values[i]
        self.shrink(path)

    def shrink(self, path: Path, *, may_merge: bool = True) -> None:
        """Restore the tree's shape after an entry left the node at the end of ``path``."""
        while len(path) > 1:
            node, _ = path.pop()
            parent, i = path[-1]
            if not node.keys:
                self.store.discard(node)
                del parent.keys[i]
                del parent.values[i]
                continue
            capacity = self.store.capacity(self.kind, node.level)
            if len(node.keys) > capacity // 3 or not may_merge:
                break
            if not self.merge(parent, i, capacity):
                break
        self.collapse_root()

    def merge(self, parent: Node, index: int, capacity: int) -> bool:
        """Join the child at ``index`` with a sibling if both fit in one node; whether it did."""
        left_index = index - 1 if index else index
        if left_index + 1 >= len(parent.keys):
            return False
        left, right = self.child(parent, left_index), self.child(parent, left_index + 1)
        if len(left.keys) + len(right.keys) > capacity:
            return False
        if left.block:
            self.store.make_dirty(left)
            parent.values[left_index] = left
        first = len(left.keys)
        left.keys += right.keys
        left.values += right.values
        if left.level:
            left.keys[first] = parent.keys[left_index + 1]
        self.store.discard(right)
        del parent.keys[left_index + 1]
        del parent.values[left_index + 1]
        return True

    def collapse_root(self) -> None:
        """Drop roots with a single child, and an empty leaf (the free tree keeps its last leaf)."""
        root = self.root
        while type(root) is Node and root.level and len(root.keys) == 1:
            self.store.discard(root)
            root = self.root = root.values[0]
        if type(root) is Node and not root.keys and not root.level:
            self.store.discard(root)
            self.root = 0

    def dirty_nodes(self) -> Iterator[Node]:
        """The dirty nodes, children before their parents."""
        if type(self.root) is Node and not self.root.block:
            yield from _dirty_below(self.root)

    def clear(self) -> None:
        """Give up every node of the tree."""
        root = self.root_node()
        if root is not None:
            self.discard_below(root)
        self.root = 0

    def discard_below(self, node: Node) -> None:
        """Give up ``node`` and everything under it."""
        if node.level:
            for i in range(len(node.keys)):
                self.discard_below(self.child(node, i))
        self.store.discard(node)


def _dirty_below(node: Node) -> Iterator[Node]:
    if node.level:
        for child in node.values:
            if type(child) is Node:
                yield from _dirty_below(child)
    yield node
