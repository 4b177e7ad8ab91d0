<<<<<<< HEAD
"""Depth-first search: every action in every state that is new, target and model in lockstep.

Checks: outcome and whole state after every action, from every state that the alphabet reaches in so
many actions; with ``crash`` every power cut in the last action of each. Does not check: what hangs
on more of the implementation's state than its coarse shape, as two states with equal keys count as
one; a state that was reached with fewer actions left is gone through again.
"""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
=======
"""The walk: every operation from every state, both sides compared, the crashes of each explored.

A checkpoint is a reference: the model's states are immutable and shared, and the target is brought
to a state by the operations that lead there, which it shares with the path of its parent. Going
down needs none of that, as the target is already there.

Checks: every transition once for each state that is entered; the crashes since the operation began.
Does not check: states beyond ``depth`` operations; a second way to a state (``keys`` says what
makes two states one).
"""

import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable
>>>>>>> main

from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.choice import CrashChoice
from watosfs_fuzz.crash.explore import Exploration
<<<<<<< HEAD
from watosfs_fuzz.crashes import LogCrashes
from watosfs_fuzz.exhaust import Steps
from watosfs_fuzz.lockstep import Failure, Lockstep
from watosfs_fuzz.oracles.crash import failure_of
from watosfs_fuzz.run import exception_failure
from watosfs_fuzz.search.alphabet import Alphabet
from watosfs_fuzz.search.canonical import state_key
from watosfs_fuzz.search.checkpoint import checkpoints_for
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.registry import make_target
from watosfs_model import System
from watosfs_model.operations import Operation


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a search. Without ``use_shape`` equal files are one state, whatever the
    implementation looks like inside.
    """

    alphabet: Alphabet
    depth: int
    target: str = "wfs3"
    geometry: Geometry = Geometry()  # noqa: RUF009 (frozen)
    crash: bool = False
    use_shape: bool = True
    failures_max: int = 1
    off: frozenset[str] = frozenset()


@dataclass(slots=True)
class Frame:
    """A state on the path: how it was reached, how to go back, and the next action to take."""

    path: tuple[int, ...]
    checkpoint: object
    system: System
    done: int
    states: dict[int, System]
    next_action: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A failure with the case that has it again."""

    case: Case
    failure: Failure
    choice: CrashChoice | None


@dataclass(slots=True)
class Walk:
    """What a search has done. ``visited`` maps keys to the actions that were left there;
    ``stack`` is the path to where it is, whose actions not yet taken are the frontier.
    """

    visited: dict[bytes, int] = field(default_factory=dict)
    stack: list[Frame] = field(default_factory=list)
    transitions: int = 0
    exploration: Exploration = field(default_factory=Exploration)
    found: list[Found] = field(default_factory=list)


