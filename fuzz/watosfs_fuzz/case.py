"""A case: everything that decides a run, so that a failure is one value to shrink, keep, replay."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from watosfs_fuzz.crash.persistence import PERSISTENCES, SECTOR
from watosfs_fuzz.run import Run, RunOptions, RunReport
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.registry import make_target
from watosfs_model.operations import Crash, Operation

#: Failures of these kinds show without any crash, so shrinking them needs to explore none.
SEEN_WITHOUT_CRASHES = frozenset({"outcome", "state", "space"})


@dataclass(frozen=True, slots=True)
class Case:
    """``cuts`` are the policies of the power cuts among ``operations``, in order; ``device`` names
    what a power cut may leave (``crash.persistence``).
    """

    operations: tuple[Operation, ...]
    cuts: tuple[int, ...] = ()
    target: str = "wfs3"
    geometry: Geometry = Geometry()  # noqa: RUF009 (frozen)
    nested: int = 0
    cap: int | None = None
    device: str = SECTOR.name
    off: frozenset[str] = frozenset()

    def options(self, *, crashes: bool = True) -> RunOptions:
        """How to run it."""
        persistence = PERSISTENCES[self.device]
        return RunOptions(crashes, self.nested, self.cap, self.cuts, persistence, off=self.off)

    def start(self, *, crashes: bool = True, memo: dict[object, object] | None = None) -> Run:
        """A run at its beginning."""
        return Run(make_target(self.target, self.geometry), self.options(crashes=crashes), memo)

    def run(
        self,
        *,
        crashes: bool = True,
        memo: dict[object, object] | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> RunReport:
        """Run it until something is wrong or it ends, then explore (a share of) the crashes."""
        run = self.start(crashes=crashes, memo=memo)
        run.options = replace(run.options, share=share)
        for operation in self.operations:
            run.apply(operation)
            if run.report.failure is not None:
                return run.report
        return run.finish()

    def with_operations(self, operations: Sequence[Operation], cuts: Sequence[int]) -> "Case":
        """The same on other operations."""
        return replace(self, operations=tuple(operations), cuts=tuple(cuts))

    def cuts_of(self, kept: Sequence[int]) -> list[int]:
        """The policies of the power cuts among the operations at the indices ``kept``."""
        policies = iter(self.cuts)
        by_index = {
            index: next(policies, 0)
            for index, operation in enumerate(self.operations)
            if isinstance(operation, Crash)
        }
        return [by_index[index] for index in kept if index in by_index]


#: Runs a case; a minimiser knows no more of how.
Runner = Callable[[Case], RunReport]
