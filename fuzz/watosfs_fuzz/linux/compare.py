"""Scripts of calls, made by the model and by Linux: outcomes one by one, the tree at the end.

Checks: errno or value of every call, and afterwards kind, mode, owners, links, size and contents of
everything in the directory.
Does not check: calls that would park (Linux would really wait), times, the figures of statfs, and
what ``differences`` names. A script goes on in the model's state after each call, so that a
difference is told once.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from watosfs_fuzz.kernel.findings import text_of
from watosfs_fuzz.kernel.generator import KernelGenerator
from watosfs_fuzz.kernel.lockstep import KernelReport, Step, outcome_word
from watosfs_fuzz.linux.differences import reason_to_skip
from watosfs_fuzz.linux.tree import Found, model_tree, real_tree
from watosfs_fuzz.linux.workers import PROCESSES_MAX, NoAnswer, Workers
from watosfs_model import Difference, Outcome
from watosfs_model.kernel import Call, Kernel, follow, step
from watosfs_model.kernel import attribute_calls as x
from watosfs_model.kernel import process_calls as q
from watosfs_model.kernel.numbers import PARKED

SCRIPT_CALLS = 60


@dataclass(slots=True)
class Agreement:
    """What a run of scripts compared."""

    scripts: int = 0
    calls: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Script:
    """One script in a fresh directory below ``base``."""

    def __init__(self, base: bytes, agreement: Agreement) -> None:
        self.base = base
        self.agreement = agreement
        self.kernel = Kernel.fresh()
        self.report = KernelReport()
        self.workers = Workers()
        #: By process of the model: the worker's index, and the number that Linux gave.
        self.indices = {1: 0}
        self.numbers: dict[int, int] = {}

    def run(self, source: KernelGenerator | Sequence[Step]) -> KernelReport:
        """Until the end or the first difference."""
        root = tempfile.mkdtemp(dir=self.base)
        os.chmod(root, 0o755)
        try:
            self.workers.start(root)
            self.numbers[self.workers.first] = 1
            self.play(source)
            if self.report.failure is None:
                self.compare_trees(root)
        finally:
            self.workers.end()
            shutil.rmtree(root, ignore_errors=True)
        return self.report

    def play(self, source: KernelGenerator | Sequence[Step]) -> None:
        """Call by call."""
        if not isinstance(source, KernelGenerator):
            for pid, call in source:
                self.perform(pid, call)
            return
        for _ in range(SCRIPT_CALLS):
            found = source.next(self.kernel)
            if found is None or self.report.failure is not None:
                return
            self.perform(*found)

    def perform(self, pid: int, call: Call) -> None:
        """One call on both sides, unless it is left out."""
        if pid not in self.kernel.processes or self.report.failure is not None:
            return
        if isinstance(call, q.Fork | x.Spawn):
            self.fork(pid, call)
            return
        clause = reason_to_skip(self.kernel, pid, call)
        if clause is None and step(self.kernel, pid, call)[0].value == PARKED:
            clause = "parks"
        if clause is not None:
            self.agreement.skipped[clause] += 1
            return
        self.report.steps.append((pid, call))
        try:
            outcome = self.workers.call(self.indices[pid], call)
        except NoAnswer as silence:
            self.report.failure = ("waits", call.name(), str(silence))
            return
        self.judge(pid, call, self.translated(call, outcome))

    def fork(self, pid: int, call: Call) -> None:
        """Processes come on both sides at once, as long as there are workers."""
        if len(self.indices) >= PROCESSES_MAX:
            return
        outcome, after = step(self.kernel, pid, call)
        if outcome.errno:
            return
        child = outcome.value
        assert isinstance(child, int)
        index = len(self.indices)
        self.report.steps.append((pid, call))
        self.report.outcomes.append(outcome)
        execs = isinstance(call, x.Spawn)
        self.numbers[self.workers.fork(self.indices[pid], index, execs=execs)] = child
        self.indices[child] = index
        self.kernel = after

    def translated(self, call: Call, outcome: Outcome) -> Outcome:
        """Process numbers of Linux as the model's."""
        value = outcome.value
        if isinstance(call, q.LockRange) and isinstance(value, tuple):
            return Outcome((*value[:3], self.numbers.get(value[3], value[3])))
        return outcome

    def judge(self, pid: int, call: Call, outcome: Outcome) -> None:
        """Hold the outcome against the model, which then takes the step."""
        self.report.outcomes.append(outcome)
        self.agreement.calls += 1
        self.agreement.seen[call.name(), outcome_word(outcome)] += 1
        due, after = step(self.kernel, pid, call)
        is_status = isinstance(due.value, tuple) and call.name() in ("fstatfd", "fstatat")
        if is_status and not outcome.errno:
            assert isinstance(due.value, tuple)
            kind, *rest = due.value[:6]
            wanted = (kind, *rest[:4], 0 if kind in ("directory", "fifo") else rest[4])
            if outcome.value != wanted:
                text = f"Linux gives {outcome.value}, the model {wanted}"
                self.report.failure = ("outcome", call.name(), text)
            self.kernel = after
            return
        try:
            self.kernel = follow(self.kernel, pid, call, outcome)
        except Difference as difference:
            text = f"Linux: {outcome_word(outcome)} {outcome.value!r}: {difference}"
            self.report.failure = ("outcome", call.name(), text)

    def compare_trees(self, root: bytes) -> None:
        """What is there at the end."""
        due, found = model_tree(self.kernel), real_tree(root)
        if due != found:
            lines = [
                f"{path!r}: Linux has {short(found.get(path))}, the model {short(due.get(path))}"
                for path in sorted({*due, *found})
                if due.get(path) != found.get(path)
            ]
            self.report.failure = ("tree", "end", "\n".join(lines))


def short(found: Found | None) -> str:
    """An entry of a tree in a line."""
    return "nothing" if found is None else repr(found)[:200]


def compare_script(base: str, seed: int, number: int, agreement: Agreement) -> KernelReport:
    """Script ``number`` of a seed."""
    report = Script(os.fsencode(base), agreement).run(KernelGenerator(seed, number))
    agreement.scripts += 1
    if report.failure is not None:
        agreement.failures.append(text_of(report, origin=f"seed {seed} script {number}"))
    return report
