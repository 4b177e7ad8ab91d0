"""Making a failing trace short: fewer operations, then simpler arguments, then a smaller crash.

Deterministic. A step is kept only when the trace still fails in the same way (oracle and subject), so that
one bug is not traded for another on the way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from typing import TypeAlias

from watosfs_model.data import Fill, Literal
from watosfs_model.operations import Operation

from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.run import RunReport

Operations: TypeAlias = list[Operation]
#: Runs a trace; its report says whether and how it fails.
Runner: TypeAlias = Callable[[Sequence[Operation]], RunReport]


class Minimiser:
    """Shrinks one trace. ``runs_max`` bounds the work."""

    def __init__(self, run: Runner, failure: Failure, runs_max: int = 4000) -> None:
        self.run = run
        self.key = failure.key
        self.runs_left = runs_max
        self.best: RunReport | None = None

    def fails(self, operations: Sequence[Operation]) -> bool:
        """Whether the trace still fails in the same way; then its report is the best so far."""
        if self.runs_left <= 0:
            return False
        self.runs_left -= 1
        report = self.run(operations)
        if report.failure is None or report.failure.key != self.key:
            return False
        self.best = report
        return True

    def minimise(self, operations: Sequence[Operation]) -> RunReport | None:
        """The report of the shortest failing trace found; None when the trace does not fail any more."""
        if not self.fails(operations):
            return None
        while True:
            before = self.current()
            self.drop_operations()
            self.simplify_arguments()
            if self.current() == before:
                return self.best

    def current(self) -> Operations:
        """The operations of the best trace; a run that failed early needs no more of them."""
        assert self.best is not None
        return list(self.best.operations)

    def drop_operations(self) -> None:
        """Delta debugging: remove ever smaller pieces, from the end to the start."""
        size = max(len(self.current()) // 2, 1)
        while size:
            end = len(self.current())
            while end > 0:
                operations = self.current()
                end = min(end, len(operations))
                shorter = operations[: max(end - size, 0)] + operations[end:]
                if shorter and self.fails(shorter):
                    end = min(end - size, len(self.current()))
                else:
                    end -= size
            size //= 2

    def simplify_arguments(self) -> None:
        """Try simpler values for each argument of each operation."""
        position = 0
        while position < len(self.current()):
            for simpler in simpler_operations(self.current()[position]):
                operations = self.current()
                if position < len(operations):
                    operations[position] = simpler
                    self.fails(operations)
            position += 1


def simpler_operations(operation: Operation) -> Iterator[Operation]:
    """The operation with one argument made simpler, simplest first."""
    for spec in fields(operation):  # type: ignore[arg-type]
        value = getattr(operation, spec.name)
        for simpler in simpler_values(spec.name, value):
            yield replace(operation, **{spec.name: simpler})  # type: ignore[type-var]


def simpler_values(name: str, value: object) -> Iterator[object]:
    """Simpler values for an argument."""
    match value:
        case Fill(seed, length):
            yield Literal(b"a")
            yield from (Fill(seed, shorter) for shorter in smaller_numbers(length) if shorter > 0)
            if seed:
                yield Fill(0, length)
        case Literal(data) if len(data) > 1:
            yield Literal(data[:1])
        case bytes() if name in ("path", "old", "new") and value not in (b"/a", b"/b"):
            yield from (b"/a", b"/b")
        case int() if name == "mode" and value != 0o644:
            yield 0o644
        case int() if name in ("offset", "size", "count", "uid", "gid", "atime_ns", "mtime_ns"):
            yield from smaller_numbers(value)


def smaller_numbers(value: int) -> Iterator[int]:
    """0, 1, borders below, a half, one less."""
    candidates = [0, 1, 160, 161, 4096, 65536, value // 2, value - 1]
    yield from sorted({number for number in candidates if 0 <= number < value})
