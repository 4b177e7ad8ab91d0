"""A file allocation table of any size, a chain in it, and the production code that changes both.

What ``Chains`` keeps, of every cluster of a chain: it is not free, and leads to the next one of the
chain, where what waits (``links``, ``cuts``) counts before what the table says; a link leads from
a cluster on disk to a fresh one, and the table still says that the chain ends there. What follows a
fresh cluster in its chain is fresh.

Trusted: that the map and the table do here what is proved of them elsewhere, and ``links`` and
``cuts`` what Python's dict and set do.
"""

import errno
from collections.abc import Callable
from itertools import zip_longest
from types import ModuleType
from typing import Any

import z3

from watosfs.fat import chains
from watosfs_proofs.binding import bind
from watosfs_proofs.blocks import in_run
from watosfs_proofs.executor import Path
from watosfs_proofs.lists import Facts, stated
from watosfs_proofs.symbolic import SymInt, term

Run = tuple[z3.ArithRef, z3.ArithRef]
Has = Callable[[z3.ArithRef], z3.BoolRef]

INTEGER, BOOLEAN = z3.IntSort(), z3.BoolSort()
RUNS_MAX, NEW_RUNS_MAX = 2, 2
END = 0x0FFFFFFF


class Waiting:
    """A dict or a set of clusters: ``links``, ``cuts``."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.has: Has = z3.Function(f"in_{name}", INTEGER, BOOLEAN)
        self.value: Callable[[z3.ArithRef], z3.ArithRef] = z3.Function(name, INTEGER, INTEGER)

    def __contains__(self, key: object) -> bool:
        return self.path.decide(self.has(term(key)))

    def add(self, key: object) -> None:
        """As ``set.add``."""
        at, has = term(key), self.has
        self.has = lambda c: z3.Or(has(c), c == at)

    def __setitem__(self, key: object, new: object) -> None:
        at, put, value = term(key), term(new), self.value
        self.add(key)
        self.value = lambda c: z3.If(c == at, put, value(c))

    def pop(self, key: object, default: object) -> Any:
        """As ``dict.pop``."""
        at, has = term(key), self.has
        if not self.path.decide(has(at)):
            return default
        self.has = lambda c: z3.And(has(c), c != at)
        return SymInt(self.value(at))


class TableOf:
    """What ``Chains`` knows of the table."""

    def __init__(self, world: "World") -> None:
        self.end = world.end
        self.put, self.put_run, self.clear_run = world.put, world.put_run, world.clear_run


class AllocatorOf:
    """What ``Chains`` knows of the allocator."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.allocate, self.is_fresh = world.allocate, world.is_fresh
        self.fresh_until, self.give_back = world.fresh_until, world.give_back

    @property
    def free_count(self) -> SymInt:
        """Free clusters."""
        return self.world.free_count


