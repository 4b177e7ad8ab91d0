"""One measurement: a fault, a seed, a budget, in a fresh process; when it was noticed first."""

import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from watosfs_fuzz.bench.catalogue import CAMPAIGN, KERNEL, Fault
from watosfs_fuzz.canaries.catalogue import applied, require_canary
from watosfs_fuzz.faults.campaign import keep
from watosfs_fuzz.faults.canaries import FAULT_CANARIES
from watosfs_fuzz.faults.case import case_of, parse_case
from watosfs_fuzz.faults.profiles import PROFILES
from watosfs_fuzz.kernel.canaries import KERNEL_CANARIES
from watosfs_fuzz.kernel.lockstep import run_generated, run_steps
from watosfs_fuzz.kernel.minimise import minimise
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.worker import MEMO_ENTRIES_MAX, kept_and_minimised, never, run_trace

CALLS = 60
#: The name under which the unmodified code is measured.
UNMODIFIED = "none"


@dataclass(frozen=True, slots=True)
class Measurement:
    """``seconds`` and ``executions`` (operations and recoveries) up to the first failure, or of the
    whole budget; ``replays`` whether the minimal trace fails broken and passes unmodified.
    """

    fault: str
    mode: str
    seed: int
    found: bool
    seconds: float
    executions: int
    kind: str = ""
    trace_length: int | None = None
    replays: bool | None = None

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def measure(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Run one mode on one fault until it is noticed or the budget ends."""
    if fault.mode == CAMPAIGN:
        return measure_campaign(fault, seed, seconds)
    return (measure_kernel if fault.mode == KERNEL else measure_failing)(fault, seed, seconds)


def measure_campaign(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Lockstep with every crash, and one power cut inside recovery on every second trace."""
    name = None if fault.identity == UNMODIFIED else fault.canary
    target = "wfs3" if name is None else require_canary(name).target
    settings = Settings(target=target, seed=seed, canary=name)
    memo: dict[object, object] = {}
    executions, start = 0, time.monotonic()
    with applied(name):
        for number in count():
            now = replace(settings, nested=number // 2 % 2)
            report = run_trace(now, number, memo)
            executions += len(report.operations) + report.exploration.recoveries
            spent = time.monotonic() - start
            if len(memo) > MEMO_ENTRIES_MAX:
                memo.clear()
            if report.failure is not None and spent <= seconds:
                break
            if spent >= seconds:
                return Measurement(fault.identity, fault.mode, seed, False, seconds, executions)
        finding = kept_and_minimised(now, number, report, never)
        broken = finding.case.run(crashes=True, memo={}).failure
    good = finding.case.run(crashes=True, memo={}).failure
    length = len(finding.case.operations)
    replays = broken is not None and good is None
    kind = finding.failure.kind
    return Measurement(
        fault.identity, fault.mode, seed, True, spent, executions, kind, length, replays
    )


def measure_kernel(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Generated system calls of several processes."""
    plain = fault.identity == UNMODIFIED
    plant: AbstractContextManager[object] = (
        nullcontext() if plain else KERNEL_CANARIES[fault.canary].plant()
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
                return Measurement(fault.identity, fault.mode, seed, False, seconds, executions)
        short = minimise(report.steps, lambda steps: run_steps(target, steps))
        broken = run_steps(target, short.steps).key
    good = run_steps(target, short.steps).key
    replays = broken is not None and good is None
    assert report.key is not None
    kind, length = report.key[0], len(short.steps)
    return Measurement(
        fault.identity, fault.mode, seed, True, spent, executions, kind, length, replays
    )


def measure_failing(fault: Fault, seed: int, seconds: float) -> Measurement:
    """Devices that fail, the profiles in turn."""
    name = "" if fault.identity == UNMODIFIED else fault.canary
    executions, start = 0, time.monotonic()
    plant: AbstractContextManager[object] = FAULT_CANARIES[name].plant() if name else nullcontext()
    with plant:
        for number in count():
            profile = sorted(PROFILES)[number % len(PROFILES)]
            case = case_of(profile, seed, number // len(PROFILES))
            report = case.run()
            executions += len(report.operations)
            spent = time.monotonic() - start
            if report.failure is not None and spent <= seconds:
                break
            if spent >= seconds:
                return Measurement(fault.identity, fault.mode, seed, False, seconds, executions)
        assert report.failure is not None
        kind = report.failure.kind
        with tempfile.TemporaryDirectory() as out:
            path = keep(case, report.failure, Path(out), canary=name)
            short, _ = parse_case(path.read_text())
        broken = short.run().failure
    replays = broken is not None and short.run().failure is None
    length = len(short.operations)
    return Measurement(
        fault.identity, fault.mode, seed, True, spent, executions, kind, length, replays
    )
