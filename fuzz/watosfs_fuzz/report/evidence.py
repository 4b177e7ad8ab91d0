"""Everything that a report shows of one crash, gathered by running the finding once more.

The exports are functions of this value alone, so they need no target and no canary in force.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from watosfs.block.device import BlockDevice
from watosfs_fuzz.crash.choice import CrashChoice, apply_choice
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.crash.windows import Window
from watosfs_fuzz.crashes import LogCrashes, marks_of
from watosfs_fuzz.dialect import Dialect, Tree
from watosfs_fuzz.findings import Finding
from watosfs_fuzz.lockstep import Failure, tree_difference
from watosfs_fuzz.report.barrier import Experiment, experiment
from watosfs_fuzz.report.nested import in_recovery
from watosfs_fuzz.report.roles import naming_of
from watosfs_fuzz.report.timeline import Step, place_of, timeline
from watosfs_fuzz.run import Run
from watosfs_fuzz.target import CrashTarget
from watosfs_model import System, crash_states, observe
from watosfs_model.trace import format_operation

#: The oracle of the mechanism: to show what it leads to, a crash is looked for without it.
MECHANISM = "epoch"


@dataclass(frozen=True, slots=True)
class Permitted:
    """A state that the crash may leave: ``name`` says after which operations it was made."""

    name: str
    tree: Tree


@dataclass(frozen=True, slots=True)
class Evidence:
    """One crash of one finding. ``found`` is None when recovery failed, and ``problem`` says how;
    ``recovered`` is the image after recovery, as far as it got. For a power cut in recovery,
    ``before`` tells of the cuts that led to it, and all else is of that recovery's log.
    """

    finding: Finding
    operations: tuple[str, ...]
    failure: Failure
    choice: CrashChoice
    place: str
    steps: tuple[Step, ...]
    permitted: tuple[Permitted, ...]
    found: Tree | None
    problem: str
    experiment: Experiment
    block_count: int
    image: Mapping[int, bytes]
    recovered: Mapping[int, bytes]
    before: tuple[str, ...] = ()

    @property
    def nearest(self) -> Permitted:
        """The permitted state that is least unlike the one found; the newest of equals."""
        if self.found is None:
            return self.permitted[-1]
        found = self.found
        return min(reversed(self.permitted), key=lambda p: len(tree_difference(p.tree, found)))

    def step(self, index: int) -> Step | None:
        """The step of an event."""
        return next((step for step in self.steps if step.index == index), None)


def evidence_of(finding: Finding) -> Evidence | None:
    """Run the finding (its canary must be in force) up to its crash.

    None when there is no single crash to show: the failure needs none, or does not come again.
    """
    run = finding.case.start(crashes=False)
    for operation in finding.case.operations:
        run.apply(operation)
        if run.report.failure is not None:
            return None
    if not run.target.dialect.can_crash:
        return None
    shown = with_crash(finding, run)
    if shown is None:
        return None
    crashes, choice, failure = shown
    return gathered(finding, crashes, choice, failure)


def with_crash(finding: Finding, run: Run) -> tuple[LogCrashes, CrashChoice, Failure] | None:
    """The crash that the finding names; for the mechanism, the smallest that it leads to."""
    crashes = run.log_crashes()
    if finding.choice is not None:
        try:
            failure = crashes.replay(finding.choice)
        except ValueError:  # the log has changed since
            return None
        return None if failure is None else (crashes, finding.choice, failure)
    if finding.failure.kind != MECHANISM:
        return None
    run.options = replace(run.options, off=run.options.off | {MECHANISM})
    crashes = run.log_crashes()
    exploration = crashes.explore(0, finding.case.cap, failures_max=8)
    for crash in exploration.failures:
        failure = crashes.replay(crash.choice)
        if failure is not None:
            found = crashes.smallest(exploration, failure.key)
            return None if found is None else (crashes, *found)
    return None


def gathered(
    finding: Finding, crashes: LogCrashes, choice: CrashChoice, failure: Failure
) -> Evidence:
    """The evidence of a crash that fails."""
    before: tuple[str, ...] = ()
    whose = crashes.target
    if choice.then is not None:
        crashes, choice, before = in_recovery(crashes, choice)
    target, events = crashes.target, crashes.target.device.events
    image = apply_choice(target.base, events, choice, crashes.persistence)
    naming = naming_of(whose, target.base, events)
    steps = timeline(target.base, events, choice.event_index, image, crashes.persistence, naming)
    marks = marks_of(events[: choice.event_index])
    window = Window(image, {}, choice.event_index, marks, 0, 0)
    permitted = permitted_states(
        crashes.states, crashes.oracle.operations_at(window), target.dialect
    )
    device = RecordingDevice(target.geometry.block_count, image)
    found, problem = recovered_tree(target, device, crashes.oracle.done)
    return Evidence(
        finding=finding,
        operations=tuple(format_operation(o) for o in finding.case.operations),
        failure=failure,
        choice=choice,
        place=place_of(steps, choice.event_index),
        steps=tuple(steps),
        permitted=permitted,
        found=found,
        problem=problem,
        experiment=experiment(crashes, choice, steps),
        block_count=target.geometry.block_count,
        image=image,
        recovered=dict(device.image),
        before=before,
    )


def recovered_tree(target: CrashTarget, device: BlockDevice, done: int) -> tuple[Tree | None, str]:
    """(tree, "") after a recovery, or (None, what went wrong)."""
    try:
        return target.recover(device, done).observe()[0], ""
    except Exception as error:  # what a target should never let out is what is shown here
        return None, f"recovery fails: {error or type(error).__name__}"


def permitted_states(
    states: Mapping[int, System], numbers: Sequence[int], dialect: Dialect
) -> tuple[Permitted, ...]:
    """The different trees that a crash around these operations may leave, oldest first."""
    trees: list[Tree] = []
    for number in numbers:
        for state in crash_states(states[number]):
            tree = dialect.shown(observe(state))[0]
            if tree not in trees:
                trees.append(tree)
    made = {n: dialect.shown(observe(crash_states(s)[-1]))[0] for n, s in states.items()}
    named = []
    for tree in trees:
        after = sorted(n for n, other in made.items() if other == tree)
        name = operations_text(after) if after else "as synced before"
        named.append(Permitted(name, tree))
    return tuple(named)


def operations_text(numbers: Sequence[int]) -> str:
    """``as after operations 2 and 3``; operation 0 is the start."""
    later = [str(n) for n in numbers if n]
    words = ["as at the start"] if 0 in numbers else []
    if later:
        listed = later[0] if len(later) == 1 else f"{', '.join(later[:-1])} and {later[-1]}"
        words.append(f"as after operation{'s' * (len(later) > 1)} {listed}")
    return ", ".join(words)
