"""``watosfs-fuzz replay`` and ``crash``: one given trace, looked at closely."""

import argparse
import json
import sys
from typing import Any

from watosfs_fuzz.canaries.registry import CANARIES, applied
from watosfs_fuzz.crash.explore import Exploration, count_text
from watosfs_fuzz.findings import Finding, read_finding
from watosfs_fuzz.lockstep import Failure, expected, outcome_text
from watosfs_fuzz.run import Run, RunOptions, RunReport
from watosfs_fuzz.targets.registry import TARGETS, make_target
from watosfs_model.operations import Operation
from watosfs_model.trace import format_operation


def load(options: argparse.Namespace) -> tuple[Finding, list[Operation]]:
    """The trace file with its operations. Raises ValueError for what it names and does not
    exist.
    """
    finding = read_finding(options.trace)
    if finding.target not in TARGETS:
        raise ValueError(f"{options.trace}: no target {finding.target!r}")
    with applied(None):
        if finding.canary is not None and finding.canary not in CANARIES:
            raise ValueError(f"{options.trace}: no canary {finding.canary!r}")
    return finding, [line for line in finding.trace.lines if isinstance(line, Operation)]


def replay(options: argparse.Namespace) -> int:
    """Run the operations; then exactly the crash that the file names, then all others."""
    finding, operations = load(options)
    rows: list[dict[str, Any]] = []
    with applied(finding.canary):
        target = make_target(finding.target, finding.geometry)
        run = Run(target, RunOptions(crash_seed=finding.crash_seed))
        for operation in operations:
            before = run.lockstep.system
            due = expected(before, operation)
            outcome = run.apply(operation)
            failure = run.report.failure
            rows.append(
                {
                    "operation": format_operation(operation),
                    "expected": due,
                    "found": outcome_text(outcome),
                    "wrong": failure is not None,
                }
            )
            if failure is not None:
                break
        failure = run.report.failure
        if failure is None and finding.choice is not None:
            failure = chosen_crash(run, finding)
        if failure is None:
            failure = run.finish().failure
    if options.json:
        story = None if failure is None else {
            "kind": failure.kind, "subject": failure.subject, "story": failure.story,
        }  # fmt: skip
        print(json.dumps({"operations": rows, "failure": story}, indent=1))
    else:
        print_rows(rows)
        print_failure(failure, run.report)
    return 0 if failure is None else 1


def chosen_crash(run: Run, finding: Finding) -> Failure | None:
    """The crash that the file names; a log that changed since is said, and all crashes follow."""
    assert finding.choice is not None
    try:
        return run.replay_choice(finding.choice)
    except ValueError as error:
        print(f"watosfs-fuzz: the log has changed ({error}); trying every crash", file=sys.stderr)
        return None


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Operation, expected, found, side by side."""
    for number, row in enumerate(rows, 1):
        flag = "!!" if row["wrong"] else "  "
        print(f"{flag} {number:3}  {row['operation']}")
        print(f"           expected {row['expected']}")
        print(f"           found    {row['found']}")


def print_failure(failure: Failure | None, report: RunReport) -> None:
    """What went wrong, or that nothing did."""
    if failure is None:
        print("nothing wrong; every crash recovers to a permitted state")
        return
    print(f"{failure.kind}: {failure.subject}")
    for line in failure.story.splitlines():
        print(f"    {line}")
    if report.choice is not None:
        print(f"    {report.choice}")


def crash(options: argparse.Namespace) -> int:
    """Explore every crash of the trace and say what was covered."""
    finding, operations = load(options)
    with applied(finding.canary):
        target = make_target(finding.target, finding.geometry)
        settings = RunOptions(True, options.nested, options.cap, finding.crash_seed)
        run = Run(target, settings)
        for operation in operations:
            run.apply(operation)
            if run.report.failure is not None:
                break
        report = run.report if run.report.failure is not None else run.finish()
    if options.json:
        print(json.dumps(figures(report.exploration, report.failure), indent=1))
    else:
        exploration = report.exploration
        print(f"operations          {len(report.operations):,}")
        print(f"crash points        {exploration.windows:,}")
        print(f"legal crash images  {count_text(exploration.images)} covered")
        print(f"images left out     {count_text(exploration.images_left_out)}")
        print(f"recoveries run      {exploration.recoveries:,}")
        print_failure(report.failure, report)
    return 0 if report.failure is None else 1


def figures(exploration: Exploration, failure: Failure | None) -> dict[str, Any]:
    """The same for programs."""
    return {
        "crash_points": exploration.windows,
        "legal_crash_images": str(exploration.images),
        "images_left_out": str(exploration.images_left_out),
        "recoveries": exploration.recoveries,
        "failure": None if failure is None else f"{failure.kind}: {failure.story}",
    }