class Search:
    """One search in this process; ``walk`` is all that has to be kept to go on with it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.target = make_target(settings.target, settings.geometry)
        self.alphabet = settings.alphabet.within(self.target.dialect)
        if settings.crash and not self.target.dialect.can_crash:
            raise ValueError(f"target {settings.target} cannot crash")
        self.memo: dict[object, object] = {}
        self.walk = Walk()
        #: Set from outside: stop before the next action.
        self.is_stopped = False

    # -- where it is

    @property
    def is_complete(self) -> bool:
        """Whether no action is left."""
        return not self.walk.stack

    @property
    def is_over(self) -> bool:
        """Whether no time could make it go on."""
        enough = len(self.walk.found) >= self.settings.failures_max
        return self.is_complete or self.is_stopped or enough

    @property
    def frontier(self) -> int:
        """Actions not yet taken in the states of the path."""
        return sum(len(self.alphabet.actions) - frame.next_action for frame in self.walk.stack)

    def begin(self) -> None:
        """The first state: the setup is done."""
        self.restart(())
        key = self.key()
        self.walk.visited[key] = self.settings.depth
        self.push(())

    def resume(self, path: tuple[int, ...], next_actions: list[int]) -> None:
        """Go on where an earlier search was: the actions of its path, and the next of each state
        on it. Raises ValueError when the path leads nowhere.
        """
        self.walk.stack.clear()
        for length, next_action in enumerate(next_actions):
            self.restart(path[:length])
            self.push(path[:length])
            self.walk.stack[-1].next_action = next_action

    def restart(self, path: tuple[int, ...]) -> None:
        """The target and the model after the actions of a path. Raises ValueError when they
        differ there.
        """
        self.target.start()
        self.lockstep = Lockstep(self.target)
        for operation in self.operations(path):
            _, failure = self.lockstep.apply(operation)
            if failure is not None:
                raise ValueError(f"before the search begins: {failure.subject}: {failure.story}")
        self.checkpoints = checkpoints_for(self.target)

    def operations(self, path: tuple[int, ...]) -> Steps:
        """The setup and the actions of a path."""
        actions = self.alphabet.actions
        return (*self.alphabet.setup, *(o for index in path for o in actions[index]))

    def push(self, path: tuple[int, ...]) -> None:
        """The state of now goes onto the path."""
        lockstep = self.lockstep
        checkpoint = self.checkpoints.keep(self.operations(path))
        frame = Frame(path, checkpoint, lockstep.system, lockstep.done, dict(lockstep.states))
        self.walk.stack.append(frame)

    # -- going on

    def run(self, seconds: float | None = None, transitions_max: int | None = None) -> None:
        """Search until all is done, enough was found, or a budget is spent."""
        end = None if seconds is None else time.monotonic() + seconds
        walk, most = self.walk, transitions_max
        last = None if most is None else walk.transitions + most
        while not self.is_over:
            if last is not None and walk.transitions >= last:
                return
            if end is not None and time.monotonic() >= end:
                return
            self.advance()

    def advance(self) -> None:
        """One action, or one step back."""
        frame = self.walk.stack[-1]
        if frame.next_action == len(self.alphabet.actions):
            self.walk.stack.pop()
            return
        path = (*frame.path, frame.next_action)
        # An interrupt in between only makes the action be taken again.
        key = b""
        try:
            failure, choice = self.take(frame, self.alphabet.actions[frame.next_action])
            if failure is None:
                key = self.key()
        except Exception as error:
            failure, choice = exception_failure(error), None
        frame.next_action += 1
        self.walk.transitions += 1
        if failure is not None:
            self.report(path, failure, choice)
            return
        left = self.settings.depth - len(path)
        if self.walk.visited.get(key, -1) >= left:
            return
        self.walk.visited[key] = left
        if left:
            self.push(path)

    def take(
        self, frame: Frame, action: tuple[Operation, ...]
    ) -> tuple[Failure | None, CrashChoice | None]:
        """The action in a state of the path; what is wrong, and the crash that shows it."""
        lockstep = self.lockstep
        self.checkpoints.back(frame.checkpoint)
        lockstep.system, lockstep.done = frame.system, frame.done
        lockstep.states = dict(frame.states)
        for operation in action:
            _, failure = lockstep.apply(operation)
            if failure is not None:
                return failure, None
        return self.crash() if self.settings.crash else (None, None)

    def crash(self) -> tuple[Failure | None, CrashChoice | None]:
        """Every power cut since the last flush before the action."""
        target, off = self.target, self.settings.off
        crashes = LogCrashes(target, self.lockstep.states, self.memo, off=off)  # type: ignore[arg-type]
        failure = crashes.mechanism_failure()
        if failure is not None:
            return failure, None
        exploration = crashes.explore(0, None)
        self.walk.exploration.add(exploration)
        if not exploration.failures:
            return None, None
        first = exploration.failures[0]
        return failure_of(first.reason, first.where), first.choice

    def key(self) -> bytes:
        """The key of the state of now."""
        shape: Hashable = self.checkpoints.shape() if self.settings.use_shape else ()
        names = self.alphabet.interchangeable
        return state_key(self.lockstep.system, self.target.dialect, names, shape)

    def report(self, path: tuple[int, ...], failure: Failure, choice: CrashChoice | None) -> None:
        """Keep a failure of a kind that was not met before."""
        if any(found.failure.key == failure.key for found in self.walk.found):
            return
        settings = self.settings
        case = Case(
            self.operations(path),
            target=settings.target,
            geometry=settings.geometry,
            off=settings.off,
        )
        self.walk.found.append(Found(case, failure, choice))
=======
from watosfs_fuzz.crash.log import Mark
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.oracles.crash import failure_of
from watosfs_fuzz.run import Run
from watosfs_fuzz.search.alphabet import operations
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
        alphabet: Sequence[Operation] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.like = like
        self.depth = depth
        self.seed = seed
        self.crashes = crashes
        self.is_shaped = is_shaped
        self.memo: dict[object, object] = {}
        self.run: Run | None = None
        self.path: Path = ()
        self.done = Progress() if progress is None else progress
        if progress is None:
            key = self.key(self.goto(()))
            self.done.frontier.append(Waiting((), key))
            self.done.visited[key] = 0
        accepts = make_target(like.target, like.geometry).dialect.accepts
        self.alphabet = [o for o in alphabet or operations() if accepts(o)]

    def expand_next(self, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Expand one state; False when none waits. Interrupted by ``is_over`` it waits again."""
        if not self.done.frontier:
            return False
        at = self.done.frontier[-1]
        reached: list[Waiting] = []
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
        if self.run is None or self.path != path:
            self.run = self.like.start(crashes=False, memo=self.memo)
            for operation in (*self.like.operations, *path):
                self.run.apply(operation)
                self.done.replayed += 1
            self.path = path
        return self.run

    def key(self, run: Run) -> bytes:
        """Of the state that the target is in."""
        target = run.target
        shape = target.shape() if self.is_shaped and isinstance(target, Shaped) else None
        return key_of(run.lockstep.system, shape)
>>>>>>> main
