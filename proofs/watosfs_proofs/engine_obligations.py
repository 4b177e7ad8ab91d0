"""What is proved of the engine around a commit: when there is something to commit, what becomes of
the working state when it fails, and what is done once it is durable.

The protocol, the trees and the device are stubs that record their calls; what they do is the part
of ``commit_obligations``.
"""

import errno
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.errors import DamageError
from watosfs.wfs3 import engine
from watosfs.wfs3.extents import ExtentError
from watosfs_proofs.binding import bind
from watosfs_proofs.commit_world import is_instance
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term

BOUND = "any numbers"


def _engine(path: Path, kernel: SimpleNamespace, calls: list[object]) -> Any:
    """Production's Engine with any counters, nothing dirty by name, and stubs that record."""
    made: Any = object.__new__(kernel.Engine)
    numbers = ("dirty", "fresh", "limbo0", "limbo1", "dead", "generation", "generation_max")
    at = {name: SymInt(path.integer(name)) for name in numbers}
    made.store = SimpleNamespace(
        dirty_count=at["dirty"],
        generation=at["generation"],
        generation_max=at["generation_max"],
        dead=SimpleNamespace(run_count=at["dead"]),
        trim=lambda: calls.append("trim"),
    )
    made.allocator = SimpleNamespace(
        fresh=SimpleNamespace(count=at["fresh"]),
        limbo=[SimpleNamespace(count=at["limbo0"]), SimpleNamespace(count=at["limbo1"])],
        unload=lambda keep: calls.append(("unload", keep)),
    )
    made.snapshots = SimpleNamespace(
        committed=lambda: calls.append("snapshots committed"),
        find_newest=lambda: calls.append("find newest"),
    )
    made.dirty_inodes, made.dirty_trees = {}, {}
    made.read_only_reason, made.has_failed, made.in_transaction = None, False, True
    made.device, made.slot, made.superblock = "device", "slot", "superblock"
    return made


def _changed(path: Path, made: Any) -> z3.BoolRef:
    """Whether anything is dirty, fresh, dropped or dead."""
    counts = ("dirty", "fresh", "limbo0", "dead")
    some = [path.inputs[name] > 0 for name in counts]
    return z3.Or(bool(made.dirty_inodes), bool(made.dirty_trees), *some)


def _is_dirty(path: Path, kernel: SimpleNamespace) -> str:
    made = _engine(path, kernel, [])
    for name in ("dirty_inodes", "dirty_trees"):
        if path.decide(path.boolean(name)):
            setattr(made, name, {7: "changed"})
    answer = made.is_dirty
    path.prove("a truth value", isinstance(answer, bool))
    path.prove("exactly when something changed", _changed(path, made) == answer)
    return "dirty" if answer else "clean"


def _fail(path: Path, kernel: SimpleNamespace) -> str:
    calls: list[object] = []
    made = _engine(path, kernel, calls)
    numbers = SymInt(path.integer("next_inode")), SymInt(path.integer("inode_count"))
    made.next_inode, made.inode_count = numbers

    def revert() -> None:
        calls.append("revert")
        made.next_inode, made.inode_count = SymInt(path.integer("a")), SymInt(path.integer("b"))

    def reverted() -> None:
        calls.append("reverted")
        same = [now.term == was.term for now, was in zip(_numbers(made), numbers, strict=True)]
        path.prove("numbers of the lost transaction stay taken", z3.And(*same))

    made.revert, made.reverted = revert, reverted
    made.fail(OSError(errno.EIO, "the reason"))
    path.prove("reverted once, then told", calls == ["revert", "reverted"])
    path.prove("no transaction is open", made.in_transaction is False)
    path.prove("read-only from now on", made.has_failed is True)
    path.prove("the reason is kept", "the reason" in str(made.read_only_reason))
    return "failed"


def _numbers(made: Any) -> tuple[SymInt, SymInt]:
    return made.next_inode, made.inode_count


