"""What is proved of the nodes of a B+tree: order is kept, nothing is lost, separators are right.
Any keys, any fan-out up to the real one.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import z3

from watosfs.wfs3 import btree
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.tree_world import Entries, Forest, TreeNode

BOUND = "any keys, nodes of 3 to 254 entries"


def _prove_split(
    forest: Forest, was: Entries, entry: z3.ArithRef, left: TreeNode, right: TreeNode, name: str
) -> Any:
    """``was``, which ``entry`` made overfull, is in left and right, in order, and both are nodes;
    the separator.
    """
    path = forest.path
    j = path.integer("j", is_input=False)
    at = left.keys.length
    path.prove(f"{name}: no entry is lost or made", at + right.keys.length == was.length)
    key, value = was[j]
    inside = j < was.length
    forest.prove_entry(left, j, (key, value), z3.And(inside, j < at), f"{name}: left is the first")
    forest.prove_entry(
        right, j - at, (key, value), z3.And(inside, j >= at), f"{name}: right is the rest"
    )
    for node, side in ((left, "left"), (right, "right")):
        forest.prove_ordered(node, f"{name}, {side}")
        forest.prove_size(node, f"{name}, {side}")
    cut = z3.If(entry == was.length - 1, was.length - 1, was.length / 2)
    path.prove(f"{name}: in the middle, but behind an ascending run", at == cut)
    separator = right.keys.read(z3.IntVal(0))
    forest.prove_within(left, f"{name}, left", high=lambda key: forest.before(key, separator))
    path.prove(f"{name}: levels agree", left.level == right.level)
    return separator


def _with_child(
    was: Entries, at: z3.ArithRef, least: z3.ArithRef, separator: z3.ArithRef, right: TreeNode
) -> Entries:
    """The entries of a parent with the new child put in behind index ``at``."""
    after = object.__new__(Entries)
    after.keys, after.values = was.keys.copy(), was.values.copy()
    first = was.keys.read(z3.IntVal(0))
    after.keys[0] = SymInt(z3.If(z3.And(at == 0, least < first), least, first))
    after.keys.insert(SymInt(at + 1), SymInt(separator))
    after.values.insert(SymInt(at + 1), right)
    return after


def _split(path: Path, module: ModuleType) -> str:
    """An overfull node on a path of one or two nodes, the upper of them full or not."""
    forest = Forest(path, module)
    leaf = forest.node("leaf", 0)
    path.assume(leaf.keys.length == forest.capacity_of + 1)
    entry = path.integer("entry_index")
    path.assume(entry < leaf.keys.length)
    was = Entries(leaf)
    way: list[tuple[TreeNode, SymInt]] = []
    if path.decide(path.boolean("root_is_leaf")):
        forest.tree.root = leaf
        forest.tree.split([(leaf, SymInt(entry))])
        right, root = forest.new
        separator = _prove_split(forest, was, entry, leaf, right, "leaf")
        _prove_root(forest, root, leaf, right, separator)
        return "new root"
    parent = forest.node("parent", 1)
    path.assume(parent.keys.length <= forest.capacity_of)
    forest.tree.root = parent
    at = forest.place(leaf, parent, "leaf")
    above = Entries(parent)
    low, high = parent.keys.read(at), parent.keys.read(at + 1)
    is_first, is_last = at == 0, at + 1 == parent.keys.length
    way = [(parent, SymInt(at)), (leaf, SymInt(entry))]
    forest.tree.split(way)
    right = forest.new[0]
    separator = _prove_split(forest, was, entry, leaf, right, "leaf")
    forest.prove_within(leaf, "leaf, left", low=lambda key: z3.Or(is_first, key >= low))
    forest.prove_within(
        right, "leaf, right", high=lambda key: z3.Or(is_last, forest.before(key, high))
    )
    path.prove("the parent's capacity", forest.levels[:1] == [1])
    now = _with_child(above, at, leaf.keys.read(z3.IntVal(0)), separator, right)
    is_overfull = now.length > forest.capacity_of
    path.prove("the parent splits exactly when it is too full", is_overfull == (
        len(forest.new) > 1))  # fmt: skip
    if len(forest.new) == 1:
        path.prove("the root stays", forest.tree.root is parent)
        forest.prove_ordered(parent, "parent")
        forest.prove_size(parent, "parent")
        j = path.integer("j", is_input=False)
        path.prove("parent: one child more", parent.keys.length == above.length + 1)
        forest.prove_entry(
            parent, j, now[j], j < now.length, "parent: the child is behind its left"
        )
        return "parent has room"
    _, aside, root = forest.new
    upper = _prove_split(forest, now, at + 1, parent, aside, "parent")
    _prove_root(forest, root, parent, aside, upper)
    return "parent splits"


def _prove_root(
    forest: Forest, root: Any, left: TreeNode, right: TreeNode, separator: z3.ArithRef
) -> None:
    path = forest.path
    path.prove("the tree grows at the root", forest.tree.root is root)
    path.prove("one level higher", root.level == left.level + 1)
    path.prove("with both children", root.values[0] is left and root.values[1] is right)
    path.prove("and nothing else", len(root.values) == len(root.keys) == 2)
    first, second = root.keys
    path.prove("the separator is the first key on the right", term(second) == separator)
    within = z3.And(term(first) >= 0, term(first) <= separator)
    path.prove("the first separator is a word, and not above", within)


def _merge(path: Path, module: ModuleType) -> str:
    forest = Forest(path, module)
    level = 1 if path.decide(path.boolean("internal")) else 0
    parent, left, right = (
        forest.node("parent", level + 1), forest.node("left", level), forest.node("right", level)
    )  # fmt: skip
    at = path.integer("index")
    path.assume(at < parent.keys.length)
    left_at = z3.If(at == 0, 0, at - 1)
    separator = parent.keys.read(left_at + 1)
    _separated(forest, left, right, separator)
    left.block = SymInt(path.integer("left_block"))
    above, one, other = Entries(parent), Entries(left), Entries(right)
    asked: list[z3.ArithRef] = []

    def child(node: TreeNode, index: Any) -> TreeNode:
        asked.append(term(index))
        there = z3.And(term(index) >= 0, term(index) < parent.keys.length)
        path.prove("children of the parent", z3.And(node is parent, there))
        return left if len(asked) == 1 else right

    forest.tree.child = child
    was_clean = term(left.block) != 0
    merged = forest.tree.merge(parent, SymInt(at), SymInt(forest.capacity_of))
    path.prove("says whether it merged", type(merged) is bool)
    for index, expected in zip(asked, (left_at, left_at + 1), strict=False):
        path.prove("two neighbours, one of them the small one", index == expected)
    total = one.length + other.length
    j = path.integer("j", is_input=False)
    if not merged:
        fits = z3.And(left_at + 1 < above.length, total <= forest.capacity_of)
        path.prove("refuses only without a sibling, or when both do not fit", z3.Not(fits))
        for node, was in ((parent, above), (left, one), (right, other)):
            path.prove("refused, nothing changes", node.keys.length == was.length)
            forest.prove_entry(node, j, was[j], j < was.length, "refused, nothing changes")
        path.prove("refused, nothing is discarded", forest.discarded == [] == forest.dirtied)
        return "refused"
    path.prove("no entry is lost or made", left.keys.length == total)
    forest.prove_entry(left, j, one[j], j < one.length, "first those of the left")
    key, value = other[j - one.length]
    if level:
        key = z3.If(j == one.length, separator, key)
    behind = z3.And(j >= one.length, j < total)
    forest.prove_entry(left, j, (key, value), behind, "then those of the right")
    forest.prove_ordered(left, "merged")
    forest.prove_size(left, "merged")
    path.prove("the right one is discarded, once", [n is right for n in forest.discarded] == [True])
    path.prove("a clean left one becomes dirty", was_clean == (forest.dirtied != []))
    path.prove("once, and no other", [n is left for n in forest.dirtied] in ([], [True]))
    path.prove("one child less", parent.keys.length == above.length - 1)
    shifted = z3.If(j <= left_at, j, j + 1)
    key, value = above[shifted]
    value = z3.If(z3.And(j == left_at, was_clean), left.term, value)
    inside = j < parent.keys.length
    forest.prove_entry(parent, j, (key, value), inside, "the parent keeps the others")
    forest.prove_ordered(parent, "parent")
    return "merged"


def _separated(forest: Forest, left: TreeNode, right: TreeNode, separator: z3.ArithRef) -> None:
    """What the parent's separator says of two neighbours; the first key of an internal node is not
    looked at.
    """
    facts = forest.facts[id(left)]
    keys, count = left.keys.read, left.keys.length
    facts.every(lambda k: z3.Implies(z3.And(k >= 0, k < count), forest.before(keys(k), separator)))
    least = 1 if right.level else 0
    others, length = right.keys.read, right.keys.length
    order = forest.before if right.level else lambda a, b: a <= b
    forest.facts[id(right)].every(
        lambda k: z3.Implies(z3.And(k >= least, k < length), order(separator, others(k)))
    )


Check = Callable[[Path, ModuleType], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "split": (_split, "nothing lost, separators right", f"{BOUND}, paths of 1 and 2 nodes",
              ("new root", "parent has room", "parent splits")),
    "merge": (_merge, "nothing lost, separators right", BOUND, ("merged", "refused")),
}  # fmt: skip


def tree_obligations(module: ModuleType = btree) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, module)

    return [
        Obligation(f"btree.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
