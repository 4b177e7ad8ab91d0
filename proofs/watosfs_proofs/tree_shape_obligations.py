"""What is proved of a B+tree that loses entries: empty nodes and needless roots go, and no more."""

from collections.abc import Callable
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.errors import DamageError
from watosfs.wfs3 import btree
from watosfs.wfs3.node import LEVEL_MAX
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.tree_world import Entries, Forest, TreeNode

LEVELS_MAX, FAN_OUT, BLOCK = 2, 3, 77


class _Above:
    """Stands in for what ``shrink`` calls, and notes it."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.can_merge = forest.path.decide(forest.path.boolean("fits"))
        self.merges: list[tuple[TreeNode, Any]] = []
        self.collapsed: list[tuple[object, int, int]] = []
        forest.tree.merge, forest.tree.collapse_root = self.merge, self.collapse

    def merge(self, node: TreeNode, index: Any, capacity: object) -> bool:
        """As ``merge`` says."""
        self.forest.path.prove("as many as fit", term(capacity) == self.forest.capacity_of)
        self.merges.append((node, index))
        return self.can_merge

    def collapse(self) -> None:
        """After everything else."""
        done = len(self.merges), len(self.forest.discarded)
        self.collapsed.append((self.forest.tree.root, *done))


def _shrink(path: Path, module: ModuleType) -> str:
    """A leaf from which an entry left, under a root, or under a node below a root."""
    forest = Forest(path, module)
    parent, leaf = forest.node("parent", 1), forest.node("leaf", 0, at_least=0)
    at, tree, above = path.integer("leaf_index"), forest.tree, Entries(parent)
    path.assume(at < parent.keys.length)
    way, root = [(parent, SymInt(at)), (leaf, SymInt(z3.IntVal(0)))], None
    if path.decide(path.boolean("three_levels")):
        root, root_at = forest.node("root", 2), path.integer("parent_index")
        path.assume(root_at < root.keys.length)
        over = Entries(root)
        way.insert(0, (root, SymInt(root_at)))
    tree.root = way[0][0]
    calls, may_merge = _Above(forest), path.decide(path.boolean("may_merge"))
    tree.shrink(way, **({} if may_merge else {"may_merge": False}))
    path.prove("the root is looked at last, once", calls.collapsed == [
        (tree.root, len(calls.merges), len(forest.discarded))])  # fmt: skip
    empty, merging = _prove_merged(calls, leaf, parent, at, may_merge)
    gone = [leaf] if empty else []
    _prove_left(forest, parent, above, at, empty)
    if root is not None and (empty or (merging and calls.can_merge)):
        empty_above, _ = _prove_merged(calls, parent, root, root_at, may_merge)
        gone += [parent] if empty_above else []
        _prove_left(forest, root, over, root_at, empty_above)
        path.prove("the levels of the nodes that are small", forest.levels == [
            level for level, is_gone in ((0, empty), (1, empty_above)) if not is_gone])  # fmt: skip
    elif root is not None:
        path.prove("the root stays", all(node is not root for node, _ in calls.merges))
        _prove_left(forest, root, over, root_at, False)
    path.prove("exactly the empty nodes are discarded", len(forest.discarded) == len(gone)
               and all(a is b for a, b in zip(forest.discarded, gone, strict=True)))  # fmt: skip
    return "emptied" if empty else "merged" if merging else "kept"


def _prove_merged(
    calls: _Above, node: TreeNode, parent: TreeNode, at: z3.ArithRef, may_merge: bool
) -> tuple[bool, bool]:
    """Whether the node is empty; whether it was merged with a sibling, as it is when small."""
    path = calls.forest.path
    small = node.keys.length <= calls.forest.capacity_of / 3
    empty = path.decide(node.keys.length == 0)
    mine = [index for above, index in calls.merges if above is parent]
    path.prove("merges a node that became small, when it may", z3.And(
        small, may_merge, not empty) == (len(mine) == 1))  # fmt: skip
    path.prove("once at most", len(mine) <= 1)
    for index in mine:
        path.prove("merges it at its index", term(index) == at)
    return empty, bool(mine)


def _prove_left(
    forest: Forest, parent: TreeNode, above: Entries, at: z3.ArithRef, empty: bool
) -> None:
    """The parent has lost the entry at an index, if its child is empty, and nothing else."""
    j = forest.path.integer("j", is_input=False)
    moved = z3.If(j < at, j, j + 1) if empty else j
    left = above.length - (1 if empty else 0)
    forest.path.prove("one child less if it is empty", parent.keys.length == left)
    same = j < parent.keys.length
    forest.prove_entry(parent, j, above[moved], same, "the parent keeps the others")


def _collapse(path: Path, module: ModuleType) -> str:
    """A root with one child or two, an empty leaf, a child on disk."""
    forest = Forest(path, module)
    tree, leaf = forest.tree, forest.node("leaf", 0, at_least=0)
    in_memory = path.decide(path.boolean("in_memory"))
    tree.root = leaf if in_memory else BLOCK
    uppers: list[TreeNode] = []
    for level in range(1, LEVELS_MAX + 1):
        if path.decide(path.boolean(f"one_child_{level}")):
            upper = TreeNode(-100 - level, level, [0], [tree.root], forest.kind)
            uppers.insert(0, upper)
            tree.root = upper
    bottom, two = leaf if in_memory else BLOCK, path.decide(path.boolean("two_children"))
    if two:
        bottom = TreeNode(-200, LEVELS_MAX + 1, [0, 5], [tree.root, BLOCK], forest.kind)
        tree.root, uppers = bottom, []
    tree.collapse_root()
    empty = not two and in_memory and path.decide(leaf.keys.length == 0)
    gone = [*uppers, *([leaf] if empty else [])]
    same = [a is b for a, b in zip(forest.discarded, gone, strict=False)]
    path.prove("exactly the nodes that go are discarded, once", same == [True] * len(gone)
               and len(forest.discarded) == len(gone))  # fmt: skip
    path.prove("what holds anything, or has two children, is the root",
               tree.root == 0 if empty else tree.root is bottom)  # fmt: skip
    return "empty" if empty else "kept" if two else "leaf"


class _Node:
    """A node with known keys."""

    def __init__(self, kind: object, level: int, keys: list[int], values: list[Any]) -> None:
        self.kind, self.level, self.keys, self.values = kind, level, keys, values


def _deep(path: Path, module: ModuleType) -> str:
    """Splits that go on to the root, by running the code on every path of four full nodes."""
    right = dict.fromkeys(("nothing is lost", "no node is overfull", "separators are right",
                           "a root of the highest level is not split"), True)  # fmt: skip
    kind = SimpleNamespace(name="tree")
    store = SimpleNamespace(new_node=_Node, capacity=lambda kind, level: FAN_OUT)
    for indexes in product(range(FAN_OUT), range(FAN_OUT), range(FAN_OUT), range(FAN_OUT + 1)):
        for highest in (4, LEVEL_MAX + 1):
            way = _full_path(kind, indexes, highest)
            tree: Any = object.__new__(module.BTree)
            tree.store, tree.kind, tree.root = store, kind, way[0][0]
            entries = _entries(tree.root)
            try:
                tree.split(way)
            except DamageError as damage:
                said = damage.structure, damage.block, damage.problem
                is_right = said == ("tree", 0, "tree higher than 15 levels") and highest > 4
                right["a root of the highest level is not split"] &= is_right
                continue
            right["a root of the highest level is not split"] &= highest == 4
            right["nothing is lost"] &= _entries(tree.root) == entries
            sound = _sound(tree.root, -1, 1 << 64)
            right["no node is overfull"] &= sound[0]
            right["separators are right"] &= sound[1] and tree.root.level == highest
    for name, holds in right.items():
        path.prove(name, holds)
    return "run"


def _full_path(kind: object, indexes: tuple[int, ...], highest: int) -> list[tuple[_Node, int]]:
    """A path of full nodes from the root down, the leaf overfull; keys 10 apart below each."""
    size = FAN_OUT + 1
    low = 10**7
    keys = list(range(low, low + size))
    node = _Node(kind, highest - 4, keys, [f"entry {k}" for k in keys])
    way = [(node, indexes[3])]
    for step, index in enumerate(reversed(indexes[:3])):
        width = 1000 * 10**step
        keys, base = [0] * FAN_OUT, low - index * width
        values: list[Any] = [None] * FAN_OUT
        for i in range(FAN_OUT):
            start = base + i * width
            keys[i] = start
            values[i] = node if i == index else _Node(kind, node.level, [start], [f"at {start}"])
        node, low = _Node(kind, node.level + 1, keys, values), base
        way.insert(0, (node, index))
    return way


def _entries(node: Any) -> list[Any]:
    """All that the leaves hold, in order."""
    if all(isinstance(value, _Node) for value in node.values):
        return [entry for value in node.values for entry in _entries(value)]
    return list(zip(node.keys, node.values, strict=True))


def _sound(node: Any, low: int, high: int) -> tuple[bool, bool]:
    """Whether all nodes below fit; whether their keys lie in [low, high), as separators say."""
    fits, keys = 1 <= len(node.keys) <= FAN_OUT, node.keys
    within = keys == sorted(set(keys)) and all(low <= k < high for k in keys[1:])
    if all(isinstance(value, _Node) for value in node.values):
        bounds = [low, *keys[1:], high]
        for child, start, end in zip(node.values, bounds[:-1], bounds[1:], strict=True):
            below = _sound(child, start, end)
            fits, within = fits and below[0], within and below[1]
    elif keys:
        within &= low <= keys[0]
    return fits, within


Check = Callable[[Path, ModuleType], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "shrink": (_shrink, "an empty node leaves its parent", "any node, paths of 2 and 3 nodes",
               ("emptied", "merged", "kept")),
    "collapse_root": (_collapse, "a root has two children", f"{LEVELS_MAX} levels",
                      ("empty", "leaf", "kept")),
    "split (deep)": (_deep, "splits go on to the root", f"fan-out {FAN_OUT}, 4 levels, by running",
                     ("run",)),
}  # fmt: skip


def tree_shape_obligations(module: ModuleType = btree) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, module)

    return [
        Obligation(f"tree_shape.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
