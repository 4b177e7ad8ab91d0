"""Traces made from kept ones: continued, filled up, crossed, repeated, cut short by a restart.

The operations of a script run as they stand, and the sketch of the tree follows them; between and
after them the generator draws new ones for the tree as it then is. So a trace that made a high tree
is the beginning of others that work on a high tree.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from watosfs_fuzz.case import Case
from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.generate import Generator
from watosfs_fuzz.swarm import Swarm
from watosfs_model import operations as ops
from watosfs_model.operations import Operation

#: None stands for an operation that is drawn when its turn comes.
Script: TypeAlias = list[Operation | None]
SCRIPT_LENGTH_MAX = 240
DRAWN_AFTER_MAX = 30
DRAWN_BETWEEN_MAX = 6
RESTARTS = (ops.Crash(), ops.Crash(), ops.Remount(), ops.Sync(), ops.Commit(), ops.Abort())


class Varied(Generator):
    """A script with what it leaves open drawn as any trace is."""

    def __init__(
        self, seed: int, trace_number: int, script: Script, dialect: Dialect, swarm: Swarm
    ) -> None:
        super().__init__(seed, trace_number, dialect=dialect, swarm=swarm)
        self.script = deque(script)
        self.accepts_script = dialect.accepts
        drawn = sum(operation is None for operation in script)
        self.left = min(self.left, self.rng.randint(0, DRAWN_AFTER_MAX)) + drawn

    def next(self) -> Operation | None:
        while self.script:
            operation = self.script.popleft()
            if operation is None:
                return super().next()
            if self.accepts_script(operation):
                return operation
        return super().next()


def script_of(rng: random.Random, parents: Sequence[Case]) -> Script:
    """A script from one or two kept traces."""
    first, other = parents[0].operations, parents[-1].operations
    vary = rng.choice(VARIATIONS)
    return vary(rng, list(first[:SCRIPT_LENGTH_MAX]), list(other))[: SCRIPT_LENGTH_MAX + 20]


def continued(rng: random.Random, first: Script, _other: Script) -> Script:
    """Most of it, then something else."""
    return first[: rng.randint(len(first) // 2, len(first))]


def filled_up(rng: random.Random, first: Script, _other: Script) -> Script:
    """With new operations between its own."""
    for _ in range(rng.randint(1, DRAWN_BETWEEN_MAX)):
        first.insert(rng.randint(0, len(first)), None)
    return first


def crossed(rng: random.Random, first: Script, other: Script) -> Script:
    """The beginning of one, then a piece of another."""
    start = rng.randint(0, max(0, len(other) - 1))
    piece = other[start : start + rng.randint(5, 40)]
    return first[: rng.randint(len(first) // 2, len(first))] + piece


def repeated(rng: random.Random, first: Script, _other: Script) -> Script:
    """A piece of it twice."""
    start = rng.randint(0, max(0, len(first) - 1))
    piece = first[start : start + rng.randint(1, 12)]
    return first[: start + len(piece)] + piece + first[start + len(piece) :]


def thinned(rng: random.Random, first: Script, _other: Script) -> Script:
    """A few of its operations drawn anew."""
    for _ in range(min(len(first), rng.randint(1, DRAWN_BETWEEN_MAX))):
        first[rng.randrange(len(first))] = None
    return first


def restarted(rng: random.Random, first: Script, _other: Script) -> Script:
    """With a power cut, a remount, or the end of a transaction somewhere in it."""
    first.insert(rng.randint(0, len(first)), rng.choice(RESTARTS))
    return first


VARIATIONS: tuple[Callable[[random.Random, Script, Script], Script], ...] = (
    continued, continued, filled_up, filled_up, crossed, repeated, thinned, restarted,
)  # fmt: skip
