"""Planted faults of recovery and of a full disk, and of what reads WFS v3 from a hostile medium."""

from collections.abc import Callable
from typing import Any

from watosfs.wfs3 import mounting, node, orphans
from watosfs.wfs3.admission import Admission
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.filedata import FileData
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.bench.planting import PLANTED, plant_edit
from watosfs_fuzz.canaries.registry import canary

Function = Callable[..., Any]

for _identity, _description, _place, _old, _new in (
    ("AL6", "no reserve: what frees space finds none", (Admission, "has_room"),
     "available >= need + kept", "available >= need"),
    ("FD1", "what lies beyond a cut stays in the tree", (FileData, "cut"),
     "self.remove_extents(inode, beyond * CHUNK_SIZE, None)", "pass"),
    ("RE5", "reclaiming an orphan may not use the reserve", (orphans, "reclaim"),
     "frees=True", "frees=False"),
    ("PA2", "no level is demanded of a child", (BTree, "child"),
     "found = self.store.read(child, self.kind, node.level - 1, node.generation)",
     "found = self.store.read(child, self.kind, None, node.generation)"),
    ("PA5", "a child may be newer than its parent", (BTree, "child"),
     "node.level - 1, node.generation)", "node.level - 1, self.store.generation_max)"),
    ("PA6", "how far a node's CRC reaches is read from the node", (node, "node_crc"),
     "view[_CRC_OFFSET + 4 :]",
     "view[_CRC_OFFSET + 4 : int.from_bytes(view[28:30], 'little') or None]"),
):  # fmt: skip
    plant_edit(_identity, _description, _place, _old, _new)


@canary(
    "RE1",
    "recovery takes orphans off their list durably before it deletes them",
    (Volume, "reclaim_orphans"),
    registry=PLANTED,
)
def recovery_not_idempotent(_: Function) -> Function:
    def reclaim_orphans(self: Volume) -> None:
        engine = self.engine
        keep = self.namespace.open_counts
        waiting = [number for number, _ in engine.orphan_tree.items() if not keep.get(number)]
        with self.change():
            for number in waiting:
                engine.admit(engine.namespace_cost(), frees=True)
                engine.orphan_tree.delete(engine.orphan_tree.lower_bound(number))
        if waiting:
            engine.commit()
        with self.change():
            for number in waiting:
                inode = engine.inode(number)
                orphans.shorten(self.namespace, inode)
                cost = engine.namespace_cost() + 2 * engine.tree(inode).height + 3
                engine.admit(cost, frees=True, drops=self.namespace.runs_of(inode))
                engine.delete_inode(engine.modify(number))
        if waiting:
            engine.commit()

    return reclaim_orphans


@canary("RE4", "a read-only mount repairs a superblock", (Volume, "check_root"), registry=PLANTED)
def read_only_mount_writes(original: Function) -> Function:
    def check_root(self: Volume) -> None:
        original(self)
        engine = self.engine
        is_asked = engine.read_only_reason == "mounted read-only"
        if is_asked and not mounting.read_superblocks(engine.device).copies_agree:
            engine.mirror()

    return check_root
