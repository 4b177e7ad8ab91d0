"""Counterexamples as traces: operations of a file system, and a crash where it takes one, after
which the real implementation goes wrong where the proof says; ``watosfs-fuzz replay`` runs them.

The only module of the proofs that sees the fuzzer. Traces are drawn as in a campaign, always the
same ones, until one fails while the refuted operation does what the obligation forbids; it is then
made short.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from watosfs_fuzz.canaries.catalogue import applied as canary_in_force
from watosfs_fuzz.case import SEEN_WITHOUT_CRASHES
from watosfs_fuzz.findings import Finding, write_finding
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.worker import run_from, smallest_finding
from watosfs_model.trace import format_operation
from watosfs_proofs.obligation import REFUTED, Result
from watosfs_proofs.report import story
from watosfs_proofs.watch import Watch, operation_of, watched

__all__ = ["canary_in_force", "write_traces"]

SEEDS, TRACES_PER_SEED = 6, 2
#: Failing traces of which the simplest is made short.
CANDIDATES = 3
MINIMISING_COST_MAX = 8_000
STORY_WIDTH = 300
#: The oracle that knows the order of writes by itself: a trace shall show what a crash loses.
OFF = frozenset({"epoch"})


def write_traces(results: list[Result], canary: str | None, folder: Path) -> dict[str, Path | None]:
    """A trace for each operation that is refuted, by obligation; None where none was found.

    The canary must be in force.
    """
    written: dict[str, Path | None] = {}
    seen: set[object] = set()
    for result in results:
        operation = operation_of(result.obligation.name) or result.obligation.name
        if result.verdict == REFUTED and operation not in seen:
            seen.add(operation)
            finding = finding_of(result, canary)
            path = None if finding is None else write_finding(finding, folder)
            written[result.obligation.name] = path
    return written


def finding_of(result: Result, canary: str | None) -> Finding | None:
    """A short case in which the real implementation breaks what the obligation says."""
    name = result.obligation.name
    for found in sorted(_failing(name, canary), key=_effort):
        for finding in (smallest_finding(found, cost_max=MINIMISING_COST_MAX), found):
            call = call_in(finding, name)
            if call is not None:
                told = f"{story(result)}\n{call}\n{finding.failure.story}"
                lines = "\n".join(line[:STORY_WIDTH] for line in told.splitlines())
                return replace(finding, failure=replace(finding.failure, story=lines))
    return None


def _effort(finding: Finding) -> tuple[bool, int]:
    return finding.failure.kind not in SEEN_WITHOUT_CRASHES, len(finding.case.operations)


def _watching(obligation: str) -> AbstractContextManager[Watch | None]:
    operation = operation_of(obligation)
    return nullcontext() if operation is None else watched(*operation)


def _failing(obligation: str, canary: str | None) -> list[Finding]:
    found: list[Finding] = []
    for settings, number in _draws():
        with _watching(obligation) as watch:
            ran = run_from(settings, number, (), {})
        report = ran.report
        if report.failure is not None and (watch is None or watch.calls):
            origin = f"proof of {obligation}, seed {settings.seed} trace {number}"
            found.append(Finding(ran.case, report.failure, report.choice, canary, origin))
            if len(found) == CANDIDATES:
                break
    return found


def _draws() -> Iterator[tuple[Settings, int]]:
    for number in range(TRACES_PER_SEED):
        for seed in range(SEEDS):
            yield Settings(seed=seed, off=OFF), number


def call_in(finding: Finding, obligation: str) -> str | None:
    """The first call that breaks the obligation while the case runs; "" when it has no operation
    that can be watched.
    """
    with _watching(obligation) as watch:
        run = finding.case.start(crashes=False)
        for number, operation in enumerate(finding.case.operations, 1):
            run.apply(operation)
            if watch is not None and watch.calls:
                return f"in operation {number}, {format_operation(operation)}: {watch.calls[0]}"
            if run.report.failure is not None:
                break
        if watch is not None and finding.choice is not None:
            run.log_crashes().replay(finding.choice)
            if watch.calls:
                return f"in the recovery of {finding.choice}: {watch.calls[0]}"
    return "" if watch is None else None
