"""What is proved of a B+tree that loses entries: empty nodes and needless roots go, and no more."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import z3

from watosfs.wfs3 import btree
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.tree_world import Entries, Forest, TreeNode

LEVELS_MAX = 2


def _shrink(path: Path, module: ModuleType) -> str:
    """A leaf from which an entry left, under a root."""
    forest = Forest(path, module)
    parent, leaf = forest.node("parent", 1), forest.node("leaf", 0, at_least=0)
    at = path.integer("leaf_index")
    path.assume(at < parent.keys.length)
    above, tree = Entries(parent), forest.tree
    tree.root = parent
    merges: list[tuple[TreeNode, Any]] = []
    collapsed: list[object] = []
    can_merge, may_merge = path.decide(path.boolean("fits")), path.decide(path.boolean("may_merge"))

    def merge(node: TreeNode, index: Any, capacity: object) -> bool:
        merges.append((node, index))
        return can_merge

    tree.merge = merge
    tree.collapse_root = lambda: collapsed.append(tree.root)
    tree.shrink([(parent, SymInt(at)), (leaf, SymInt(z3.IntVal(0)))], may_merge=may_merge)
    path.prove("the root is looked at last, once", len(collapsed) == 1)
    small = leaf.keys.length <= forest.capacity_of / 3
    empty = path.decide(leaf.keys.length == 0)
    path.prove("merges a node that became small, when it may", z3.And(
        small, may_merge, not empty) == (merges != []))  # fmt: skip
    for node, index in merges:
        path.prove("merges it at its index", z3.And(node is parent, term(index) == at))
    path.prove(
        "an empty node is discarded", [n is leaf for n in forest.discarded] == [True] * empty
    )
    j = path.integer("j", is_input=False)
    moved = z3.If(j < at, j, j + 1) if empty else j
    inside = j < parent.keys.length
    path.prove("and nothing else", parent.keys.length == above.length - (1 if empty else 0))
    forest.prove_entry(parent, j, above[moved], inside, "the parent keeps the others")
    return "emptied" if empty else "merged" if merges else "kept"


def _collapse(path: Path, module: ModuleType) -> str:
    """A root with one child, or an empty leaf."""
    forest = Forest(path, module)
    tree, leaf = forest.tree, forest.node("leaf", 0, at_least=0)
    tree.root = leaf
    uppers: list[TreeNode] = []
    for level in range(1, LEVELS_MAX + 1):
        if path.decide(path.boolean(f"one_child_{level}")):
            upper = TreeNode(-100 - level, level, [0], [tree.root], forest.kind)
            uppers.insert(0, upper)
            tree.root = upper
    tree.collapse_root()
    empty = path.decide(leaf.keys.length == 0)
    gone = [*uppers, *([leaf] if empty else [])]
    same = [a is b for a, b in zip(forest.discarded, gone, strict=False)]
    path.prove("exactly the nodes that go are discarded, once", same == [True] * len(gone)
               and len(forest.discarded) == len(gone))  # fmt: skip
    path.prove("the leaf is the root, if it holds anything",
               tree.root == 0 if empty else tree.root is leaf)  # fmt: skip
    return "empty" if empty else "leaf"


Check = Callable[[Path, ModuleType], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "shrink": (_shrink, "an empty node leaves its parent", "any node, a path of 2 nodes",
               ("emptied", "merged", "kept")),
    "collapse_root": (_collapse, "a root has two children", f"{LEVELS_MAX} levels",
                      ("empty", "leaf")),
}  # fmt: skip


def tree_shape_obligations(module: ModuleType = btree) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, module)

    return [
        Obligation(f"tree_shape.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
