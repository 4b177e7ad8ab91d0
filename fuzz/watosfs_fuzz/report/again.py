"""A finding run once more: operation by operation, then the crash that it names, else all of them.

What ``replay`` shows, and what an exported test asserts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.crash.choice import CrashChoice
from watosfs_fuzz.findings import Finding
from watosfs_fuzz.lockstep import Failure, expected, outcome_text
from watosfs_fuzz.report.evidence import Evidence, evidence_of
from watosfs_fuzz.run import Run, RunReport
from watosfs_model.operations import Crash
from watosfs_model.trace import format_operation


@dataclass(slots=True)
class Row:
    """One operation of a replay."""

    operation: str
    expected: str
    found: str
    wrong: bool = False


@dataclass(slots=True)
class Again:
    """What the second run showed; ``finding`` is the first with what was seen now."""

    finding: Finding
    rows: list[Row] = field(default_factory=list)
    failure: Failure | None = None
    evidence: Evidence | None = None


def run_again(finding: Finding, say: Callable[[str], None] = lambda text: None) -> Again:
    """Run it with its canary in force. ``say`` hears that the log has changed since."""
    again = Again(finding)
    with applied(finding.canary):
        # With a crash named, the crashes before it were fine; without one, all are explored.
        run = finding.case.start(crashes=finding.choice is None)
        for operation in finding.case.operations:
            crash = isinstance(operation, Crash)
            due = "a permitted state" if crash else expected(run.lockstep.system, operation)
            outcome = run.apply(operation)
            found = "recovered" if crash else outcome_text(outcome)
            wrong = run.report.failure is not None
            again.rows.append(Row(format_operation(operation), due, found, wrong))
            if wrong:
                break
        again.failure, choice = run.report.failure, run.report.choice
        if again.failure is None and finding.choice is not None:
            again.failure, choice = chosen_crash(run, finding.choice, say), finding.choice
        if again.failure is None:
            report = finding.case.run() if finding.choice else run.finish()
            again.failure, choice = report.failure, report.choice
        if again.failure is not None:
            again.finding = seen_now(finding, again.failure, choice, run.report)
            again.evidence = evidence_of(again.finding)
    return again


def chosen_crash(run: Run, choice: CrashChoice, say: Callable[[str], None]) -> Failure | None:
    """The crash that the file names; a log that changed since is said, and all crashes follow."""
    try:
        return run.log_crashes().replay(choice)
    except ValueError as error:
        say(f"the log has changed ({error}); trying every crash")
        return None


def seen_now(
    finding: Finding, failure: Failure, choice: CrashChoice | None, report: RunReport
) -> Finding:
    """The finding as it failed now: up to the power cut before which a crash was found wrong."""
    case, done = finding.case, range(len(report.operations))
    if choice is not None and report.choice is choice and len(done) < len(case.operations):
        case = case.with_operations(case.operations[: len(done)], case.cuts_of(done))
    return replace(finding, case=case, failure=failure, choice=choice)
