"""``watosfs-fuzz exhaust``: every short workload, every crash of each."""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from watosfs_fuzz.canaries.catalogue import applied, require_canary
from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.explore import Exploration, count_text
from watosfs_fuzz.exhaust import Workload, workloads
from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.oracles.catalogue import without
from watosfs_model.trace import Trace, format_trace

WORKLOADS_AT_ONCE = 16
_LOG_SECONDS = 5.0
_FOUND_MAX = 10
_EXIT_FOUND, _EXIT_UNFINISHED = 1, 3


@dataclass(slots=True)
class Totals:
    """What was done, this time and (workloads) in earlier slices."""

    workloads: int = 0
    before: int = 0
    operations: int = 0
    exploration: Exploration = field(default_factory=Exploration)
    found: list[tuple[Case, str]] = field(default_factory=list)
    is_complete: bool = False


def run_some(batch: list[Case], canary: str | None) -> Totals:
    """What one job does: some workloads, one after another."""
    totals = Totals()
    memo: dict[object, object] = {}
    with applied(canary):
        for case in batch:
            report = case.run(memo=memo)
            totals.workloads += 1
            totals.operations += len(report.operations)
            totals.exploration.add(report.exploration)
            if report.failure is not None:
                story = f"{report.failure.kind}: {report.failure.subject}: {report.failure.story}"
                totals.found.append((case, story))
    return totals


def source_of(options: argparse.Namespace) -> Iterator[Workload]:
    """The workloads that are asked for."""
    return workloads(options.ops, is_compressed=options.compressed, has_snapshots=options.snapshots)


def batches(source: Iterator[Workload], options: argparse.Namespace) -> Iterator[list[Case]]:
    """The workloads in pieces."""
    like = Case(
        (),
        target=options.target,
        nested=options.nested,
        device=options.device,
        off=without(options.without),
    )
    while batch := list(islice(source, WORKLOADS_AT_ONCE)):
        yield [replace(like, operations=workload.operations) for workload in batch]


def run(options: argparse.Namespace) -> int:
    """All workloads that a state file does not say are done; 3 when the time ran out before."""
    if options.canary is not None:
        require_canary(options.canary)
    totals = Totals(before=done_before(options))
    source = batches(islice(source_of(options), totals.before, None), options)
    start = last = time.monotonic()
    running: dict[Future[Totals], int] = {}
    finished: set[int] = set()
    submitted = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        while True:
            now = time.monotonic()
            is_over = options.seconds is not None and now - start >= options.seconds
            while not is_over and len(totals.found) < _FOUND_MAX and len(running) <= options.jobs:
                batch = next(source, None)
                if batch is None:
                    totals.is_complete = True
                    break
                running[pool.submit(run_some, batch, options.canary)] = submitted
                submitted += 1
            if not running:
                break
            for part in wait(running, 1.0, FIRST_COMPLETED).done:
                finished.add(running.pop(part))
                add(totals, part.result())
            remember(options, totals.before, finished)
            if now - last >= _LOG_SECONDS:
                last = now
                rate = totals.workloads / (now - start)
                print(f"{now - start:6.0f} s  {totals.workloads:,} workloads ({rate:,.0f}/s)  "
                      f"{totals.exploration.recoveries:,} recoveries  {len(totals.found)} found",
                      file=sys.stderr, flush=True)  # fmt: skip
    files = [str(keep(case, story, options.out)) for case, story in totals.found]
    tell(options, totals, files, time.monotonic() - start)
    if files:
        return _EXIT_FOUND
    return 0 if totals.is_complete else _EXIT_UNFINISHED


def add(totals: Totals, part: Totals) -> None:
    """Add what one job did."""
    totals.workloads += part.workloads
    totals.operations += part.operations
    totals.exploration.add(part.exploration)
    totals.found += part.found


def key(options: argparse.Namespace) -> str:
    """What a state file must agree on."""
    kind = " compressed" if options.compressed else ""
    kind += " snapshots" if options.snapshots else ""
    return f"{options.target} ops {options.ops} nested {options.nested} {options.device}{kind}"


def done_before(options: argparse.Namespace) -> int:
    """Workloads done in earlier slices. Raises ValueError for another run's state file."""
    if options.state is None or not options.state.exists():
        return 0
    state = json.loads(options.state.read_text())
    if state.get("run") != key(options):
        raise ValueError(f"{options.state}: of another run: {state.get('run')}")
    return int(state["done"])


def remember(options: argparse.Namespace, before: int, finished: set[int]) -> None:
    """Keep how many workloads are done without a gap."""
    if options.state is None:
        return
    whole = 0
    while whole in finished:
        whole += 1
    done = before + whole * WORKLOADS_AT_ONCE
    write_whole(options.state, json.dumps({"run": key(options), "done": done}) + "\n")


def keep(case: Case, story: str, directory: Path) -> Path:
    """A failing workload as a trace."""
    directory.mkdir(parents=True, exist_ok=True)
    identity = hashlib.sha256(repr(case.operations).encode()).hexdigest()[:10]
    header = {"target": case.target, "nested": str(case.nested)}
    lines = "".join(f"# {line}\n" for line in story.splitlines())
    text = format_trace(Trace.of(case.operations, **header)) + lines
    return write_whole(directory / f"exhaust-{identity}.trace", text)


def tell(options: argparse.Namespace, totals: Totals, files: list[str], seconds: float) -> None:
    """The totals."""
    exploration = totals.exploration
    if options.json:
        print(json.dumps({
            "workloads": totals.workloads, "before": totals.before,
            "operations": totals.operations, "crash_points": exploration.windows,
            "images": str(exploration.images), "images_left_out": str(exploration.images_left_out),
            "recoveries": exploration.recoveries, "recalled": exploration.recalled,
            "complete": totals.is_complete,
            "findings": files,
        }))  # fmt: skip
        return
    earlier = f" ({totals.before:,} before)" if totals.before else ""
    print(f"workloads           {totals.workloads:,}{earlier} of {options.ops} operations, "
          f"{seconds:.0f} s")  # fmt: skip
    print(f"crash points        {exploration.windows:,}, nested {options.nested}")
    print(f"legal crash images  {count_text(exploration.images)} covered")
    print(f"images left out     {count_text(exploration.images_left_out)}")
    print(f"recoveries          {exploration.recoveries:,} ({exploration.recalled:,} recalled)")
    print(f"complete            {'yes' if totals.is_complete else 'no'}")
    print(f"findings            {len(files)}")
    for file in files:
        print(f"  watosfs-fuzz crash {file}")
