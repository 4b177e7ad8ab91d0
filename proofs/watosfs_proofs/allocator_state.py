"""An arbitrary allocator that keeps the invariant, with what the books alone cannot say: which
blocks the working tree and each durable root reach.

The invariant, of every block of [lo, hi): it is in exactly one of free, unloaded, fresh, limbo
and in use; nobody reaches a free block; no durable root reaches a fresh one; a block dropped k
commits ago is reached by no root newer than that. And free + unloaded + fresh + limbo + in use is
the volume.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import z3

from watosfs_proofs.blocks import BlockSet, Member, blocks_of_path
from watosfs_proofs.executor import Path, concrete
from watosfs_proofs.symbolic import SymInt, term

#: Blocks of the volumes on which witnesses and counterexamples are made concrete.
SMALL_BLOCKS = 6


@dataclass(frozen=True)
class Snapshot:
    """The books at one moment."""

    members: tuple[Member, ...]
    numbers: tuple[z3.ArithRef, ...]


class World:
    """``allocator`` is the code's; the rest are the proof's."""

    def __init__(
        self, path: Path, kernel: SimpleNamespace, hold: int, *, small: bool = False
    ) -> None:
        self.path, self.hold = path, hold
        self.facts = blocks_of_path()
        lo, hi = path.integer("lo"), path.integer("hi")
        path.assume(lo <= hi)
        allocator: Any = kernel.Allocator(
            SymInt(lo),
            SymInt(hi),
            SymInt(path.integer("generation")),
            SymInt(path.integer("u")),
            hold,
        )
        self.allocator = allocator
        allocator.lo, allocator.hi = SymInt(lo), SymInt(hi)
        allocator.generation = SymInt(path.integer("generation_now"))
        allocator.frontier = SymInt(path.integer("frontier"))
        path.assume(z3.And(lo <= allocator.frontier.term, allocator.frontier.term <= hi))
        self._predicates: dict[str, Member] = {}
        allocator.free, allocator.fresh = self._set("free"), self._set("fresh")
        allocator.limbo = [self._set(f"limbo{k}") for k in range(hold)]
        self.unloaded = self._predicate("unloaded")
        allocator.unloaded = SymInt(path.integer("unloaded_count"))
        self.working = self._predicate("working")
        self.roots = [self._predicate(f"root{k}") for k in range(hold)]
        self.used = path.integer("used_count")
        self.block = path.integer("block")
        self.facts.touch(self.block)
        fixed = self.invariant()
        self.facts.every(fixed)
        path.assume(self.conserved())
        path.decoders["world"] = self._decode
        if small:
            self._make_small()

    def _predicate(self, name: str) -> Member:
        function = z3.Function(name, z3.IntSort(), z3.BoolSort())
        self._predicates[name] = function
        return function  # type: ignore[no-any-return]

    def _set(self, name: str) -> BlockSet:
        return BlockSet(self._predicate(name), SymInt(self.path.integer(f"{name}_count")))

    def _make_small(self) -> None:
        """Only volumes of a few blocks, each of them looked at and every count spelled out."""
        path, allocator = self.path, self.allocator
        path.assume(allocator.hi.term <= SMALL_BLOCKS)
        numbers = [z3.IntVal(number) for number in range(SMALL_BLOCKS)]
        for number in numbers:
            self.facts.touch(number)
        counts = [(allocator.unloaded.term, self.unloaded)]
        for books in (allocator.free, allocator.fresh, *allocator.limbo):
            counts.append((books.count.term, books.member))
        for count, member in counts:
            path.assume(count == z3.Sum(*(z3.If(member(b), 1, 0) for b in numbers)))

    def _decode(self, model: z3.ModelRef) -> dict[str, list[int]]:
        return {
            name: [b for b in range(SMALL_BLOCKS) if concrete(model, member(z3.IntVal(b)))]
            for name, member in self._predicates.items()
        }

    # The invariant.

    def invariant(self) -> Member:
        """Of one block, in the state as it is now."""
        allocator, working, roots = self.allocator, self.working, list(self.roots)
        free, fresh, unloaded = allocator.free.member, allocator.fresh.member, self.unloaded
        limbo = [dead.member for dead in allocator.limbo]
        lo, hi, frontier = allocator.lo.term, allocator.hi.term, term(allocator.frontier)

        def of(b: z3.ArithRef) -> z3.BoolRef:
            states = [free(b), unloaded(b), fresh(b), *(dead(b) for dead in limbo)]
            reached = [root(b) for root in roots]
            inside = z3.And(lo <= b, b < hi)
            clauses = [z3.AtMost(*states, 1), z3.Implies(z3.Or(*states), inside)]
            clauses += [
                z3.Implies(z3.Or(working(b), *reached), inside),
                z3.Implies(z3.Or(free(b), unloaded(b)), z3.Not(z3.Or(working(b), *reached))),
                z3.Implies(unloaded(b), b >= frontier),
                z3.Implies(z3.Or(free(b), fresh(b)), b < frontier),
                z3.Implies(fresh(b), z3.And(working(b), z3.Not(z3.Or(*reached)))),
                z3.Implies(z3.And(inside, z3.Not(z3.Or(*states))), z3.And(working(b), reached[0])),
            ]
            for k, dead in enumerate(limbo):
                newer = z3.Or(working(b), *reached[:k])
                clauses.append(z3.Implies(dead(b), z3.And(z3.Not(newer), reached[k])))
            return z3.And(*clauses)

        return of

    def conserved(self) -> z3.BoolRef:
        """The counts add up to the volume."""
        allocator = self.allocator
        total = term(allocator.free.count) + term(allocator.fresh.count) + self.used
        total = total + term(allocator.unloaded)
        for dead in allocator.limbo:
            total = total + term(dead.count)
        counts = [allocator.free.count, allocator.fresh.count, allocator.unloaded]
        return z3.And(
            total == allocator.hi.term - allocator.lo.term,
            self.used >= 0,
            *(term(count) >= 0 for count in counts),
        )

    def prove_kept(self) -> None:
        """The invariant holds of the state as it is now."""
        path = self.path
        path.prove("every block stays in exactly one state", self.invariant()(self.block))
        path.prove("free + unloaded + fresh + pending + used = total", self.conserved())
        path.prove("as many generations of pending", len(self.allocator.limbo) == self.hold)

    # Changes.

    def snapshot(self) -> Snapshot:
        """The books now."""
        allocator = self.allocator
        sets = (allocator.free, allocator.fresh, *allocator.limbo)
        numbers = [each.count for each in sets]
        numbers += [allocator.lo, allocator.hi, allocator.generation]
        numbers += [allocator.frontier, allocator.unloaded]
        return Snapshot(tuple(each.member for each in sets), tuple(term(n) for n in numbers))

    def prove_same(self, goal: str, before: Snapshot) -> None:
        """Nothing changed."""
        now = self.snapshot()
        same = [
            a(self.block) == b(self.block) for a, b in zip(before.members, now.members, strict=True)
        ]
        same += [a == b for a, b in zip(before.numbers, now.numbers, strict=True)]
        self.path.prove(goal, z3.And(*same))

    def prove_fixed(self, generation: z3.ArithRef, *, frontier: z3.ArithRef | None) -> None:
        """Bounds stay, the generation is as given, and so is the frontier when given."""
        now = self.allocator
        goals = [term(now.lo) == self.path.inputs["lo"], term(now.hi) == self.path.inputs["hi"]]
        goals.append(term(now.generation) == generation)
        if frontier is not None:
            goals.append(term(now.frontier) == frontier)
        self.path.prove("bounds, generation and frontier are right", z3.And(*goals))
