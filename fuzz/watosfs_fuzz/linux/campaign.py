"""Many scripts on a directory, on several processes."""

import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count
from pathlib import Path

from watosfs_fuzz.linux.compare import Agreement, compare_script

SCRIPTS_AT_ONCE = 25
_PAUSE_SECONDS = 1.0


def compare_many(base: str, seed: int, first: int, scripts: int) -> Agreement:
    """Scripts ``first`` and so on of a seed; ends early at a failure."""
    agreement = Agreement()
    for number in range(first, first + scripts):
        if compare_script(base, seed, number, agreement).failure is not None:
            break
    return agreement


def merge(total: Agreement, part: Agreement) -> None:
    """Add what one worker found."""
    total.scripts += part.scripts
    total.calls += part.calls
    total.skipped.update(part.skipped)
    total.seen.update(part.seen)
    total.failures += part.failures


def run_scripts(
    base: Path,
    seed: int,
    *,
    scripts: int | None,
    seconds: float,
    jobs: int,
    findings_max: int = 10,
    progress: Callable[[Agreement, float], None] = lambda agreement, elapsed: None,
) -> Agreement:
    """Compare until so many scripts or seconds are over, or too much was found.

    Raises ENOTDIR when ``base`` is no directory, EPERM where neither root nor user namespaces are
    to be had.
    """
    if not base.is_dir():
        raise NotADirectoryError(20, os.strerror(20), str(base))
    compare_many(str(base), seed, 0, 0)
    total = Agreement()
    start = time.monotonic()
    numbers = count(0, SCRIPTS_AT_ONCE)
    running: set[Future[Agreement]] = set()
    with ProcessPoolExecutor(jobs) as pool:
        while True:
            elapsed = time.monotonic() - start
            is_over = len(total.failures) >= findings_max or (
                elapsed >= seconds if scripts is None else False
            )
            while not is_over and len(running) < jobs + 1:
                first = next(numbers)
                if scripts is not None and first >= scripts:
                    break
                size = SCRIPTS_AT_ONCE if scripts is None else min(SCRIPTS_AT_ONCE, scripts - first)
                running.add(pool.submit(compare_many, str(base), seed, first, size))
            if not running:
                return total
            done, running = wait(running, _PAUSE_SECONDS, FIRST_COMPLETED)
            for part in done:
                merge(total, part.result())
            progress(total, time.monotonic() - start)
