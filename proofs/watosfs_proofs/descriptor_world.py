"""An arbitrary process: a descriptor table of any size, descriptions that are made when they are
first looked at, each with as many references as descriptors lead to it (in any process).

Trusted: that the table does what Python's dict does.
"""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.kernel import descriptors, kernel, process
from watosfs_proofs.binding import bind
from watosfs_proofs.executor import Path
from watosfs_proofs.lists import Facts
from watosfs_proofs.loops import Invariant, Locals, cut_while, while_lines
from watosfs_proofs.symbolic import SymInt, term


class Calls:
    """The production code: the calls of ``descriptors`` over the real Kernel and Process."""

    def __init__(
        self,
        calls: ModuleType = descriptors,
        kernel_module: ModuleType = kernel,
        process_module: ModuleType = process,
    ) -> None:
        self.descriptor = process_module.Descriptor
        named = {"Descriptor": self.descriptor}
        self.process = bind(process_module, named).Process
        self.kernel = bind(kernel_module, named).Kernel
        self.calls = bind(calls, named)


class Description:
    """``held``: how many descriptors really lead here; ``references``: what the code counts."""

    def __init__(self, path: Path, name: str) -> None:
        self.held = path.integer(f"{name}_held")
        path.assume(self.held >= 1)
        self.references = SymInt(self.held)
        self.identity = name
        self.released = 0
        self.is_unlocked_first = True
        self.is_unlocked: Callable[[], bool] = lambda: True

    def release(self) -> None:
        """The last descriptor is gone."""
        self.released += 1
        self.is_unlocked_first &= self.is_unlocked()


class _OfWorld:
    """Keeps the way to the world out of what a loop may carry."""

    __slots__ = ("world",)

    def __init__(self, world: "World") -> None:
        self.world = world


class Table(_OfWorld):
    """A dict from unknown numbers. ``open(n)``: the number is in use."""

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self.open: Callable[[z3.ArithRef], z3.BoolRef] = z3.Function(
            "open", z3.IntSort(), z3.BoolSort()
        )
        #: Entries that were looked at: the number, and what it leads to.
        self.seen: list[tuple[z3.ArithRef, Any]] = []
        self.changed: list[z3.ArithRef] = []

    def __contains__(self, number: object) -> bool:
        frame = sys._getframe(1)
        if frame.f_lineno in while_lines(frame.f_code):
            reached = term(frame.f_locals["number"])
            self.world.path.prove("the number reached is looked up", term(number) == reached)
            cut_while(frame)
            number = frame.f_locals["number"]
        at = term(number)
        self.world.facts.touch(at)
        return self.world.path.decide(self.open(at))

    def get(self, number: object) -> Any:
        """As ``dict.get``."""
        if number not in self:
            return None
        return self[number]

    def __getitem__(self, number: object) -> Any:
        at, path = term(number), self.world.path
        self.world.facts.touch(at)
        path.prove("a descriptor that is looked up is open", self.open(at))
        for known, entry in self.seen:
            if path.decide(known == at):
                return entry
        entry = self.world.new_entry([known for known, _ in self.seen], at)
        self.seen.append((at, entry))
        return entry

    def __setitem__(self, number: object, entry: Any) -> None:
        at, was_open = term(number), self.open
        if self.world.path.decide(was_open(at)):
            self._leave(at)
        entry.description.held = entry.description.held + 1
        self.seen.insert(0, (at, entry))
        self.changed.append(at)
        self.open = lambda n: z3.Or(was_open(n), n == at)

    def pop(self, number: object) -> Any:
        """As ``dict.pop``."""
        entry, at, was_open = self[number], term(number), self.open
        self._leave(at)
        self.changed.append(at)
        self.open = lambda n: z3.And(was_open(n), n != at)
        return entry

    def _leave(self, at: z3.ArithRef) -> None:
        entry = self[SymInt(at)]
        entry.description.held = entry.description.held - 1
        self.seen = [(n, e) for n, e in self.seen if not self.world.path.decide(n == at)]


