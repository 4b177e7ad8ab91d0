"""``python -m benchmarks``: the table of claims, ours beside the peers', alternating, medians.

Every round runs every subject once on a fresh instance, one after the other, so that a slow moment
of a shared machine hits all alike; the ratio to the peer is what counts.
"""

import argparse
import gc
import json
import os
import platform
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import system_calls
from benchmarks.fuzzing import crash_rate, lockstep_rate
from benchmarks.subject import MIB, Work
from benchmarks.subjects.host import HostDirectory
from benchmarks.subjects.wfs3 import Wfs3InMemory

FILES = 5000
PIECES = 64
WORKS = [
    Work("create", "create 5,000 files of 100 bytes, one commit", "us/file", False, 25),
    Work("stat", "stat of those", "us/file", False, None),
    Work("delete", "delete of those", "us/file", False, None),
    Work("mount", "mount with 5,000 files", "ms", False, 1),
    Work("write", "write 64 MiB by 1 MiB, data CRC on", "MB/s", True, 1500),
    Work("read", "read and verify 64 MiB by 1 MiB", "MB/s", True, 2500),
    Work("lockstep", "lockstep, full state compared each time", "operations/s", True, 2000),
    Work("pread", "cached pread of 4 KiB by register", "calls/s", True, 60_000),
    Work("open", "open and close by register", "pairs/s", True, 30_000),
    Work("crash", "crash recoveries with oracle, 50-operation traces", "recoveries/s", True, 1000),
]


def timed(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def run_once(subject: Any) -> dict[str, float]:
    """One round of one subject: figures by work key."""
    payload, piece = os.urandom(100), os.urandom(MIB)
    figures = {}
    gc.collect()
    subject.start()
    figures["create"] = timed(lambda: subject.make_files(FILES, payload)) / FILES * 1e6
    figures["stat"] = timed(lambda: subject.stat_files(FILES)) / FILES * 1e6
    mount = subject.remount()
    if mount is not None:
        figures["mount"] = timed(mount) * 1e3
    figures["delete"] = timed(lambda: subject.delete_files(FILES)) / FILES * 1e6
    figures["write"] = PIECES * MIB / 1e6 / timed(lambda: subject.write(piece, PIECES))
    figures["read"] = PIECES * MIB / 1e6 / timed(lambda: subject.read(MIB, PIECES))
    subject.stop()
    return figures


def subjects() -> list[Any]:
    """Ours first, then the peers that are installed."""
    found: list[Any] = [Wfs3InMemory(), HostDirectory()]
    try:
        from benchmarks.subjects.littlefs import LittlefsInMemory

        found.insert(1, LittlefsInMemory())
    except ImportError:
        print("littlefs-python is not installed: pip install 'watosfs[targets]'", file=sys.stderr)
    return found


SYSTEM_CALLS = {
    "wfs3": system_calls.ours,
    "host": system_calls.host,
    "pyfakefs": system_calls.fake,
}


def main(argv: list[str] | None = None) -> int:
    """Run all, print the table (or JSON); exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take medians of (5)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    names = []
    for _ in range(options.rounds):
        for subject in subjects():
            if subject.name not in names:
                names.append(subject.name)
            for key, figure in run_once(subject).items():
                taken[subject.name, key].append(figure)
        for name, measure in SYSTEM_CALLS.items():
            if name not in names:
                names.append(name)
            for key, figure in measure().items():
                taken[name, key].append(figure)
        taken["wfs3", "lockstep"].append(lockstep_rate())
        taken["wfs3", "crash"].append(crash_rate())
    medians = {key: statistics.median(values) for key, values in taken.items()}
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        print(json.dumps({
            "python": platform.python_version(), "rounds": options.rounds, "peak_mib": peak_mib,
            "medians": {f"{name} {key}": value for (name, key), value in medians.items()},
        }, indent=1))  # fmt: skip
        return 0
    table = Table(title=f"medians of {options.rounds}, Python {platform.python_version()}")
    table.add_column("work")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("unit")
    table.add_column("goal", justify="right")
    table.add_column("times littlefs-mem", justify="right")
    for work in WORKS:
        cells = [
            f"{medians[name, work.key]:,.2f}" if (name, work.key) in medians else "-"
            for name in names
        ]
        goal = (
            "-" if work.goal is None else f"{'>=' if work.more_is_better else '<='} {work.goal:,}"
        )
        table.add_row(work.title, *cells, work.unit, goal, ratio(work, medians))
    Console().print(table)
    print(f"peak memory of the whole run: {peak_mib:,.0f} MiB")
    return 0


def ratio(work: Work, medians: dict[tuple[str, str], float]) -> str:
    """How many times better than littlefs ours is."""
    peer, ours = medians.get(("littlefs-mem", work.key)), medians.get(("wfs3", work.key))
    if peer is None or ours is None:
        return "-"
    return f"{ours / peer if work.more_is_better else peer / ours:,.1f}"


if __name__ == "__main__":
    sys.exit(main())
