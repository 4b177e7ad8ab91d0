"""Campaigns: traces by number until the budget ends, over processes, findings minimised and kept.

A trace is a function of (seed, number) and nothing else, so a campaign with a budget of operations
is the same run byte for byte, on one process or many.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watosfs_fuzz.canaries.registry import applied
from watosfs_fuzz.crash.explore import Exploration, count_text
from watosfs_fuzz.findings import Finding, finding_of, write_finding
from watosfs_fuzz.generate import Generator
from watosfs_fuzz.minimise import Minimiser
from watosfs_fuzz.run import Run, RunOptions, RunReport, run_operations
from watosfs_fuzz.sketch import FileSketch
from watosfs_fuzz.target import Geometry, Tree
from watosfs_fuzz.targets.registry import make_target
from watosfs_model.operations import Crash

TRACES_PER_TASK = 4
MEMO_ENTRIES_MAX = 50_000
SPLITTING_ENTRIES = 3
SPLITTING_BLOCKS_MIN = 2048


@dataclass(frozen=True, slots=True)
class Settings:
    """What a campaign does. Either ``seconds`` or ``operations`` is its budget."""

    target: str = "wfs3"
    seed: int = 0
    seconds: float | None = 60.0
    operations: int | None = None
    jobs: int = 1
    nested: int = 0
    cap: int | None = None
    crashes: bool = True
    canary: str | None = None
    findings_max: int = 20


@dataclass(slots=True)
class Tally:
    """The figures of a campaign so far."""

    traces: int = 0
    operations: int = 0
    exploration: Exploration = field(default_factory=Exploration)
    features: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    repeated: int = 0
    seconds: float = 0.0

    def summary(self, settings: Settings) -> dict[str, Any]:
        """The figures as JSON."""
        exploration = self.exploration
        return {
            "target": settings.target,
            "seed": settings.seed,
            "canary": settings.canary,
            "traces": self.traces,
            "operations": self.operations,
            "crash_points": exploration.windows,
            "legal_crash_images": str(exploration.images),
            "recoveries": exploration.recoveries,
            "outcomes_reused": exploration.outcomes_reused,
            "images_left_out": str(exploration.images_left_out),
            "findings": [
                {"id": f.identity, "kind": f.failure.kind, "subject": f.failure.subject}
                for f in self.findings
            ],
            "repeated_failures": self.repeated,
            "features": dict(sorted(self.features.items())),
        }

    def line(self) -> str:
        """One line for a log."""
        exploration = self.exploration
        rate = self.operations / self.seconds if self.seconds else 0
        return (
            f"{self.seconds:6.0f} s  {self.operations:,} operations ({rate:,.0f}/s)  "
            f"{exploration.windows:,} crash points  {count_text(exploration.images)} images  "
            f"{exploration.recoveries:,} recoveries  {len(self.features)} features  "
            f"{len(self.findings)} findings"
        )


def run_trace(settings: Settings, number: int, memo: dict[object, object]) -> RunReport:
    """Generate and run trace ``number``."""
    source = Generator(settings.seed, number)
    target = make_target(settings.target, geometry_of(source, number))
    run = Run(target, run_options(settings, number), memo)
    while (operation := source.next()) is not None:
        outcome = run.apply(operation)
        if run.report.failure is not None:
            return run.report
        if isinstance(operation, Crash):
            source.recovered(nodes_of(target.observe()[0]))
        else:
            source.learn(operation, outcome.errno or None, outcome.value)
    return run.finish()


def nodes_of(tree: Tree) -> list[tuple[bytes, FileSketch | bytes | None]]:
    """What a crash left, as the generator's sketch has it: sizes, symlink targets, directories."""
    files: dict[bytes, FileSketch] = {}
    nodes: list[tuple[bytes, FileSketch | bytes | None]] = []
    for path, entry in sorted(tree.items()):
        kind, size, content, identity = entry[0], entry[5], entry[9], entry[10]
        if kind == "directory":
            nodes.append((path, None))
        elif kind == "symlink":
            assert isinstance(content, bytes)
            nodes.append((path, content))
        else:
            assert isinstance(identity, bytes)
            assert isinstance(size, int)
            nodes.append((path, files.setdefault(identity, FileSketch(size))))
    return nodes


def run_options(settings: Settings, number: int) -> RunOptions:
    """How trace ``number`` is examined."""
    return RunOptions(settings.crashes, settings.nested, settings.cap, settings.seed * 31 + number)


