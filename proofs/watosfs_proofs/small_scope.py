"""Every state of a few blocks with every argument, smallest first: concrete cases for ``replay``.

A counterexample of an induction step may start from a state that the code goes wrong on only after
more steps (a loop that is cut, a set that is not spelled out). Then the smallest concrete state
that shows the fault is looked for here, on the real code against plain sets. It proves nothing.
"""

from collections.abc import Iterator
from itertools import pairwise, product

from watosfs_proofs.verdicts import Case

#: Blocks of the largest volume tried: enough for two runs apart, and for a run that is split.
EXTENT_BLOCKS = 5
ALLOCATOR_BLOCKS = 3
#: The first block of the volumes tried: what is below it is outside.
LO = 1


def extent_cases(operation: str) -> Iterator[Case]:
    """Sets of blocks, as runs, with the arguments of an operation of ExtentSet."""
    for count in range(EXTENT_BLOCKS + 1):
        for held in product((False, True), repeat=count):
            if held == () or operation != "__init__":
                for arguments in _extent_arguments(operation, held):
                    yield {"runs": _runs(held), **arguments}


def _runs(held: tuple[bool, ...]) -> list[tuple[int, int]]:
    """The maximal runs of the blocks that are held, the first block being LO."""
    edges = [
        b + LO for b, (left, right) in enumerate(pairwise((False, *held, False))) if left != right
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _extent_arguments(operation: str, held: tuple[bool, ...]) -> Iterator[Case]:
    count = len(held)
    edges = range(LO, LO + count + 2)
    if operation in ("add", "remove", "covers", "meets"):
        for start, end in product(edges, edges):
            if start < end or operation in ("add", "remove"):
                yield {"start": start, "end": end}
    elif operation in ("first_fit", "take"):
        for wanted in range(1, count + 2):
            yield {"wanted": wanted}
    elif operation == "absorb":
        for others in product((False, True), repeat=count):
            if not any(mine and theirs for mine, theirs in zip(held, others, strict=True)):
                yield {"others": _runs(others)}
    else:
        yield {}


def allocator_cases(operation: str, hold: int) -> Iterator[Case]:
    """States of the allocator over a few blocks, with the arguments of one of its operations."""
    pending = [f"limbo{generation}" for generation in range(hold)]
    states = ["free", "unloaded", "fresh", *pending, "used"]
    for count in range(1, ALLOCATOR_BLOCKS + 1):
        hi = LO + count
        for held in product(states, repeat=count):
            world = {name: [LO + b for b, s in enumerate(held) if s == name] for name in states}
            for frontier in range(LO, hi + 1):
                loaded = [*world["free"], *world["fresh"]]
                if max(loaded, default=-1) >= frontier or min(world["unloaded"], default=hi) < (
                    frontier
                ):
                    continue
                numbers: Case = {"lo": LO, "hi": hi, "frontier": frontier, "generation_now": 5}
                for arguments in _allocator_arguments(operation, hi, frontier, world):
                    yield {**numbers, "world": world, **arguments}


def _allocator_arguments(
    operation: str, hi: int, frontier: int, world: dict[str, list[int]]
) -> Iterator[Case]:
    """What the books cannot know is left to the caller, as in the obligations."""
    edges = range(hi + 2)
    if operation == "alloc":
        for wanted in range(hi + 1):
            yield {"wanted": wanted}
    elif operation == "drop":
        for start, count in product(edges, edges):
            if not set(range(start, start + count)) & set(world["unloaded"]):
                yield {"start": start, "count": count}
    elif operation == "load":
        for start, end in product(edges, edges):
            ours = set(range(start, end)) <= set(world["unloaded"])
            if ours or start < frontier or end > hi:
                yield {"start": start, "end": end}
    elif operation == "unload":
        for keep in range(3):
            yield {"keep": keep}
    elif operation == "mount":
        for used in range(hi - LO + 1):
            yield {"used_mounted": used, "generation_mounted": 7}
    else:
        yield {}
