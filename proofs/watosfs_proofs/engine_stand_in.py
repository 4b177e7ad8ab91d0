"""Production's Engine around nothing but a commit: for proofs and for replaying their
counterexamples.
"""

import types
from typing import Any


def engine_over(
    engine_class: type, device: Any, superblock: Any, slot: int, prepared: dict[str, Any]
) -> Any:
    """An Engine whose trees and caches are replaced by what they promise: the roots, and that
    encoding adds to what is spilled.
    """
    engine: Any = object.__new__(engine_class)
    for tree, name in (("inode_tree", "root_tree_block"), ("orphan_tree", "orphan_root")):
        setattr(engine, tree, types.SimpleNamespace(root=prepared[name]))
    free_tree = types.SimpleNamespace(root=prepared["free_tree_block"])
    engine.space = types.SimpleNamespace(tree=free_tree, update_tree=list)
    engine.encode = lambda placed: placed
    engine.snapshots = types.SimpleNamespace(
        tree=types.SimpleNamespace(root=0),
        deleting=0,
        store_lists=list,
        committed=lambda: None,
        find_newest=lambda: None,
    )
    engine.store = types.SimpleNamespace(
        generation=superblock.root_generation + 1,
        total_blocks=superblock.total_blocks,
        generation_max=superblock.root_generation,
        dirty_count=1, dead=types.SimpleNamespace(run_count=0), trim=lambda: None,
    )  # fmt: skip
    engine.inode_count, engine.next_inode = prepared["inode_count"], prepared["next_inode"]
    engine.device, engine.superblock, engine.slot = device, superblock, slot
    engine.clock, engine.features = (lambda: 0), 0
    engine.read_only_reason, engine.has_failed, engine.in_transaction = None, False, False
    engine.revert = engine.reverted = lambda: None
    return engine