class World:
    """The process that calls, and the kernel around it."""

    def __init__(self, path: Path, calls: Calls) -> None:
        self.path, self.calls = path, calls
        self.facts = Facts(path)
        self.descriptions: list[Description] = []
        self.made: list[tuple[z3.ArithRef, Description]] = []
        self.dropped: list[str] = []
        self.process: Any = object.__new__(calls.process)
        self.process.pid = 1
        self.limit = path.integer("limit")
        self.process.limit = SymInt(self.limit)
        self.table = Table(self)
        self.process.descriptors = self.table
        self.was_open = is_open = self.table.open
        self.facts.every(lambda n: z3.Implies(is_open(n), n >= 0))
        self.number = path.integer("number")
        self.facts.touch(self.number)
        self.kernel: Any = object.__new__(calls.kernel)
        self.kernel.record_locks = SimpleNamespace(
            drop_process=lambda identity, pid: self.dropped.append(identity)
        )
        self.unlocked: list[Description] = []
        self.kernel.flocks = SimpleNamespace(drop=self.unlocked.append)
        path.invariants["Process.lowest_free"] = self.search()

    def new_entry(self, known: list[z3.ArithRef], at: z3.ArithRef) -> Any:
        """What a descriptor leads to that was never looked at: any description, old or new."""
        path = self.path
        for description in self.descriptions:
            if path.decide(path.boolean("same_description")):
                others = sum(1 for _, each in self.made if each is description)
                path.assume(description.held >= others + 1)
                self.made.append((at, description))
                return self._entry(description)
        description = Description(path, f"description{len(self.descriptions)}")
        description.is_unlocked = lambda: description in self.unlocked
        self.descriptions.append(description)
        self.made.append((at, description))
        return self._entry(description)

    def _entry(self, description: Description) -> Any:
        return self.calls.descriptor(description, False)

    def search(self) -> Invariant:
        """Of ``lowest_free``: every number before this one is in use."""

        searched: list[z3.ArithRef] = []

        def holds(scope: Locals, _: z3.ArithRef) -> list[tuple[str, z3.BoolRef]]:
            first, number = term(scope["first"]), term(scope["number"])
            k = first + self.path.integer("passed", is_input=False)
            self.facts.touch(k)
            passed = z3.Implies(k < number, self.table.open(k))
            goals = [("every number passed is in use", passed), ("never back", number >= first)]
            return [*goals, *(("goes on", number > before) for before in searched)]

        def arbitrary(scope: Locals, _: z3.ArithRef) -> Locals:
            first = term(scope["first"])
            number = first + self.path.integer("searched", is_input=False)
            searched.append(number)
            is_open = self.table.open
            self.facts.every(lambda k: z3.Implies(z3.And(first <= k, k < number), is_open(k)))
            self.facts.touch(number)
            return {"number": SymInt(number)}

        return Invariant(holds, arbitrary, frozenset({"number"}))

    # Goals.

    def prove_lowest(self, found: object, first: object) -> None:
        """``found`` was the lowest free number from ``first`` on, and is below the limit."""
        at, low, k = term(found), term(first), self.number
        path = self.path
        path.prove("it was free", z3.Not(self.was_open(at)))
        path.prove("it is within the limits", z3.And(low <= at, at < self.limit))
        path.prove("every lower one is in use", z3.Implies(
            z3.And(low <= k, k < at), self.was_open(k)))  # fmt: skip

    def prove_none_free(self, first: object) -> None:
        """No number from ``first`` on, below the limit, is free."""
        k = self.number
        within = z3.And(term(first) <= k, k < self.limit)
        self.path.prove("EMFILE only when all are in use", z3.Implies(within, self.was_open(k)))

    def prove_counted(self) -> None:
        """Each description is counted as often as it is held, and released when it is not."""
        for each in self.descriptions:
            self.path.prove("references are descriptors", term(each.references) == each.held)
            gone = each.held == 0
            self.path.prove("released with the last one, once", z3.And(
                gone == (each.released == 1), each.released <= 1))  # fmt: skip
            self.path.prove("its lock goes with it", gone == (self.unlocked.count(each) == 1))
            self.path.prove("its lock goes first", each.is_unlocked_first)

    def prove_only(self, *numbers: object) -> None:
        """Every other number is as it was."""
        k = self.number
        others = z3.And(*(k != term(number) for number in numbers))
        self.path.prove(
            "no other descriptor changes",
            z3.Implies(others, self.table.open(k) == self.was_open(k)),
        )
        for at in self.table.changed:
            named = z3.Or(*(at == term(number) for number in numbers))
            self.path.prove("no other descriptor is touched", named)
