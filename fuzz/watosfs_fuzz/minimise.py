"""Making a failing trace short: fewer operations, then simpler arguments, then a smaller crash.

Deterministic. A step is kept only when the trace still fails in the same way (oracle and subject),
so that one bug is not traded for another on the way.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeAlias

from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.renumber import renumbered
from watosfs_fuzz.run import RunReport
from watosfs_fuzz.simplify import renamed_traces, simpler_operations
from watosfs_model.operations import Open, Operation

Operations: TypeAlias = list[Operation]
#: Runs a trace; its report says whether and how it fails.
Runner: TypeAlias = Callable[[Sequence[Operation]], RunReport]

#: Up to this length all pairs are tried: what only goes together (begin and abort) goes together.
PAIRS_OPERATIONS_MAX = 16


class Minimiser:
    """Shrinks one trace. ``runs_max`` bounds the work."""

    def __init__(self, run: Runner, failure: Failure, runs_max: int = 4000) -> None:
        self.run = run
        self.key = failure.key
        self.runs_left = runs_max
        self.best: RunReport | None = None
        self.tried: set[tuple[Operation, ...]] = set()

    def minimise(self, operations: Sequence[Operation]) -> RunReport | None:
        """The report of the shortest failing trace; None when the trace does not fail any more."""
        if not self.fails(operations):
            return None
        while True:
            before = self.current()
            self.drop_pieces()
            self.drop_pairs()
            self.simplify_names()
            self.simplify_arguments()
            if self.current() == before:
                return self.best

    def fails(self, operations: Sequence[Operation]) -> bool:
        """Whether the trace still fails in the same way; then its report is the best so far."""
        key = tuple(operations)
        if self.runs_left <= 0 or key in self.tried:
            return False
        self.tried.add(key)
        self.runs_left -= 1
        report = self.run(operations)
        if report.failure is None or report.failure.key != self.key:
            return False
        self.best = report
        return True

    def current(self) -> Operations:
        """The operations of the best trace; a run that failed early needs no more of them."""
        assert self.best is not None
        return list(self.best.operations)

    def fails_with(self, kept: Sequence[int]) -> bool:
        """Whether the operations at these indices are enough, descriptors renumbered or not."""
        assert self.best is not None
        operations, outcomes = self.current(), self.best.outcomes
        descriptors = [
            outcome.value if isinstance(op, Open) and isinstance(outcome.value, int) else None
            for op, outcome in zip(operations, outcomes, strict=False)
        ]
        if self.fails(renumbered(operations, descriptors, kept)):
            return True
        return self.fails([operations[index] for index in kept])

    # -- fewer operations

    def drop_pieces(self) -> None:
        """Delta debugging: remove ever smaller pieces, from the end to the start."""
        size = max(len(self.current()) // 2, 1)
        while size:
            end = len(self.current())
            while end > 0:
                count = len(self.current())
                end = min(end, count)
                kept = [*range(max(end - size, 0)), *range(end, count)]
                if kept:
                    self.fails_with(kept)
                end -= size
            size //= 2

    def drop_pairs(self) -> None:
        """Remove two operations at once, while the trace is short enough to try all."""
        again = True
        while again:
            again = False
            count = len(self.current())
            if not 2 < count <= PAIRS_OPERATIONS_MAX:
                return
            for pair in combinations(range(count), 2):
                if self.fails_with([index for index in range(count) if index not in pair]):
                    again = True
                    break

    # -- simpler ones

    def simplify_names(self) -> None:
        """Plainer names and fewer directories, everywhere at once."""
        while any(self.fails(simpler) for simpler in renamed_traces(self.current())):
            pass

    def simplify_arguments(self) -> None:
        """The simplest value that still fails, for each argument of each operation."""
        position = 0
        while position < len(self.current()):
            if not self.simplify_one(position):
                position += 1

    def simplify_one(self, position: int) -> bool:
        """Make one argument of one operation simpler; whether that was possible."""
        for simpler in simpler_operations(self.current()[position]):
            operations = self.current()
            operations[position] = simpler
            if self.fails(operations):
                return position < len(self.current())
        return False
