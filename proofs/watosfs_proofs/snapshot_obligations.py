"""What is proved of snapshots: what the working tree gives up is kept exactly if a snapshot shows
it, and deleting a snapshot frees exactly what no other shows.

The specification is one formula (``docs/FORMAT.md`` 9.1): snapshot s shows a block that generation
``birth`` wrote and that stands in the list ``closing`` when birth <= s < closing. Snapshots are any
numbers; what is claimed of all of them is proved of an arbitrary one.
"""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.wfs3 import dead, snapshots, store
from watosfs.wfs3.snapshot_records import EXISTS, OPEN_LIST, SnapshotRecord
from watosfs_proofs.binding import bind
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term

BOUND = "any generations"
_NAME = b"new"


def shows(snapshot: Any, birth: Any, closing: Any) -> z3.BoolRef:
    """The specification."""
    return z3.And(birth <= snapshot, snapshot < closing)


def _kept(path: Path, kernel: SimpleNamespace) -> str:
    """The working tree gives up a block in the commit after all that are durable."""
    birth, newest, other = (path.integer(name) for name in ("birth", "newest", "other"))
    path.assume(z3.And(birth >= 1, newest >= 0, other >= 1, other <= newest))
    now = path.integer("now")
    path.assume(z3.And(newest < now, birth <= now))
    if kernel.is_kept(SymInt(birth), SymInt(newest)):
        shown = z3.And(newest > 0, shows(newest, birth, now))
        path.prove("what is kept, the newest shows", shown)
        return "kept"
    path.prove("what is not kept, none shows", z3.Not(shows(other, birth, now)))
    return "given up"


def _none(path: Path, kernel: SimpleNamespace) -> str:
    is_kept = bool(kernel.is_kept(SymInt(path.integer("birth")), 0))
    path.prove("without snapshots nothing is kept", not is_kept)
    return "given up"


def _freed(path: Path, kernel: SimpleNamespace) -> str:
    names = ("birth", "closing", "deleted", "before", "after", "other")
    birth, closing, deleted, before, after, other = (path.integer(name) for name in names)
    open_list = z3.IntVal(OPEN_LIST)
    path.assume(z3.And(birth >= 0, birth <= deleted, closing > 0, closing <= open_list))
    path.assume(z3.And(before >= -1, before < deleted, deleted < after, after <= open_list))
    # Any other snapshot: at or before the neighbour before, at or behind the one after.
    is_before = z3.And(other >= 0, other <= before)
    path.assume(z3.Or(is_before, z3.And(after <= other, other < open_list)))
    first, last = kernel.lists_of(SymInt(deleted), SymInt(after))
    from_birth = kernel.first_birth(SymInt(before))
    freed = z3.And(term(first) <= closing, closing <= term(last), birth >= term(from_birth))
    shown = shows(deleted, birth, closing)
    path.prove("only what it shows is freed", z3.Implies(freed, shown))
    path.prove(
        "nothing that another shows is freed",
        z3.Implies(freed, z3.Not(shows(other, birth, closing))),
    )
    by_neighbour = z3.Or(
        z3.And(before >= 0, shows(before, birth, closing)),
        z3.And(after < open_list, shows(after, birth, closing)),
    )
    path.prove(
        "what it shows and is not freed, a neighbour shows",
        z3.Implies(z3.And(shown, z3.Not(freed)), by_neighbour),
    )
    return "decided"


