"""All interleavings of all small programs: model and target agree on every one.

A program is up to so many calls of an alphabet for each process; calls are atomic, and a call that
parks is tried again whenever its process is chosen. Instead of one walk for each program and
schedule, states are walked breadth first: from every state that any of them reaches, every process
that still may makes every call. States with the same futures (``canonical``) are entered once, and
the ways that lead there are counted. A process that has made all its calls has no future: states
that differ in nothing but what it holds are one.

Checks: each transition, once, on the target (``edge_checks``).
Does not check: a transition on every way that leads to its state; calls beyond the alphabet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from watosfs_fuzz.kernel.canonical import Canonical, canonical
from watosfs_fuzz.kernel.edge_checks import EdgeCheck, EdgeChecks
from watosfs_fuzz.kernel.lockstep import KernelReport, Step
from watosfs_model.data import Literal
from watosfs_model.kernel import Call, Kernel, calls, path_calls, process_calls, step
from watosfs_model.kernel import numbers as n
from watosfs_model.kernel.numbers import PARKED
from watosfs_model.open_flags import O_APPEND, O_CREAT, O_RDWR

FILE = b"/a"
#: One file, open twice; processes get it by fork. All that is written repeats, so that contents are
#: as many as sizes are: wrong bytes are the affair of the lockstep.
SETUP: tuple[Step, ...] = (
    (1, calls.Openat(n.AT_FDCWD, FILE, O_CREAT | O_RDWR, 0o666)),
    (1, calls.Openat(n.AT_FDCWD, FILE, O_RDWR | O_APPEND, 0o666)),
    (1, calls.Write(0, Literal(b"ababab"))),
    (1, calls.Lseek(0, 0, n.SEEK_SET)),
)
ALPHABET: tuple[Call, ...] = (
    calls.Openat(n.AT_FDCWD, FILE, O_CREAT | O_RDWR, 0o666),
    calls.Dup(0),
    calls.Read(0, 2),
    calls.Write(0, Literal(b"ab")),
    calls.Write(1, Literal(b"ab")),
    calls.Lseek(0, 0, n.SEEK_SET),
    calls.CloseFd(0),
    path_calls.Unlinkat(n.AT_FDCWD, FILE, 0),
    path_calls.Renameat(n.AT_FDCWD, FILE, n.AT_FDCWD, b"/b"),
    process_calls.Flock(0, n.LOCK_EX),
    process_calls.Fork(),
    process_calls.Exit(),
)
_PROGRESS_EVERY = 4096


class Edge(NamedTuple):
    """A transition: the state that it leads to (None: no process acts any more), calls used (a
    resume uses none), and where each process of the state before stands in the order of the state
    after (None: it acts no more).
    """

    after: int | None
    cost: int
    places: tuple[int | None, ...]


class State:
    """A state: one kernel that is in it, the calls that led there, the processes that act, in key
    order, the transitions of each (by place, and whether it was the last call), and the places
    whose transitions were checked.
    """

    __slots__ = ("checked", "edges", "kernel", "number", "order", "steps")

    def __init__(
        self, number: int, kernel: Kernel, order: tuple[int, ...], steps: tuple[Step, ...]
    ) -> None:
        self.number = number
        self.kernel = kernel
        self.order = order
        self.steps = steps
        self.edges: dict[tuple[int, bool], list[Edge]] = {}
        self.checked: set[int] = set()


@dataclass(slots=True)
class Coverage:
    """``interleavings`` counts (program, schedule) pairs to their end; ``transitions`` is what was
    run and compared on the target. ``failure``: the first difference.
    """

    states: int = 0
    transitions: int = 0
    interleavings: int = 0
    ends_parked: int = 0
    failure: KernelReport | None = None
    is_complete: bool = False


@dataclass(slots=True)
class Explorer:
    """Walks the states of ``processes`` processes with up to ``longest`` calls each."""

    checks: EdgeChecks
    processes: int = 2
    longest: int = 4
    alphabet: Sequence[Call] = ALPHABET
    progress: Callable[[Coverage], None] = lambda coverage: None
    coverage: Coverage = field(default_factory=Coverage)
    states: list[State] = field(default_factory=list)
    numbers: dict[bytes, int] = field(default_factory=dict)

    def explore(self) -> Coverage:
        """Level by level (of calls made and resumed), until the first difference or the end."""
        level = {(self.first(), (0,) * self.processes): 1}
        entered = 0
        while level and self.checks.failure is None:
            following: dict[tuple[int, tuple[int, ...]], int] = {}
            for (number, used), ways in level.items():
                self.expand(self.states[number], used, ways, following)
                if self.checks.failure is not None:
                    break
                entered += 1
                if entered % _PROGRESS_EVERY == 0:
                    self.progress(self.counted())
            level = following
        self.checks.finish()
        self.counted().is_complete = self.checks.failure is None
        return self.coverage

    def counted(self) -> Coverage:
        """The coverage, brought up to date."""
        self.coverage.states = len(self.states)
        self.coverage.transitions = self.checks.transitions
        self.coverage.failure = self.checks.failure
        return self.coverage

    def first(self) -> int:
        """The state after the setup."""
        kernel = Kernel.fresh()
        forks = ((1, process_calls.Fork()) for _ in range(1, self.processes))
        steps = (*SETUP, *forks)
        for pid, call in steps:
            kernel = step(kernel, pid, call)[1]
        found = canonical(kernel, range(1, self.processes + 1))
        return self.state_of(found, kernel, steps).number

    def state_of(self, found: Canonical, kernel: Kernel, steps: tuple[Step, ...]) -> State:
        """The state with this key, entered the first time."""
        number = self.numbers.setdefault(found.key, len(self.states))
        if number == len(self.states):
            self.states.append(State(number, kernel, found.order, steps))
        return self.states[number]

    def expand(
        self,
        state: State,
        used: tuple[int, ...],
        ways: int,
        following: dict[tuple[int, tuple[int, ...]], int],
    ) -> None:
        """Every process makes every call that it still may."""
        is_end = True
        for index in range(len(state.order)):
            for after, cost, places in self.edges_of(state, index, used[index]):
                is_end = False
                if after is None:
                    self.coverage.interleavings += ways
                    continue
                then = [0] * len(self.states[after].order)
                for before, place in enumerate(places):
                    if place is not None:
                        then[place] = used[before] + (cost if before == index else 0)
                key = (after, tuple(then))
                following[key] = following.get(key, 0) + ways
        if is_end:  # all that act are parked, for ever
            self.coverage.interleavings += ways
            self.coverage.ends_parked += ways

    def edges_of(self, state: State, index: int, used: int) -> list[Edge]:
        """What a process can do in a state, each checked on the target once."""
        pid = state.order[index]
        cost = 1 if state.kernel.processes[pid].parked is None else 0
        is_last = used + cost >= self.longest
        known = state.edges.get((index, is_last))
        if known is not None:
            return known
        edges: list[Edge] = []
        unchecked: list[tuple[Step, Kernel]] = []
        for made, after in self.transitions(state.kernel, pid):
            unchecked.append((made, after))
            acting = [
                other
                for other in state.order
                if (process := after.processes.get(other)) is not None
                and (other != pid or not is_last or process.parked is not None)
            ]
            if not acting:
                edges.append(Edge(None, cost, (None,) * len(state.order)))
                continue
            found = canonical(after, acting)
            entered = self.state_of(found, after, (*state.steps, made))
            places = tuple(
                found.order.index(other) if other in acting else None for other in state.order
            )
            edges.append(Edge(entered.number, cost, places))
        if index not in state.checked:
            state.checked.add(index)
            self.check(state, unchecked)
        state.edges[index, is_last] = edges
        return edges

    def check(self, state: State, made: Sequence[tuple[Step, Kernel]]) -> None:
        """Transitions of one process, those that change nothing in one run."""
        harmless: list[Step] = []
        for step_made, after in made:
            if replace(after, calls=state.kernel.calls) == state.kernel:
                harmless.append(step_made)
            else:
                self.checks.add(EdgeCheck(state.kernel, state.steps, (step_made,)))
        if harmless:
            self.checks.add(EdgeCheck(state.kernel, state.steps, tuple(harmless)))

    def transitions(self, kernel: Kernel, pid: int) -> Iterator[tuple[Step, Kernel]]:
        """(process and call, kernel after it)."""
        if kernel.processes[pid].parked is not None:
            outcome, after = step(kernel, pid, process_calls.Resume())
            if outcome.value != PARKED:
                yield (pid, process_calls.Resume()), after
            return
        for call in self.alphabet:
            yield (pid, call), step(kernel, pid, call)[1]
