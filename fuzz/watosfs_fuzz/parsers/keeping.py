"""Which inputs are kept: a few that take every branch which a run of the harness took.

A run grows a pool (seeds, what is kept, mutants of it) by what takes a jump that nothing before it
took; then a set cover picks the fewest and shortest. A seed and a number of executions are the
whole of it. Inputs under ``pinned`` are kept whatever they cover: those that once found a bug.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from watosfs_fuzz.parsers import branches, corpus
from watosfs_fuzz.parsers.branches import Arc
from watosfs_fuzz.parsers.harness import Harness
from watosfs_fuzz.seeds import random_of

_BATCH: Final = 200
_CROSSED: Final = 0.15
#: The folder of inputs that are always kept, ``HARNESS-BUG.input`` each.
PINNED: Final = "pinned"


def pinned(folder: Path, harness: str) -> dict[str, bytes]:
    """The inputs of a harness that once found a bug, by the bug's row in docs/BUGS.md."""
    found = {}
    for path in sorted((folder / PINNED).glob(f"{harness}-B*.input")):
        found[path.stem.removeprefix(harness + "-")] = path.read_bytes()
    return found


def cover(arcs: Sequence[frozenset[Arc]], sizes: Sequence[int]) -> list[int]:
    """Indices of sets that together have every arc: greedily the most new ones, shortest first."""
    missing = set().union(*arcs)
    chosen = []
    left = list(range(len(arcs)))
    while missing:
        best = max(left, key=lambda i: (len(arcs[i] & missing), -sizes[i], -i))
        chosen.append(best)
        left.remove(best)
        missing -= arcs[best]
    # A later choice may have made an earlier one needless.
    for index in sorted(chosen, key=lambda i: -sizes[i]):
        others = set().union(*(arcs[i] for i in chosen if i != index))
        if arcs[index] <= others:
            chosen.remove(index)
    return sorted(chosen)


def minimised(harness: Harness, inputs: Iterable[bytes]) -> list[bytes]:
    """As few of the inputs as take all the branches that all of them take; none that fails."""
    pool = sorted(set(inputs), key=lambda data: (len(data), data))
    found: list[frozenset[Arc]] = []
    for at in range(0, len(pool), _BATCH):
        arcs, failed = branches.arcs_of(harness, pool[at : at + _BATCH])
        for index in failed:
            arcs[index] = frozenset()
        found += arcs
    return [pool[index] for index in cover(found, [len(data) for data in pool])]


def grow(harness: Harness, kept: Sequence[bytes], seed: int, executions: int) -> list[bytes]:
    """Seeds, what is kept, and those of so many mutants that took a jump of their own."""
    random = random_of(seed, 0, f"keep {harness.name}")
    pool: list[bytes] = []
    known: set[Arc] = set()
    batch = [*harness.seeds(), *kept]
    done = -len(batch)
    while batch:
        arcs, failed = branches.arcs_of(harness, batch)
        done += len(batch)
        for index, data in enumerate(batch):
            if index not in failed and arcs[index] - known:
                known |= arcs[index]
                pool.append(data)
        batch = []
        for _ in range(min(_BATCH, executions - done)):
            data = random.choice(pool) if pool else b""
            if random.random() < _CROSSED:
                batch.append(harness.cross(data, random.choice(pool), random))
            else:
                batch.append(harness.mutate(data, random))
    return pool


def keep(harness: Harness, folder: Path, *, seed: int = 0, executions: int = 0) -> int:
    """Rebuild the corpus of a harness; the number of its inputs."""
    before = corpus.load(folder, harness.name)
    grown = grow(harness, before, seed, executions) if harness.modules else harness.seeds()
    chosen = minimised(harness, grown) if harness.modules else grown
    inputs = {*chosen, *pinned(folder, harness.name).values()}
    corpus.store(folder, harness.name, inputs)
    return len(inputs)
