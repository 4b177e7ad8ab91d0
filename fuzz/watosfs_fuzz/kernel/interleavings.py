"""All interleavings of all small programs: model and target agree on every one.

A program is up to so many calls of an alphabet for each process; calls are atomic, and a call that
parks is tried again whenever its process is chosen. Instead of one walk for each program and
schedule, states are walked breadth first: from every state that any of them reaches, every process
makes every call. States that are equal but for times have equal futures (no outcome depends on a
time), so each is entered once and the ways that lead there are counted.

Each transition is checked on the target: it replays the calls that led to the state, makes the new
one, and outcome and whole observable state are compared.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

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
#: One file, open twice; processes get it by fork.
SETUP: tuple[Step, ...] = (
    (1, calls.Openat(n.AT_FDCWD, FILE, O_CREAT | O_RDWR, 0o666)),
    (1, calls.Openat(n.AT_FDCWD, FILE, O_RDWR | O_APPEND, 0o666)),
    (1, calls.Write(0, Literal(b"0123"))),
)
ALPHABET: tuple[Call, ...] = (
    calls.Openat(n.AT_FDCWD, FILE, O_CREAT | O_RDWR, 0o666),
    calls.Dup(0),
    calls.Read(0, 2),
    calls.Write(0, Literal(b"ab")),
    calls.Write(1, Literal(b"c")),
    calls.Lseek(0, 0, 0),
    calls.CloseFd(0),
    path_calls.Unlinkat(n.AT_FDCWD, FILE, 0),
    path_calls.Renameat(n.AT_FDCWD, FILE, n.AT_FDCWD, b"/b"),
    process_calls.Flock(0, n.LOCK_EX),
    process_calls.Fork(),
    process_calls.Exit(),
)


@dataclass(slots=True)
class Node:
    """A state, how one schedule reaches it, and how many (program, schedule) pairs do."""

    kernel: Kernel
    steps: tuple[Step, ...]
    used: tuple[int, ...]
    ways: int = 1


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

    def explore(self) -> Coverage:
        """Level by level, until the first difference or the end."""
        level = [self.first()]
        while level:
            following: dict[object, Node] = {}
            for node in level:
                self.coverage.states += 1
                self.expand(node, following)
                if self.coverage.failure is not None:
                    return self.coverage
            self.progress(self.coverage)
            level = list(following.values())
        self.coverage.is_complete = True
        return self.coverage

    def first(self) -> Node:
        """After the setup."""
        kernel = Kernel.fresh()
        forks = ((1, process_calls.Fork()) for _ in range(1, self.processes))
        steps = (*SETUP, *forks)
        for pid, call in steps:
            kernel = step(kernel, pid, call)[1]
        return Node(kernel, steps, (0,) * self.processes)

    def expand(self, node: Node, following: dict[object, Node]) -> None:
        """Every process makes every call that it still may."""
        transitions = list(self.transitions(node))
        if not transitions:
            self.coverage.interleavings += node.ways
            is_parked = any(process.parked for process in node.kernel.processes.values())
            self.coverage.ends_parked += node.ways if is_parked else 0
            return
        before = timeless(node.kernel)
        harmless: list[Step] = []
        for following_step, after, used in transitions:
            key = timeless(after)
            if key == before:
                harmless.append(following_step)
            else:
                self.check(node, [following_step])
            known = following.get((key, used))
            if known is None:
                steps = (*node.steps, following_step)
                following[key, used] = Node(after, steps, used, node.ways)
            else:
                known.ways += node.ways
        if harmless:
            self.check(node, harmless)

    def transitions(self, node: Node) -> Iterator[tuple[Step, Kernel, tuple[int, ...]]]:
        """(process and call, state after it, calls used) from a state."""
        for index in range(self.processes):
            pid = index + 1
            process = node.kernel.processes.get(pid)
            if process is None:
                continue
            if process.parked is not None:
                outcome, after = step(node.kernel, pid, process_calls.Resume())
                if outcome.value != PARKED:
                    yield (pid, process_calls.Resume()), after, node.used
            elif node.used[index] < self.longest:
                used = (*node.used[:index], node.used[index] + 1, *node.used[index + 1 :])
                for call in self.alphabet:
                    yield (pid, call), step(node.kernel, pid, call)[1], used

    def check(self, node: Node, steps: Sequence[Step]) -> None:
        """Transitions on the target: one, or several that change nothing one after another."""
        self.coverage.transitions += len(steps)
        self.checks += 1
        if self.checks % self.share[1] != self.share[0] or self.coverage.failure is not None:
            return
        self.target.start()
        for pid, call in node.steps:
            self.target.apply(pid, call)
        kernel = node.kernel
        for pid, call in steps:
            try:
                kernel = follow(kernel, pid, call, self.target.apply(pid, call))
                is_equal = observe(kernel) == self.target.observe()
            except Exception:  # told by the second run
                is_equal = False
            if not is_equal:
                self.coverage.failure = run_steps(self.target, [*node.steps, *steps])
                assert self.coverage.failure.failure, "the failure does not come again"
                return


def timeless(kernel: Kernel) -> str:
    """Equal for states that differ in times only."""
    trees, processes, descriptions, locks = observe(kernel)
    bare = [
        [(path, *entry[:6], *entry[9:]) for path, entry in sorted(tree.items())] for tree in trees
    ]
    parked = [(pid, process.parked) for pid, process in kernel.processes.items() if process.parked]
    return repr((bare, processes, sorted(descriptions.items()), locks, parked, kernel.next_process))
