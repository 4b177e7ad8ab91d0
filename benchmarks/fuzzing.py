"""How fast the fuzzer itself is: lockstep operations and crash recoveries a second, on one core."""

import time

from watosfs_fuzz.generate import Generator
from watosfs_fuzz.run import Run
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.targets.registry import make_target
from watosfs_fuzz.worker import geometry_of, run_options
from watosfs_model.operations import Crash

TRACE_OPERATIONS = 50
TRACES = 60
SEED = 9


def traces(*, crashes: bool) -> tuple[int, int, float, float]:
    """(operations, recoveries, seconds of lockstep, seconds of exploration) over some traces."""
    settings = Settings(seed=SEED, crashes=crashes)
    memo: dict[object, object] = {}
    operations = recoveries = 0
    stepping = exploring = 0.0
    for number in range(0, 2 * TRACES, 2):
        source = Generator(SEED, number, length=TRACE_OPERATIONS)
        target = make_target(settings.target, geometry_of(source, number))
        run = Run(target, run_options(settings, number), memo)
        start = time.perf_counter()
        while (operation := source.next()) is not None:
            if isinstance(operation, Crash):
                continue
            outcome = run.apply(operation)
            source.learn(operation, outcome.errno or None, outcome.value)
        stepping += time.perf_counter() - start
        start = time.perf_counter()
        report = run.finish()
        exploring += time.perf_counter() - start
        assert report.failure is None, report.failure
        operations += len(report.operations)
        recoveries += report.exploration.recoveries
    return operations, recoveries, stepping, exploring


def lockstep_rate() -> float:
    """Lockstep operations a second, the whole state compared after each."""
    operations, _, seconds, _ = traces(crashes=False)
    return operations / seconds


def crash_rate() -> float:
    """Recoveries a second, oracle and exploration included."""
    _, recoveries, _, seconds = traces(crashes=True)
    return recoveries / seconds
