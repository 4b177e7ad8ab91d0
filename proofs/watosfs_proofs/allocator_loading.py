"""What is proved of the allocator at its edges: mounting, loading the free tree, forgetting it."""

from collections.abc import Callable
from types import SimpleNamespace

import z3

from watosfs_proofs.allocator_loops import forget_invariant
from watosfs_proofs.allocator_state import World
from watosfs_proofs.blocks import RunsOf, in_run
from watosfs_proofs.executor import Path
from watosfs_proofs.symbolic import SymInt, term

Build = Callable[[Path], World]


def check_load(path: Path, kernel: SimpleNamespace, build: Build) -> str:
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


def check_unload(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    """Only the highest runs are forgotten, and counted as unloaded."""
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


def check_mounted(path: Path, kernel: SimpleNamespace, build: Build) -> str:
    """A mounted volume satisfies the invariant: unloaded is all that its root does not reach."""
    world = build(path)
    old, hold, block = world.allocator, world.hold, world.block
    lo, hi, generation = term(old.lo), term(old.hi), path.integer("generation_mounted")
    used = path.integer("used_mounted")
    path.assume(used <= hi - lo)
    pending = z3.Sum(*(term(dead.count) for dead in old.limbo))
    path.prove("what is held is what is pending", term(old.held) == pending)
    path.prove(
        "available is what is free, loaded or not",
        term(old.available) == term(old.free.count) + term(old.unloaded),
    )
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
