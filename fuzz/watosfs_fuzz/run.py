"""One trace from start to end: lockstep, power cuts in the middle, every crash of each log.

Whatever goes wrong ends the run and becomes its ``failure``: a difference, a broken invariant, or
any exception that a target lets out (its contract is ``OSError`` with an errno, nothing else).
"""

import traceback
from collections import Counter
from dataclasses import dataclass, field

from watosfs_fuzz.crash.choice import CrashChoice
from watosfs_fuzz.crash.explore import Exploration
from watosfs_fuzz.crash.persistence import SECTOR, Persistence
from watosfs_fuzz.crashes import LogCrashes
from watosfs_fuzz.lockstep import PID, Failure, Lockstep, outcome_text
from watosfs_fuzz.oracles.crash import failure_of
from watosfs_fuzz.power_cut import ALL_PERSISTED, Cut, cut_by_policy
from watosfs_fuzz.target import CrashTarget, Target
from watosfs_model import Outcome, step
from watosfs_model.operations import Crash, Operation

SUBJECT_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How thoroughly a trace is examined; ``cuts`` are the policies of its power cuts, in order."""

    crashes: bool = True
    nested: int = 0
    cap: int | None = None
    cuts: tuple[int, ...] = ()
    persistence: Persistence = SECTOR
    #: (index, of): the other crash points are somebody else's.
    share: tuple[int, int] = (0, 1)
    #: Oracles that are switched off.
    off: frozenset[str] = frozenset()


@dataclass(slots=True)
class RunReport:
    """What a run did and found; ``cuts`` holds the policy of each power cut that happened."""

    operations: list[Operation] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    failure: Failure | None = None
    choice: CrashChoice | None = None
    exploration: Exploration = field(default_factory=Exploration)
    features: Counter[str] = field(default_factory=Counter)


class Run:
    """One trace on one target. ``memo`` is shared between runs of a process, for speed only."""

    def __init__(
        self, target: Target, options: RunOptions, memo: dict[object, object] | None = None
    ) -> None:
        self.target = target
        self.options = options
        self.memo = {} if memo is None else memo
        self.report = RunReport()
        target.start()
        self.lockstep = Lockstep(target)

    def apply(self, operation: Operation) -> Outcome:
        """One operation; afterwards ``report.failure`` says whether all is well."""
        if isinstance(operation, Crash):
            done = len(self.report.cuts)
            policy = self.options.cuts[done] if done < len(self.options.cuts) else ALL_PERSISTED
            return self.cut_power(policy)
        report = self.report
        report.operations.append(operation)
        outcome = Outcome(None, 0)
        try:
            outcome, report.failure = self.lockstep.apply(operation)
        except Exception as error:
            report.failure = exception_failure(error)
        report.outcomes.append(outcome)
        report.features[f"{operation.name()} {outcome_word(outcome)}"] += 1
        return outcome

    def cut_power(self, choice: int | Cut) -> Outcome:
        """Explore the crashes so far; then recover from one of them and go on from there.

        ``choice`` is a policy of ``power_cut``, or the cut itself.
        """
        report = self.report
        report.operations.append(Crash())
        report.cuts.append(choice if isinstance(choice, int) else ALL_PERSISTED)
        report.outcomes.append(Outcome(None, 0))
        try:
            if self.options.crashes:
                report.failure = self.explore_crashes()
            if report.failure is None:
                report.failure = self.recover(choice)
        except Exception as error:
            report.failure = exception_failure(error)
        report.features["crash ok"] += report.failure is None
        return report.outcomes[-1]

    def finish(self) -> RunReport:
        """Explore the crashes of what was not explored yet."""
        report = self.report
        if report.failure is None and self.options.crashes:
            try:
                report.failure = self.explore_crashes()
            except Exception as error:
                report.failure = exception_failure(error)
        for name, value in self.target.statistics().items():
            report.features[f"{name} {value if value < 4 else 'many'}"] += 1
        return report

    # -- crashes

    def crash_target(self) -> CrashTarget:
        """The target, which can crash."""
        assert self.target.dialect.can_crash, f"{self.target.name} cannot crash"
        return self.target  # type: ignore[return-value]

    def log_crashes(self) -> LogCrashes:
        """The crashes of the log since the start or the last power cut."""
        return LogCrashes(
            self.crash_target(),
            self.lockstep.states,
            self.memo,
            self.options.persistence,
            self.options.off,
        )

    def explore_crashes(self) -> Failure | None:
        """Every crash since the start or the last power cut; the first that is wrong."""
        if not self.target.dialect.can_crash:
            return None
        crashes = self.log_crashes()
        failure = crashes.mechanism_failure()
        if failure is not None:
            return failure
        options = self.options
        exploration = crashes.explore(options.nested, options.cap, share=options.share)
        self.report.exploration.add(exploration)
        if not exploration.failures:
            return None
        first = exploration.failures[0]
        self.report.choice = first.choice
        return failure_of(first.reason, first.where)

    def recover(self, choice: int | Cut) -> Failure | None:
        """Restart the target on one legal image; the model follows to the state that was found."""
        crashes, lockstep = self.log_crashes(), self.lockstep
        base, events = crashes.target.base, crashes.target.device.events
        cut = (
            cut_by_policy(base, events, choice, self.options.persistence)
            if isinstance(choice, int)
            else choice
        )
        state, failure = crashes.recover_at(cut, lockstep.done)
        if state is not None:
            lockstep.recovered(step(state, PID, Crash())[1])
        return failure


def exception_failure(error: Exception) -> Failure:
    """A failure from what a target should never have raised: named by type and place."""
    frames = traceback.extract_tb(error.__traceback__)
    where = frames[-1].name if frames else "?"
    kind = "assertion" if isinstance(error, AssertionError) else "exception"
    subject = f"{type(error).__name__} in {where}"
    lines = traceback.format_exception_only(error)
    lines += [f"  {frame.filename.rpartition('/')[2]}:{frame.name}" for frame in frames[-6:]]
    return Failure(kind, subject[:SUBJECT_LENGTH_MAX], "".join(lines[:1]) + "\n".join(lines[1:]))


def outcome_word(outcome: Outcome) -> str:
    """ok, or the errno's name."""
    return outcome_text(outcome) if outcome.errno else "ok"
