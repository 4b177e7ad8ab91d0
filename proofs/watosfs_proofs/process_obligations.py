"""What is proved of the calls that go through a whole descriptor table: fork, exec, exit."""

import errno
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.kernel import numbers
from watosfs_proofs.descriptor_world import Calls, Description, World
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation

ENTRIES = 2


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
    others = numbers.PROCESSES_MAX - path.decide(path.boolean("room_for_one"))
    world.kernel.processes = dict.fromkeys(range(others), parent)
    made: list[tuple[object, ...]] = []

    def add_process(*given: object) -> Any:
        made.append(given)
        return child

    world.kernel.add_process = add_process
    if others == numbers.PROCESSES_MAX:
        try:
            calls.calls.fork(world.kernel, parent)
            path.prove("EAGAIN when there are too many processes", False)
        except OSError as failure:
            path.prove("EAGAIN when there are too many processes", failure.errno == errno.EAGAIN)
        path.prove("refused, no child is made", made == [] and parent.descriptors == table)
        return "refused"
    path.prove("the child's number", calls.calls.fork(world.kernel, parent) == 2)
    path.prove("the child has the same descriptors", child.descriptors == table)
    path.prove("the parent keeps its own", parent.descriptors == table)
    path.prove("one child, in the same directory", made == [("cwd", parent)])
    path.prove("the child has the same limit", child.limit is parent.limit)
    same = child.credentials == "credentials" and child.umask == "umask"
    path.prove("the child has the same credentials and mask", same)
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
    said: list[object] = []
    remove = world.kernel.remove

    def removing(process: Any, number: int) -> None:
        said.append("descriptor")
        remove(process, number)

    world.kernel.remove = removing
    volumes = [SimpleNamespace(owner=owner) for owner in (0, 1, 2)]
    world.kernel.volumes = volumes
    world.kernel.end_transaction = lambda volume, *, commits: said.append((volume, commits))
    processes = world.kernel.processes = {1: world.process}
    world.process.pinned_cwd = SimpleNamespace(close=lambda: said.append(("directory", *processes)))
    calls.calls.exit_process(world.kernel, world.process)
    order = ["descriptor"] * len(table) + [(volumes[1], False), ("directory", 1)]
    path.prove("its transaction is aborted after its descriptors are closed", said == order)
    path.prove("no descriptor is left", world.process.descriptors == {})
    path.prove("the process is gone", world.kernel.processes == {})
    _recount(world, table)
    return f"{len(table)} descriptors"


Check = Callable[[Path, Calls], str]

SMALL = f"tables of at most {ENTRIES}"
SIZES = tuple(f"{size} descriptors" for size in range(ENTRIES + 1))
CHECKS: dict[str, tuple[Check, str, tuple[str, ...]]] = {
    "fork": (_fork, "every descriptor is counted again", (*SIZES, "refused")),
    "execve": (_execve, "closes what closes on exec", SIZES),
    "exit": (_exit, "leaves no descriptor", SIZES),
}


def process_obligations(*variants: ModuleType) -> list[Obligation]:
    """The obligations of production's modules, or of broken variants of them."""
    calls = Calls(*variants)

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, calls)

    return [
        Obligation(f"processes.{name}", statement, SMALL, bound_to(check), outcomes)
        for name, (check, statement, outcomes) in CHECKS.items()
    ]
