"""The invariants of the loops over sets of blocks (two of the allocator, ``ExtentSet.absorb``), and
what each carries.
"""

from typing import Any

import z3

from watosfs_proofs.blocks import BlockSet, RunsOf
from watosfs_proofs.loops import Invariant, Locals
from watosfs_proofs.symbolic import SymInt, term


def release_invariant(runs: RunsOf, books: Any) -> Invariant:
    """Of ``committed``: after i runs, their blocks below the frontier are free and the rest of
    them is counted as unloaded.
    """
    path, blocks = runs.indices.path, books.free.facts
    free, count, unloaded = books.free.member, term(books.free.count), term(books.unloaded)
    frontier = term(books.frontier)
    below = z3.Function("below_frontier", z3.IntSort(), z3.IntSort())

    def split(k: z3.ArithRef) -> z3.BoolRef:
        start, end = runs.start(k), runs.end(k)
        part = z3.If(end <= frontier, end - start, z3.If(start >= frontier, 0, frontier - start))
        return z3.Implies(runs.is_index(k), below(k + 1) == below(k) + part)

    runs.indices.every(split)
    path.assume(below(z3.IntVal(0)) == 0)
    # Runs, and parts of runs, have no negative number of blocks.
    runs.indices.every(
        lambda k: z3.Implies(
            z3.And(k >= 0, k <= runs.length), z3.And(below(k) >= 0, below(k) <= runs.before(k))
        )
    )

    def released(b: z3.ArithRef, i: z3.ArithRef) -> z3.BoolRef:
        done = z3.And(runs.member(b), runs.where(b) < i, b < frontier)
        return z3.Or(free(b), done)

    def holds(scope: Locals, i: z3.ArithRef) -> list[tuple[str, z3.BoolRef]]:
        now, block = scope["self"], path.inputs["block"]
        return [
            ("the runs so far are free", now.free.member(block) == released(block, i)),
            ("what is free is counted", term(now.free.count) == count + below(i)),
            (
                "what is unloaded is counted",
                term(now.unloaded) == unloaded + runs.before(i) - below(i),
            ),
        ]

    def arbitrary(scope: Locals, i: z3.ArithRef) -> Locals:
        now = scope["self"]
        so_far = z3.Function("free_so_far", z3.IntSort(), z3.BoolSort())
        now.free.member = so_far
        blocks.every(lambda b: so_far(b) == released(b, i))
        now.free.count = SymInt(count + below(i))
        now.unloaded = SymInt(unloaded + runs.before(i) - below(i))
        return {}

    carries = frozenset({"self.free.member", "self.free.count", "self.unloaded"})
    return Invariant(holds, arbitrary, carries)


def forget_invariant(runs: RunsOf, books: Any, keep: z3.ArithRef) -> Invariant:
    """Of ``unload``: the lowest m runs are left, m >= keep; the blocks of the others are counted
    as unloaded.
    """
    path, available = runs.indices.path, term(books.available)

    def holds(scope: Locals, _: z3.ArithRef) -> list[tuple[str, z3.BoolRef]]:
        free = scope["self"].free
        left = free.starts.length
        j = path.integer("left", is_input=False)
        runs.indices.touch(j)
        same = z3.And(free.starts.read(j) == runs.start(j), free.ends.read(j) == runs.end(j))
        return [
            ("the lowest runs are left", z3.Implies(z3.And(j >= 0, j < left), same)),
            ("as many starts as ends", z3.And(free.ends.length == left, left <= runs.length)),
            ("no more than asked is forgotten", left >= keep),
            ("free counts what is left", term(free.count) == runs.before(left)),
            ("nothing is lost", term(scope["self"].available) == available),
        ]

    def arbitrary(scope: Locals, _: z3.ArithRef) -> Locals:
        now = scope["self"]
        left = path.integer("runs_left", is_input=False)
        path.assume(z3.And(left >= keep, left <= runs.length))
        runs.indices.touch(left)
        runs.indices.touch(left - 1)
        for kept, read in ((now.free.starts, runs.start), (now.free.ends, runs.end)):
            kept.length, kept.read = left, read
        now.free.count = SymInt(runs.before(left))
        now.unloaded = SymInt(available - runs.before(left))
        return {}

    ends = ("starts.length", "starts.read", "ends.length", "ends.read", "count")
    carries = {f"self.free.{each}" for each in ends} | {"self.unloaded", "starts", "ends", "size"}
    return Invariant(holds, arbitrary, frozenset(carries))


def absorb_invariant(runs: RunsOf, mine: BlockSet) -> Invariant:
    """Of ``ExtentSet.absorb``: the runs so far have been added, and counted."""
    before, count, facts = mine.member, term(mine.count), mine.facts
    path = facts.path

    def so_far(b: z3.ArithRef, i: z3.ArithRef) -> z3.BoolRef:
        return z3.Or(before(b), z3.And(runs.member(b), runs.where(b) < i))

    def holds(scope: Locals, i: z3.ArithRef) -> list[tuple[str, z3.BoolRef]]:
        now, block = scope["self"], path.inputs["block"]
        return [
            ("the runs so far are in it", now.member(block) == so_far(block, i)),
            ("the runs so far are counted", term(now.count) == count + runs.before(i)),
        ]

    def arbitrary(scope: Locals, i: z3.ArithRef) -> Locals:
        now = scope["self"]
        member = z3.Function("absorbed_so_far", z3.IntSort(), z3.BoolSort())
        now.member = member
        facts.every(lambda b: member(b) == so_far(b, i))
        now.count = SymInt(count + runs.before(i))
        return {}

    return Invariant(holds, arbitrary, frozenset({"self.member", "self.count"}))
