"""Seeded calls of several processes: swarm of kinds, skewed choices, related boundary arguments.

What exists is read from the model's state, so that most calls mean something; some do not.
"""

from collections.abc import Callable
from random import Random

from watosfs_fuzz.kernel import makers
from watosfs_fuzz.kernel.bursts import BURSTS
from watosfs_fuzz.kernel.chooser import Chooser
from watosfs_model.kernel import Call, Kernel
from watosfs_model.kernel.process_calls import Fork, Interrupt, Resume

PROCESSES_WANTED = 3
_RESUMES, _INTERRUPTS = 0.5, 0.08


class KernelGenerator:
    """Calls number 0, 1, ... of trace ``number`` of a seed. The same arguments give the same
    calls.
    """

    def __init__(self, seed: int, number: int) -> None:
        self.random = Random(f"kernel {seed} {number}")
        kinds = list(makers.MAKERS)
        share = self.random.choice((0.35, 0.6, 1.0))
        chosen = [kind for kind in kinds if self.random.random() < share]
        # Without these nothing is ever open.
        self.kinds = sorted({*chosen, "openat", "fork"})
        self.weights = [
            makers.MAKERS[kind][0] * self.random.choice((0.3, 1, 1, 4)) for kind in self.kinds
        ]

        self.bursts = self.random.choice((0, 0.03, 0.1))
        self.waiting: list[tuple[int, Call]] = []

    def next(self, kernel: Kernel) -> tuple[int, Call] | None:
        """A process and its call; None when no process is left."""
        random = self.random
        while self.waiting:
            pid, call = self.waiting.pop(0)
            if pid in kernel.processes and not kernel.processes[pid].parked:
                return pid, call
        parked = [pid for pid, process in kernel.processes.items() if process.parked]
        running = [pid for pid in kernel.processes if pid not in parked]
        if parked and (not running or random.random() < _RESUMES):
            pid = random.choice(parked)
            ends = not running or random.random() < _INTERRUPTS
            return pid, Interrupt() if ends and random.random() < 0.5 else Resume()
        if not running:
            return None
        pid = random.choice(running)
        if len(kernel.processes) < PROCESSES_WANTED and random.random() < 0.05:
            return pid, Fork()
        if random.random() < self.bursts:
            chooser = Chooser(random, kernel, pid)
            self.waiting = [(pid, call) for call in random.choice(BURSTS)(chooser)]
            return self.next(kernel)
        kind = random.choices(self.kinds, self.weights)[0]
        make: Callable[[Chooser], Call] = makers.MAKERS[kind][1]
        return pid, make(Chooser(random, kernel, pid))
