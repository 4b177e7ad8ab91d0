"""An arbitrary ExtentSet, and what its invariant, membership and search loops say."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import z3

from watosfs_proofs.executor import Path, concrete
from watosfs_proofs.lists import Facts, SymList, stated, stated_of_two
from watosfs_proofs.loops import Invariant, Locals
from watosfs_proofs.symbolic import SymInt, term


class ExtentState:
    """The runs of a set as they were at one moment, as terms."""

    def __init__(self, runs: Any, lo: z3.ArithRef, hi: z3.ArithRef) -> None:
        self.starts: SymList = runs.starts.copy()
        self.ends: SymList = runs.ends.copy()
        self.count = term(runs.count)
        self.lo, self.hi = lo, hi
        self.facts: Facts = runs.starts.facts

    def is_index(self, k: z3.ArithRef) -> z3.BoolRef:
        """k names a run."""
        return z3.And(k >= 0, k < self.starts.length)

    def size(self, k: z3.ArithRef) -> z3.ArithRef:
        """Blocks of run k."""
        return self.ends.read(k) - self.starts.read(k)

    def has(self, k: z3.ArithRef, block: z3.ArithRef) -> z3.BoolRef:
        """Run k holds the block."""
        return z3.And(self.is_index(k), self.starts.read(k) <= block, block < self.ends.read(k))

    def meets(self, k: z3.ArithRef, start: z3.ArithRef, end: z3.ArithRef) -> z3.BoolRef:
        """Run k and [start, end) have a block in common."""
        return z3.And(self.is_index(k), self.starts.read(k) < end, start < self.ends.read(k))

    def contains(self, k: z3.ArithRef, start: z3.ArithRef, end: z3.ArithRef) -> z3.BoolRef:
        """[start, end) lies in run k."""
        return z3.And(self.is_index(k), self.starts.read(k) <= start, end <= self.ends.read(k))

    def any_index(self, name: str) -> z3.ArithRef:
        """An arbitrary index: what is proved of it is proved of all."""
        k = self.facts.path.integer(name, is_input=False)
        self.facts.touch(k)
        return k


def arbitrary_set(path: Path, kernel: SimpleNamespace, name: str = "") -> tuple[Any, ExtentState]:
    """Any set that keeps the invariant, within any bounds [lo, hi), and its state now."""
    facts = Facts(path)
    length = path.integer(f"{name}runs_length", is_input=False)
    runs = kernel.ExtentSet()
    runs.starts = SymList.arbitrary(facts, f"{name}starts", length)
    runs.ends = SymList.arbitrary(facts, f"{name}ends", length)
    runs.count = SymInt(path.integer(f"{name}count"))
    lo, hi = path.integer(f"{name}lo"), path.integer(f"{name}hi")
    state = ExtentState(runs, lo, hi)
    start, end = state.starts.read, state.ends.read
    first, last = (
        z3.Function(f"{name}{each}", z3.IntSort(), z3.IntSort()) for each in ("starts", "ends")
    )
    facts.every(
        stated(
            lambda k: z3.Implies(
                state.is_index(k), z3.And(lo <= first(k), first(k) < last(k), last(k) <= hi)
            )
        )
    )
    facts.every_two(
        stated_of_two(
            lambda j, k: z3.Implies(z3.And(j >= 0, j < k, k < length), last(j) < first(k))
        )
    )
    facts.touch(z3.IntVal(0))
    facts.touch(length - 1)

    def decode(model: z3.ModelRef) -> list[tuple[int, int]]:
        """The runs the proof looked at: every part of a set that keeps the invariant keeps it."""
        found = {}
        for k in facts.near():
            at = int(concrete(model, k))
            if 0 <= at < int(concrete(model, length)):
                found[at] = int(concrete(model, start(k))), int(concrete(model, end(k)))
        return [found[at] for at in sorted(found)]

    path.decoders[f"{name}runs"] = decode
    return runs, state


def exists(state: ExtentState, condition: Callable[[z3.ArithRef], z3.BoolRef]) -> z3.BoolRef:
    """Some index the path has touched satisfies the condition: enough to show that one does."""
    state.facts.path.flush()
    return z3.Or(*[condition(k) for k in list(state.facts.terms)])


def prove_kept(path: Path, runs: Any, old: ExtentState) -> None:
    """The invariant holds of the set as it is now."""
    now = ExtentState(runs, old.lo, old.hi)
    j, k = path.integer("p", is_input=False), path.integer("q", is_input=False)
    start, end, length = now.starts.read, now.ends.read, now.starts.length
    path.prove("as many starts as ends", z3.And(length == now.ends.length, length >= 0))
    path.prove("no run is empty", z3.Implies(k < length, start(k) < end(k)))
    path.prove("in bounds", z3.Implies(k < length, z3.And(old.lo <= start(k), end(k) <= old.hi)))
    path.prove(
        "sorted, disjoint, coalesced", z3.Implies(z3.And(j < k, k < length), end(j) < start(k))
    )


def prove_members(
    path: Path,
    runs: Any,
    old: ExtentState,
    wanted: Callable[[z3.BoolRef, z3.ArithRef], z3.BoolRef],
) -> None:
    """A block is in the set now if and only if ``wanted(it was before, block)``."""
    now = ExtentState(runs, old.lo, old.hi)
    block, j = path.integer("block"), old.any_index("j")
    old.facts.touch(j - 1)  # an element moves by one place at most
    old.facts.touch(j + 1)
    is_in, was_in = now.has(j, block), old.has(j, block)
    somewhere_before = exists(old, lambda k: old.has(k, block))
    somewhere_now = exists(old, lambda k: now.has(k, block))
    path.prove("no block too many", z3.Implies(is_in, wanted(somewhere_before, block)))
    path.prove("no block too few", z3.Implies(wanted(was_in, block), somewhere_now))


def prove_unchanged(path: Path, runs: Any, old: ExtentState, goal: str = "changes nothing") -> None:
    """The set is exactly what it was."""
    now, j = ExtentState(runs, old.lo, old.hi), old.any_index("same")
    same = z3.And(old.starts.read(j) == now.starts.read(j), old.ends.read(j) == now.ends.read(j))
    path.prove(
        goal,
        z3.And(
            now.starts.length == old.starts.length,
            now.ends.length == old.ends.length,
            now.count == old.count,
            z3.Implies(old.is_index(j), same),
        ),
    )


def fit_invariant() -> Invariant:
    """Of ``first_fit``: nothing before this run fits."""

    def before(scope: Locals, i: z3.ArithRef) -> Callable[[z3.ArithRef], z3.BoolRef]:
        start, end = scope["self"].starts.read, scope["self"].ends.read
        wanted = term(scope["count"])
        return lambda k: z3.Implies(z3.And(k >= 0, k < i), end(k) - start(k) < wanted)

    def holds(scope: Locals, i: z3.ArithRef) -> list[tuple[str, z3.BoolRef]]:
        facts: Facts = scope["self"].starts.facts
        k = facts.path.integer("earlier", is_input=False)
        facts.touch(k)
        return [("nothing earlier fits", before(scope, i)(k))]

    def arbitrary(scope: Locals, i: z3.ArithRef) -> Locals:
        scope["self"].starts.facts.every(before(scope, i))
        return {}

    return Invariant(holds, arbitrary)


def largest_invariant() -> Invariant:
    """Of ``largest``: ``best`` is the lowest of the largest runs so far, ``size`` its size."""

    def beaten(
        scope: Locals, i: z3.ArithRef, best: z3.ArithRef, size: z3.ArithRef
    ) -> Callable[[z3.ArithRef], z3.BoolRef]:
        start, end = scope["self"].starts.read, scope["self"].ends.read
        return lambda k: z3.Implies(
            z3.And(k >= 0, k < i),
            z3.Or(end(k) - start(k) < size, z3.And(end(k) - start(k) == size, best <= k)),
        )

    def is_size(scope: Locals, best: z3.ArithRef, size: z3.ArithRef) -> z3.BoolRef:
        return scope["self"].ends.read(best) - scope["self"].starts.read(best) == size

    def holds(scope: Locals, i: z3.ArithRef) -> list[tuple[str, z3.BoolRef]]:
        facts: Facts = scope["self"].starts.facts
        best, size = scope["best"], term(scope["size"])
        if best is None:
            return [("nothing was seen", i == 0), ("of no size", size == 0)]
        at = term(best)
        k = facts.path.integer("earlier", is_input=False)
        facts.touch(k)
        return [
            ("best is one of them", z3.And(at >= 0, at < i)),
            ("its size is known", is_size(scope, at, size)),
            ("the others are worse", beaten(scope, i, at, size)(k)),
        ]

    def arbitrary(scope: Locals, i: z3.ArithRef) -> Locals:
        facts: Facts = scope["self"].starts.facts
        path = facts.path
        if path.decide(i == 0):
            return {"best": None, "size": 0}
        best = path.integer("best", is_input=False)
        size = path.integer("size", is_input=False)
        facts.touch(best)
        path.assume(z3.And(best < i, is_size(scope, best, size)))
        facts.every(beaten(scope, i, best, size))
        return {"best": SymInt(best), "size": SymInt(size)}

    return Invariant(holds, arbitrary)
