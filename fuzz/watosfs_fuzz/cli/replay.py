"""``watosfs-fuzz replay``: a trace again, what the model expected beside what the target did."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from watosfs_fuzz.findings import Finding, read_finding
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.oracles.catalogue import without
from watosfs_fuzz.report.again import Again, Row, run_again
from watosfs_fuzz.report.image_export import write_images
from watosfs_fuzz.report.pytest_export import write_test
from watosfs_fuzz.report.story import story
from watosfs_fuzz.targets.registry import is_target, make_target
from watosfs_model.trace import format_operation

EXIT_FOUND = 1
_OPERATION_WIDTH, _EXPECTED_WIDTH = 44, 24


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
    off = case.off | without(options.without)
    return replace(finding, case=replace(case, off=off))


def run(options: argparse.Namespace) -> int:
    """Run the operations; then exactly the crash that the file names; failing that, all of them."""
    again = run_again(load(options), lambda text: print(f"watosfs-fuzz: {text}", file=sys.stderr))
    if options.json:
        print(json.dumps(as_json(again), indent=1))
    else:
        print_rows(again.rows)
        print_failure(again.failure)
        if again.evidence is not None:
            print()
            print("\n".join(story(again.evidence)).rstrip())
    for path in exported(again, options):
        print(f"written: {path}", file=sys.stderr)
    return 0 if again.failure is None else EXIT_FOUND


def exported(again: Again, options: argparse.Namespace) -> list[Path]:
    """Write what was asked for. Raises ValueError when there is no crash to show."""
    paths: list[Path] = []
    finding, evidence = again.finding, again.evidence
    if evidence is not None:
        finding = replace(finding, report=tuple(story(evidence)))
    if options.pytest is not None:
        paths.append(write_test(finding, options.pytest))
    if options.image is None and options.html is None:
        return paths
    if evidence is None:
        raise ValueError(f"{options.trace}: no single power cut fails, so there is none to show")
    if options.image is not None:
        paths += write_images(replace(evidence, finding=finding), options.image)
    if options.html is not None:
        # Imported when it is needed: templates take longer to load than a replay to run.
        from watosfs_fuzz.report.html import write_page

        paths.append(write_page(evidence, options.html))
    return paths


def as_json(again: Again) -> dict[str, Any]:
    """The replay for programs."""
    finding, failure, evidence = again.finding, again.failure, again.evidence
    return {
        "id": finding.identity,
        "target": finding.case.target,
        "canary": finding.canary,
        "operations": [
            {"operation": r.operation, "expected": r.expected, "found": r.found, "wrong": r.wrong}
            for r in again.rows
        ],
        "failure": None
        if failure is None
        else {"kind": failure.kind, "subject": failure.subject, "story": failure.story},
        "crash": None if finding.choice is None else str(finding.choice),
        "story": None if evidence is None else story(evidence),
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
