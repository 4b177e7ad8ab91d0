"""``watosfs-fuzz replay``: a trace again, what the model expected beside what the target did."""

import argparse
import json
import sys
from dataclasses import dataclass
from typing import Any

from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.findings import Finding, read_finding
from watosfs_fuzz.lockstep import Failure, expected, outcome_text
from watosfs_fuzz.run import Run
from watosfs_fuzz.targets.registry import is_target, make_target
from watosfs_model.operations import Crash
from watosfs_model.trace import format_operation

EXIT_FOUND = 1
_OPERATION_WIDTH, _EXPECTED_WIDTH = 44, 24


@dataclass(slots=True)
class Row:
    """One operation of a replay."""

    operation: str
    expected: str
    found: str
    wrong: bool = False


def load(options: argparse.Namespace) -> Finding:
    """The trace file. Raises ValueError for what it names and does not exist."""
    finding = read_finding(options.trace)
    case = finding.case
    if not is_target(case.target):
        raise ValueError(f"{options.trace}: no target {case.target!r}")
    accepts = make_target(case.target, case.geometry).dialect.accepts
    for operation in case.operations:
        if not accepts(operation):
            text = format_operation(operation)
            raise ValueError(f"{options.trace}: {case.target} cannot do {text}")
    return finding


def run(options: argparse.Namespace) -> int:
    """Run the operations; then exactly the crash that the file names; failing that, all of them."""
    finding = load(options)
    rows: list[Row] = []
    with applied(finding.canary):
        # With a crash named, the crashes before it were fine; without one, all are explored.
        run = finding.case.start(crashes=finding.choice is None)
        for operation in finding.case.operations:
            crash = isinstance(operation, Crash)
            due = "a permitted state" if crash else expected(run.lockstep.system, operation)
            outcome = run.apply(operation)
            found = "recovered" if crash else outcome_text(outcome)
            wrong = run.report.failure is not None
            rows.append(Row(format_operation(operation), due, found, wrong))
            if wrong:
                break
        failure = run.report.failure or chosen_crash(run, finding)
        if failure is None:
            failure = finding.case.run().failure if finding.choice else run.finish().failure
    if options.json:
        print(json.dumps(as_json(finding, rows, failure), indent=1))
    else:
        print_rows(rows)
        print_failure(failure)
    return 0 if failure is None else EXIT_FOUND


def chosen_crash(run: Run, finding: Finding) -> Failure | None:
    """The crash that the file names; a log that changed since is said, and all crashes follow."""
    if finding.choice is None:
        return None
    try:
        return run.log_crashes().replay(finding.choice)
    except ValueError as error:
        print(f"watosfs-fuzz: the log has changed ({error}); trying every crash", file=sys.stderr)
        return None


def as_json(finding: Finding, rows: list[Row], failure: Failure | None) -> dict[str, Any]:
    """The replay for programs."""
    return {
        "id": finding.identity,
        "target": finding.case.target,
        "canary": finding.canary,
        "operations": [
            {"operation": r.operation, "expected": r.expected, "found": r.found, "wrong": r.wrong}
            for r in rows
        ],
        "failure": None
        if failure is None
        else {"kind": failure.kind, "subject": failure.subject, "story": failure.story},
        "crash": None if finding.choice is None else str(finding.choice),
    }


def print_rows(rows: list[Row]) -> None:
    """Operation, expected, found, side by side."""
    print(f"         {'operation':{_OPERATION_WIDTH}}  {'expected':{_EXPECTED_WIDTH}}  found")
    for number, row in enumerate(rows, 1):
        flag = "!!" if row.wrong else "  "
        line = f"{flag} {number:4}  {row.operation:{_OPERATION_WIDTH}}"
        if len(row.operation) > _OPERATION_WIDTH:
            print(line)
            line = " " * (9 + _OPERATION_WIDTH)
        print(f"{line}  {row.expected:{_EXPECTED_WIDTH}}  {row.found}")


def print_failure(failure: Failure | None) -> None:
    """What went wrong, or that nothing did."""
    if failure is None:
        print("nothing wrong; every crash recovers to a permitted state")
        return
    print(f"{failure.kind}: {failure.subject}")
    for line in failure.story.splitlines():
        print(f"    {line}")
