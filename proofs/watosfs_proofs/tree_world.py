"""Nodes of any fan-out with any keys, around the production ``BTree``.

What a tree keeps: the keys of a node ascend (strictly in trees whose keys are unique); a child's
keys lie between its separator, which for the first child is not looked at, and the next one.
"""

from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.wfs3 import btree
from watosfs_proofs.binding import bind
from watosfs_proofs.executor import Path
from watosfs_proofs.lists import Facts, SymList, stated, stated_of_two
from watosfs_proofs.symbolic import SymInt


class TreeNode(SymInt):
    """A node, which as a value of its parent is told by a number. ``level`` and ``kind`` are
    plain.
    """

    __slots__ = ("block", "keys", "kind", "level", "values")

    def __init__(self, number: int, level: int, keys: Any, values: Any, kind: object) -> None:
        super().__init__(z3.IntVal(number))
        self.level, self.keys, self.values, self.kind = level, keys, values, kind
        self.block: Any = 0


class Entries:
    """The entries of a node as they are now: what is proved later is compared with them."""

    def __init__(self, node: TreeNode) -> None:
        self.keys: SymList = node.keys.copy()
        self.values: SymList = node.values.copy()

    @property
    def length(self) -> z3.ArithRef:
        """How many."""
        return self.keys.length

    def __getitem__(self, j: z3.ArithRef) -> tuple[z3.ArithRef, z3.ArithRef]:
        return self.keys.read(j), self.values.read(j)


class Forest:
    """Makes nodes, and stands in for the store."""

    def __init__(self, path: Path, module: ModuleType = btree) -> None:
        self.path = path
        self.is_unique = path.boolean("unique_keys")
        self.facts: dict[int, Facts] = {}
        self.made: list[TreeNode] = []
        self.new: list[TreeNode] = []
        self.discarded: list[Any] = []
        self.dirtied: list[Any] = []
        self.capacity_of = path.integer("capacity")
        path.assume(z3.And(self.capacity_of >= 3, self.capacity_of <= 254))
        self.kind = SimpleNamespace(name="tree")
        tree: Any = object.__new__(bind(module, {"Node": TreeNode}).BTree)
        tree.kind, tree.root = self.kind, 0
        tree.store = SimpleNamespace(
            new_node=self.new_node,
            discard=self.discarded.append,
            make_dirty=self.make_dirty,
            capacity=self.capacity,
        )
        self.levels: list[Any] = []
        self.tree = tree

    def node(self, name: str, level: int, at_least: int = 1) -> TreeNode:
        """Any node of at most the capacity and one entry more."""
        path, facts = self.path, Facts(self.path)
        length = path.integer(f"{name}_length")
        path.assume(z3.And(length >= at_least, length <= self.capacity_of + 1))
        keys = SymList.arbitrary(facts, f"{name}_keys", length)
        values = SymList.arbitrary(facts, f"{name}_values", length)
        read = z3.Function(f"{name}_keys", z3.IntSort(), z3.IntSort())
        facts.every_two(
            stated_of_two(
                lambda j, k: z3.Implies(
                    z3.And(j >= 0, j < k, k < length), self.before(read(j), read(k))
                )
            )
        )
        facts.every(stated(lambda j: z3.And(read(j) >= 0, read(j) < 1 << 64)))
        facts.touch(z3.IntVal(0))
        facts.touch(length - 1)
        node = TreeNode(-1 - len(self.made), level, keys, values, self.kind)
        self.facts[id(node)] = facts
        self.made.append(node)
        return node

    def make_dirty(self, node: TreeNode) -> None:
        """The store's: the node gives up its block."""
        node.block = 0
        self.dirtied.append(node)

    def capacity(self, kind: object, level: int) -> SymInt:
        """The store's."""
        self.path.prove("the capacity of the tree's kind", kind is self.kind)
        self.levels.append(level)
        return SymInt(self.capacity_of)

    def new_node(self, kind: object, level: int, keys: Any, values: Any) -> TreeNode:
        """The store's."""
        self.path.prove("of the tree's kind", kind is self.kind)
        node = TreeNode(-1 - len(self.made), level, keys, values, kind)
        self.made.append(node)
        self.new.append(node)
        return node

    def before(self, some: z3.ArithRef, other: z3.ArithRef) -> z3.BoolRef:
        """The order of neighbours."""
        return z3.And(some <= other, z3.Implies(self.is_unique, some != other))

    def place(self, child: TreeNode, parent: TreeNode, name: str) -> z3.ArithRef:
        """Let ``child`` hang on some index of ``parent``, within its separators; the index."""
        path = self.path
        at = path.integer(f"{name}_index")
        length, separators, values = parent.keys.length, parent.keys.read, parent.values.read
        path.assume(z3.And(at < length, values(at) == child.term))
        self.facts[id(parent)].touch(at + 1)
        keys, count = child.keys.read, child.keys.length
        low, high = separators(at), separators(at + 1)
        is_first, is_last = at == 0, at + 1 == length

        def within(k: z3.ArithRef) -> z3.BoolRef:
            is_key = z3.And(k >= 0, k < count)
            above = z3.Or(is_first, keys(k) >= low)
            below = z3.Or(is_last, self.before(keys(k), high))
            return z3.Implies(is_key, z3.And(above, below))

        self.facts[id(child)].every(within)
        return at

    # Goals.

    def prove_ordered(self, node: TreeNode, name: str) -> None:
        """The keys ascend, and there are as many values."""
        path = self.path
        j, k = path.integer("p", is_input=False), path.integer("q", is_input=False)
        length = node.keys.length
        path.prove(f"{name}: as many values as keys", node.values.length == length)
        goal = self.before(node.keys.read(j), node.keys.read(k))
        path.prove(f"{name}: keys ascend", z3.Implies(z3.And(j < k, k < length), goal))

    def prove_size(self, node: TreeNode, name: str) -> None:
        """Not empty, and at most the capacity."""
        length = node.keys.length
        goal = z3.And(length >= 1, length <= self.capacity_of)
        self.path.prove(f"{name}: holds some entry, and no more than fit", goal)

    def prove_within(self, node: TreeNode, name: str, low: Any = False, high: Any = False) -> None:
        """Of an arbitrary key: what ``low`` says of it, and ``high``."""
        k = self.path.integer("k", is_input=False)
        key = node.keys.read(k)
        goals = z3.And(*(bound(key) for bound in (low, high) if bound))
        goal = z3.Implies(k < node.keys.length, goals)
        self.path.prove(f"{name}: keys lie within the separators", goal)

    def prove_entry(
        self, node: TreeNode, j: z3.ArithRef, expected: tuple[Any, Any], when: z3.BoolRef, name: str
    ) -> None:
        """Entry j of the node is as expected."""
        key, value = expected
        same = z3.And(node.keys.read(j) == key, node.values.read(j) == value)
        self.path.prove(name, z3.Implies(when, same))
