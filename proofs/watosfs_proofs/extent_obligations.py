"""What is proved of ``watosfs.wfs3.extents.ExtentSet``: any number of runs, any volume.

Each operation starts from an arbitrary set that keeps the invariant (runs sorted, disjoint, never
adjacent, within arbitrary bounds) and must keep it: by induction, after any history.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.wfs3 import extents
from watosfs_proofs import extent_replay
from watosfs_proofs.allocator_loops import absorb_invariant
from watosfs_proofs.binding import extents_kernel
from watosfs_proofs.blocks import BlockSet, RunsOf
from watosfs_proofs.executor import Path
from watosfs_proofs.extent_state import (
    arbitrary_set,
    exists,
    fit_invariant,
    largest_invariant,
    prove_kept,
    prove_members,
    prove_unchanged,
)
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.small_scope import extent_cases
from watosfs_proofs.symbolic import SymInt, term

BOUND = "any number of runs, any volume"


def _add(path: Path, kernel: SimpleNamespace) -> str:
    runs, old = arbitrary_set(path, kernel)
    start, end = path.integer("start"), path.integer("end")
    path.assume(z3.And(old.lo <= start, end <= old.hi))
    try:
        runs.add(SymInt(start), SymInt(end))
    except kernel.ExtentError:
        overlaps = exists(old, lambda k: old.meets(k, start, end))
        path.prove("refuses only an empty or overlapping run", z3.Or(start >= end, overlaps))
        prove_unchanged(path, runs, old)
        return "refused"
    any_run = old.any_index("k")
    path.prove("accepts only a run that is not empty", start < end)
    path.prove("accepts only a disjoint run", z3.Not(old.meets(any_run, start, end)))
    prove_kept(path, runs, old)
    prove_members(path, runs, old, lambda was, b: z3.Or(was, z3.And(start <= b, b < end)))
    path.prove("count grows by the run", runs.count.term == old.count + (end - start))
    return "added"


def _remove(path: Path, kernel: SimpleNamespace) -> str:
    runs, old = arbitrary_set(path, kernel)
    start, end = path.integer("start"), path.integer("end")
    try:
        runs.remove(SymInt(start), SymInt(end))
    except kernel.ExtentError:
        any_run = old.any_index("k")
        missing = z3.Not(old.contains(any_run, start, end))
        path.prove("refuses only a run that is empty or not there", z3.Or(start >= end, missing))
        prove_unchanged(path, runs, old)
        return "refused"
    path.prove("accepts only a run that is not empty", start < end)
    path.prove("accepts only what is there", exists(old, lambda k: old.contains(k, start, end)))
    prove_kept(path, runs, old)
    prove_members(path, runs, old, lambda was, b: z3.And(was, z3.Not(z3.And(start <= b, b < end))))
    path.prove("count shrinks by the run", runs.count.term == old.count - (end - start))
    return "removed"


def _covers(path: Path, kernel: SimpleNamespace) -> str:
    runs, old = arbitrary_set(path, kernel)
    start, end = path.integer("start"), path.integer("end")
    path.assume(start < end)
    answer = bool(runs.covers(SymInt(start), SymInt(end)))
    prove_unchanged(path, runs, old)
    block = path.integer("block")
    if answer:
        within = z3.And(start <= block, block < end)
        inside = exists(old, lambda k: old.has(k, block))
        path.prove("yes: every block is in the set", z3.Implies(within, inside))
        return "yes"
    gap = start  # the first block that is missing: the start, or where the run around it ends
    for k in list(old.facts.near()):
        if path.decide(old.has(k, start)):
            gap = old.ends.read(k)
            break
    any_run = old.any_index("j")
    path.prove("no: a block is missing, asked for", z3.And(start <= gap, gap < end))
    path.prove("no: a block is missing", z3.Not(old.has(any_run, gap)))
    return "no"


def _meets(path: Path, kernel: SimpleNamespace) -> str:
    runs, old = arbitrary_set(path, kernel)
    start, end = path.integer("start"), path.integer("end")
    path.assume(start < end)
    answer = bool(runs.meets(SymInt(start), SymInt(end)))
    prove_unchanged(path, runs, old)
    if answer:
        path.prove("yes: a block is in the set", exists(old, lambda k: old.meets(k, start, end)))
        return "yes"
    any_run = old.any_index("k")
    path.prove("no: no block is in the set", z3.Not(old.meets(any_run, start, end)))
    return "no"


def _first_fit(path: Path, kernel: SimpleNamespace) -> str:
    runs, old = arbitrary_set(path, kernel)
    count = path.integer("wanted")
    path.invariants["ExtentSet.first_fit"] = fit_invariant()
    found = runs.first_fit(SymInt(count))
    prove_unchanged(path, runs, old)
    any_run = old.any_index("k")
    fits = z3.And(old.is_index(any_run), old.size(any_run) >= count)
    if found is None:
        path.prove("none only when nothing fits", z3.Not(fits))
        return "none"
    at = found.term
    path.prove("it fits", z3.And(old.is_index(at), old.size(at) >= count))
    path.prove("it is the lowest that fits", z3.Implies(fits, at <= any_run))
    return "found"


def _largest(path: Path, kernel: SimpleNamespace) -> str:
    runs, old = arbitrary_set(path, kernel)
    path.invariants["ExtentSet.largest"] = largest_invariant()
    found = runs.largest()
    prove_unchanged(path, runs, old)
    if found is None:
        path.prove("none only when the set is empty", old.starts.length == 0)
        return "none"
    at, any_run = found.term, old.any_index("k")
    path.prove("it is a run", old.is_index(at))
    larger = old.size(any_run) > old.size(at)
    lower = z3.And(old.size(any_run) == old.size(at), any_run < at)
    worse = z3.Not(z3.Or(larger, lower))
    path.prove("nothing is larger, or as large and lower", z3.Implies(old.is_index(any_run), worse))
    return "found"


def _take(path: Path, kernel: SimpleNamespace) -> str:
    runs, old = arbitrary_set(path, kernel)
    count = path.integer("wanted")
    path.assume(count >= 1)
    path.invariants["ExtentSet.first_fit"] = fit_invariant()
    taken = runs.take(SymInt(count))
    any_run = old.any_index("k")
    fits = z3.And(old.is_index(any_run), old.size(any_run) >= count)
    if taken is None:
        path.prove("none only when nothing fits", z3.Not(fits))
        prove_unchanged(path, runs, old)
        return "none"
    start, end = taken.term, taken.term + count
    path.prove("what is taken was there", exists(old, lambda k: old.contains(k, start, end)))
    path.prove("lowest first", z3.Implies(fits, start <= old.starts.read(any_run)))
    prove_kept(path, runs, old)
    prove_members(path, runs, old, lambda was, b: z3.And(was, z3.Not(z3.And(start <= b, b < end))))
    path.prove("count shrinks by what is taken", runs.count.term == old.count - count)
    runs.add(taken, taken + SymInt(count))
    prove_unchanged(path, runs, old, "giving it back restores the set")
    return "taken"


def _new(path: Path, kernel: SimpleNamespace) -> str:
    runs = kernel.ExtentSet()
    path.prove("no runs", runs.starts == [] and runs.ends == [])
    path.prove("no blocks", type(runs.count) is int and runs.count == 0)
    path.prove("its own lists", runs.starts is not runs.ends)
    return "empty"


def _absorb(path: Path, kernel: SimpleNamespace) -> str:
    """The loop over the contract of ``add``, which the obligation on ``add`` proves."""
    block = path.integer("block")
    mine = BlockSet(z3.Function("mine", z3.IntSort(), z3.BoolSort()), SymInt(path.integer("count")))
    theirs_count = SymInt(path.integer("other_count"))
    other = BlockSet(z3.Function("theirs", z3.IntSort(), z3.BoolSort()), theirs_count)
    was, theirs, count = mine.member, other.member, mine.count
    mine.facts.touch(block)
    mine.facts.every(lambda b: z3.Not(z3.And(was(b), theirs(b))))
    path.invariants["ExtentSet.absorb"] = absorb_invariant(RunsOf(other, "other"), mine)
    kernel.ExtentSet.absorb(mine, other)
    path.prove("the set is the union", mine.member(block) == z3.Or(was(block), theirs(block)))
    path.prove("the counts add up", term(mine.count) == term(count) + theirs_count.term)
    path.prove("the other set is left alone", z3.BoolVal(other.member is theirs))
    return "absorbed"


Check = Callable[[Path, SimpleNamespace], str]

CHECKS: dict[str, tuple[Check, str, tuple[str, ...]]] = {
    "__init__": (_new, "a new set is empty", ("empty",)),
    "add": (_add, "adds exactly the run, joined; refuses an overlap", ("added", "refused")),
    "remove": (_remove, "removes exactly the run; refuses what is missing", ("removed", "refused")),
    "covers": (_covers, "says whether every block is in the set", ("yes", "no")),
    "meets": (_meets, "says whether any block is in the set", ("yes", "no")),
    "first_fit": (_first_fit, "finds the lowest run that fits", ("found", "none")),
    "largest": (_largest, "finds the lowest of the largest runs", ("found", "none")),
    "take": (_take, "takes the lowest fit; giving it back restores the set", ("taken", "none")),
    "absorb": (_absorb, "the union of disjoint sets", ("absorbed",)),
}


def extent_obligations(module: ModuleType = extents) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""
    kernel = extents_kernel(module)

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, kernel)

    def replaying(operation: str) -> Callable[[Any], Any]:
        return lambda case: extent_replay.replay(module, operation, case)

    return [
        Obligation(
            f"extents.{name}",
            statement,
            BOUND,
            bound_to(check),
            outcomes,
            replaying(name),
            cases=partial(extent_cases, name),
        )
        for name, (check, statement, outcomes) in CHECKS.items()
    ]
