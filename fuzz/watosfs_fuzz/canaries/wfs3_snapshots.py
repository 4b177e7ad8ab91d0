"""The planted faults of snapshots of WFS v3."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from watosfs.wfs3 import snapshots as snapshots_module
from watosfs.wfs3 import snapshotting as snapshotting_module
from watosfs.wfs3.dead import is_kept
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.node import Node
from watosfs.wfs3.snapshots import SnapshotTree
from watosfs.wfs3.snapshotting import Snapshotting
from watosfs.wfs3.store import NodeStore
from watosfs_fuzz.canaries.registry import canary

Function = Callable[..., Any]


@canary(
    "snapshot-leak",
    "deleting a snapshot frees nothing of what only it shows",
    (SnapshotTree, "shorten"),
)
def snapshot_leak(original: Function) -> Function:
    def shorten(self: SnapshotTree, key: int, first: int) -> bool:
        tree = self.list_of(key)
        self.admit_last(self.cost_of_piece(1, tree), 1)
        tree = self.list_of(key)
        path = tree.lower_bound(first)
        if path:
            tree.delete(path)
        return bool(path)

    return shorten


@canary(
    "snapshot-freed-twice",
    "what a snapshot shows is freed when the volume gives it up, and when the snapshot is deleted",
    (NodeStore, "drop"),
)
def snapshot_freed_twice(original: Function) -> Function:
    def drop(self: NodeStore, birth: int, start: int, count: int) -> None:
        original(self, birth, start, count)
        if is_kept(birth, self.dead.newest):
            self.allocator.drop(start, count)

    return drop


@canary(
    "snapshot-shared-in-place",
    "a node that a snapshot shows keeps its block when it changes",
    (NodeStore, "make_dirty"),
    (Engine, "encode"),
)
def snapshot_shared_in_place(make_dirty: Function, encode: Function) -> tuple[Function, Function]:
    homes: dict[int, tuple[int, Node]] = {}

    def broken_make_dirty(self: NodeStore, node: Node) -> None:
        if node.level or not node.kind.is_kept or not is_kept(node.generation, self.dead.newest):
            make_dirty(self, node)
            return
        homes[id(node)] = node.block, node
        self.cache.pop(node.block, None)
        node.block = 0
        node.generation = self.generation
        self.dirty_count += 1

    def broken_encode(self: Engine, placed: list[tuple[Node, int]]) -> Any:
        moved = []
        for node, block in placed:
            home, _ = homes.pop(id(node), (None, None))
            if home is not None:
                self.allocator.drop(block, 1)
                self.allocator.fresh.add(home, home + 1)
            moved.append((node, block if home is None else home))
        return encode(self, moved)

    return broken_make_dirty, broken_encode


@canary(
    "snapshot-in-transaction",
    "a snapshot is made in the middle of a transaction",
    (Snapshotting, "prepare_snapshots"),
)
def snapshot_in_transaction(original: Function) -> Function:
    def prepare_snapshots(self: Any) -> None:
        if self.engine.in_transaction:
            self.engine.commit()
        else:
            original(self)

    return prepare_snapshots


@canary(
    "snapshot-behind",
    "a snapshot keeps what was durable, not what is done",
    (Snapshotting, "prepare_snapshots"),
)
def snapshot_behind(original: Function) -> Function:
    def prepare_snapshots(self: Any) -> None:
        if self.engine.in_transaction:
            original(self)

    return prepare_snapshots


@canary(
    "snapshot-neighbour",
    "deleting a snapshot frees what the one before it shows too",
    (snapshots_module, "first_birth"),
)
def snapshot_neighbour(_: Function) -> Function:
    return lambda before: 0


@canary(
    "snapshot-newest-unkept",
    "what the newest snapshot alone shows is freed when the volume gives it up",
    (SnapshotTree, "create"),
)
def snapshot_newest_unkept(original: Function) -> Function:
    def create(self: SnapshotTree, name: bytes, now_ns: int) -> None:
        before = self.store.dead.newest
        original(self, name, now_ns)
        self.store.dead.newest = before

    return create


@canary(
    "rollback-keeps-lists",
    "after a rollback the dead lists still hold what is in use again",
    (snapshotting_module, "roll_back"),
)
def rollback_keeps_lists(original: Function) -> Function:
    def roll_back(engine: Engine, generation: int) -> None:
        with patch.object(SnapshotTree, "remove", lambda *_: None):
            original(engine, generation)

    return roll_back