class World:
    """The table (``entry``), the map of the allocator (``free``, ``fresh``), and one chain."""

    def __init__(self, path: Path, module: ModuleType = chains, runs_max: int = RUNS_MAX) -> None:
        self.path = path
        kernel = bind(module, {})
        self.facts = Facts(path)
        self.cluster = path.integer("cluster")
        for each in (self.cluster, self.cluster + 1):
            self.facts.touch(each)
        self.entry: Callable[[z3.ArithRef], z3.ArithRef] = z3.Function("entry", INTEGER, INTEGER)
        self.free: Has = z3.Function("free", INTEGER, BOOLEAN)
        self.fresh: Has = z3.Function("fresh", INTEGER, BOOLEAN)
        self.held: Has = z3.Function("held", INTEGER, BOOLEAN)
        self.last = path.integer("last_cluster")
        path.assume(self.last < END - 16)
        self.free_count = SymInt(path.integer("free_count"))
        self.end = SymInt(z3.IntVal(END))
        self.written_back = 0
        self.runs: list[Run] = []
        while len(self.runs) < runs_max and path.decide(path.boolean("another_run")):
            first, count = path.integer("first"), path.integer("count")
            path.assume(z3.And(count >= 1, first >= 2, first + count - 1 <= self.last))
            for other, length in self.runs:
                # Neighbours are joined: a gap, or the other way round.
                path.assume(z3.Or(first > other + length, first + count <= other))
            self.runs.append((first, count))
            for edge in (first, first + count - 1):
                self.facts.touch(edge)
        #: Where the fresh clusters of each run begin.
        self.borders = [path.integer("border") for _ in self.runs]
        begun = z3.BoolVal(False)
        for (first, count), border in zip(self.runs, self.borders, strict=True):
            path.assume(z3.And(first <= border, border <= first + count))
            path.assume(z3.Implies(begun, border == first))
            begun = border < first + count
        self.chain = kernel.Chain(self.chain_runs())
        self.chains: Any = object.__new__(kernel.Chains)
        self.near: list[z3.ArithRef] = []
        self.chains.table, self.chains.allocator = TableOf(self), AllocatorOf(self)
        self.chains.links, self.chains.cuts = Waiting(path, "links"), Waiting(path, "cuts")
        self.chains.frees, self.chains.held_count = [], SymInt(path.integer("held_count"))
        self.chains._write_back = self.write_back
        self.facts.every(stated(self._of_each(self.effective(), self.runs)))

    def _of_each(self, effective: Callable[[z3.ArithRef], z3.ArithRef], runs: list[Run]) -> Has:
        links, cuts = self.chains.links, self.chains.cuts
        in_links, link, in_cuts = links.has, links.value, cuts.has
        free, fresh, held, entry = self.free, self.fresh, self.held, self.entry

        def of(c: z3.ArithRef) -> z3.BoolRef:
            mine = self.member(runs, c)
            clauses = [
                z3.Implies(free(c), z3.And(c >= 2, c <= self.last, entry(c) == 0)),
                z3.Implies(z3.Or(free(c), held(c)), z3.Not(z3.Or(mine, in_links(c), fresh(c)))),
                z3.Not(z3.And(free(c), z3.Or(held(c), in_cuts(c)))),
                z3.Implies(in_cuts(c), z3.Not(z3.Or(fresh(c), in_links(c)))),
                z3.Implies(in_links(c), z3.And(z3.Not(fresh(c)), entry(c) == END)),
                z3.Implies(z3.And(in_links(c), mine), fresh(link(c))),
                self.leads(runs, c, effective),
            ]
            for (first, count), border in zip(runs, self.borders, strict=True):
                inside = in_run(c, first, first + count)
                clauses.append(z3.Implies(inside, fresh(c) == (c >= border)))
            return z3.And(*clauses)

        return of

    @staticmethod
    def member(runs: list[Run], c: z3.ArithRef) -> z3.BoolRef:
        """c is in one of the runs."""
        return z3.Or(*(in_run(c, first, first + count) for first, count in runs))

    def leads(
        self, runs: list[Run], c: z3.ArithRef, effective: Callable[[z3.ArithRef], z3.ArithRef]
    ) -> z3.BoolRef:
        """If c is in the chain of these runs, it leads to what follows it there."""
        clauses = []
        for (first, count), following in zip_longest(runs, runs[1:]):
            tail = first + count - 1
            target = z3.IntVal(END) if following is None else following[0]
            inner = z3.Implies(in_run(c, first, tail), effective(c) == c + 1)
            clauses.append(z3.And(inner, z3.Implies(c == tail, effective(c) == target)))
        return z3.And(*clauses)

    def effective(self) -> Callable[[z3.ArithRef], z3.ArithRef]:
        """Where a cluster leads, with what waits."""
        links, cuts, entry = self.chains.links, self.chains.cuts, self.entry
        in_links, link, in_cuts = links.has, links.value, cuts.has
        return lambda c: z3.If(in_links(c), link(c), z3.If(in_cuts(c), END, entry(c)))

    def runs_now(self) -> list[Run]:
        """The chain's runs as they are."""
        chain = self.chain
        ends = [*chain.starts[1:], chain.count][: len(chain.firsts)]
        return [
            (term(first), term(end) - term(start))
            for first, start, end in zip(chain.firsts, chain.starts, ends, strict=True)
        ]

    def chain_runs(self) -> list[tuple[SymInt, SymInt]]:
        """The runs that the chain was made of, as the code has them."""
        return [(SymInt(first), SymInt(count)) for first, count in self.runs]

    # The table, by its contract.

    def put(self, cluster: object, value: object) -> None:
        """One entry."""
        at, new, old = term(cluster), term(value), self.entry
        self.facts.touch(at)
        self.entry = lambda c: z3.If(c == at, new, old(c))

    def put_run(self, first: object, count: object, following: object) -> None:
        """Each cluster of a run leads to the next, the last to ``following``."""
        low, length, old, to = term(first), term(count), self.entry, term(following)
        self.path.prove("a run has clusters", length >= 1)
        inside: Has = lambda c: in_run(c, low, low + length)  # noqa: E731
        tail = low + length - 1
        self.entry = lambda c: z3.If(inside(c), z3.If(c == tail, to, c + 1), old(c))

    def clear_run(self, first: object, count: object) -> None:
        """Every cluster of a run is free."""
        low, length, old = term(first), term(count), self.entry
        self.path.prove("a run has clusters", length >= 1)
        self.entry = lambda c: z3.If(in_run(c, low, low + length), 0, old(c))

    # The allocator, by its contract.

    def allocate(self, count: object, near: object) -> list[tuple[SymInt, SymInt]]:
        """At most NEW_RUNS_MAX free runs that add up. ENOSPC when there are too few."""
        path, wanted = self.path, term(count)
        path.prove("at least one cluster is asked for", wanted >= 1)
        self.near.append(term(near))
        if path.decide(wanted > term(self.free_count)):
            raise OSError(errno.ENOSPC, "no clusters")
        given: list[Run] = []
        left = wanted
        while path.decide(left > 0):
            path.assume(z3.BoolVal(len(given) < NEW_RUNS_MAX))
            first, length = path.integer("new_first"), path.integer("new_count")
            path.assume(z3.And(length >= 1, length <= left))
            free, before = self.free, list(given)
            self.facts.every(
                lambda c, f=free, a=first, n=length: z3.Implies(in_run(c, a, a + n), f(c))  # type: ignore[misc]
            )
            for other, size in before:
                path.assume(z3.Or(first > other + size, first + length <= other))
            for edge in (first, first + length - 1):
                self.facts.touch(edge)
            given.append((first, length))
            left = left - length
        was_free, was_fresh = self.free, self.fresh
        self.free = lambda c: z3.And(was_free(c), z3.Not(self.member(given, c)))
        self.fresh = lambda c: z3.Or(was_fresh(c), self.member(given, c))
        self.free_count = self.free_count - SymInt(wanted)
        return [(SymInt(first), SymInt(length)) for first, length in given]

    def is_fresh(self, cluster: object) -> bool:
        """As the map says."""
        self.facts.touch(term(cluster))
        return self.path.decide(self.fresh(term(cluster)))

    def fresh_until(self, start: object, count: object) -> SymInt:
        """How many at the end of a run are fresh."""
        low, length, fresh = term(start), term(count), self.fresh
        found = self.path.integer("fresh_at_end")
        border = low + length - found
        self.path.assume(found <= length)
        self.path.assume(z3.Implies(found < length, z3.Not(fresh(border - 1))))
        self.facts.every(lambda c: z3.Implies(in_run(c, border, low + length), fresh(c)))
        for edge in (border, border - 1):
            self.facts.touch(edge)
        return SymInt(found)

    def give_back(self, start: object, count: object) -> None:
        """These may be given out again."""
        low, length, free, fresh = term(start), term(count), self.free, self.fresh
        inside: Has = lambda c: in_run(c, low, low + length)  # noqa: E731
        c = self.cluster
        self.path.prove("free in the table first", z3.Implies(inside(c), self.entry(c) == 0))
        self.free = lambda c: z3.Or(free(c), inside(c))
        self.fresh = lambda c: z3.And(fresh(c), z3.Not(inside(c)))
        self.free_count = self.free_count + SymInt(length)

    def write_back(self) -> None:
        """Everything that waits reaches the table, and what was held is free."""
        effective, held, free = self.effective(), self.held, self.free
        self.written_back += 1
        self.entry = lambda c: z3.If(held(c), 0, effective(c))
        self.free = lambda c: z3.Or(free(c), held(c))
        self.fresh = self.held = lambda c: z3.BoolVal(False)
        self.free_count = self.free_count + self.chains.held_count
        self.chains.held_count = SymInt(z3.IntVal(0))
        for waiting in (self.chains.links, self.chains.cuts):
            waiting.has = lambda c: z3.BoolVal(False)
