"""What the code under proof finds in place of ``len``, ``bisect_right``, ``zip`` and ``enumerate``.

Trusted: the contract of bisection in a sorted list (it is C code), and the loop rule.

A loop over lists of symbolic length is cut by an invariant that the proof gives (the code carries
none): it must hold on entry; then one arbitrary iteration is run from a state that satisfies it,
and either leaves the loop or must establish it for the next index; or the loop is over, with the
invariant for the length. The locals that the loop carries are named by the invariant; a loop that
changes any other local, or any other attribute of what its locals name, is an error.
"""

import bisect
import builtins
import ctypes
import dis
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import z3

from watosfs_proofs.executor import current
from watosfs_proofs.lists import SymList
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.verdicts import HarnessError, PathEnd, unsupported

Locals = dict[str, Any]


@dataclass(frozen=True)
class Invariant:
    """``holds(locals, i)``: the named goals before iteration i. ``arbitrary(locals, i)`` makes
    any state that satisfies them: the new values of the carried locals; it assumes the facts.
    ``carries`` names the attributes it makes anew ("self.free.count").
    """

    holds: Callable[[Locals, z3.ArithRef], list[tuple[str, z3.BoolRef]]]
    arbitrary: Callable[[Locals, z3.ArithRef], Locals]
    carries: frozenset[str] = frozenset()


def symbolic_len(value: Any) -> Any:
    """``len``. In the condition of a ``while`` that has an invariant, this is where it is cut."""
    if isinstance(value, SymList):
        frame = sys._getframe(1)
        if frame.f_lineno in while_lines(frame.f_code):
            cut_while(frame)
    return SymInt(value.length) if isinstance(value, SymList) else builtins.len(value)


def symbolic_bisect_right(values: Any, value: Any, *rest: Any) -> Any:
    """``bisect.bisect_right`` by its contract: up to the result <= value, from there on > value."""
    if not isinstance(values, SymList):
        return bisect.bisect_right(values, value, *rest)
    bound = term(value)
    return _bisected(values, rest, lambda item: item <= bound)


def symbolic_bisect_left(values: Any, value: Any, *rest: Any) -> Any:
    """``bisect.bisect_left`` by its contract: up to the result < value, from there on >= value."""
    if not isinstance(values, SymList):
        return bisect.bisect_left(values, value, *rest)
    bound = term(value)
    return _bisected(values, rest, lambda item: item < bound)


def _bisected(values: Any, rest: Any, before: Callable[[z3.ArithRef], z3.BoolRef]) -> SymInt:
    """Where the items from ``rest`` (the lower bound, if any) on stop to satisfy ``before``."""
    if len(rest) > 1:
        raise unsupported("bisecting up to a bound")
    path, low = values.facts.path, term(rest[0]) if rest else z3.IntVal(0)
    read, length = values.read, values.length
    if rest:
        path.prove("a list is bisected from a bound within it", z3.And(low >= 0, low <= length))
    at = path.integer("bisect", is_input=False)
    path.assume(z3.And(low <= at, at <= length))
    _prove_sorted(values)
    values.facts.every(
        lambda j: z3.And(
            z3.Implies(z3.And(j >= low, j < at), before(read(j))),
            z3.Implies(z3.And(at <= j, j < length), z3.Not(before(read(j)))),
        )
    )
    values.facts.touch(at)
    values.facts.touch(at - 1)
    return SymInt(at)


def _prove_sorted(values: SymList) -> None:
    """What ``bisect_right`` asks of a list; in an unsorted one its contract would contradict."""
    path = values.facts.path
    if values.is_sorted_at is values.read:
        return
    j = path.integer("sorted", is_input=False)
    values.facts.touch(j)
    pair = z3.And(j >= 0, j + 1 < values.length)
    path.prove("bisect on a sorted list", z3.Implies(pair, values.read(j) <= values.read(j + 1)))
    values.is_sorted_at = values.read


class SymbolicZip:
    """``zip``."""

    def __init__(self, *lists: Any, strict: bool = False) -> None:
        self.lists = lists
        self.strict = strict

    @property
    def is_symbolic(self) -> bool:
        """Whether any of the lists is of unknown length."""
        return any(isinstance(each, SymList) for each in self.lists)

    def __iter__(self) -> Iterator[Any]:
        if not self.is_symbolic:
            return builtins.zip(*self.lists, strict=self.strict)
        return cut(self.lists, sys._getframe(1), numbered=False)


class SymbolicEnumerate:
    """``enumerate``."""

    def __init__(self, items: Any, start: int = 0) -> None:
        self.items = items
        self.start = start

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.items, SymbolicZip) and self.items.is_symbolic:
            if self.start != 0:
                raise unsupported("enumerate with a start")
            return cut(self.items.lists, sys._getframe(1), numbered=True)
        return builtins.enumerate(self.items, self.start)


