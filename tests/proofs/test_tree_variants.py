"""Breaking the B+tree refutes its proofs."""

import pytest

from tests.proofs.variants import variant
from watosfs.wfs3 import btree
from watosfs_proofs.binding import bind
from watosfs_proofs.obligation import PROVED, REFUTED, settle
from watosfs_proofs.tree_obligations import tree_obligations
from watosfs_proofs.tree_search_obligations import tree_search_obligations
from watosfs_proofs.tree_shape_obligations import tree_shape_obligations
from watosfs_proofs.tree_world import TreeNode

#: (what is broken, obligation, text, its replacement, which occurrence)
VARIANTS = [
    ("an entry is lost", "split", "node.keys[at:], node.values[at:]",
     "node.keys[at + 1:], node.values[at + 1:]", 0),
    ("an entry is in both", "split", "            del node.keys[at:]\n"
     "            del node.values[at:]",
     "            del node.keys[at + 1:]\n            del node.values[at + 1:]", 0),
    ("keys without values", "split", "            del node.values[at:]\n", "", 0),
    ("nothing to the right", "split", "len(node.keys) - 1 if index ==",
     "len(node.keys) if index ==", 0),
    ("nothing to the left", "split", "len(node.keys) - 1 else len(node.keys) // 2",
     "len(node.keys) - 1 else 0", 0),
    ("the separator is the left's", "split", "separator = right.keys[0]",
     "separator = node.keys[0]", 0),
    ("the separator is the right's last", "split", "separator = right.keys[0]",
     "separator = right.keys[-1]", 0),
    ("the first separator stays above", "split",
     "parent.keys[0] = min(parent.keys[0], node.keys[0])", "pass", 0),
    ("the new child before the old", "split", "parent.values.insert(i + 1, right)",
     "parent.values.insert(i, right)", 0),
    ("the separator one too far left", "split", "parent.keys.insert(i + 1, separator)",
     "parent.keys.insert(i, separator)", 0),
    ("a full parent is left overfull", "split", "len(parent.keys) <= self.store.capacity",
     "len(parent.keys) - 1 <= self.store.capacity", 0),
    ("the root's children change places", "split", "keys, [node, right]", "keys, [right, node]", 0),
    ("the root does not grow", "split", "node.level + 1, keys", "node.level, keys", 0),
    ("the merged are too many", "merge", "> capacity:", "> capacity + 1:", 0),
    ("the merged are refused", "merge", "> capacity:", ">= capacity:", 0),
    ("the right's entries are lost", "merge", "        left.keys += right.keys\n"
     "        left.values += right.values\n", "", 0),
    ("the right's first separator stays", "merge",
     "            left.keys[first] = parent.keys[left_index + 1]\n", "            pass\n", 0),
    ("the wrong separator goes down", "merge", "left.keys[first] = parent.keys[left_index + 1]",
     "left.keys[first] = parent.keys[left_index]", 0),
    ("the left child leaves the parent", "merge", "del parent.keys[left_index + 1]\n"
     "        del parent.values[left_index + 1]", "del parent.keys[left_index]\n"
     "        del parent.values[left_index]", 0),
    ("the right one is not discarded", "merge", "        self.store.discard(right)\n", "", 0),
    ("a clean node is changed", "merge", "if left.block:", "if False:", 0),
    ("the parent keeps the old block", "merge",
     "            parent.values[left_index] = left\n", "", 0),
    ("the last one has a sibling", "merge", "left_index + 1 >= len", "left_index + 2 >= len", 0),
    ("before equal keys", "insert", "i = bisect_right(node.keys, key)\n        path.append((node, "
     "i))\n        self.make", "i = bisect_left(node.keys, key)\n        path.append((node, i))\n"
     "        self.make", 0),
    ("the value elsewhere", "insert", "node.values.insert(i, value)",
     "node.values.insert(i + 1, value)", 0),
    ("split too late", "insert", "if len(node.keys) > self.store", "if len(node.keys) - 1 > "
     "self.store", 0),
    ("the child before", "insert", "bisect_right(node.keys, key, 1) - 1",
     "bisect_left(node.keys, key, 1) - 1", 2),
    ("the first separator is looked at", "get", "bisect_right(node.keys, key, 1) - 1",
     "bisect_right(node.keys, key) - 1", 0),
    ("the next one is found", "get", "if i < len(keys) and keys[i] == key:",
     "if i < len(keys):", 0),
    ("the last is not found", "get", "if i < len(keys) and", "if i < len(keys) - 1 and", 0),
    ("an empty node stays", "shrink", "            if not node.keys:\n                self.store",
     "            if False:\n                self.store", 0),
    ("an empty node is not discarded", "shrink", "                self.store.discard(node)\n", "",
     0),
    ("another child goes", "shrink", "del parent.keys[i]\n                del parent.values[i]",
     "del parent.keys[-1]\n                del parent.values[-1]", 0),
    ("merges when it may not", "shrink", " or not may_merge", "", 0),
    ("the root is not looked at", "shrink", "        self.collapse_root()\n", "        pass\n", 0),
    ("a root with one child stays", "collapse_root", "len(root.keys) == 1", "False", 0),
    ("it is not discarded", "collapse_root", "            self.store.discard(root)\n"
     "            root = ", "            root = ", 0),
    ("an empty leaf stays", "collapse_root", "            self.root = 0\n",
     "            pass\n", 0),
]  # fmt: skip


@pytest.mark.parametrize(("what", "name", "old", "new", "occurrence"), VARIANTS)
def test_a_broken_tree_is_refuted(
    what: str, name: str, old: str, new: str, occurrence: int
) -> None:
    broken = variant(btree, old, new, occurrence=occurrence)
    makers = tree_obligations, tree_search_obligations, tree_shape_obligations
    obligations = [obligation for make in makers for obligation in make(broken)]
    (chosen,) = [o for o in obligations if o.name.partition(".")[2] == name]
    result = settle(chosen)
    assert result.verdict == REFUTED, f"{what}: {result.reason}"


def test_an_unedited_copy_is_proved() -> None:
    same = variant(btree, "separator = right.keys[0]", "separator = right.keys[0]")
    assert {settle(each).verdict for each in tree_obligations(same)} == {PROVED}


def test_what_is_proved_is_what_production_imports() -> None:
    bound = bind(btree, {"Node": TreeNode}).BTree
    for name in ("split", "merge", "insert", "get", "shrink", "collapse_root"):
        assert getattr(bound, name).__code__ is getattr(btree.BTree, name).__code__
