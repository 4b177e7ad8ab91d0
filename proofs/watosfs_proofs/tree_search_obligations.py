"""What is proved of searching a B+tree and of what goes into it: the child whose separators enclose
the key, its place in the leaf. Any keys, any fan-out up to the real one.
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

BOUND = "any keys, nodes of 3 to 254 entries, paths of 1 and 2 nodes"
BLOCK, NEWEST = 7, 99


def _insert_first(path: Path, forest: Forest) -> str:
    """Into an empty tree."""
    key, value, tree = SymInt(path.integer("key")), SymInt(path.integer("value")), forest.tree
    path.prove("an empty tree has no root", tree.root_node() is None)
    path.prove("and no entry", tree.get(key) is None)
    tree.insert(key, value)
    path.prove("a new root, a leaf", [tree.root is n for n in forest.new] == [True])
    root = tree.root
    path.prove("with this entry", root.level == 0 and root.keys == [key] and root.values == [value])
    return "first"


def _insert(path: Path, module: ModuleType) -> str:
    """Into an empty tree, or a leaf that is the root, or hangs on it."""
    forest = Forest(path, module)
    if path.decide(path.boolean("empty")):
        return _insert_first(path, forest)
    leaf = forest.node("leaf", 0)
    path.assume(leaf.keys.length <= forest.capacity_of)
    key, value = path.integer("key"), path.integer("value")
    was, tree = Entries(leaf), forest.tree
    parent = forest.node("parent", 1) if path.decide(path.boolean("has_parent")) else None
    tree.root = leaf if parent is None else parent
    asked: list[z3.ArithRef] = []
    tree.child = _answering(path, parent, leaf, asked)
    dirty: list[tuple[int, list[Any]]] = []
    full: list[Any] = []
    tree.make_path_dirty = lambda way: dirty.append((len(dirty), [*way, leaf.keys.length]))
    tree.split = lambda way: full.append([*way, leaf.values.length])
    keys, length = was.keys.read, was.length
    forest.facts[id(leaf)].every(
        lambda k: z3.Implies(z3.And(forest.is_unique, k >= 0, k < length), keys(k) != key)
    )
    tree.insert(SymInt(key), SymInt(value))
    _prove_chosen(forest, parent, asked, key)
    j, at = path.integer("j", is_input=False), path.integer("at", is_input=False)
    path.prove("one entry more", leaf.keys.length == was.length + 1)
    forest.prove_ordered(leaf, "leaf")
    # Behind equal keys: the place is where the keys stop being at most the new one.
    path.assume(z3.And(at <= was.length, z3.Or(at == 0, was.keys.read(at - 1) <= key)))
    path.assume(z3.Or(at == was.length, was.keys.read(at) > key))
    path.prove("the path is made dirty once", len(dirty) == 1)
    ((_, before),) = dirty
    _prove_way(path, before, [(parent, asked[0] if asked else None), (leaf, at)], was.length)
    expected = [z3.If(j < at, a, b) for a, b in zip(was[j], was[j - 1], strict=True)]
    elsewhere = z3.And(j < leaf.keys.length, j != at)
    forest.prove_entry(leaf, j, (expected[0], expected[1]), elsewhere, "the others stay")
    here = path.decide(j == at)
    if here:
        forest.prove_entry(leaf, j, (key, value), z3.BoolVal(True), "behind equal keys")
    overfull = leaf.keys.length > forest.capacity_of
    path.prove("split exactly when it is too full", overfull == bool(full))
    path.prove("a leaf's capacity", forest.levels == [0])
    for way in full:
        nodes = [(parent, asked[0] if asked else None), (leaf, at)]
        _prove_way(path, way, nodes, was.length + 1)
    return "split" if full else "inserted"


def _prove_way(
    path: Path, way: list[Any], expected: list[tuple[Any, Any]], length: z3.ArithRef
) -> None:
    """The path from the root down, given when the leaf had so many entries."""
    *steps, seen = way
    wanted = [(node, index) for node, index in expected if node is not None]
    path.prove("the nodes from the root down", [
        node is other for (node, _), (other, _) in zip(steps, wanted, strict=False)
    ] == [True] * len(wanted) and len(steps) == len(wanted))  # fmt: skip
    for (_, index), (_, right) in zip(steps, wanted, strict=True):
        path.prove("each with the index taken in it", term(index) == right)
    path.prove("before the leaf changes, and split after", seen == length)


def _answering(
    path: Path, parent: TreeNode | None, child: TreeNode, asked: list[z3.ArithRef]
) -> Callable[[TreeNode, Any], TreeNode]:
    """In place of ``child``: notes which index is asked for."""

    def answer(node: TreeNode, index: Any) -> TreeNode:
        path.prove("a child of the node that was reached", node is parent)
        asked.append(term(index))
        return child

    return answer


def _prove_chosen(
    forest: Forest, parent: TreeNode | None, asked: list[z3.ArithRef], key: z3.ArithRef
) -> None:
    """The child taken is the one whose separators enclose the key."""
    if parent is None:
        return
    separators, length = parent.keys.read, parent.keys.length
    (index,) = asked
    forest.facts[id(parent)].touch(index + 1)
    forest.path.prove("the last child whose separator is not above", z3.And(
        index >= 0, index < length, z3.Or(index == 0, separators(index) <= key),
        z3.Or(index + 1 == length, separators(index + 1) > key)))  # fmt: skip


def _get(path: Path, module: ModuleType) -> str:
    """Of a unique key."""
    forest = Forest(path, module)
    path.assume(forest.is_unique)
    leaf = forest.node("leaf", 0)
    parent = forest.node("parent", 1) if path.decide(path.boolean("has_parent")) else None
    tree, key = forest.tree, path.integer("key")
    asked: list[z3.ArithRef] = []
    tree.root = leaf if parent is None else parent
    tree.child = _answering(path, parent, leaf, asked)
    found = tree.get(SymInt(key))
    _prove_chosen(forest, parent, asked, key)
    j = path.integer("j", is_input=False)
    at_j = z3.And(j < leaf.keys.length, leaf.keys.read(j) == key)
    if found is None:
        path.prove("none only when the key is not there", z3.Not(at_j))
        return "none"
    keys, length = leaf.keys.read, leaf.keys.length
    seen = list(forest.facts[id(leaf)].near())
    there = z3.Or(*(z3.And(k >= 0, k < length, keys(k) == key) for k in seen))
    path.prove("found only when the key is there", there)
    path.prove("the value of the key", z3.Implies(at_j, term(found) == leaf.values.read(j)))
    return "found"


def _root(path: Path, module: ModuleType) -> str:
    """A root in memory, on disk, none."""
    forest = Forest(path, module)
    tree, asked = forest.tree, list[tuple[object, ...]]()
    leaf = forest.node("leaf", 0)

    def read(*given: object) -> TreeNode:
        asked.append(given)
        return leaf

    tree.store.read, tree.store.generation_max = read, NEWEST
    tree.root = leaf
    path.prove("a root in memory is the root", tree.root_node() is leaf and asked == [])
    tree.root = 0
    path.prove("block 0 is no root", tree.root_node() is None and asked == [])
    for block in (1, BLOCK):
        tree.root = block
        path.prove("a root on disk is read", tree.root_node() is leaf)
        path.prove("at any level, of any generation that there is", asked[-1] == (
            block, forest.kind, None, NEWEST))  # fmt: skip
    return "read"


Check = Callable[[Path, ModuleType], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "insert": (_insert, "behind equal keys, in order", BOUND, ("inserted", "split", "first")),
    "get": (_get, "the value of a key", BOUND, ("found", "none")),
    "root_node": (_root, "the root, wherever it is", "any leaf", ("read",)),
}


def tree_search_obligations(module: ModuleType = btree) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, module)

    return [
        Obligation(f"tree_search.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