def _created(path: Path, kernel: SimpleNamespace) -> str:
    generation, other, birth, root = (
        path.integer(name) for name in ("generation", "other", "birth", "root")
    )
    path.assume(z3.And(generation >= 1, generation < OPEN_LIST, other >= 0, other < generation))
    calls: list[tuple[str, Any, Any]] = []
    superblock = SimpleNamespace(
        root_generation=SymInt(generation), root_tree_block=7, orphan_root=8
    )
    made: Any = object.__new__(kernel.SnapshotTree)
    made.lists, made.known, made.deleting = {OPEN_LIST: "stale"}, {}, 0
    made.store = SimpleNamespace(dead=SimpleNamespace(newest=0))
    made.engine = SimpleNamespace(
        superblock=superblock,
        admit=lambda cost: calls.append(("admit", None, None)),
        commit=lambda force: calls.append(("commit", made.store.dead.newest, force)),
    )
    made.cost = lambda: 1
    made.put = lambda key, record: calls.append(("put", key, record))
    has_list = path.decide(path.boolean("something was given up"))
    open_list = SnapshotRecord(0, 0, SymInt(root), 0, 1, b"")  # type: ignore[arg-type]
    made.record = lambda key: open_list if has_list and key == OPEN_LIST else None
    try:
        made.create(_NAME, 5)
    except OSError:
        path.prove("refused without a change", [call[0] for call in calls] == ["admit"])
        path.prove(
            "refused only where births would be cut short", generation >= kernel.GENERATION_MAX
        )
        return "refused"
    path.prove("births are whole", generation < kernel.GENERATION_MAX)
    done = {name: (key, record) for name, key, record in calls if name != "put"}
    puts = [(key, record) for name, key, record in calls if name == "put"]
    path.prove("admitted first, committed last", [calls[0][0], calls[-1][0]] == ["admit", "commit"])
    path.prove("even when nothing else has changed", done["commit"][1] is True)
    path.prove("from its own commit on it keeps", term(done["commit"][0]) == generation)
    path.prove("two records change", len(puts) == 2 and made.lists == {})
    path.prove("the open list is gone", puts[0] == (OPEN_LIST, kernel._EMPTY))
    key, record = puts[1]
    path.prove("it is found under its generation", term(key) == generation)
    due = (7, 8, 5, EXISTS, _NAME)
    path.prove("it has the durable roots", (*record[:2], *record[3:]) == due)
    path.prove("it has what was the open list", term(record.dead_root) == (root if has_list else 0))
    path.prove("it is known", list(made.known) == [_NAME])
    same = shows(other, birth, z3.IntVal(OPEN_LIST)) == shows(other, birth, generation)
    path.prove("closing the list changes nothing for older snapshots", same)
    path.prove("the new one shows none of it", z3.Not(shows(generation, birth, generation)))
    return "created"


def _dropped(path: Path, kernel: SimpleNamespace) -> str:
    calls: list[str] = []
    made: Any = object.__new__(kernel.NodeStore)
    birth, newest = path.integer("birth"), path.integer("newest")
    path.assume(z3.And(birth >= 0, newest >= 0))
    made.allocator = SimpleNamespace(
        drop=lambda start, count: calls.append(f"free {start} {count}")
    )
    made.dead = SimpleNamespace(
        newest=SymInt(newest), add=lambda _, start, end: calls.append(f"keep {start} {end}")
    )
    made.drop(SymInt(birth), 10, 4)
    is_kept = calls == ["keep 10 14"]
    path.prove("freed or kept, once, all of it", is_kept or calls == ["free 10 4"])
    path.prove("kept if the newest shows it", z3.And(newest > 0, birth <= newest) == is_kept)
    return "kept" if is_kept else "freed"


Check = Callable[[Path, SimpleNamespace], str]


def snapshot_obligations(
    dead_module: ModuleType = dead,
    snapshots_module: ModuleType = snapshots,
    store_module: ModuleType = store,
) -> list[Obligation]:
    """The obligations of these modules, which are production's or broken variants."""
    arithmetic = bind(dead_module, {})
    given = {name: getattr(arithmetic, name) for name in ("is_kept", "lists_of", "first_birth")}
    tree = bind(snapshots_module, {**given, "GENERATION_MAX": arithmetic.GENERATION_MAX})
    nodes = bind(store_module, {"is_kept": arithmetic.is_kept})
    checks: tuple[tuple[str, str, Check, SimpleNamespace, tuple[str, ...]], ...] = (
        (
            "kept",
            "kept if and only if a snapshot shows it",
            _kept,
            arithmetic,
            ("kept", "given up"),
        ),
        ("none", "without snapshots nothing is kept", _none, arithmetic, ("given up",)),
        ("freed", "deleting frees what no other shows", _freed, arithmetic, ("decided",)),
        ("created", "a list closed is what it was", _created, tree, ("created", "refused")),
        ("dropped", "a block goes one way", _dropped, nodes, ("kept", "freed")),
    )

    def bound_to(check: Check, kernel: SimpleNamespace) -> Callable[[Path], str]:
        return lambda path: check(path, kernel)

    return [
        Obligation(f"snapshots.{name}", statement, BOUND, bound_to(check, kernel), outcomes)
        for name, statement, check, kernel, outcomes in checks
    ]
