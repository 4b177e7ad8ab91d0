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
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term

BOUND = "any numbers"


def _engine(path: Path, kernel: SimpleNamespace, calls: list[object]) -> Any:
    """Production's Engine with any counters, nothing dirty by name, and stubs that record."""
    made: Any = object.__new__(kernel.Engine)
    numbers = ("dirty", "fresh", "limbo0", "limbo1", "generation", "generation_max")
    at = {name: SymInt(path.integer(name)) for name in numbers}
    made.store = SimpleNamespace(
        dirty_count=at["dirty"],
        generation=at["generation"],
        generation_max=at["generation_max"],
        trim=lambda: calls.append("trim"),
    )
    made.allocator = SimpleNamespace(
        fresh=SimpleNamespace(count=at["fresh"]),
        limbo=[SimpleNamespace(count=at["limbo0"]), SimpleNamespace(count=at["limbo1"])],
        unload=lambda keep: calls.append(("unload", keep)),
    )
    made.dirty_inodes, made.dirty_trees = {}, {}
    made.read_only_reason, made.has_failed, made.in_transaction = None, False, True
    made.device, made.slot, made.superblock = "device", "slot", "superblock"
    return made


def _changed(path: Path, made: Any) -> z3.BoolRef:
    """Whether anything is dirty, fresh or dropped."""
    counts = ("dirty", "fresh", "limbo0")
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
    done = sorted(map(str, calls[2:])) == sorted(map(str, [("unload", keep), "trim"]))
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


Check = Callable[[Path, SimpleNamespace], str]

CHECKS: dict[str, tuple[Check, str, tuple[str, ...]]] = {
    "is_dirty": (_is_dirty, "dirty is what changed since the last commit", ("dirty", "clean")),
    "fail": (_fail, "back to the durable state, read-only", ("failed",)),
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
        },
    )

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, kernel)

    return [
        Obligation(f"engine.{name}", statement, BOUND, bound_to(check), outcomes)
        for name, (check, statement, outcomes) in CHECKS.items()
    ]
