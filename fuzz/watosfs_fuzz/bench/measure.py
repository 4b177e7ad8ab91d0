"""One measurement: a fault, a seed, a budget, in a fresh process; when it was noticed first."""

import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from watosfs_fuzz.bench.catalogue import (
    CAMPAIGN,
    FAILING,
    KERNEL,
    LOCKSTEP,
    NESTED,
    OF_VOLUMES,
    PARSER,
    Fault,
)
from watosfs_fuzz.canaries.catalogue import applied, require_canary
from watosfs_fuzz.faults.campaign import keep
from watosfs_fuzz.faults.canaries import FAULT_CANARIES
from watosfs_fuzz.faults.case import case_of, parse_case
from watosfs_fuzz.faults.profiles import PROFILES
from watosfs_fuzz.kernel.canaries import KERNEL_CANARIES
from watosfs_fuzz.kernel.lockstep import run_generated, run_steps
from watosfs_fuzz.kernel.minimise import minimise
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget
from watosfs_fuzz.parsers import loop
from watosfs_fuzz.parsers.catalogue import require_harness
from watosfs_fuzz.parsers.harness import Failure, execute
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.worker import MEMO_ENTRIES_MAX, found, minimised, run_from
from watosfs_model.operations import Crash

CALLS = 60


@dataclass(frozen=True, slots=True)
class Measurement:
    """``seconds`` and ``executions`` (operations and recoveries) up to the first failure, or of the
    whole budget; ``crashes`` of the minimal trace; ``replays`` whether that (or the input of a
    parser, which is not made short) fails broken and passes unmodified.
    """

    fault: str
    mode: str
    seed: int
    found: bool
    seconds: float
    executions: int
    kind: str = ""
    trace_length: int | None = None
    crashes: int | None = None
    replays: bool | None = None

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def measure(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Run one mode on one fault until it is noticed or the budget ends."""
    if fault.mode in OF_VOLUMES:
        return measure_volume(fault, seed, seconds)
    return _MEASURES[fault.mode](fault, seed, seconds)


def missed(fault: Fault, seed: int, seconds: float, executions: int) -> Measurement:
    """Nothing was noticed in the whole budget."""
    return Measurement(fault.identity, fault.mode, seed, False, seconds, executions)


def nested_of(mode: str, number: int) -> int:
    """How many power cuts recovery suffers in a trace; a campaign's traces alternate."""
    return number // 2 % 2 if mode == CAMPAIGN else int(mode == NESTED)


def measure_volume(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Traces on a volume: the model alone, or with every crash."""
    name = fault.canary if fault.is_planted else None
    target = fault.canary if name is None else require_canary(name).target
    settings = Settings(target=target, seed=seed, canary=name, crashes=fault.mode != LOCKSTEP)
    memo: dict[object, object] = {}
    executions, start = 0, time.monotonic()
    with applied(name):
        for number in count():
            now = replace(settings, nested=nested_of(fault.mode, number))
            ran = run_from(now, number, (), memo)
            report = ran.report
            executions += len(report.operations) + report.exploration.recoveries
            spent = time.monotonic() - start
            if len(memo) > MEMO_ENTRIES_MAX:
                memo.clear()
            if report.failure is not None and spent <= seconds:
                break
            if spent >= seconds:
                return missed(fault, seed, seconds, executions)
        finding = minimised(found(now, number, ran))
        broken = finding.case.run(crashes=settings.crashes, memo={}).failure
    good = finding.case.run(crashes=settings.crashes, memo={}).failure
    operations = finding.case.operations
    crashes = sum(isinstance(operation, Crash) for operation in operations)
    return Measurement(
        fault.identity, fault.mode, seed, True, spent, executions, finding.failure.kind,
        len(operations), crashes + (finding.choice is not None),
        broken is not None and good is None,
    )  # fmt: skip


def measure_parser(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Hostile bytes for one harness, from its seeds on."""
    name = fault.canary if fault.is_planted else None
    harness = require_harness(fault.harness)
    with applied(name):
        tally = loop.run(harness, (), seed=seed, seconds=seconds, stop_at_failure=True)
        failure = next(iter(tally.failures.values()), None)
        if failure is None:
            return missed(fault, seed, seconds, tally.executions)
        broken = execute(harness, failure.data)
    good = execute(harness, failure.data)
    replays = isinstance(broken, Failure) and not isinstance(good, Failure)
    return Measurement(
        fault.identity, fault.mode, seed, True, tally.seconds, tally.executions,
        failure.kind, replays=replays,
    )  # fmt: skip


def measure_kernel(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Generated system calls of several processes."""
    plant: AbstractContextManager[object] = (
        KERNEL_CANARIES[fault.canary].plant() if fault.is_planted else nullcontext()
    )
    target, executions, start = WatosfsKernelTarget(), 0, time.monotonic()
    with plant:
        for number in count():
            report = run_generated(target, seed, number, CALLS)
            executions += len(report.steps)
            spent = time.monotonic() - start
            if report.key is not None and spent <= seconds:
                break
            if spent >= seconds:
                return missed(fault, seed, seconds, executions)
        short = minimise(report.steps, lambda steps: run_steps(target, steps))
        broken = run_steps(target, short.steps).key
    good = run_steps(target, short.steps).key
    replays = broken is not None and good is None
    assert report.key is not None
    kind, length = report.key[0], len(short.steps)
    return Measurement(
        fault.identity, fault.mode, seed, True, spent, executions, kind, length, 0, replays
    )


def measure_failing(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Devices that fail, the profiles in turn."""
    name = fault.canary if fault.is_planted else ""
    executions, start = 0, time.monotonic()
    with FAULT_CANARIES[name].plant() if name in FAULT_CANARIES else applied(name or None):
        for number in count():
            profile = sorted(PROFILES)[number % len(PROFILES)]
            case = case_of(profile, seed, number // len(PROFILES))
            report = case.run()
            executions += len(report.operations)
            spent = time.monotonic() - start
            if report.failure is not None and spent <= seconds:
                break
            if spent >= seconds:
                return missed(fault, seed, seconds, executions)
        assert report.failure is not None
        kind = report.failure.kind
        with tempfile.TemporaryDirectory() as out:
            path = keep(case, report.failure, Path(out), canary=name)
            short, _ = parse_case(path.read_text())
        broken = short.run().failure
    replays = broken is not None and short.run().failure is None
    length = len(short.operations)
    return Measurement(
        fault.identity, fault.mode, seed, True, spent, executions, kind, length, 0, replays
    )


_MEASURES = {KERNEL: measure_kernel, FAILING: measure_failing, PARSER: measure_parser}
