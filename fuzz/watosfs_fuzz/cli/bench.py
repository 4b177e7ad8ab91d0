"""``watosfs-fuzz bench``: plant known faults, see whether and how fast the fuzzer finds them."""

import argparse
import json
import multiprocessing
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from watosfs_fuzz.bench.catalogue import (
    MODES,
    Fault,
    faults,
    modes_of,
    require_fault,
    sound,
)
from watosfs_fuzz.bench.measure import measure
from watosfs_fuzz.bench.summary import Row, summary, table
from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.provenance import commit

_EXIT_FOUND, _EXIT_UNFINISHED = 1, 2


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    run = commands.add_parser("bench", help="how fast planted faults are found (docs/FAULTS.md)")
    run.add_argument("--only", action="append", metavar="ID", help="these faults (all planted)")
    run.add_argument("--mode", action="append", choices=("all", *MODES),
                     help="these modes (for each fault the one that must notice it)")  # fmt: skip
    run.add_argument("--seconds", type=float, default=60.0, help="budget of each run (60)")
    run.add_argument("--seeds", type=int, default=5, help="runs of each fault (5)")
    run.add_argument("--jobs", type=int, default=1, help="processes to run it on (1)")
    run.add_argument("--unmodified", action="store_true", help="false positives: no fault planted")
    run.add_argument("--state", type=Path, help="keep each result here; go on from what is there")
    run.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")
    run.set_defaults(run=bench)


def bench(options: argparse.Namespace) -> int:
    """Measure what the state file does not have yet, then print the table. Ends with 1 when a fault
    was missed, a trace does not replay, or the unmodified code failed.
    """
    if min(options.seeds, options.jobs) < 1 or options.seconds <= 0:
        raise ValueError("--seeds, --jobs and --seconds are above 0")
    chosen = chosen_by(options)
    rows = read_state(options.state, options.seconds)
    keys = {(row["fault"], row["mode"], row["seed"]) for row in rows}
    todo = [
        (fault, seed)
        for seed in range(options.seeds)
        for fault in chosen
        if (fault.identity, fault.mode, seed) not in keys
    ]
    count = len(rows)
    for row in measured(todo, options.seconds, options.jobs):
        rows.append(row)
        if options.state is not None:
            with options.state.open("a") as file:
                file.write(json.dumps(row) + "\n")
        print(line(row), file=sys.stderr, flush=True)
    is_whole = len(rows) == count + len(todo)
    wanted = {(fault.identity, fault.mode) for fault in chosen}
    rows = [
        row for row in rows
        if (row["fault"], row["mode"]) in wanted and row["seed"] < options.seeds
    ]  # fmt: skip
    report = {"commit": commit(), "seconds": options.seconds, "runs": rows, **summary(rows)}
    if options.json is not None:
        write_whole(options.json, json.dumps(report, indent=1) + "\n")
    print(table(rows))
    if not is_whole:
        return _EXIT_UNFINISHED
    if options.unmodified:
        return _EXIT_FOUND if any(row["found"] for row in rows) else 0
    return 0 if all(row["found"] and row["replays"] for row in rows) else _EXIT_FOUND


def chosen_by(options: argparse.Namespace) -> list[Fault]:
    """What is to be measured. Raises ValueError for a fault that is not planted."""
    chosen = sound() if options.unmodified else faults()
    if options.only:
        chosen = [require_fault(name) for name in options.only]
    if not options.mode:
        return chosen
    if options.unmodified:
        return [fault for fault in chosen if fault.mode in options.mode]
    modes = set(options.mode)
    return [f.by(mode) for f in chosen for mode in modes_of(f) if {mode, "all"} & modes]


def read_state(path: Path | None, seconds: float) -> list[Row]:
    """The runs of an earlier call with this budget and at this commit, whole lines only."""
    if path is None or not path.exists():
        return []
    rows = [json.loads(text) for text in path.read_text().splitlines() if text.endswith("}")]
    return [row for row in rows if (row["budget"], row["commit"]) == (seconds, commit())]


def measured(todo: list[tuple[Fault, int]], seconds: float, jobs: int) -> Iterator[Row]:
    """The results as they come, each run in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        futures = {
            pool.submit(measure, fault, seed, seconds): (fault, seed) for fault, seed in todo
        }
        try:
            for future in as_completed(futures):
                error = future.exception()
                if error is not None:
                    # The other runs go on; the state file lacks this one, so it is tried again.
                    fault, seed = futures[future]
                    text = "".join(traceback.format_exception(error))
                    print(f"{fault.identity} seed {seed}: {text}", file=sys.stderr, flush=True)
                    continue
                yield {**future.result().row(), "budget": seconds, "commit": commit()}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def line(row: Row) -> str:
    """One run for a log."""
    length = row["trace_length"]
    short = "" if length is None else f", {length} operations"
    verdict = f"{row['kind']}{short}" if row["found"] else "not found"
    return (
        f"{row['fault']:6} {row['mode']:9} seed {row['seed']}  {row['seconds']:6.1f} s  {verdict}"
    )
