"""Watches one operation of a proved class while the real file system runs, and judges each call as
the replay of a counterexample does: on plain sets of blocks.

Checks: the operations of ExtentSet and Allocator. Does not check: which of the blocks that are not
loaded are free (the books only count them); ``load`` and the constructors are not watched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from watosfs.wfs3 import allocator, extents
from watosfs_proofs import allocator_replay, extent_replay
from watosfs_proofs.obligation import Replay
from watosfs_proofs.verdicts import Case

#: The arguments of the operations that are watched, as the cases name them.
ARGUMENTS = {
    "extents": {
        "add": ("start", "end"),
        "remove": ("start", "end"),
        "covers": ("start", "end"),
        "meets": ("start", "end"),
        "first_fit": ("wanted",),
        "largest": (),
        "take": ("wanted",),
    },
    "allocator": {
        "alloc": ("wanted",),
        "drop": ("start", "count"),
        "committed": (),
        "aborted": (),
        "unload": ("keep",),
    },
}


@dataclass
class Watch:
    """The calls that went wrong: what was called on what, what is wrong; and how many were made."""

    calls: list[str] = field(default_factory=list)
    count: int = 0
    is_judging: bool = False


def operation_of(obligation: str) -> tuple[str, str] | None:
    """("allocator", "drop") of "allocator.drop (hold 2)"; None when it cannot be watched."""
    group, _, rest = obligation.partition(".")
    operation = rest.partition(" (")[0]
    return (group, operation) if operation in ARGUMENTS.get(group, {}) else None


def blocks_of(runs: Any) -> list[int]:
    """The blocks of a real set."""
    return sorted(extent_replay.blocks(zip(runs.starts, runs.ends, strict=True)))


def case_of(group: str, subject: Any, arguments: Case) -> Case:
    """The state before a call, as a case."""
    if group == "extents":
        pairs = zip(subject.starts, subject.ends, strict=True)
        return {"runs": list(pairs), **arguments}
    world = {"free": blocks_of(subject.free), "fresh": blocks_of(subject.fresh)}
    for generation, dead in enumerate(subject.limbo):
        world[f"limbo{generation}"] = blocks_of(dead)
    known = {block for blocks in world.values() for block in blocks}
    ahead = [b for b in range(subject.frontier, subject.hi) if b not in known]
    world["unloaded"] = ahead[: subject.unloaded]
    numbers = {name: getattr(subject, name) for name in ("lo", "hi", "frontier")}
    numbers["generation_now"] = subject.generation
    return {**numbers, "world": world, "is_whole": True, **arguments}


def judged(group: str, operation: str, subject: Any, case: Case) -> Replay:
    """What the code does on the case."""
    if group == "extents":
        return extent_replay.replay(extents, operation, case)
    return allocator_replay.replay(allocator, operation, case, len(subject.limbo))


def told(group: str, operation: str, case: Case, problem: str) -> str:
    """One line: the call, the state it was made in, what is wrong."""
    given = ", ".join(str(case[name]) for name in ARGUMENTS[group][operation])
    if group == "extents":
        state = str(case["runs"])
    else:
        world: Any = case["world"]
        runs = {name: allocator_replay.runs_of(set(blocks)) for name, blocks in world.items()}
        state = ", ".join(f"{name} {each}" for name, each in runs.items() if each)
    return f"{operation}({given}) on {state or 'nothing'}: {problem}"


@contextmanager
def watched(group: str, operation: str) -> Iterator[Watch]:
    """While in force, every call of the operation is judged before it is made."""
    owner: Any = extents.ExtentSet if group == "extents" else allocator.Allocator
    original, watch = getattr(owner, operation), Watch()

    def call(self: Any, *values: Any) -> Any:
        if not watch.is_judging:
            watch.is_judging = True
            watch.count += 1
            try:
                names = ARGUMENTS[group][operation]
                case = case_of(group, self, dict(zip(names, values, strict=True)))
                problem = judged(group, operation, self, case).problem
                if problem is not None:
                    watch.calls.append(told(group, operation, case, problem))
            finally:
                watch.is_judging = False
        return original(self, *values)

    with patch.object(owner, operation, call):
        yield watch
