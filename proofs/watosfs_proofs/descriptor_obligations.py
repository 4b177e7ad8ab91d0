"""What is proved of descriptors: the lowest free number, and that a description lives exactly as
long as descriptors lead to it. Any table, any number of processes.
"""

import errno
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.kernel import numbers
from watosfs_proofs.descriptor_world import Calls, Description, World
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term

BOUND = "any table, any number of processes"
ENTRIES = 2


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
        else:
            path.prove("EMFILE else", failure.errno == errno.EMFILE)
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
    world, old, least = World(path, calls), SymInt(path.integer("old")), path.integer("least")
    path.assume(least < world.limit)
    closes = path.decide(path.boolean("closes"))
    command = numbers.F_DUPFD_CLOEXEC if closes else numbers.F_DUPFD

    def call() -> Any:
        return calls.calls.fcntl(world.kernel, world.process, old, command, SymInt(least))

    return _duplicated(world, old, SymInt(least), call, closes)


def _dup2(path: Path, calls: Calls) -> str:
    """dup2, and dup3 with and without O_CLOEXEC."""
    world, old, new = World(path, calls), SymInt(path.integer("old")), SymInt(path.integer("new"))
    is_dup3 = path.decide(path.boolean("dup3"))
    closes = is_dup3 and path.decide(path.boolean("closes"))
    flags = (numbers.O_CLOEXEC if closes else 0,) if is_dup3 else ()
    function = calls.calls.dup3 if is_dup3 else calls.calls.dup2
    try:
        result = function(world.kernel, world.process, old, new, *flags)
    except OSError as failure:
        same = old.term == new.term
        bad = z3.Or(z3.Not(world.was_open(old.term)), new.term >= world.limit)
        is_right = failure.errno == errno.EINVAL if is_dup3 else failure.errno == errno.EBADF
        is_bad = z3.And(bad, failure.errno == errno.EBADF)
        own = z3.And(same, is_dup3, is_right)
        path.prove("refused when it should be", z3.Or(own, is_bad))
        world.prove_only()
        world.prove_counted()
        return "refused"
    path.prove("the number asked for", term(result) == new.term)
    path.prove("the old one was open", world.was_open(old.term))
    if path.decide(old.term == new.term):
        path.prove("dup3 refuses its own number", not is_dup3)
        world.prove_only()
        world.prove_counted()
        return "itself"
    path.prove("below the limit", new.term < world.limit)
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
    try:
        calls.calls.fcntl(world.kernel, world.process, number, numbers.F_SETFD, argument)
    except OSError as failure:
        path.prove("EBADF only when it is not open", z3.And(
            z3.Not(world.was_open(number.term)), failure.errno == errno.EBADF))  # fmt: skip
        return "refused"
    entry = _leads(world, number)
    path.prove("closes on exec as asked", entry.closes_on_exec is closes)
    got = calls.calls.fcntl(world.kernel, world.process, number, numbers.F_GETFD, 0)
    path.prove("as F_GETFD says", got == argument)
    world.prove_only(number)
    world.prove_counted()
    return "set"


def _small(path: Path, calls: Calls) -> tuple[World, dict[int, Any], list[Description]]:
    """A process with a table of at most ENTRIES known numbers, for calls that go through it."""
    world = World(path, calls)
    table: dict[int, Any] = {}
    for number in range(ENTRIES):
        if path.decide(path.boolean(f"open_{number}")):
            entry = world.new_entry([], z3.IntVal(number))
            closes = path.decide(path.boolean(f"closes_{number}"))
            table[number] = calls.descriptor(entry.description, closes)
    world.process.descriptors = dict(table)
    return world, table, world.descriptions


def _recount(world: World, before: dict[int, Any], *tables: dict[int, Any]) -> None:
    """Move what is held from one table to others."""
    for each in world.descriptions:
        was = sum(entry.description is each for entry in before.values())
        now = sum(entry.description is each for table in tables for entry in table.values())
        each.held = each.held + (now - was)
    world.prove_counted()


def _fork(path: Path, calls: Calls) -> str:
    world, table, _ = _small(path, calls)
    parent, child = world.process, object.__new__(calls.process)
    child.descriptors, child.pid = {}, 2
    parent.credentials, parent.umask, parent.cwd = "credentials", "umask", "cwd"
    parent.pinned_cwd = SimpleNamespace(is_stale=False)
    world.kernel.processes = {1: parent}
    world.kernel.add_process = lambda cwd, process: child
    path.prove("the child's number", calls.calls.fork(world.kernel, parent) == 2)
    path.prove("the child has the same descriptors", child.descriptors == table)
    path.prove("the parent keeps its own", parent.descriptors == table)
    path.prove("the child has the same limit", child.limit is parent.limit)
    _recount(world, table, parent.descriptors, child.descriptors)
    return f"{len(table)} descriptors"


def _execve(path: Path, calls: Calls) -> str:
    world, table, _ = _small(path, calls)
    calls.calls.execve(world.kernel, world.process)
    stay = {number: entry for number, entry in table.items() if not entry.closes_on_exec}
    path.prove("exactly those that close on exec are closed", world.process.descriptors == stay)
    _recount(world, table, world.process.descriptors)
    return f"{len(table)} descriptors"


def _exit(path: Path, calls: Calls) -> str:
    world, table, _ = _small(path, calls)
    world.kernel.volumes = []
    world.kernel.processes = {1: world.process}
    world.process.pinned_cwd = SimpleNamespace(close=lambda: None)
    calls.calls.exit_process(world.kernel, world.process)
    path.prove("no descriptor is left", world.process.descriptors == {})
    path.prove("the process is gone", world.kernel.processes == {})
    _recount(world, table)
    return f"{len(table)} descriptors"


Check = Callable[[Path, Calls], str]

SMALL = f"tables of at most {ENTRIES}"
SIZES = tuple(f"{size} descriptors" for size in range(ENTRIES + 1))
CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "lowest_free": (_lowest_free, "the lowest free number", BOUND, ("found", "none")),
    "dup": (_dup, "the lowest free number, the same description", BOUND,
            ("duplicated", "refused")),
    "fcntl F_DUPFD": (_dupfd, "the lowest free number from one on", BOUND,
                      ("duplicated", "refused")),
    "dup2": (_dup2, "closes the new number, never the old", BOUND,
             ("replaced", "installed", "itself", "refused")),
    "close": (_close, "the last close releases", BOUND, ("last", "not last", "refused")),
    "fcntl F_SETFD": (_set_flag, "one flag of one descriptor", BOUND, ("set", "refused")),
    "fork": (_fork, "every descriptor is counted twice", SMALL, SIZES),
    "execve": (_execve, "closes what closes on exec", SMALL, SIZES),
    "exit": (_exit, "leaves no descriptor", SMALL, SIZES),
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
