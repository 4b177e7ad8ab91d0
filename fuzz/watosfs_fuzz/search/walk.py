"""The walk: every operation from every state, both sides compared, the crashes of each explored.

A checkpoint is a reference: the model's states are immutable and shared. The target is brought to a
state once by the operations that lead there, and from then on, for WFS v3, by ``checkpoint``; going
down needs neither, as the target is already there.

Checks: every transition once for each state that is entered; the crashes since the operation began.
Does not check: states beyond ``depth`` operations; a second way to a state (``keys`` says what
makes two states one).
"""

import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.choice import CrashChoice
from watosfs_fuzz.crash.explore import Exploration
from watosfs_fuzz.crash.log import Mark
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.oracles.crash import failure_of
from watosfs_fuzz.run import Run
from watosfs_fuzz.search.alphabet import ALPHABETS
from watosfs_fuzz.search.checkpoint import Checkpoint, can_keep
from watosfs_fuzz.search.keys import key_of
from watosfs_fuzz.targets.registry import make_target
from watosfs_model.operations import Operation

Path = tuple[Operation, ...]


@runtime_checkable
class Shaped(Protocol):
    """A target whose own state has a shape that users cannot see."""

    def shape(self) -> Hashable:
        """Heights, counts: coarse, and the same for the same operations."""


class Waiting(NamedTuple):
    """A state that was reached and not yet expanded."""

    path: Path
    key: bytes


@dataclass(slots=True)
class Progress:
    """What was done. ``visited`` has for each state the fewest operations it was expanded after."""

    visited: dict[bytes, int] = field(default_factory=dict)
    frontier: list[Waiting] = field(default_factory=list)
    transitions: int = 0
    replayed: int = 0
    exploration: Exploration = field(default_factory=Exploration)
    failing: list[tuple[Case, Failure, CrashChoice | None]] = field(default_factory=list)

    @property
    def deepest(self) -> int:
        """Operations on the longest path to a state."""
        return max(self.visited.values(), default=0)


class Walk:
    """``like`` gives target, geometry, nesting and device; its operations are where all paths
    begin. ``is_shaped``: whether the implementation's shape keeps states apart.
    """

    def __init__(
        self,
        like: Case,
        depth: int,
        *,
        seed: int = 0,
        crashes: bool = True,
        is_shaped: bool = True,
        alphabet: Sequence[Operation] = ALPHABETS["changes"].operations,
        names: Sequence[bytes] = ALPHABETS["changes"].names,
        progress: Progress | None = None,
    ) -> None:
        self.like = like
        self.depth = depth
        self.seed = seed
        self.crashes = crashes
        self.is_shaped = is_shaped
        self.names = names
        self.memo: dict[object, object] = {}
        self.run: Run | None = None
        self.path: Path = ()
        self.kept: tuple[Path, Checkpoint] | None = None
        self.done = Progress() if progress is None else progress
        if progress is None:
            key = self.key(self.goto(()))
            self.done.frontier.append(Waiting((), key))
            self.done.visited[key] = 0
        accepts = make_target(like.target, like.geometry).dialect.accepts
        self.alphabet = [operation for operation in alphabet if accepts(operation)]

    def expand_next(self, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Expand one state; False when none waits. Interrupted by ``is_over`` it waits again."""
        if not self.done.frontier:
            return False
        at = self.done.frontier[-1]
        reached: list[Waiting] = []
        self.keep(at.path)
        for operation in self.order(at.path):
            if is_over():
                return True
            found = self.transition(at.path, operation)
            if found is not None:
                reached.append(found)
        self.done.frontier.pop()
        for waiting in reached:
            known = self.done.visited.get(waiting.key)
            if known is None or known > len(waiting.path):
                self.done.visited[waiting.key] = len(waiting.path)
                if len(waiting.path) < self.depth:
                    self.done.frontier.append(waiting)
        return True

    def order(self, path: Path) -> Sequence[Operation]:
        """The alphabet, shuffled anew for each path when there is a seed."""
        if not self.seed:
            return self.alphabet
        shuffled = list(self.alphabet)
        random.Random(f"{self.seed} {path!r}").shuffle(shuffled)
        return shuffled

    def transition(self, path: Path, operation: Operation) -> Waiting | None:
        """One operation from a state; the state it leads to, None where something is wrong."""
        run = self.goto(path)
        self.path = (*path, operation)
        self.done.transitions += 1
        run.apply(operation)
        failure, choice = run.report.failure, None
        if failure is None and self.crashes and run.target.dialect.can_crash:
            failure, choice = self.crash(run)
        if failure is None:
            return Waiting(self.path, self.key(run))
        case = self.like.with_operations((*self.like.operations, *self.path), ())
        self.done.failing.append((case, failure, choice))
        self.run = None
        return None

    def crash(self, run: Run) -> tuple[Failure | None, CrashChoice | None]:
        """The crashes since the last operation began."""
        crashes = run.log_crashes()
        failure = crashes.mechanism_failure()
        if failure is not None:
            return failure, None
        events = crashes.target.device.events
        begin = Mark(("begin", run.lockstep.done))
        since = max((i for i, event in enumerate(events) if event == begin), default=0)
        found = crashes.explore(self.like.nested, self.like.cap, since=since)
        self.done.exploration.add(found)
        if not found.failures:
            return None, None
        first = found.failures[0]
        return failure_of(first.reason, first.where), first.choice

    def goto(self, path: Path) -> Run:
        """The target in the state after a path."""
        if self.run is not None and self.path == path:
            return self.run
        if self.kept is not None and self.kept[0] == path:
            self.run = self.kept[1].back()
        else:
            self.run = self.like.start(crashes=False, memo=self.memo)
            for operation in (*self.like.operations, *path):
                self.run.apply(operation)
                self.done.replayed += 1
        self.path = path
        return self.run

    def keep(self, path: Path) -> None:
        """Make a checkpoint of the state after a path, where the target has them."""
        run = self.goto(path)
        self.kept = (path, Checkpoint(run)) if can_keep(run) else None

    def key(self, run: Run) -> bytes:
        """Of the state that the target is in."""
        target = run.target
        shape = target.shape() if self.is_shaped and isinstance(target, Shaped) else None
        return key_of(run.lockstep.system, shape, self.names)
