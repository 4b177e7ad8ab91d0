"""One trace from start to end: lockstep, every crash of it, power cuts in the middle, the mechanism
check.
"""

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from watosfs_fuzz.crash.choice import CrashChoice, apply_choice, in_flight
from watosfs_fuzz.crash.explore import Exploration, explore
from watosfs_fuzz.crash.lazy import Choices, LazyDevice
from watosfs_fuzz.crash.log import Event, Image, Mark
from watosfs_fuzz.crash.windows import Window, sector_values
from watosfs_fuzz.lockstep import PID, Failure, Lockstep, outcome_text, tree_difference
from watosfs_fuzz.oracle import CrashOracle, failure_of, frozen
from watosfs_fuzz.target import CrashTarget, Target
from watosfs_model import Outcome, crash_states, observe, step
from watosfs_model.operations import Crash, Operation


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How thoroughly a trace is examined."""

    crashes: bool = True
    nested: int = 0
    cap: int | None = None
    crash_seed: int = 0


@dataclass(slots=True)
class RunReport:
    """What a run did and found."""

    operations: list[Operation] = field(default_factory=list)
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
        report = self.report
        report.operations.append(operation)
        try:
            if isinstance(operation, Crash):
                report.failure = self.power_cut()
                outcome = Outcome(None, 0)
            else:
                outcome, report.failure = self.lockstep.apply(operation)
        except AssertionError as error:
            outcome = Outcome(None, 0)
            report.failure = Failure("assertion", str(error).split(":")[0][:60], repr(error))
        report.outcomes.append(outcome)
        report.features[f"{operation.name()} {outcome_word(outcome)}"] += 1
        return outcome

    def finish(self) -> RunReport:
        """Explore the crashes of what was not explored yet."""
        if self.report.failure is None and self.options.crashes:
            self.report.failure = self.explore_crashes()
        for name, value in self.target.statistics().items():
            self.report.features[f"{name} {value if value < 4 else 'many'}"] += 1
        return self.report

    # -- crashes

    def crash_target(self) -> CrashTarget:
        """The target, which can crash."""
        target = self.target
        assert target.dialect.can_crash
        return target  # type: ignore[return-value]

    def explore_crashes(self) -> Failure | None:
        """Every crash since the start or the last power cut."""
        if not self.target.dialect.can_crash:
            return None
        target = self.crash_target()
        problem = target.epoch_problem()
        if problem is not None:
            return Failure("epoch", problem_class(problem), problem)
        oracle = CrashOracle(target, self.lockstep.states, self.memo)
        exploration = explore(
            target.base,
            target.device.events,
            target.geometry.block_count,
            oracle.recover,
            oracle.judge,
            nested=self.options.nested,
            cap=self.options.cap,
            failures_max=1,
        )
        self.report.exploration.add(exploration)
        if exploration.failures:
            first = exploration.failures[0]
            self.report.choice = first.choice
            return failure_of(first.reason, first.where)
        return None

    def power_cut(self) -> Failure | None:
        """Cut the power now, recover from one legal image, and go on from there in lockstep."""
        if self.options.crashes:
            failure = self.explore_crashes()
            if failure is not None:
                return failure
        target, lockstep = self.crash_target(), self.lockstep
        rng = random.Random(f"{self.options.crash_seed}/{lockstep.done}")
        image = random_image(target.base, target.device.events, rng)
        return self.recover_from(image)

    def recover_from(self, image: dict[int, bytes]) -> Failure | None:
        """Restart the target on a crash image; the model follows to the state that was found."""
        target, lockstep = self.crash_target(), self.lockstep
        try:
            target.restart_on(image, lockstep.done + 1)
            tree = target.observe()[0]
        except OSError as error:
            return Failure("crash", "recovery", f"recovery fails: {error}")
        problems = target.problems(target.device, self.memo)
        if problems:
            return Failure("crash", f"check {problems[0].split(':')[0]}", problems[0])
        states = crash_states(lockstep.system)
        for state in states:
            if frozen(observe(state)[0]) == frozen(tree):
                lockstep.recovered(step(state, PID, Crash())[1])
                return None
        lines = tree_difference(observe(states[-1])[0], tree)
        return Failure("crash", "state state", "\n".join(["no permitted state:", *lines]))

    def replay_choice(self, choice: CrashChoice) -> Failure | None:
        """Recover from exactly one crash of the log; what is wrong then."""
        target = self.crash_target()
        events = target.device.events
        image = apply_choice(target.base, events, choice)
        marks: list[Hashable] = [
            event.label for event in events[: choice.event_index] if isinstance(event, Mark)
        ]
        window = Window(image, {}, choice.event_index, marks, 0, 0)
        oracle = CrashOracle(target, self.lockstep.states, self.memo)
        device = LazyDevice(target.geometry.block_count, window, Choices())
        reason = oracle.judge(oracle.recover(device), window)
        return None if reason is None else failure_of(reason, f"at {choice}")


def random_image(base: Image, events: Sequence[Event], rng: random.Random) -> dict[int, bytes]:
    """One legal crash image: everything kept, nothing kept, or a mixture of sectors."""
    image, versions = in_flight(base, events)
    policy = rng.choice(("kept", "lost", "mixed", "torn"))
    for block, known in versions.items():
        if policy == "kept":
            image[block] = known[-1]
        elif policy == "mixed":
            image[block] = rng.choice(known)
        elif policy == "torn":
            image[block] = b"".join(rng.choice(values) for values in sector_values(known))
    return image


def problem_class(problem: str) -> str:
    """A problem without its numbers."""
    return "".join(" " if c.isdigit() else c for c in problem).strip()


def outcome_word(outcome: Outcome) -> str:
    """ok, or the errno's name."""
    return outcome_text(outcome) if outcome.errno else "ok"


def run_operations(
    target: Target,
    operations: Sequence[Operation],
    options: RunOptions,
    memo: dict[object, object] | None = None,
) -> RunReport:
    """Run given operations until something is wrong or they end, then explore the crashes."""
    run = Run(target, options, memo)
    for operation in operations:
        run.apply(operation)
        if run.report.failure is not None:
            return run.report
    return run.finish()
