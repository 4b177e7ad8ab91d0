"""The contract of ExtentSet, for the code above it: a set of blocks and its count, no runs.

Trusted: that this says no more than the obligations of ``extents`` prove (a test runs both on the
same concrete sets and asks that the real behaviour is one that the contract allows).

Membership is a predicate on block numbers; facts about all blocks are instantiated at the block
numbers that the proof touches, one of which is an arbitrary one.
"""

from collections.abc import Callable
from typing import Any

import z3

from watosfs.wfs3.extents import ExtentError
from watosfs_proofs.executor import current
from watosfs_proofs.lists import Facts, SymList, stated, stated_of_two
from watosfs_proofs.symbolic import SymInt, term

Member = Callable[[z3.ArithRef], z3.BoolRef]


def in_run(block: z3.ArithRef, start: z3.ArithRef, end: z3.ArithRef) -> z3.BoolRef:
    """start <= block < end."""
    return z3.And(start <= block, block < end)


def blocks_of_path() -> Facts:
    """The facts about blocks of the current path."""
    path = current()
    facts = path.domains.setdefault("blocks", None) or Facts(path)
    path.domains["blocks"] = facts
    assert isinstance(facts, Facts)
    return facts


class BlockSet:
    """In place of ExtentSet. ``starts`` and ``ends`` only where the proof gives them."""

    starts: SymList
    ends: SymList
    no_number = True

    def __init__(self, member: Member | None = None, count: object = 0) -> None:
        self.facts = blocks_of_path()
        self.member: Member = (lambda _: z3.BoolVal(False)) if member is None else member
        self.count: Any = count

    def _some(self, start: z3.ArithRef, end: z3.ArithRef, condition: Member, name: str) -> bool:
        """Whether some block of [start, end) satisfies the condition; any answer if it is empty."""
        path = self.facts.path
        if not path.decide(start < end):
            return path.decide(path.boolean(f"{name}_of_nothing"))
        if path.decide(path.boolean(name)):
            witness = path.integer(f"{name}_at")
            path.assume(z3.And(in_run(witness, start, end), condition(witness)))
            self.facts.touch(witness)
            return True
        self.facts.every(lambda b: z3.Implies(in_run(b, start, end), z3.Not(condition(b))))
        self.facts.touch(start)
        self.facts.touch(end - 1)
        return False

    def covers(self, start: object, end: object) -> bool:
        """Whether every block of [start, end) is in the set."""
        member = self.member
        return not self._some(term(start), term(end), lambda b: z3.Not(member(b)), "gap")

    def meets(self, start: object, end: object) -> bool:
        """Whether any block of [start, end) is in the set."""
        return self._some(term(start), term(end), self.member, "overlap")

    def add(self, start: object, end: object) -> None:
        """Insert [start, end). Raises ExtentError when it is empty or overlaps."""
        first, last, member = term(start), term(end), self.member
        if not self.facts.path.decide(first < last):
            raise ExtentError("empty run")
        if self.meets(start, end):
            raise ExtentError("run overlaps the set")
        self.member = lambda b: z3.Or(member(b), in_run(b, first, last))
        self.count = self.count + SymInt(last - first)

    def remove(self, start: object, end: object) -> None:
        """Delete [start, end). Raises ExtentError when it is empty or not in the set."""
        first, last, member = term(start), term(end), self.member
        if not self.facts.path.decide(first < last):
            raise ExtentError("empty run")
        if not self.covers(start, end):
            raise ExtentError("run is not in the set")
        self._shrink(first, last, member)

    def _shrink(self, first: z3.ArithRef, last: z3.ArithRef, member: Member) -> None:
        self.member = lambda b: z3.And(member(b), z3.Not(in_run(b, first, last)))
        self.count = self.count - SymInt(last - first)
        self.facts.path.assume(term(self.count) >= 0)

    def take(self, count: object) -> SymInt | None:
        """Remove the lowest run of ``count`` blocks; its start, or None when there is none."""
        path, member, wanted = self.facts.path, self.member, term(count)
        path.prove("at least one block is asked for", wanted >= 1)
        if path.decide(path.boolean("nothing_fits")):
            if path.decide(wanted == 1):
                self.facts.every(lambda b: z3.Not(member(b)))
                path.assume(term(self.count) == 0)
            return None
        start = path.integer("taken")
        end = start + wanted
        self.facts.every(lambda b: z3.Implies(in_run(b, start, end), member(b)))
        self.facts.touch(start)
        self.facts.touch(end - 1)
        self._shrink(start, end, member)
        return SymInt(start)

    def absorb(self, other: "BlockSet") -> None:
        """Add every block of ``other``. Raises ExtentError when they overlap."""
        path, mine, theirs = self.facts.path, self.member, other.member
        if path.decide(path.boolean("common")):
            witness = path.integer("common_at")
            path.assume(z3.And(mine(witness), theirs(witness)))
            self.facts.touch(witness)
            raise ExtentError("run overlaps the set")
        self.facts.every(lambda b: z3.Not(z3.And(mine(b), theirs(b))))
        self.member = lambda b: z3.Or(mine(b), theirs(b))
        self.count = self.count + other.count


