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
from watosfs_proofs.allocator_loops import forget_invariant, release_invariant
from watosfs_proofs.allocator_replay import replay
from watosfs_proofs.allocator_state import World
from watosfs_proofs.binding import allocator_kernel
from watosfs_proofs.blocks import BlockSet, RunsOf, in_run
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation, Replay
from watosfs_proofs.small_scope import allocator_cases
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.verdicts import Case

Build = Callable[[Path], World]


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


def _load(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    """The caller loads a run of the free tree less what is pending, then moves the frontier."""
    world = build(path)
    books, block, before = world.allocator, world.block, world.snapshot()
    start, end = path.integer("start"), path.integer("end")
    unloaded, free = world.unloaded, books.free.member
    generation, available = term(books.generation), term(books.available)
    world.facts.touch(start)
    world.facts.touch(end - 1)
    try:
        books.load(SymInt(start), SymInt(end))
    except kernel.ExtentError:
        world.prove_same("a refused run changes nothing", before)
        ours = z3.And(*(z3.Implies(in_run(b, start, end), unloaded(b)) for b in world.facts.near()))
        # An unloaded run is a part of the unloaded blocks, and not larger than they are.
        path.assume(z3.Implies(z3.And(start < end, ours), term(books.unloaded) >= end - start))
        path.prove("refuses only what is empty or not unloaded", z3.Or(start >= end, z3.Not(ours)))
        return "refused"
    path.prove("accepts only a run that is not empty", start < end)
    bounds = z3.And(term(books.frontier) <= start, end <= term(books.hi))
    path.prove("accepts only what is between the frontier and the end", bounds)
    path.prove("never more than is unloaded", term(books.unloaded) >= 0)
    # What of that range is unloaded the books do not know: it is the free tree's part.
    world.facts.every(lambda b: z3.Implies(in_run(b, start, end), unloaded(b)))
    path.prove(
        "exactly the run is free now",
        books.free.member(block) == z3.Or(free(block), in_run(block, start, end)),
    )
    path.prove("as much is available as before", term(books.available) == available)
    path.prove(
        "nothing fresh is loaded",
        z3.Implies(in_run(block, start, end), z3.Not(books.fresh.member(block))),
    )
    world.unloaded = lambda b: z3.And(unloaded(b), z3.Not(in_run(b, start, end)))
    frontier = path.integer("frontier_next")
    path.assume(z3.And(end <= frontier, frontier <= term(books.hi)))
    ahead = world.unloaded
    world.facts.every(lambda b: z3.Implies(ahead(b), b >= frontier))
    path.prove(
        "bounds stay; the frontier is the caller's", term(books.frontier) == before.numbers[-2]
    )
    books.frontier = SymInt(frontier)
    world.prove_kept()
    world.prove_fixed(generation, frontier=None)
    return "loaded"


def _unload(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    world = build(path)
    books, block, before = world.allocator, world.block, world.snapshot()
    keep = path.integer("keep")
    generation, frontier = term(books.generation), term(books.frontier)
    free, unloaded, available = books.free.member, world.unloaded, term(books.available)
    runs = RunsOf(books.free, "free")
    path.invariants["Allocator.unload"] = forget_invariant(runs, books, keep)
    runs.indices.touch(keep)
    try:
        books.unload(SymInt(keep))
    except kernel.ExtentError:
        path.prove("refuses only inside a transaction", term(books.fresh.count) > 0)
        world.prove_same("a refusal changes nothing", before)
        return "refused"
    path.prove("only between transactions", term(books.fresh.count) == 0)
    path.prove("as much is available as before", term(books.available) == available)
    at = term(books.frontier)
    world.facts.touch(runs.start(keep))
    if not path.decide(runs.length > keep):
        world.prove_same("with few runs nothing changes", before)
        return "kept"
    left = books.free.starts.length
    path.prove("the lowest runs are kept", z3.And(left == keep, books.free.ends.length == keep))
    path.prove("the frontier is the first that is forgotten", at == runs.start(keep))
    path.prove("the frontier does not advance", at <= frontier)
    path.prove("free counts what is kept", term(books.free.count) == runs.before(keep))
    # What the runs that are left hold: the blocks located in them.
    books.free.member = lambda b: z3.And(free(b), runs.where(b) < keep)
    world.unloaded = lambda b: z3.Or(unloaded(b), z3.And(free(b), runs.where(b) >= keep))
    world.facts.every(lambda b: z3.Not(books.fresh.member(b)))  # an empty set, by its count
    world.prove_kept()
    path.prove(
        "forgotten means at or above the frontier",
        z3.Implies(free(block), (block >= at) == (runs.where(block) >= keep)),
    )
    world.prove_fixed(generation, frontier=None)
    return "forgotten"


def _mounted(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    """A mounted volume satisfies the invariant: unloaded is all that its root does not reach."""
    world = build(path)
    old, hold, block = world.allocator, world.hold, world.block
    lo, hi, generation = term(old.lo), term(old.hi), path.integer("generation_mounted")
    used = path.integer("used_mounted")
    path.assume(used <= hi - lo)
    given = [SymInt(lo), SymInt(hi), SymInt(generation), SymInt(hi - lo - used)]
    books = kernel.Allocator(*given, hold)
    path.prove(
        "two commits are the default hold", hold != 2 or len(kernel.Allocator(*given).limbo) == 2
    )
    path.prove(
        "nothing is loaded, fresh or pending",
        z3.Not(
            z3.Or(
                books.free.member(block),
                books.fresh.member(block),
                *(dead.member(block) for dead in books.limbo),
            )
        ),
    )
    path.prove(
        "the sets are apart",
        len({id(s) for s in (books.free, books.fresh, *books.limbo)}) == 2 + hold,
    )
    root = z3.Function("mounted", z3.IntSort(), z3.BoolSort())
    world.facts.every(lambda b: z3.Implies(root(b), z3.And(lo <= b, b < hi)))
    world.allocator, world.used = books, used
    world.working, world.roots = root, [root] * hold
    world.unloaded = lambda b: z3.And(lo <= b, b < hi, z3.Not(root(b)))
    path.prove("everything free is available", term(books.available) == hi - lo - used)
    path.prove("nothing is held", term(books.held) == 0)
    world.prove_kept()
    world.prove_fixed(generation, frontier=lo)
    return "mounted"


Check = Callable[[Path, SimpleNamespace, Build], str]

CHECKS: dict[str, tuple[Check, str, tuple[str, ...]]] = {
    "mount": (_mounted, "a mounted volume keeps the invariant", ("mounted",)),
    "alloc": (_alloc, "hands out no block that anybody reaches", ("given", "none", "refused")),
    "drop": (
        _drop, "takes back only what is in use; no reuse before it is safe",
        ("free at once", "pending", "refused"),
    ),
    "committed": (_committed, "releases the oldest pending blocks only", ("committed",)),
    "aborted": (_aborted, "restores what the transaction found", ("aborted",)),
    "load": (_load, "loads exactly the run", ("loaded", "refused")),
    "unload": (_unload, "forgets the highest runs only", ("forgotten", "kept", "refused")),
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
