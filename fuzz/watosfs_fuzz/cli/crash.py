"""``watosfs-fuzz crash``: every crash of one given trace, and what was covered."""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.case import Case
from watosfs_fuzz.cli.replay import EXIT_FOUND, load, print_failure
from watosfs_fuzz.crash.explore import Exploration, count_text
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.oracles.catalogue import without
from watosfs_fuzz.run import RunReport


def run(options: argparse.Namespace) -> int:
    """Explore every crash of the trace; 1 when one is wrong."""
    finding = load(options)
    nested = finding.case.nested if options.nested is None else options.nested
    device = finding.case.device if options.device is None else options.device
    case = replace(
        finding.case,
        nested=nested,
        cap=options.cap,
        device=device,
        off=finding.case.off | without(options.without),
    )
    report = explored(case, finding.canary, options.jobs)
    exploration = report.exploration
    if options.json:
        print(json.dumps(figures(exploration, report.failure), indent=1))
        return 0 if report.failure is None else EXIT_FOUND
    print(f"operations          {len(report.operations):,}")
    print(f"crash points        {exploration.windows:,}")
    print(f"legal crash images  {count_text(exploration.images)} covered")
    print(f"images left out     {count_text(exploration.images_left_out)}")
    print(f"recoveries          {exploration.recoveries:,} ({exploration.recalled:,} recalled)")
    print_failure(report.failure)
    if report.choice is not None:
        print(f"    {report.choice}")
    return 0 if report.failure is None else EXIT_FOUND


def explored(case: Case, canary: str | None, jobs: int) -> RunReport:
    """The crash points shared out between processes; the first failure in the order of shares."""
    if jobs == 1:
        return explored_share(case, canary, (0, 1))
    with ProcessPoolExecutor(jobs) as pool:
        shares = [(index, jobs) for index in range(jobs)]
        first, *others = pool.map(partial(explored_share, case, canary), shares)
    for other in others:
        first.exploration.add(other.exploration)
        if first.failure is None:
            first.failure, first.choice = other.failure, other.choice
    return first


def explored_share(case: Case, canary: str | None, share: tuple[int, int]) -> RunReport:
    """What one process does."""
    with applied(canary):
        return case.run(share=share)


def figures(exploration: Exploration, failure: Failure | None) -> dict[str, Any]:
    """The same for programs; counts of images are strings, as they outgrow most number types."""
    return {
        "crash_points": exploration.windows,
        "legal_crash_images": str(exploration.images),
        "images_left_out": str(exploration.images_left_out),
        "recoveries": exploration.recoveries,
        "recalled": exploration.recalled,
        "failure": None if failure is None else f"{failure.kind}: {failure.story}",
    }
