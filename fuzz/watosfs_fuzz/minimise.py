"""Making a failing case short: fewer operations, then simpler arguments, then simpler power cuts.

Deterministic. A step is kept only when the case still fails in the same way (oracle and subject),
so that one bug is not traded for another on the way. The last crash is ``simplify_choice``'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

from watosfs_fuzz.case import Case, Runner
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.power_cut import ALL_PERSISTED, NONE_PERSISTED
from watosfs_fuzz.renumber import renumbered, shared_opens
from watosfs_fuzz.run import RunReport
from watosfs_fuzz.simplify import simpler_operations
from watosfs_fuzz.simplify_names import flatter_traces, renamed_traces, resettled_traces
from watosfs_model.operations import Crash, Open, Operation

#: Up to this length all pairs are tried: what only goes together (begin and abort) goes together.
PAIRS_OPERATIONS_MAX = 16
#: What one run costs besides its operations, and each recovery in operations.
_RUN_COST, _RECOVERY_COST = 5, 3


class Minimiser:
    """Shrinks one case. ``cost_max`` bounds the work, in operations run; ``stop`` ends it early."""

    def __init__(
        self,
        run: Runner,
        failure: Failure,
        cost_max: int = 80_000,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.run = run
        self.key = failure.key
        self.cost_left = cost_max
        self.stop = stop
        self.case = Case(())
        self.report = RunReport()
        self.tried: set[Case] = set()

    def minimise(self, case: Case) -> tuple[Case, RunReport] | None:
        """The shortest failing case and its report; None when it does not fail any more."""
        if not self.fails(case):
            return None
        while True:
            before = self.case
            self.drop_pieces()
            self.flatten()
            self.share_descriptors()
            self.drop_pairs()
            self.simplify_cuts()
            self.simplify_names()
            self.simplify_arguments()
            if self.case == before and not self.drop_with_another_name():
                return self.case, self.report

    def fails(self, case: Case) -> bool:
        """Whether the case still fails in the same way; then it is the best so far."""
        if self.cost_left <= 0 or case in self.tried or self.stop():
            return False
        self.tried.add(case)
        report = self.run(case)
        self.cost_left -= _RUN_COST + len(report.operations)
        self.cost_left -= _RECOVERY_COST * report.exploration.recoveries
        if report.failure is None or report.failure.key != self.key:
            return False
        # A run that failed early needs no more of the operations.
        done = range(len(report.operations))
        self.case = case.with_operations(case.operations[: len(done)], case.cuts_of(done))
        self.report = report
        return True

    def fails_with(self, kept: Sequence[int]) -> bool:
        """Whether the operations at these indices are enough, descriptors renumbered or not."""
        operations, cuts = self.case.operations, self.case.cuts_of(kept)
        followed = renumbered(operations, self.descriptors(), kept)
        if self.fails(self.case.with_operations(followed, cuts)):
            return True
        return self.fails(self.case.with_operations([operations[i] for i in kept], cuts))

    def descriptors(self) -> list[int | None]:
        """What each operation returned, if it was an open that succeeded."""
        return [
            outcome.value if isinstance(op, Open) and isinstance(outcome.value, int) else None
            for op, outcome in zip(self.case.operations, self.report.outcomes, strict=True)
        ]

    # -- fewer operations

    def drop_pieces(self) -> None:
        """Delta debugging: remove ever smaller pieces, from the end to the start."""
        size = max(len(self.case.operations) // 2, 1)
        while size:
            end = len(self.case.operations)
            while end > 0:
                count = len(self.case.operations)
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
            count = len(self.case.operations)
            if not 2 < count <= PAIRS_OPERATIONS_MAX:
                return
            for pair in combinations(range(count), 2):
                if self.fails_with([index for index in range(count) if index not in pair]):
                    again = True
                    break

    def share_descriptors(self) -> None:
        """One open less, what used it on another's descriptor."""
        while len(self.case.operations) <= PAIRS_OPERATIONS_MAX and any(
            map(self.fails_like, shared_opens(self.case.operations, self.descriptors()))
        ):
            pass

    def drop_with_another_name(self) -> bool:
        """Remove one operation while a name or path changes: where a name lies in a tree is its
        hash's affair, so fewer entries may need others.
        """
        operations = self.case.operations
        if not 3 < len(operations) <= PAIRS_OPERATIONS_MAX:
            return False
        renamed = list(resettled_traces(operations))
        return any(
            self.fails_like(other[:drop] + other[drop + 1 :])
            for drop in range(len(operations))
            if not isinstance(operations[drop], Crash)
            for other in renamed
        )

    def flatten(self) -> None:
        """Without a directory or a rename, its paths rewritten everywhere."""
        while any(map(self.fails_like, flatter_traces(self.case.operations))):
            pass

    # -- simpler ones

    def simplify_cuts(self) -> None:
        """Power cuts that lose everything or nothing in flight."""
        for position in range(len(self.case.cuts)):
            for policy in (ALL_PERSISTED, NONE_PERSISTED):
                cuts = list(self.case.cuts)
                if position < len(cuts) and cuts[position] > policy:
                    cuts[position] = policy
                    if self.fails(replace(self.case, cuts=tuple(cuts))):
                        break

    def simplify_names(self) -> None:
        """Plainer names, everywhere at once."""
        while any(map(self.fails_like, renamed_traces(self.case.operations))):
            pass

    def fails_like(self, operations: Sequence[Operation]) -> bool:
        """Whether other operations with the same power cuts fail."""
        return self.fails(self.case.with_operations(operations, self.case.cuts))

    def simplify_arguments(self) -> None:
        """The simplest value that still fails, for each argument of each operation."""
        position = 0
        while position < len(self.case.operations):
            if not self.simplify_one(position):
                position += 1

    def simplify_one(self, position: int) -> bool:
        """Make one argument of one operation simpler; whether that was possible."""
        operations = self.case.operations
        for simpler in simpler_operations(operations[position]):
            if self.fails_like((*operations[:position], simpler, *operations[position + 1 :])):
                return position < len(self.case.operations)
        return False
