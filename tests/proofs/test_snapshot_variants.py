"""Broken arithmetic of snapshots is refuted."""

from types import ModuleType

import pytest

from tests.proofs.variants import variant
from watosfs.wfs3 import dead, snapshots, store
from watosfs_proofs.obligation import REFUTED, settle
from watosfs_proofs.snapshot_obligations import snapshot_obligations

VARIANTS = [
    ("the newest's own blocks are given up", dead, "kept", "birth <= newest", "birth < newest"),
    ("kept without snapshots", dead, "none", " and newest > 0", ""),
    ("its own list is shortened too", dead, "freed", "snapshot + 1, after", "snapshot, after"),
    ("the list after the next is shortened", dead, "freed", ", after\n", ", after + 1\n"),
    ("the last list is left out", dead, "freed", ", after\n", ", after - 1\n"),
    ("what the one before shows is freed", dead, "freed", "before + 1", "before"),
    ("what came right after it stays", dead, "freed", "before + 1", "before + 2"),
    ("one that is made keeps nothing", snapshots, "created", "newest = generation", "newest = 0"),
    ("the open list stays open", snapshots, "created", "self.put(OPEN_LIST, _EMPTY)", "pass"),
    ("the open list is lost", snapshots, "created", "                open_list.dead_root,",
     "                0,"),
    ("made where births are cut short", snapshots, "created", "generation >= GENERATION_MAX",
     "generation > GENERATION_MAX"),
    ("kept and freed", store, "dropped", "        else:\n            self.allocator.drop(start",
     "        if True:\n            self.allocator.drop(start"),
    ("one block too many is kept", store, "dropped", "(birth, start, start + count)",
     "(birth, start, start + count + 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "module", "name", "old", "new"), VARIANTS)
def test_it_is_refuted(what: str, module: ModuleType, name: str, old: str, new: str) -> None:
    broken = variant(module, old, new)
    modules = [broken if each is module else each for each in (dead, snapshots, store)]
    (obligation,) = [
        each for each in snapshot_obligations(*modules) if each.name == f"snapshots.{name}"
    ]
    result = settle(obligation)
    assert result.verdict == REFUTED, f"{what}: {result.verdict}, {result.reason}"