def _commit(path: Path, kernel: SimpleNamespace) -> str:
    calls: list[object] = []
    made = _engine(path, kernel, calls)
    failures = {"io": OSError(errno.EIO, "io"), "books": ExtentError("books")}
    before = made.store.generation, made.store.generation_max
    next_generation = path.integer("root_generation")
    superblock = SimpleNamespace(root_generation=SymInt(next_generation))
    if path.decide(path.boolean("read_only")):
        made.read_only_reason = "as it was"

    def step(name: str, value: object) -> object:
        calls.append(name)
        for kind, failure in failures.items():
            if path.decide(path.boolean(f"{name} fails: {kind}")):
                calls.append(failure)
                raise failure
        return value

    made.prepare = lambda: step("prepare", (superblock, "writes"))
    made.fail = lambda error: calls.append(("fail", error))
    kernel.protocol.commit = lambda *given: step("commit", ("new slot", given))
    is_forced = path.decide(path.boolean("force"))
    try:
        _ = made.commit(force=True) if is_forced else made.commit()
    except (OSError, DamageError) as error:
        unchanged = (made.slot, made.superblock) == ("slot", "superblock")
        path.prove("a failure changes no root", unchanged)
        asked = z3.Or(is_forced, _changed(path, made))
        path.prove("a failure only where there is something to do", asked)
        same = (made.store.generation, made.store.generation_max) == before
        path.prove("a failure changes no generation", same)
        return _refused(path, made, error, calls, failures)
    if not calls:
        path.prove("nothing is done only when nothing changed", z3.Not(_changed(path, made)))
        path.prove("what is forced is done", not is_forced)
        return "nothing to do"
    path.prove("done only when something changed", z3.Or(is_forced, _changed(path, made)))
    path.prove("a read-only volume is not written", made.read_only_reason is None)
    keep = kernel.FREE_RUNS_IN_MEMORY_MAX
    after = [("unload", keep), "trim", "snapshots committed"]
    done = sorted(map(str, calls[2:])) == sorted(map(str, after))
    path.prove("committed, then memory is given back", calls[:2] == ["prepare", "commit"] and done)
    given = (("medium", "device", made.allocator), made.allocator, "slot", "writes", superblock)
    path.prove("the protocol is given what was prepared", made.slot == ("new slot", given))
    path.prove("the new root is known", made.superblock is superblock)
    generations = term(made.store.generation), term(made.store.generation_max)
    grown = z3.And(generations[0] == next_generation + 1, generations[1] == next_generation)
    path.prove("nodes belong to the next generation", grown)
    return "committed"


def _refused(
    path: Path, made: Any, error: Exception, calls: list[object], failures: dict[str, Exception]
) -> str:
    if made.read_only_reason is not None:
        path.prove("a refusal does nothing", calls == [])
        path.prove("EROFS", isinstance(error, OSError) and error.errno == errno.EROFS)
        path.prove("the reason is given", "as it was" in str(error))
        return "read-only"
    cause = calls[-2] if len(calls) > 1 else None
    path.prove("the volume is shut down, once", calls[-1] == ("fail", cause))
    path.prove("nothing follows a failure", len(calls) in (3, 4))
    if cause is failures["io"]:
        path.prove("the device's error is passed on", error is cause)
        return "device failed"
    path.prove("broken books are damage", isinstance(error, DamageError))
    path.prove("the damage is named", error.args == DamageError("free tree", 0, "books").args)
    return "damage"


