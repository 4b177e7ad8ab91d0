"""Many traces under one fault profile, and what fails made short."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from watosfs_fuzz.case import Case
from watosfs_fuzz.faults.case import FaultCase, case_of, text_of, with_operations
from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.minimise import Minimiser
from watosfs_fuzz.run import RunReport

_PROGRESS_EVERY = 20


@dataclass(slots=True)
class FaultTally:
    """What a campaign did; ``struck``: traces in which a fault struck; files of findings."""

    traces: int = 0
    operations: int = 0
    struck: int = 0
    refused: int = 0
    seconds: float = 0.0
    findings: list[Path] = field(default_factory=list)
    keys: set[tuple[str, str]] = field(default_factory=set)


def run_profile(
    profile: str,
    seed: int,
    *,
    seconds: float,
    traces: int | None,
    out: Path,
    canary: str = "",
    findings_max: int = 10,
    progress: Callable[[FaultTally], None] = lambda tally: None,
) -> FaultTally:
    """Traces 0, 1, ... of a seed until the budget ends; each kind of failure is kept once."""
    tally = FaultTally()
    start = time.monotonic()
    for number in count():
        tally.seconds = time.monotonic() - start
        is_over = tally.seconds >= seconds if traces is None else number >= traces
        if is_over or len(tally.findings) >= findings_max:
            return tally
        if number % _PROGRESS_EVERY == 0:
            progress(tally)
        case = case_of(profile, seed, number)
        report = case.run()
        tally.traces += 1
        tally.operations += len(report.operations)
        tally.struck += report.struck > 0
        tally.refused += report.refused
        failure = report.failure
        if failure is not None and failure.key not in tally.keys:
            tally.keys.add(failure.key)
            origin = f"seed {seed} trace {number}"
            tally.findings.append(keep(case, failure, out, origin=origin, canary=canary))
    raise AssertionError("count() has no end")


def keep(case: FaultCase, failure: Failure, out: Path, **header: str) -> Path:
    """The failure as a short trace in a file."""
    short = shortest(case, failure)
    found = short.run().failure or failure
    story = f"{found.kind} of {found.subject}: {found.story}"
    text = text_of(short, story, **header)
    identity = hashlib.sha256(text.encode()).hexdigest()[:10]
    out.mkdir(parents=True, exist_ok=True)
    return write_whole(out / f"{identity}.trace", text)


def shortest(case: FaultCase, failure: Failure) -> FaultCase:
    """The case with fewer and simpler operations that fails in the same way."""

    def run(candidate: Case) -> RunReport:
        report = with_operations(case, candidate.operations).run()
        return RunReport(
            operations=report.operations, outcomes=report.outcomes, failure=report.failure
        )

    found = Minimiser(run, failure).minimise(Case(case.operations))
    return case if found is None else with_operations(case, found[0].operations)
