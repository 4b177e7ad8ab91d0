"""The transitions that the walk of all interleavings meets, run on the target and compared.

The walk needs the model only, and goes on while forked workers run what it met: a fork inherits
model states that would be dear to send.

Checks: the outcome of each step, and the whole observable state after it.
Does not check: the steps that lead to a transition's state, which were transitions themselves.
"""

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from typing import NamedTuple, Protocol

from watosfs_fuzz.kernel.lockstep import KernelReport, KernelTarget, Step, run_steps
from watosfs_model.kernel import Kernel, follow, observe

#: Checks in one fork: half a minute's work.
BATCH_LENGTH = 50_000


class EdgeCheck(NamedTuple):
    """``steps``, run from the state ``kernel`` that ``prefix`` leads to: one transition, or several
    that change nothing.
    """

    kernel: Kernel
    prefix: tuple[Step, ...]
    steps: tuple[Step, ...]


class EdgeChecks(Protocol):
    """Where the walk brings what it met."""

    transitions: int
    failure: KernelReport | None

    def add(self, check: EdgeCheck) -> None:
        """Run it, now or later."""

    def finish(self) -> None:
        """Run what is left."""


def is_equal(target: KernelTarget, check: EdgeCheck) -> bool:
    """Run one check."""
    target.start()
    for pid, call in check.prefix:
        target.apply(pid, call)
    kernel = check.kernel
    for pid, call in check.steps:
        try:
            kernel = follow(kernel, pid, call, target.apply(pid, call))
            if observe(kernel) != target.observe():
                return False
        except Exception:  # told by the second run
            return False
    return True


def first_different(target: KernelTarget, checks: Sequence[EdgeCheck]) -> int | None:
    """Run checks in order, until the first difference: its index."""
    return next((i for i, check in enumerate(checks) if not is_equal(target, check)), None)


def told(target: KernelTarget, check: EdgeCheck) -> KernelReport:
    """A difference again, step by step."""
    report = run_steps(target, [*check.prefix, *check.steps])
    assert report.failure, "the failure does not come again"
    return report


class InlineChecks:
    """Each when it is met."""

    def __init__(self, target: KernelTarget) -> None:
        self.target = target
        self.transitions = 0
        self.failure: KernelReport | None = None

    def add(self, check: EdgeCheck) -> None:
        """Run it, unless one failed before."""
        if self.failure is not None:
            return
        self.transitions += len(check.steps)
        if not is_equal(self.target, check):
            self.failure = told(self.target, check)

    def finish(self) -> None:
        """Nothing is left."""


class ForkedChecks:
    """In batches, on ``jobs - 1`` forks beside the walk, and on ``jobs`` after it."""

    def __init__(self, target: KernelTarget, jobs: int, batch_length: int = BATCH_LENGTH) -> None:
        self.target = target
        self.jobs = jobs
        self.batch_length = batch_length
        self.transitions = 0
        self.failure: KernelReport | None = None
        self.waiting: list[EdgeCheck] = []
        self.running: dict[Connection, list[EdgeCheck]] = {}

    def add(self, check: EdgeCheck) -> None:
        """Keep it until a batch is full and a fork is free."""
        self.waiting.append(check)
        if len(self.waiting) >= self.batch_length and self.is_free(self.jobs - 1):
            self.fork()

    def is_free(self, most: int) -> bool:
        """Whether one more fork may run, when at most ``most`` may."""
        if len(self.running) >= most:
            self.collect(timeout=0)
        return len(self.running) < most

    def fork(self) -> None:
        """A batch begins."""
        batch, self.waiting = self.waiting[: self.batch_length], self.waiting[self.batch_length :]
        ours, theirs = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("fork")
        context.Process(target=answer, args=(self.target, batch, theirs), daemon=True).start()
        theirs.close()
        self.running[ours] = batch

    def collect(self, timeout: float | None) -> None:
        """Take in what ended. Raises RuntimeError if a fork died."""
        for done in wait(list(self.running), timeout):
            assert isinstance(done, Connection)
            batch = self.running.pop(done)
            try:
                index = done.recv()
            except EOFError:
                raise RuntimeError("a worker of the interleavings died") from None
            finally:
                done.close()
            self.transitions += sum(len(check.steps) for check in batch[:index])
            if index is not None and self.failure is None:
                self.transitions += 1
                self.failure = told(self.target, batch[index])

    def finish(self) -> None:
        """Run what is left, in batches that keep all forks busy to the end."""
        share = -(-len(self.waiting) // (4 * self.jobs))
        self.batch_length = min(self.batch_length, max(share, 1))
        while self.failure is None and (self.waiting or self.running):
            while self.waiting and self.is_free(self.jobs):
                self.fork()
            self.collect(timeout=None)


def answer(target: KernelTarget, checks: Sequence[EdgeCheck], to: Connection) -> None:
    """What a fork does."""
    to.send(first_different(target, checks))
    to.close()
