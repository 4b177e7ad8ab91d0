"""What is proved of when a commit happens at all."""

import errno
import types
from types import ModuleType

import z3

from watosfs_proofs.commit_world import Kernel, Modules, World, superblock_of
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation

#: What makes a volume dirty, each by itself.
CAUSES = (
    "dirty_nodes", "dirty_inodes", "dirty_trees", "fresh_blocks", "pending_blocks", "dead_runs",
)  # fmt: skip


def _admitted(path: Path, kernel: Kernel) -> str:
    """When there is nothing to commit, or nothing may be written."""
    world = World(path, kernel)
    engine = world.mounted(superblock_of(world.old), world.at)
    cause = next((name for name in CAUSES if path.decide(path.boolean(name))), None)
    changes = {name: name == cause for name in CAUSES}
    engine.store.dirty_count = int(changes["dirty_nodes"])
    engine.dirty_inodes = {1: 0} if changes["dirty_inodes"] else {}
    engine.dirty_trees = {1: 0} if changes["dirty_trees"] else {}
    world.books.fresh.count = int(changes["fresh_blocks"])
    pending = types.SimpleNamespace(count=int(changes["pending_blocks"]))
    world.books.limbo = [pending, types.SimpleNamespace(count=1)]  # type: ignore[attr-defined]
    engine.store.dead.run_count = int(changes["dead_runs"])
    dirty, force = any(changes.values()), path.decide(path.boolean("force"))
    path.prove("dirty when anything changed", engine.is_dirty is dirty)
    engine.read_only_reason = "read-only" if path.decide(path.boolean("read_only")) else None
    before = len(world.device.events)
    try:
        engine.commit(force=force)
    except OSError as failure:
        path.prove("EROFS", failure.errno == errno.EROFS)
        path.prove("only on a read-only volume with changes", z3.BoolVal(
            engine.read_only_reason is not None and (dirty or force)))  # fmt: skip
        path.prove("refused, the engine stays in order", engine.has_failed is False)
        path.prove("refused, nothing is written", len(world.device.events) == before)
        return "refused"
    if not (dirty or force):
        path.prove("without changes nothing is written", len(world.device.events) == before)
        return "nothing to do"
    path.prove("a read-only volume is not written", engine.read_only_reason is None)
    path.prove("it is committed, once", world.books.released_at == [len(world.device.events)])
    return "committed"


def admission_obligations(*variants: ModuleType) -> list[Obligation]:
    """The obligation of production's modules, or of broken variants of them."""
    kernel = Kernel(Modules(*variants))
    return [
        Obligation(
            "admission.commit",
            "commits exactly when there is something to commit, and it may",
            "any volume, one cause of being dirty at a time",
            lambda path: _admitted(path, kernel),
            ("committed", "refused", "nothing to do"),
        )
    ]
