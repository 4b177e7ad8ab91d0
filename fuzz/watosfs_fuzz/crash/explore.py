"""Exhaustive exploration: recovery runs once for each way in which what it reads can differ.

Checks: every legal image of every crash point (``images``), through the runs that stand for them;
crashes of recovery itself to depth ``nested``. Does not check: images behind a read with more than
1024 legal contents (their windows are counted in ``images_left_out``) or beyond ``cap``.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from watosfs_fuzz.crash.choice import CrashChoice, nested_choice_of
from watosfs_fuzz.crash.lazy import LazyDevice
from watosfs_fuzz.crash.log import Event, Image
from watosfs_fuzz.crash.odometer import Choices, PowerCut
from watosfs_fuzz.crash.persistence import SECTOR, Persistence
from watosfs_fuzz.crash.recall import Recall, RecoveryDevice
from watosfs_fuzz.crash.windows import Window, windows

#: Crash points that are shared out together, as one is often covered by the runs of the one before.
SHARE_LENGTH = 8

Outcome = TypeVar("Outcome", bound=Hashable)


@dataclass(frozen=True, slots=True)
class CrashFailure:
    """A crash that recovery or the oracle did not stand: where, why, and how to have it again."""

    event_index: int
    where: str
    reason: str
    choice: CrashChoice
    depth: int


@dataclass(slots=True)
class Exploration:
    """What was covered. ``recalled`` of the ``recoveries`` did not run, as all that they read was
    as in an earlier one; ``outcomes_reused`` were known without even walking through their reads.
    """

    windows: int = 0
    images: int = 0
    recoveries: int = 0
    recalled: int = 0
    outcomes_reused: int = 0
    images_left_out: int = 0
    failures: list[CrashFailure] = field(default_factory=list)

    def add(self, other: "Exploration") -> None:
        """Take another exploration's figures in."""
        self.windows += other.windows
        self.images += other.images
        self.recoveries += other.recoveries
        self.recalled += other.recalled
        self.outcomes_reused += other.outcomes_reused
        self.images_left_out += other.images_left_out
        self.failures += other.failures


@dataclass(slots=True)
class _Run(Generic[Outcome]):
    """One recovery: its outcome, and what it read of the crash image."""

    outcome: Outcome
    reads: dict[int, bytes]
    #: Blocks that stand for more contents than they had.
    rejected: set[int]
    left_out: int
    #: Of recoveries that were cut short, as ``LazyDevice`` has them.
    decided_at: list[dict[int, bytes]]
    logs: list[list[Event]]

    @property
    def depth(self) -> int:
        """How many power cuts there were in recovery."""
        return len(self.logs)


def count_text(count: int) -> str:
    """A possibly huge count for people: 129, 4,096, 6.2e77."""
    if count < 10**9:
        return f"{count:,}"
    digits = str(count)
    return f"{digits[0]}.{digits[1]}e{len(digits) - 1}"


def explore(
    base: Image,
    events: Sequence[Event],
    block_count: int,
    recover: Callable[[RecoveryDevice], Outcome],
    judge: Callable[[Outcome, Window], str | None],
    *,
    nested: int = 0,
    cap: int | None = None,
    failures_max: int | None = None,
    persistence: Persistence = SECTOR,
    share: tuple[int, int] = (0, 1),
    since: int = 0,
) -> Exploration:
    """Recover from every crash of the log.

    ``recover`` mounts, looks at everything it promises to judge and returns what it found; it must
    be deterministic, and turn what it takes for failures into outcomes. ``judge`` says what is
    wrong with an outcome at a crash point, or None; it sees outcomes again that were found at an
    earlier point. ``cap`` bounds the recoveries for each window, ``failures_max`` ends the walk
    early, ``share`` (index, of) leaves other crash points to others, ``since``
    those before an event.
    """
    report = Exploration()
    recall = Recall(recover)
    previous: list[_Run[Outcome]] | None = None
    legal_before: dict[int, tuple[bytes, ...]] = {}
    for number, window in enumerate(windows(base, events, persistence)):
        if window.event_index < since or number // SHARE_LENGTH % share[1] != share[0]:
            previous = None
            continue
        report.windows += 1
        images = window.images
        report.images += images
        runs = reusable(previous, legal_before, window)
        if runs is None:
            failing = 0

            def is_enough(outcome: Outcome, window: Window = window) -> bool:
                nonlocal failing
                failing += judge(outcome, window) is not None
                return failures_max is not None and len(report.failures) + failing >= failures_max

            def recover_on(choices: Choices, window: Window = window) -> _Run[Outcome]:
                device = LazyDevice(block_count, window, choices, nested, persistence)
                return run_on(device, recall)

            runs, complete = run_window(recover_on, cap, report, is_enough)
            report.recalled = recall.recalled
            if not complete:
                report.images_left_out += images
                report.images -= images
            previous = runs if complete else None
            legal_before = {b: window.legal(b) for run in runs for b in run.reads}
            window.changed.clear()
        else:
            report.outcomes_reused += len(runs)
        for run in runs:
            reason = judge(run.outcome, window)
            if reason is not None:
                choice = nested_choice_of(
                    base, events, window.event_index, run.decided_at, run.logs, persistence
                )
                report.failures.append(
                    CrashFailure(window.event_index, str(window), reason, choice, run.depth)
                )
                if failures_max is not None and len(report.failures) >= failures_max:
                    return report
    return report


def reusable(
    previous: list[_Run[Outcome]] | None,
    legal_before: dict[int, tuple[bytes, ...]],
    window: Window,
) -> list[_Run[Outcome]] | None:
    """The earlier runs that cover this window: nothing that they read may hold anything new."""
    if previous is None:
        return None
    narrowed = []
    for block in window.changed:
        before = legal_before.get(block)
        if before is None:
            continue
        now = window.legal(block)
        if now != before:
            if len(now) > 1 or now[0] not in before:
                return None
            narrowed.append((block, now[0]))
    if not narrowed:
        return previous
    if any(block in run.rejected for run in previous for block, _ in narrowed):
        return None
    return [
        run
        for run in previous
        if all(run.reads.get(block, content) == content for block, content in narrowed)
    ]


def run_window(
    recover_on: Callable[[Choices], _Run[Outcome]],
    cap: int | None,
    report: Exploration,
    is_enough: Callable[[Outcome], bool],
) -> tuple[list[_Run[Outcome]], bool]:
    """Walk the tree of one window's choices; its runs, and whether none was left out."""
    choices = Choices()
    runs: list[_Run[Outcome]] = []
    complete = True
    while True:
        run = recover_on(choices)
        report.recoveries += 1
        complete = complete and not run.left_out
        runs.append(run)
        if not choices.advance():
            return runs, complete
        if is_enough(run.outcome):
            return runs, False
        if cap is not None and len(runs) >= cap:
            return runs, False


def run_on(device: LazyDevice, recover: Recall[Outcome]) -> _Run[Outcome]:
    """Recover, again after each nested power cut."""
    while True:
        try:
            outcome = recover(device)
        except PowerCut:
            device.reboot()
            continue
        reads = {**device.seen, **device.decided}
        rejected, left_out = device.rejected | device.coarse, device.left_out
        return _Run(outcome, reads, rejected, left_out, device.decided_at, device.logs)