#: The globals of the code under proof that are replaced; nothing else of it is.
REPLACED: dict[str, Any] = {
    "len": symbolic_len,
    "bisect_right": symbolic_bisect_right,
    "bisect_left": symbolic_bisect_left,
    "zip": SymbolicZip,
    "enumerate": SymbolicEnumerate,
}


def set_locals(frame: FrameType, new: Locals) -> None:
    """Write into the locals of a running function."""
    frame.f_locals.update(new)
    if sys.version_info < (3, 13):
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))


def while_lines(code: CodeType) -> set[int]:
    """The lines that a backward jump belongs to: the conditions of while loops."""
    lines, line = set(), code.co_firstlineno
    for instruction in dis.get_instructions(code):
        if instruction.positions is not None and instruction.positions.lineno is not None:
            line = instruction.positions.lineno
        if "JUMP_BACKWARD" in instruction.opname:
            lines.add(line)
    return lines


def state_of(scope: Locals) -> dict[str, object]:
    """Everything that the locals reach through attributes and lists, by name."""
    found: dict[str, object] = {}

    def visit(name: str, value: object, depth: int) -> None:
        found[name] = value
        if depth and isinstance(value, list):
            for number, item in builtins.enumerate(value):
                visit(f"{name}[{number}]", item, depth - 1)
        elif depth and hasattr(value, "__dict__") and not callable(value):
            for attribute, item in vars(value).items():
                if attribute != "facts":
                    visit(f"{name}.{attribute}", item, depth - 1)

    for name, value in scope.items():
        visit(name, value, 3)
    return found


def _check_carried(
    name: str, before: dict[str, object], scope: Locals, carried: frozenset[str]
) -> None:
    after = state_of(scope)
    for known, value in before.items():
        base = known.partition(".")[0].partition("[")[0]
        if base not in carried and known not in carried and after.get(known) is not value:
            raise HarnessError(f"the loop in {name} carries {known!r}, which no invariant names")


def cut(lists: tuple[Any, ...], frame: FrameType, *, numbered: bool) -> Iterator[Any]:
    """One arbitrary iteration of the for loop in ``frame``, or its end."""
    name = frame.f_code.co_qualname
    path = current()
    invariant = path.invariants.get(name)
    if not isinstance(invariant, Invariant):
        raise unsupported("a loop over a list of unknown length, without an invariant,")
    if not all(isinstance(each, SymList) for each in lists):
        raise unsupported("a loop over known and unknown lists together")
    length = lists[0].length
    for other in lists[1:]:
        path.prove("the lists are equally long", other.length == length)
    scope = dict(frame.f_locals)
    for goal, condition in invariant.holds(scope, z3.IntVal(0)):
        path.prove(f"{name}, on entry: {goal}", condition)
    at = path.integer("iteration", is_input=False)
    path.assume(at <= length)
    lists[0].facts.touch(at)
    carried = invariant.arbitrary(scope, at)
    set_locals(frame, carried)
    if not path.decide(at < length):
        return
    before = state_of({**scope, **carried})
    lists_before = state_of({str(number): each for number, each in builtins.enumerate(lists)})
    items = tuple(SymInt(each.read(at)) for each in lists)
    yield (SymInt(at), items) if numbered else items
    after = dict(frame.f_locals)
    _check_carried(
        name,
        {**before, **lists_before},
        {**after, **{str(number): each for number, each in builtins.enumerate(lists)}},
        invariant.carries | carried.keys(),
    )
    for goal, condition in invariant.holds(after, at + 1):
        path.prove(f"{name}, kept: {goal}", condition)
    raise PathEnd


def cut_while(frame: FrameType) -> None:
    """At the condition of a while loop: the first time make an arbitrary state that satisfies the
    invariant, the second time (one iteration later) prove that it still does.
    """
    name = frame.f_code.co_qualname
    path = current()
    invariant = path.invariants.get(name)
    if not isinstance(invariant, Invariant):
        return  # the loop is unrolled
    scope = dict(frame.f_locals)
    key = f"while {name}"
    if key in path.domains:
        before: Any = path.domains[key]
        _check_carried(name, before, scope, invariant.carries)
        for goal, condition in invariant.holds(scope, z3.IntVal(1)):
            path.prove(f"{name}, kept: {goal}", condition)
        raise PathEnd
    for goal, condition in invariant.holds(scope, z3.IntVal(0)):
        path.prove(f"{name}, on entry: {goal}", condition)
    set_locals(frame, invariant.arbitrary(scope, z3.IntVal(0)))
    path.domains[key] = state_of(dict(frame.f_locals))
