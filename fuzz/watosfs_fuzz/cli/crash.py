"""``watosfs-fuzz crash``: every crash of one given trace, and what was covered."""

import argparse
import json
from dataclasses import replace
from typing import Any

from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.cli.replay import EXIT_FOUND, load, print_failure
from watosfs_fuzz.crash.explore import Exploration, count_text
from watosfs_fuzz.lockstep import Failure


def run(options: argparse.Namespace) -> int:
    """Explore every crash of the trace; 1 when one is wrong."""
    finding = load(options)
    nested = finding.case.nested if options.nested is None else options.nested
    case = replace(finding.case, nested=nested, cap=options.cap)
    with applied(finding.canary):
        report = case.run()
    exploration = report.exploration
    if options.json:
        print(json.dumps(figures(exploration, report.failure), indent=1))
        return 0 if report.failure is None else EXIT_FOUND
    print(f"operations          {len(report.operations):,}")
    print(f"crash points        {exploration.windows:,}")
    print(f"legal crash images  {count_text(exploration.images)} covered")
    print(f"images left out     {count_text(exploration.images_left_out)}")
    print(f"recoveries run      {exploration.recoveries:,}")
    print_failure(report.failure)
    if report.choice is not None:
        print(f"    {report.choice}")
    return 0 if report.failure is None else EXIT_FOUND


def figures(exploration: Exploration, failure: Failure | None) -> dict[str, Any]:
    """The same for programs; counts of images are strings, as they outgrow most number types."""
    return {
        "crash_points": exploration.windows,
        "legal_crash_images": str(exploration.images),
        "images_left_out": str(exploration.images_left_out),
        "recoveries": exploration.recoveries,
        "failure": None if failure is None else f"{failure.kind}: {failure.story}",
    }