def _prepare(path: Path, kernel: SimpleNamespace) -> str:
    calls: list[object] = []
    made = _engine(path, kernel, calls)
    names = ("available", "held", "next_inode", "inode_count", "time", "before_time")
    at = {name: path.integer(name) for name in names}
    roots = {name: path.integer(name) for name in ("inodes", "orphans", "free", "snapshots")}
    trees = {name: SimpleNamespace(root=SymInt(value)) for name, value in roots.items()}
    made.inode_tree, made.orphan_tree = trees["inodes"], trees["orphans"]

    def store_lists() -> list[str]:
        calls.append("store_lists")
        made.snapshots.tree = trees["snapshots"]
        return ["dead lists"]

    def update_tree() -> list[str]:
        calls.append("update_tree")
        made.space.tree = trees["free"]
        return ["node of the free tree"]

    def encode(placed: list[str]) -> list[str]:
        calls.append(("encode", placed))
        return ["its block"]

    def spill() -> list[str]:
        calls.append("spill")
        return ["spilled"]

    made.space = SimpleNamespace(tree=None, update_tree=update_tree)
    made.encode, made.spill = encode, spill
    deleting, total = path.integer("deleting"), path.integer("total")
    made.store.total_blocks = SymInt(total)
    made.snapshots = SimpleNamespace(tree=None, store_lists=store_lists, deleting=SymInt(deleting))
    made.allocator.available, made.allocator.held = SymInt(at["available"]), SymInt(at["held"])
    made.next_inode, made.inode_count = SymInt(at["next_inode"]), SymInt(at["inode_count"])
    made.clock = lambda: SymInt(at["time"] - at["before_time"])
    made.superblock = SimpleNamespace(_replace=lambda **fields: fields, incompat=1, ro_compat=3)
    made.features = 2
    fields, writes = made.prepare()
    order = ["spill", "store_lists", "update_tree", ("encode", ["node of the free tree"])]
    path.prove("the free tree is written last, each once", calls == order)
    path.prove("all that was placed is written", writes == ["spilled", "dead lists", "its block"])
    now = at["time"] - at["before_time"]
    due = {
        "free_blocks": at["available"] + at["held"],
        "root_tree_block": roots["inodes"],
        "orphan_root": roots["orphans"],
        "free_tree_block": roots["free"],
        "root_generation": path.inputs["generation"],
        "inode_count": at["inode_count"],
        "next_inode": at["next_inode"],
        "commit_time_ns": z3.If(now > 0, now, 0),
        "incompat": z3.IntVal(3),
        "total_blocks": total,
        "snapshot_root": roots["snapshots"],
        "snapshot_deleting": deleting,
        "ro_compat": z3.If(roots["snapshots"] != 0, 7, 3),
    }
    path.prove("no other word changes", set(fields) == set(due))
    for name, value in due.items():
        path.prove(f"{name} is right", term(fields[name]) == value)
    return "prepared"


def _stored_root(path: Path, kernel: SimpleNamespace) -> str:
    block = SymInt(path.integer("block"))
    tree = SimpleNamespace(root=block)
    if path.decide(path.boolean("no root")):
        tree.root = None
        try:
            kernel.stored_root(tree)
        except AssertionError:
            return "refused"
        path.prove("a tree without a root is no tree", False)
    if path.decide(path.boolean("in memory")):
        tree.root = object.__new__(kernel.Node)
        tree.root.block = block
    answer = kernel.stored_root(tree)
    path.prove("the root's block", term(answer) == block.term)
    path.prove("the tree keeps only that", tree.root is block)
    return "stored"


def _mirror(path: Path, kernel: SimpleNamespace) -> str:
    calls: list[object] = []
    made = _engine(path, kernel, calls)
    kernel.protocol.mirror = lambda *given: calls.append(given)
    agree = path.decide(path.boolean("copies_agree"))
    made.recover(copies_agree=agree)
    mirrored = (("medium", "device", made.allocator), "slot", "superblock")
    path.prove("what snapshots keep is known first", calls[:1] == ["find newest"])
    path.prove("repaired once, exactly when needed", calls[1:] == ([] if agree else [mirrored]))
    made.mirror()
    path.prove("mirrored once more", calls[-1:] == [mirrored] and len(calls) == 3 - agree)
    return "agreed" if agree else "repaired"


Check = Callable[[Path, SimpleNamespace], str]

CHECKS: dict[str, tuple[Check, str, tuple[str, ...]]] = {
    "is_dirty": (_is_dirty, "dirty is what changed since the last commit", ("dirty", "clean")),
    "fail": (_fail, "back to the durable state, read-only", ("failed",)),
    "prepare": (_prepare, "the next superblock says what is", ("prepared",)),
    "stored_root": (_stored_root, "a clean tree is its root's block", ("stored", "refused")),
    "mirror": (_mirror, "both copies are made to agree", ("agreed", "repaired")),
    "commit": (
        _commit,
        "what a commit does around the protocol",
        ("committed", "nothing to do", "read-only", "device failed", "damage"),
    ),
}


def engine_obligations(module: ModuleType = engine) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""
    kernel = bind(
        module,
        {
            "protocol": SimpleNamespace(),
            "Medium": lambda device, allocator: ("medium", device, allocator),
            "joined": lambda writes: writes,
            "isinstance": is_instance,
        },
    )

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, kernel)

    return [
        Obligation(f"engine.{name}", statement, BOUND, bound_to(check), outcomes)
        for name, (check, statement, outcomes) in CHECKS.items()
    ]