def geometry_of(source: Generator, number: int) -> Geometry:
    """The volume of a trace: every other one has nodes that split early, and room for them."""
    blocks = source.plan.volume_blocks
    if number % 2:
        return Geometry(max(blocks, SPLITTING_BLOCKS_MIN), SPLITTING_ENTRIES)
    return Geometry(blocks)


def minimised(settings: Settings, number: int, report: RunReport) -> Finding:
    """The finding in a failing trace, as short as it gets."""
    geometry = geometry_of(Generator(settings.seed, number), number)
    options = run_options(settings, number)
    memo: dict[object, object] = {}
    assert report.failure is not None
    minimiser = Minimiser(
        lambda operations: run_operations(
            make_target(settings.target, geometry), operations, options, memo
        ),
        report.failure,
    )
    smallest = minimiser.minimise(report.operations) or report
    return finding_of(smallest, settings.target, geometry, options.crash_seed, settings.canary)


def run_task(settings: Settings, first: int, known: frozenset[tuple[str, str]]) -> Tally:
    """A few traces, in a worker process. Failures already ``known`` are counted, not minimised
    again.
    """
    tally = Tally()
    memo: dict[object, object] = {}
    seen = set(known)
    with applied(settings.canary):
        for number in range(first, first + TRACES_PER_TASK):
            report = run_trace(settings, number, memo)
            take(tally, report)
            if report.failure is None:
                continue
            if report.failure.key in seen:
                tally.repeated += 1
                continue
            seen.add(report.failure.key)
            tally.findings.append(minimised(settings, number, report))
            if len(memo) > MEMO_ENTRIES_MAX:
                memo.clear()
    return tally


def take(tally: Tally, report: RunReport) -> None:
    """Add one trace's figures."""
    tally.traces += 1
    tally.operations += len(report.operations)
    tally.exploration.add(report.exploration)
    tally.features.update(report.features)


def merge(total: Tally, part: Tally, out: Path) -> None:
    """Add a task's figures; findings are written at once."""
    total.traces += part.traces
    total.operations += part.operations
    total.exploration.add(part.exploration)
    total.features.update(part.features)
    total.repeated += part.repeated
    known = {finding.failure.key for finding in total.findings}
    for finding in part.findings:
        if finding.failure.key in known:
            total.repeated += 1
            continue
        known.add(finding.failure.key)
        total.findings.append(finding)
        write_finding(finding, out)


def run_campaign(settings: Settings, out: Path, progress: Callable[[Tally], None]) -> Tally:
    """Run until the budget ends, ``findings_max`` is reached or Ctrl-C; the summary is always
    written.

    KeyboardInterrupt is passed on once everything is saved.
    """
    total = Tally()
    start = time.monotonic()
    try:
        for part in parts(settings, total, start):
            merge(total, part, out)
            total.seconds = time.monotonic() - start
            progress(total)
            if len(total.findings) >= settings.findings_max:
                break
    finally:
        total.seconds = time.monotonic() - start
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(total.summary(settings), indent=1, sort_keys=True)
        (out / "summary.json").write_text(text + "\n", encoding="ascii")
    return total


def parts(settings: Settings, total: Tally, start: float) -> Iterator[Tally]:
    """The tallies of tasks, in order of trace numbers, while the budget lasts."""

    def is_over() -> bool:
        if settings.operations is not None:
            return total.operations >= settings.operations
        return settings.seconds is not None and time.monotonic() - start >= settings.seconds

    def known() -> frozenset[tuple[str, str]]:
        return frozenset(finding.failure.key for finding in total.findings)

    number = 0
    if settings.jobs <= 1:
        while not is_over():
            yield run_task(settings, number, known())
            number += TRACES_PER_TASK
        return
    with ProcessPoolExecutor(settings.jobs) as pool:
        waiting: dict[int, Future[Tally]] = {}
        following = 0
        try:
            while not is_over():
                while len(waiting) < settings.jobs + 1:
                    waiting[number] = pool.submit(run_task, settings, number, known())
                    number += TRACES_PER_TASK
                wait(waiting.values(), timeout=1.0, return_when=FIRST_COMPLETED)
                while following in waiting and waiting[following].done():
                    yield waiting.pop(following).result()
                    following += TRACES_PER_TASK
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
