"""Depth-first search: every action in every state that is new, target and model in lockstep.

Checks: outcome and whole state after every action, from every state that the alphabet reaches in so
many actions; with ``crash`` every power cut in the last action of each. Does not check: what hangs
on more of the implementation's state than its coarse shape, as two states with equal keys count as
one; a state that was reached with fewer actions left is gone through again.
"""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field

from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.choice import CrashChoice
from watosfs_fuzz.crash.explore import Exploration
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
