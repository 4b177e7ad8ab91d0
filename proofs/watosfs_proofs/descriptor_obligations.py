"""What is proved of descriptors: the lowest free number, and that a description lives exactly as
long as descriptors lead to it. Any table, any number of processes.
"""

import errno
from collections.abc import Callable
from itertools import combinations, product
from types import ModuleType
from typing import Any

import z3

from watosfs.kernel import numbers
from watosfs_proofs.descriptor_world import Calls, World
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term

BOUND = "any table, any number of processes"
FLAGS = (1, numbers.O_APPEND, numbers.O_NONBLOCK)
UNKNOWN = (-1, 99)
EBADF, EINVAL = f"errno {errno.EBADF}", f"errno {errno.EINVAL}"


def _any_number(path: Path, name: str) -> SymInt:
    """A number that a program may pass: negative ones too."""
    return SymInt(path.integer(f"{name}_if_positive") - path.integer(f"{name}_if_negative"))


def _lowest_free(path: Path, calls: Calls) -> str:
    world = World(path, calls)
    first = SymInt(path.integer("first"))
    try:
        found = world.process.lowest_free(first)
    except OSError as failure:
        path.prove("EMFILE", failure.errno == errno.EMFILE)
        world.prove_none_free(first)
        return "none"
    world.prove_lowest(found, first)
    world.prove_only()
    return "found"


def _leads(world: World, number: object) -> Any:
    """The entry of a number that must be open now."""
    world.path.prove("it is open", world.table.open(term(number)))
    return world.table[number]


def _duplicated(
    world: World, old: SymInt, first: object, call: Callable[[], Any], closes: bool
) -> str:
    """A call that gives the lowest free number; ``old`` is what it duplicates."""
    path = world.path
    try:
        new = call()
    except OSError as failure:
        if failure.errno == errno.EBADF:
            path.prove("EBADF only when it is not open", z3.Not(world.was_open(old.term)))
        elif failure.errno == errno.EINVAL:
            outside = z3.Or(term(first) < 0, term(first) >= world.limit)
            path.prove("EINVAL only for a number outside the limits", outside)
        else:
            path.prove("EMFILE else", failure.errno == errno.EMFILE)
            path.prove("not for a number outside", z3.Or(
                term(first) == 0, z3.And(term(first) >= 0, term(first) < world.limit)))  # fmt: skip
            world.prove_none_free(first)
        world.prove_only()
        world.prove_counted()
        return "refused"
    world.prove_lowest(new, first)
    entry = _leads(world, new)
    path.prove("to the same description", entry.description is _leads(world, old).description)
    path.prove("closes on exec as asked", entry.closes_on_exec is closes)
    world.prove_only(new)
    world.prove_counted()
    return "duplicated"


def _dup(path: Path, calls: Calls) -> str:
    world, old = World(path, calls), SymInt(path.integer("old"))
    call = calls.calls.dup
    return _duplicated(world, old, 0, lambda: call(world.kernel, world.process, old), closes=False)


def _dupfd(path: Path, calls: Calls) -> str:
    world, old = World(path, calls), SymInt(path.integer("old"))
    least = _any_number(path, "least").term
    closes = path.decide(path.boolean("closes"))
    command = numbers.F_DUPFD_CLOEXEC if closes else numbers.F_DUPFD

    def call() -> Any:
        return calls.calls.fcntl(world.kernel, world.process, old, command, SymInt(least))

    return _duplicated(world, old, SymInt(least), call, closes)


def _flags(path: Path, calls: Calls) -> str:
    """F_GETFL, F_SETFL with any of the flags, and commands that do not exist."""
    world, number = World(path, calls), SymInt(path.integer("descriptor"))

    def call(command: int, argument: int) -> Any:
        try:
            return calls.calls.fcntl(world.kernel, world.process, number, command, argument)
        except OSError as failure:
            return f"errno {failure.errno}"

    if not path.decide(world.was_open(number.term)):
        for command in (numbers.F_GETFL, numbers.F_SETFL, *UNKNOWN):
            path.prove("EBADF when it is not open", call(command, 0) == EBADF)
        return "refused"
    description = world.table[number].description
    settable = numbers.O_APPEND | numbers.O_NONBLOCK
    sums = [sum(chosen) for size in range(len(FLAGS) + 1) for chosen in combinations(FLAGS, size)]
    right = {"an unknown command is EINVAL": True, "F_GETFL says the flags": True,
             "exactly the flags that can be set are set": True}  # fmt: skip
    for had, given in product(sums, sums):
        description.flags = had
        refused = [call(command, given) for command in UNKNOWN]
        right["an unknown command is EINVAL"] &= refused == [EINVAL] * len(UNKNOWN)
        right["F_GETFL says the flags"] &= call(numbers.F_GETFL, given) == had
        result = call(numbers.F_SETFL, given)
        wanted = (0, had & ~settable | given & settable)
        right["exactly the flags that can be set are set"] &= (result, description.flags) == wanted
    for name, holds in right.items():
        path.prove(name, holds)
    world.prove_only()
    world.prove_counted()
    return "done"


