"""What is proved of ``watosfs.wfs3.allocator.Allocator``: any volume, any number of runs, any
history.

Each operation starts from an arbitrary state that keeps the invariant of ``allocator_state`` and
must keep it; so, from a mounted volume on, it holds after any number of operations.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType, SimpleNamespace

import z3

from watosfs.wfs3 import allocator
from watosfs_proofs.allocator_loading import Build, check_load, check_mounted, check_unload
from watosfs_proofs.allocator_loops import release_invariant
from watosfs_proofs.allocator_replay import replay
from watosfs_proofs.allocator_state import World
from watosfs_proofs.binding import allocator_kernel
from watosfs_proofs.blocks import BlockSet, RunsOf, in_run
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation, Replay
from watosfs_proofs.small_scope import allocator_cases
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.verdicts import Case


def _alloc(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    world = build(path)
    books, block, before = world.allocator, world.block, world.snapshot()
    free, fresh = books.free.member, books.fresh.member
    available = term(books.available)
    generation, frontier = term(books.generation), term(books.frontier)
    count = path.integer("wanted")
    try:
        start = books.alloc(SymInt(count))
    except kernel.ExtentError:
        path.prove("refuses only an empty request", count < 1)
        world.prove_same("a refused request changes nothing", before)
        return "refused"
    if start is None:
        path.prove(
            "none: a single block is refused only when nothing is loaded",
            z3.Implies(count == 1, z3.Not(free(block))),
        )
        world.prove_same("none changes nothing", before)
        return "none"
    given = in_run(block, start.term, start.term + count)
    reached = z3.Or(world.working(block), *(root(block) for root in world.roots))
    path.prove(
        "no block is handed out twice, none that a durable root reaches",
        z3.Implies(given, z3.Not(reached)),
    )
    path.prove("it was free", z3.Implies(given, free(block)))
    path.prove("gives what was asked", count >= 1)
    path.prove(
        "free and fresh together stay",
        z3.Or(free(block), fresh(block))
        == z3.Or(books.free.member(block), books.fresh.member(block)),
    )
    path.prove("available shrinks by as much", term(books.available) == available - count)
    working = world.working
    world.working = lambda b: z3.Or(working(b), in_run(b, start.term, start.term + count))
    world.prove_kept()
    world.prove_fixed(generation, frontier=frontier)
    return "given"


def _drop(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    world = build(path)
    books, block, before = world.allocator, world.block, world.snapshot()
    free, fresh, working = books.free.member, books.fresh.member, world.working
    fresh_count = term(books.fresh.count)
    older = [dead.member for dead in books.limbo[1:]]
    generation, frontier = term(books.generation), term(books.frontier)
    start, count = path.integer("start"), path.integer("count")
    end = start + count
    for edge in (start, end - 1):
        world.facts.touch(edge)
    # The books do not know what of the free tree is still unloaded: that nobody drops such a
    # block is the caller's part.
    unloaded = world.unloaded
    world.facts.every(lambda b: z3.Implies(in_run(b, start, end), z3.Not(unloaded(b))))
    try:
        books.drop(SymInt(start), SymInt(count))
    except kernel.ExtentError:
        world.prove_same("a refused drop changes nothing", before)
        seen = world.facts.near()
        inside = [in_run(b, start, end) for b in seen]
        outside = z3.Or(count < 1, start < term(books.lo), end > term(books.hi))
        unused = z3.Or(*(z3.And(i, z3.Not(working(b))) for i, b in zip(inside, seen, strict=True)))
        some = z3.Or(*(z3.And(i, fresh(b)) for i, b in zip(inside, seen, strict=True)))
        other = z3.Or(*(z3.And(i, z3.Not(fresh(b))) for i, b in zip(inside, seen, strict=True)))
        path.prove(
            "refuses only what is outside, not in use, or fresh in part",
            z3.Or(outside, unused, z3.And(some, other)),
        )
        return "refused"
    dropped = in_run(block, start, end)
    path.prove("a double free is refused", z3.Implies(dropped, working(block)))
    path.prove("an empty run is refused", count >= 1)
    path.prove(
        "free and fresh together stay",
        z3.Or(free(block), fresh(block))
        == z3.Or(books.free.member(block), books.fresh.member(block)),
    )
    for was, now in zip(older, books.limbo[1:], strict=True):
        path.prove("older pending blocks stay", was(block) == now.member(block))
    world.working = lambda b: z3.And(working(b), z3.Not(in_run(b, start, end)))
    was_fresh = path.decide(term(books.fresh.count) != fresh_count)
    if not was_fresh:
        world.used = world.used - count
        path.assume(world.used >= 0)  # a part of a finite set is not larger than the set
    world.prove_kept()
    world.prove_fixed(generation, frontier=frontier)
    return "free at once" if was_fresh else "pending"


def _committed(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    world = build(path)
    books, block = world.allocator, world.block
    oldest: BlockSet = books.limbo[-1]
    newer = [dead.member for dead in books.limbo[:-1]]
    fresh_count, generation, frontier = (
        term(books.fresh.count),
        term(books.generation),
        term(books.frontier),
    )
    was_free, was_unloaded, dead = books.free.member, world.unloaded, oldest.member
    available, released = term(books.available), term(oldest.count)
    release = release_invariant(RunsOf(oldest, "oldest"), books)
    path.invariants["Allocator.committed"] = release
    books.committed()
    path.prove(
        "exactly the oldest pending blocks are released",
        books.free.member(block) == z3.Or(was_free(block), z3.And(dead(block), block < frontier)),
    )
    path.prove("what is available grows by them", term(books.available) == available + released)
    path.prove("the open transaction is over", z3.Not(books.fresh.member(block)))
    path.prove(
        "nothing is newly pending",
        z3.And(z3.Not(books.limbo[0].member(block)), term(books.limbo[0].count) == 0),
    )
    for was, now in zip(newer, books.limbo[1:], strict=True):
        path.prove("pending blocks age by one commit", was(block) == now.member(block))
    world.roots = [world.working, *world.roots[:-1]]
    world.unloaded = lambda b: z3.Or(was_unloaded(b), z3.And(dead(b), b >= frontier))
    world.used = world.used + fresh_count
    world.prove_kept()
    world.prove_fixed(generation + 1, frontier=frontier)
    return "committed"


def _aborted(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    world = build(path)
    books, block = world.allocator, world.block
    free, fresh = books.free.member, books.fresh.member
    older = [dead.member for dead in books.limbo[1:]]
    generation, frontier = term(books.generation), term(books.frontier)
    available = term(books.available) + term(books.fresh.count)
    world.used = world.used + term(books.limbo[0].count)
    books.aborted()
    world.working = world.roots[0]
    path.prove(
        "what was handed out is free again",
        books.free.member(block) == z3.Or(free(block), fresh(block)),
    )
    path.prove("what was handed out is available again", term(books.available) == available)
    path.prove("what was dropped is in use again", z3.Not(books.limbo[0].member(block)))
    path.prove("the open transaction is over", z3.Not(books.fresh.member(block)))
    for was, now in zip(older, books.limbo[1:], strict=True):
        path.prove("older pending blocks stay", was(block) == now.member(block))
    world.prove_kept()
    world.prove_fixed(generation, frontier=frontier)
    return "aborted"


Check = Callable[[Path, SimpleNamespace, Build], str]

CHECKS: dict[str, tuple[Check, str, tuple[str, ...]]] = {
    "mount": (check_mounted, "a mounted volume keeps the invariant", ("mounted",)),
    "alloc": (_alloc, "hands out no block that anybody reaches", ("given", "none", "refused")),
    "drop": (
        _drop, "takes back only what is in use; no reuse before it is safe",
        ("free at once", "pending", "refused"),
    ),
    "committed": (_committed, "releases the oldest pending blocks only", ("committed",)),
    "aborted": (_aborted, "restores what the transaction found", ("aborted",)),
    "load": (check_load, "loads exactly the run", ("loaded", "refused")),
    "unload": (check_unload, "forgets the highest runs only", ("forgotten", "kept", "refused")),
}  # fmt: skip


def allocator_obligations(
    module: ModuleType = allocator, holds: tuple[int, ...] = (1, 2)
) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""
    kernel = allocator_kernel(BlockSet, module)

    def obligation(name: str, hold: int) -> Obligation:
        check, statement, outcomes = CHECKS[name]

        def run(path: Path, *, small: bool = False) -> str:
            return check(path, kernel, lambda p: World(p, kernel, hold, small=small))

        def replaying(case: Case) -> Replay:
            return replay(module, name, case, hold)

        return Obligation(
            f"allocator.{name} (hold {hold})",
            statement,
            "any volume, any number of runs, any history",
            run,
            outcomes,
            replaying,
            run_small=lambda path: run(path, small=True),
            cases=partial(allocator_cases, name, hold),
        )

    return [obligation(name, hold) for hold in holds for name in CHECKS]
