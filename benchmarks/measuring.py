"""One subject measured once, in a process of its own: a time for each work, and the peak memory.

``python -m benchmarks.measuring NAME`` prints JSON. A process for each, so that nobody inherits
another's heap; peaks are the kernel's high-water mark, started anew before each work, above what
the process held before the subject started.
"""

import gc
import json
import os
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.subject import MIB, Subject
from benchmarks.subjects import load

PIECES = 64
PAGE = 4096
#: Distinct pages read anywhere: 8 MiB of 64.
READS = 2000
DURABLE_FILES = 300
#: Exit status when what a subject needs is not there.
NOT_INSTALLED = 3
PAYLOAD = bytes(range(100))


def run_once(subject: Subject, files: int, pieces: int = PIECES) -> dict[str, Any]:
    """Every work once: {"figures": {work: figure}, "peaks": {work: MiB}, "files": count}."""
    figures: dict[str, float] = {}
    peaks: dict[str, float] = {}
    gc.collect()
    before = resident_mib()

    def timed(key: str, call: Callable[[], object]) -> float:
        forget_peak()
        start = time.perf_counter()
        call()
        seconds = time.perf_counter() - start
        peaks[key] = max(peak_mib() - before, 0)
        return seconds

    count = min(files, subject.files)
    piece = os.urandom(MIB)
    rng = random.Random(1)
    reads = min(READS, pieces * MIB // PAGE)
    anywhere = [page * PAGE for page in rng.sample(range(pieces * MIB // PAGE), reads)]
    subject.start()
    figures["create"] = timed("create", lambda: subject.make_files(count, PAYLOAD)) / count * 1e6
    figures["stat"] = timed("stat", lambda: subject.stat_files(count)) / count * 1e6
    mount = subject.remount()
    if mount is not None:
        figures["mount"] = timed("mount", mount) * 1e3
        subject.stat_files(count)  # deleting is measured with warm caches
    durable = min(count, DURABLE_FILES)
    seconds = timed("durable", lambda: subject.make_durable_files(durable, PAYLOAD))
    figures["durable"] = seconds / durable * 1e6
    figures["delete"] = timed("delete", lambda: subject.delete_files(count)) / count * 1e6
    megabytes = pieces * MIB / 1e6
    figures["write"] = megabytes / timed("write", lambda: subject.write(piece, pieces))
    figures["read"] = megabytes / timed("read", lambda: subject.read(MIB, pieces))
    mount = subject.remount()
    if mount is not None:
        mount()
        seconds = timed("cold", lambda: subject.read_at(anywhere, PAGE))
        figures["cold"] = seconds / reads * 1e6
    else:
        subject.read_at(anywhere, PAGE)
    figures["warm"] = timed("warm", lambda: subject.read_at(anywhere, PAGE)) / reads * 1e6
    subject.stop()
    return {"figures": figures, "peaks": peaks, "files": count}


def forget_peak() -> None:
    """Start the high-water mark anew, where the kernel can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_mib() -> float:
    """The high-water mark of resident memory, in MiB."""
    return _status("VmHWM:") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_mib() -> float:
    """What is resident now, in MiB."""
    return _status("VmRSS:") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _status(field: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), 0)


def main() -> int:
    """Exit status 0, or ``NOT_INSTALLED`` when a peer is missing (named on stderr)."""
    name, files = sys.argv[1], int(sys.argv[2])
    try:
        figures = run_once(load(name), files)
    except ImportError as error:
        print(error, file=sys.stderr)
        return NOT_INSTALLED
    json.dump(figures, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