def _dup2(path: Path, calls: Calls) -> str:
    """dup2, and dup3 with and without O_CLOEXEC."""
    world, old, new = World(path, calls), _any_number(path, "old"), _any_number(path, "new")
    is_dup3 = path.decide(path.boolean("dup3"))
    closes = is_dup3 and path.decide(path.boolean("closes"))
    odd = is_dup3 and not closes and path.decide(path.boolean("other_flags"))
    flags = (numbers.O_CLOEXEC if closes else numbers.O_APPEND if odd else 0,) if is_dup3 else ()
    function = calls.calls.dup3 if is_dup3 else calls.calls.dup2
    try:
        result = function(world.kernel, world.process, old, new, *flags)
    except OSError as failure:
        same = old.term == new.term
        outside = z3.Or(new.term < 0, new.term >= world.limit)
        bad = z3.Or(z3.Not(world.was_open(old.term)), outside)
        is_right = failure.errno == errno.EINVAL if is_dup3 else failure.errno == errno.EBADF
        is_bad = z3.And(bad, failure.errno == errno.EBADF)
        own = z3.And(z3.Or(same, odd), is_dup3, is_right)
        path.prove("refused when it should be", z3.Or(own, is_bad))
        world.prove_only()
        world.prove_counted()
        return "refused"
    path.prove("no other flags than O_CLOEXEC", not odd)
    path.prove("the number asked for", term(result) == new.term)
    path.prove("the old one was open", world.was_open(old.term))
    if path.decide(old.term == new.term):
        path.prove("dup3 refuses its own number", not is_dup3)
        world.prove_only()
        world.prove_counted()
        return "itself"
    path.prove("within the limits", z3.And(new.term >= 0, new.term < world.limit))
    entry = _leads(world, new)
    path.prove("to the same description", entry.description is _leads(world, old).description)
    path.prove("closes on exec as asked", entry.closes_on_exec is closes)
    world.prove_only(new)
    world.prove_counted()
    for each in world.descriptions:
        path.prove("the description that is duplicated lives", z3.Implies(
            entry.description is each, each.released == 0))  # fmt: skip
    return "replaced" if path.decide(world.was_open(new.term)) else "installed"


def _close(path: Path, calls: Calls) -> str:
    world, number = World(path, calls), SymInt(path.integer("closed"))
    try:
        calls.calls.close(world.kernel, world.process, number)
    except OSError as failure:
        path.prove("EBADF", failure.errno == errno.EBADF)
        path.prove("only when it is not open", z3.Not(world.was_open(number.term)))
        world.prove_only()
        return "refused"
    path.prove("it was open", world.was_open(number.term))
    path.prove("it is free", z3.Not(world.table.open(number.term)))
    (description,) = world.descriptions
    path.prove("the process's locks on the file go", world.dropped == [description.identity])
    world.prove_only(number)
    world.prove_counted()
    return "last" if path.decide(description.held == 0) else "not last"


def _set_flag(path: Path, calls: Calls) -> str:
    world, number = World(path, calls), SymInt(path.integer("changed"))
    closes = path.decide(path.boolean("closes"))
    argument = numbers.FD_CLOEXEC if closes else 0
    others = 2 * numbers.FD_CLOEXEC if path.decide(path.boolean("other_bits")) else 0
    call = calls.calls.fcntl
    try:
        result = call(world.kernel, world.process, number, numbers.F_SETFD, argument | others)
    except OSError as failure:
        path.prove("EBADF only when it is not open", z3.And(
            z3.Not(world.was_open(number.term)), failure.errno == errno.EBADF))  # fmt: skip
        return "refused"
    entry = _leads(world, number)
    path.prove("closes on exec as asked", entry.closes_on_exec is closes)
    path.prove("returns 0", result == 0)
    got = call(world.kernel, world.process, number, numbers.F_GETFD, 0)
    path.prove("as F_GETFD says", got == argument)
    world.prove_only(number)
    world.prove_counted()
    return "set"


Check = Callable[[Path, Calls], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "lowest_free": (_lowest_free, "the lowest free number", BOUND, ("found", "none")),
    "dup": (_dup, "the lowest free number, the same description", BOUND,
            ("duplicated", "refused")),
    "fcntl F_DUPFD": (_dupfd, "the lowest free number from one on", BOUND,
                      ("duplicated", "refused")),
    "dup2": (_dup2, "closes the new number, never the old", BOUND,
             ("replaced", "installed", "itself", "refused")),
    "close": (_close, "the last close releases", BOUND, ("last", "not last", "refused")),
    "fcntl F_SETFL": (_flags, "the flags that can be set, and no unknown command", BOUND,
                      ("done", "refused")),
    "fcntl F_SETFD": (_set_flag, "one flag of one descriptor", BOUND, ("set", "refused")),
}  # fmt: skip


def descriptor_obligations(*variants: ModuleType) -> list[Obligation]:
    """The obligations of production's modules, or of broken variants of them."""
    calls = Calls(*variants)

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, calls)

    return [
        Obligation(f"descriptors.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
