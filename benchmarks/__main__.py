"""``python -m benchmarks``: the table of claims, ours beside the peers', alternating, medians.

Every round runs every subject once on a fresh instance, one after the other and each in a process
of its own, so that a slow moment of a shared machine hits all alike; the ratio to the peer is what
counts. Peers that are not installed are named and left out. ``--out DIR`` keeps the table
(``table.md``), the figures (``figures.json``) and a plot (``plot.png``).
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.measuring import NOT_INSTALLED
from benchmarks.rates import RATES
from benchmarks.report import as_json, markdown, plot
from benchmarks.subjects import SUBJECTS

FILES = 5000


def measure(name: str, files: int) -> dict[str, Any]:
    """One round of one subject, in a process of its own; ImportError names what is missing."""
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.measuring", name, str(files)],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode == NOT_INSTALLED:
        raise ImportError(process.stderr.strip())
    if process.returncode:
        raise RuntimeError(f"{name}: {process.stderr.strip()}")
    found = json.loads(process.stdout)
    assert isinstance(found, dict)
    return found


def file_system_at(path: str) -> str:
    """The kind of file system that holds a path, where the system tells (Linux); else nothing."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    under = [row for row in mounts if Path(path).resolve().is_relative_to(row[1])]
    return max(under, key=lambda row: len(row[1]))[2] if under else ""


def run(rounds: int, files: int, names: list[str], *, with_rates: bool) -> dict[str, Any]:
    """All rounds: medians, peaks and what was missing."""
    taken: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in names}
    peaks: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in names}
    counts: dict[str, int] = {}
    missing: dict[str, str] = {}
    for number in range(1, rounds + 1):
        for name in names:
            if name in missing:
                continue
            print(f"round {number} of {rounds}: {name}", file=sys.stderr)
            try:
                found = measure(name, files)
            except ImportError as error:
                missing[name] = str(error)
                continue
            counts[name] = found["files"]
            for key, figure in found["figures"].items():
                taken[name][key].append(figure)
            for key, peak in found["peaks"].items():
                peaks[name][key].append(peak)
            if with_rates and name in RATES:
                for key, figure in RATES[name]().items():
                    taken[name][key].append(figure)
    return {
        "python": platform.python_version(),
        "rounds": rounds,
        "files": counts,
        "disk": file_system_at(tempfile.gettempdir()),
        "load": os.getloadavg()[0],
        "missing": list(missing.values()),
        "medians": {name: medians_of(taken[name]) for name in counts},
        "peaks_mib": {name: medians_of(peaks[name]) for name in counts},
        "rounds_taken": taken,
    }


def medians_of(taken: dict[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {key: statistics.median(values) for key, values in taken.items()}


def main(argv: list[str] | None = None) -> int:
    """Run all, print the table (or JSON); exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take medians of (5)")
    parser.add_argument("--files", type=int, default=FILES, help="small files (5,000)")
    parser.add_argument("--only", help="subjects, with commas between them (all)")
    parser.add_argument("--no-rates", action="store_true", help="no system calls, no fuzzing")
    parser.add_argument("--out", type=Path, help="keep table.md, figures.json and plot.png here")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    names = options.only.split(",") if options.only else list(SUBJECTS)
    unknown = [name for name in names if name not in SUBJECTS]
    if unknown:
        parser.error(f"no subject {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    measured = run(options.rounds, options.files, names, with_rates=not options.no_rates)
    print(as_json(measured) if options.json else markdown(measured))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "figures.json").write_text(as_json(measured))
        (options.out / "table.md").write_text(markdown(measured))
        try:
            plot(measured, options.out / "plot.png")
        except ImportError as error:
            print(f"no plot: {error}; pip install 'watosfs[report]'", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