class RunsOf:
    """Gives a BlockSet an arbitrary list of runs that hold exactly its blocks."""

    def __init__(self, blocks: BlockSet, name: str) -> None:
        path = blocks.facts.path
        self.indices = indices = Facts(path)
        self.length = length = path.integer(f"{name}_runs", is_input=False)
        blocks.starts = SymList.arbitrary(indices, f"{name}_starts", length)
        blocks.ends = SymList.arbitrary(indices, f"{name}_ends", length)
        self.start, self.end = start, end = blocks.starts.read, blocks.ends.read
        self.where = where = z3.Function(f"{name}_where", z3.IntSort(), z3.IntSort())
        self._sum = z3.Function(f"{name}_sum", z3.IntSort(), z3.IntSort())
        self.member = member = blocks.member
        self._seen: set[tuple[int, int]] = set()
        #: The same as ``start`` and ``end``, of indices that are touched already.
        first = self._start = z3.Function(f"{name}_starts", z3.IntSort(), z3.IntSort())
        last = self._end = z3.Function(f"{name}_ends", z3.IntSort(), z3.IntSort())
        indices.every(
            stated(
                lambda k: z3.Implies(self.is_index(k), z3.And(first(k) >= 0, first(k) < last(k)))
            )
        )
        indices.every_two(
            stated_of_two(
                lambda j, k: z3.Implies(z3.And(j >= 0, j < k, k < length), last(j) < first(k))
            )
        )
        indices.touch(length - 1)

        def located(b: z3.ArithRef) -> z3.BoolRef:
            indices.touch(where(b))
            run = where(b)
            return z3.Implies(
                member(b), z3.And(self.is_index(run), in_run(b, start(run), end(run)))
            )

        blocks.facts.every(located)
        path.flushes.append(lambda: self._meet(blocks.facts))
        step = self._sum
        indices.every(
            stated(
                lambda k: z3.Implies(self.is_index(k), step(k + 1) == step(k) + last(k) - first(k))
            )
        )
        # By induction on k: no run has a negative number of blocks.
        indices.every(
            stated(
                lambda k: z3.Implies(
                    z3.And(k >= 0, k <= length), z3.And(step(k) >= 0, step(k) <= step(length))
                )
            )
        )
        path.assume(z3.And(step(z3.IntVal(0)) == 0, step(length) == term(blocks.count)))

    def is_index(self, k: z3.ArithRef) -> z3.BoolRef:
        """k names a run."""
        return z3.And(k >= 0, k < self.length)

    def before(self, k: z3.ArithRef) -> z3.ArithRef:
        """Blocks in the runs before run k."""
        self.indices.touch(k - 1)
        return self._sum(k)

    def _meet(self, facts: Facts) -> None:
        """A block within a run is a member, and is located there."""
        runs = self.indices.numbered()
        for block_number, block in facts.numbered():
            for number, k in runs:
                if (block_number, number) not in self._seen:
                    self._seen.add((block_number, number))
                    inside = z3.And(self.is_index(k), in_run(block, self._start(k), self._end(k)))
                    here = z3.And(self.member(block), self.where(block) == k)
                    facts.path.assume(z3.Implies(inside, here))
