"""The kernel's model and a target, call by call: outcome and whole observable state compared."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from watosfs_fuzz.kernel.generator import KernelGenerator
from watosfs_model import Difference, Outcome
from watosfs_model.kernel import Call, Kernel, checks, follow, observe
from watosfs_model.kernel.numbers import PARKED
from watosfs_model.stepping import name_of

Step: TypeAlias = tuple[int, Call]


class KernelTarget(Protocol):
    """What runs calls beside the model. ``observe`` has the shape of DESIGN section 8.2."""

    def start(self) -> None:
        """A fresh kernel."""

    def apply(self, pid: int, call: Call) -> Outcome:
        """Run one call; every ``OSError`` becomes an outcome with its errno."""

    def observe(self) -> tuple[object, ...]:
        """Everything that can be seen."""

    def close(self) -> None:
        """Give everything back."""


@dataclass(slots=True)
class KernelReport:
    """What a run did. ``failure`` is (what failed, where, story), or None."""

    steps: list[Step] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    permitted: set[tuple[str, str]] = field(default_factory=set)
    failure: tuple[str, str, str] | None = None

    @property
    def key(self) -> tuple[str, str] | None:
        """What makes two failures the same: the check, and the call."""
        return self.failure[:2] if self.failure else None


def run_steps(target: KernelTarget, steps: Sequence[Step]) -> KernelReport:
    """Given calls, until the first difference. Calls of processes that do not exist are left
    out.
    """
    waiting = iter(steps)
    return run(target, lambda kernel: next(waiting, None))


def run_generated(target: KernelTarget, seed: int, number: int, length: int) -> KernelReport:
    """Trace ``number`` of a seed."""
    source = KernelGenerator(seed, number)
    left = iter(range(length))
    return run(target, lambda kernel: None if next(left, None) is None else source.next(kernel))


def run(target: KernelTarget, source: Callable[[Kernel], Step | None]) -> KernelReport:
    """Calls from a source that sees the model's state, until the first difference."""
    target.start()
    report = KernelReport()
    kernel = Kernel.fresh()
    while (step := source(kernel)) is not None:
        pid, call = step
        if pid not in kernel.processes:
            continue
        report.steps.append(step)
        report.permitted.update((call.name(), name_of(e)) for e in checks(kernel, pid, call))
        try:
            outcome = target.apply(pid, call)
        except Exception as error:  # anything but an errno is a finding
            report.failure = ("exception", call.name(), f"{type(error).__name__}: {error}")
            return report
        report.outcomes.append(outcome)
        report.seen[call.name(), outcome_word(outcome)] += 1
        try:
            kernel = follow(kernel, pid, call, outcome)
        except Difference as difference:
            report.failure = ("outcome", call.name(), str(difference))
            return report
        try:
            due, found = observe(kernel), target.observe()
        except Exception as error:
            report.failure = ("exception", call.name(), f"{type(error).__name__}: {error}")
            return report
        if due != found:
            report.failure = ("state", call.name(), "\n".join(differences(due, found, "")))
            return report
    return report


def outcome_word(outcome: Outcome) -> str:
    """ok, parked, or the errno's name."""
    if outcome.errno:
        return name_of(outcome.errno)
    return "parked" if outcome.value == PARKED else "ok"


def differences(due: object, found: object, where: str) -> list[str]:
    """Where two observations differ, as lines."""
    if isinstance(due, dict) and isinstance(found, dict):
        lines = []
        for key in {**due, **found}:
            if key not in due:
                lines.append(f"{where}/{key}: {found[key]!r} is there")
            elif key not in found:
                lines.append(f"{where}/{key}: {due[key]!r} is missing")
            elif due[key] != found[key]:
                lines += differences(due[key], found[key], f"{where}/{key}")
        return lines
    if isinstance(due, tuple) and isinstance(found, tuple) and len(due) == len(found):
        return [
            line
            for index, (a, b) in enumerate(zip(due, found, strict=True))
            if a != b
            for line in differences(a, b, f"{where}/{index}")
        ]
    return [f"{where}: {str(found)[:120]}, should be {str(due)[:120]}"]
