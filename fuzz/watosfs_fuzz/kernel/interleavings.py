"""All interleavings of all small programs: model and target agree on every one.

A program is up to so many calls of an alphabet for each process; calls are atomic, and a call that
parks is tried again whenever its process is chosen. Instead of one walk for each program and
schedule, states are walked breadth first: from every state that any of them reaches, every process
makes every call. States with the same futures (``canonical``) are entered once, and the ways that
lead there are counted.

Checks: each transition, once, on the target: it replays calls that led to the state, makes the new
one, and outcome and whole observable state are compared.
Does not check: a transition on every way that leads to its state; calls beyond the alphabet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from watosfs_fuzz.kernel.canonical import canonical
from watosfs_fuzz.kernel.lockstep import KernelReport, KernelTarget, Step, run_steps
from watosfs_model.data import Literal
from watosfs_model.kernel import (
    Call,
    Kernel,
    calls,
    follow,
    observe,
    path_calls,
    process_calls,
    step,
)
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
    """A transition: the state that it leads to, calls used (a resume uses none), and where each
    process of the state before stands in the order of the state after. ``is_gone`` by that order.
    """

    after: int
    cost: int
    places: tuple[int, ...]
    is_gone: tuple[bool, ...]


class State:
    """A state: one kernel that is in it, the calls that led there, its processes in key order, and
    the transitions of each, once they were checked.
    """

    __slots__ = ("edges", "kernel", "number", "order", "steps")

    def __init__(
        self, number: int, kernel: Kernel, order: tuple[int, ...], steps: tuple[Step, ...]
    ) -> None:
        self.number = number
        self.kernel = kernel
        self.order = order
        self.steps = steps
        self.edges: dict[int, list[Edge]] = {}


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

    target: KernelTarget
    processes: int = 2
    longest: int = 4
    alphabet: Sequence[Call] = ALPHABET
    #: (index, of): only the transitions that fall to this worker are run on the target.
    share: tuple[int, int] = (0, 1)
    progress: Callable[[Coverage], None] = lambda coverage: None
    coverage: Coverage = field(default_factory=Coverage)
    checks: int = 0
    states: list[State] = field(default_factory=list)
    numbers: dict[object, int] = field(default_factory=dict)

    def explore(self) -> Coverage:
        """Level by level (of calls made and resumed), until the first difference or the end."""
        level = {(self.first(), (0,) * self.processes): 1}
        while level:
            following: dict[tuple[int, tuple[int, ...]], int] = {}
            for (number, used), ways in level.items():
                self.expand(self.states[number], used, ways, following)
                if self.coverage.failure is not None:
                    return self.coverage
            self.coverage.states = len(self.states)
            self.progress(self.coverage)
            level = following
        self.coverage.is_complete = True
        return self.coverage

    def first(self) -> int:
        """The state after the setup."""
        kernel = Kernel.fresh()
        forks = ((1, process_calls.Fork()) for _ in range(1, self.processes))
        steps = (*SETUP, *forks)
        for pid, call in steps:
            kernel = step(kernel, pid, call)[1]
        return self.state_of(kernel, steps).number

    def state_of(self, kernel: Kernel, steps: tuple[Step, ...]) -> State:
        """The state that a kernel is in, entered the first time."""
        key, order = canonical(kernel, self.processes)
        number = self.numbers.setdefault(key, len(self.states))
        if number == len(self.states):
            self.states.append(State(number, kernel, order, steps))
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
        for index, pid in enumerate(state.order):
            process = state.kernel.processes.get(pid)
            if process is None or (process.parked is None and used[index] >= self.longest):
                continue
            edges = state.edges.get(index)
            if edges is None:
                edges = state.edges[index] = self.edges_of(state, index, pid)
            for after, cost, places, is_gone in edges:
                is_end = False
                left = [self.longest] * self.processes
                for before, place in enumerate(places):
                    if not is_gone[place]:
                        left[place] = used[before] + (cost if before == index else 0)
                key = (after, tuple(left))
                following[key] = following.get(key, 0) + ways
        if is_end:
            self.coverage.interleavings += ways
            is_parked = any(process.parked for process in state.kernel.processes.values())
            self.coverage.ends_parked += ways if is_parked else 0

    def edges_of(self, state: State, index: int, pid: int) -> list[Edge]:
        """What a process can do in a state, each checked on the target."""
        edges: list[Edge] = []
        harmless: list[Step] = []
        for made, after in self.transitions(state.kernel, pid):
            found = canonical(after, self.processes)
            entered = self.state_of(after, (*state.steps, made))
            if entered is state and found.order == state.order:
                harmless.append(made)
            else:
                self.check(state, [made])
            places = tuple(found.order.index(other) for other in state.order)
            is_gone = tuple(other not in after.processes for other in found.order)
            cost = 0 if isinstance(made[1], process_calls.Resume) else 1
            edges.append(Edge(entered.number, cost, places, is_gone))
        if harmless:
            self.check(state, harmless)
        return edges

    def transitions(self, kernel: Kernel, pid: int) -> Iterator[tuple[Step, Kernel]]:
        """(process and call, kernel after it)."""
        if kernel.processes[pid].parked is not None:
            outcome, after = step(kernel, pid, process_calls.Resume())
            if outcome.value != PARKED:
                yield (pid, process_calls.Resume()), after
            return
        for call in self.alphabet:
            yield (pid, call), step(kernel, pid, call)[1]

    def check(self, state: State, steps: Sequence[Step]) -> None:
        """Transitions on the target: one, or several that change nothing one after another."""
        self.checks += 1
        if self.checks % self.share[1] != self.share[0] or self.coverage.failure is not None:
            return
        self.coverage.transitions += len(steps)
        if self.checks % _PROGRESS_EVERY == self.share[0]:
            self.progress(self.coverage)
        self.target.start()
        for pid, call in state.steps:
            self.target.apply(pid, call)
        kernel = state.kernel
        for pid, call in steps:
            try:
                kernel = follow(kernel, pid, call, self.target.apply(pid, call))
                is_equal = observe(kernel) == self.target.observe()
            except Exception:  # told by the second run
                is_equal = False
            if not is_equal:
                self.coverage.failure = run_steps(self.target, [*state.steps, *steps])
                assert self.coverage.failure.failure, "the failure does not come again"
                return
