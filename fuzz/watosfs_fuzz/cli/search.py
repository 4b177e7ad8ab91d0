<<<<<<< HEAD
"""``watosfs-fuzz search``: depth-first over the states of a file system and its model."""

import argparse
import json
import signal
import sys
import time
from types import FrameType

from watosfs_fuzz.canaries.catalogue import applied, require_canary
from watosfs_fuzz.crash.explore import count_text
from watosfs_fuzz.findings import Finding, write_finding
from watosfs_fuzz.oracles.catalogue import without
from watosfs_fuzz.search.alphabet import ALPHABETS
from watosfs_fuzz.search.state_file import load, run_name, save
from watosfs_fuzz.search.walk import Search, Settings
from watosfs_fuzz.target import Geometry

NODE_ENTRIES_MIN = 3
_LOG_SECONDS = 5.0
_SAVE_SECONDS = 30.0
_EXIT_FOUND, _EXIT_UNFINISHED = 1, 3


def run(options: argparse.Namespace) -> int:
    """Search until all is visited, something was found, or the time is over (3). Ctrl-C saves."""
    if options.canary is not None:
        require_canary(options.canary)
    if options.node_entries is not None and options.node_entries < NODE_ENTRIES_MIN:
        raise ValueError(f"--node-entries {options.node_entries}: at least {NODE_ENTRIES_MIN}")
    settings = Settings(
        ALPHABETS[options.alphabet].shuffled(options.seed),
        options.depth,
        target=options.target,
        geometry=Geometry(options.blocks, options.node_entries),
        crash=options.crash,
        use_shape=not options.without_shape,
        failures_max=options.findings_max,
        off=without(options.without),
    )
    name = run_name(settings, options.seed, options.canary)
    with applied(options.canary):
        search = Search(settings)
        try:
            if options.state is not None and options.state.exists():
                load(search, name, options.state)
            else:
                search.begin()
            is_interrupted, seconds = walk(search, options, name)
        finally:
            search.target.close()
    origin = f"search --alphabet {options.alphabet} --depth {options.depth}"
    files = [
        str(
            write_finding(Finding(f.case, f.failure, f.choice, options.canary, origin), options.out)
        )
        for f in search.walk.found
    ]
    tell(search, options, files, seconds)
    if is_interrupted:
        raise KeyboardInterrupt
    if files:
        return _EXIT_FOUND
    return 0 if search.is_complete else _EXIT_UNFINISHED


def walk(search: Search, options: argparse.Namespace, name: str) -> tuple[bool, float]:
    """The search itself, with progress and saving; whether Ctrl-C ended it, and seconds."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # Between two actions, so that nothing is half done; the second time at once.
        search.is_stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    start = saved = time.monotonic()
    end = None if options.seconds is None else start + options.seconds
    try:
        while True:
            now = time.monotonic()
            slice_seconds = _LOG_SECONDS if end is None else min(_LOG_SECONDS, end - now)
            search.run(slice_seconds)
            now = time.monotonic()
            is_over = search.is_over or (end is not None and now >= end)
            if options.state is not None and (is_over or now - saved >= _SAVE_SECONDS):
                saved = now
                save(search, name, options.state)
            if is_over:
                return search.is_stopped, now - start
            show(search, now - start)
    finally:
        signal.signal(signal.SIGINT, before)


def show(search: Search, seconds: float) -> None:
    """A line of progress."""
    done = search.walk
    print(f"{seconds:6.0f} s  {len(done.visited):,} states  {done.transitions:,} transitions  "
          f"{search.frontier:,} frontier  {done.exploration.recoveries:,} recoveries  "
          f"{len(done.found)} found", file=sys.stderr, flush=True)  # fmt: skip


def tell(search: Search, options: argparse.Namespace, files: list[str], seconds: float) -> None:
    """The totals."""
    done, exploration = search.walk, search.walk.exploration
    if options.json:
        print(json.dumps({
            "states": len(done.visited), "transitions": done.transitions,
            "frontier": search.frontier, "depth": options.depth,
            "crash_points": exploration.windows, "images": str(exploration.images),
            "images_left_out": str(exploration.images_left_out),
            "recoveries": exploration.recoveries, "complete": search.is_complete,
            "findings": files,
        }))  # fmt: skip
        return
    print(f"states visited      {len(done.visited):,}, to depth {options.depth}, {seconds:.0f} s")
    print(f"transitions         {done.transitions:,} "
          f"({len(search.alphabet.actions)} actions in each state)")  # fmt: skip
    print(f"frontier            {search.frontier:,} actions not yet taken")
    if options.crash:
        print(f"crash points        {exploration.windows:,}")
        print(f"legal crash images  {count_text(exploration.images)} covered")
        print(f"images left out     {count_text(exploration.images_left_out)}")
        print(f"recoveries          {exploration.recoveries:,}")
    print(f"complete            {'yes' if search.is_complete else 'no'}")
    print(f"findings            {len(files)}")
    for file in files:
        print(f"  watosfs-fuzz replay {file}")
=======
"""``watosfs-fuzz search``: depth first over states, each entered once; goes on where it stopped."""

import argparse
import json
import sys
import time
from typing import Any

from watosfs_fuzz.canaries.catalogue import applied, require_canary
from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.explore import count_text
from watosfs_fuzz.findings import Finding, write_finding
from watosfs_fuzz.oracles.catalogue import without
from watosfs_fuzz.search.store import load, save
from watosfs_fuzz.search.walk import Progress, Walk
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.worker import smallest_finding

_LOG_SECONDS, _SAVE_SECONDS = 5.0, 60.0
_EXIT_FOUND, _EXIT_UNFINISHED, _EXIT_INTERRUPTED = 1, 3, 130


def run(options: argparse.Namespace) -> int:
    """Search until all is visited, something is found, or the time is up (exit status 3)."""
    if options.canary is not None:
        require_canary(options.canary)
    known = None if options.state is None else load(options.state, name_of(options))
    with applied(options.canary):
        walk = make_walk(options, known)
        start = time.monotonic()
        is_interrupted = expand(walk, options, start)
        seconds = time.monotonic() - start
        files = findings_of(walk, options)
    if options.state is not None and not files:
        save(options.state, name_of(options), walk.done)
    tell(walk.done, options, files, seconds)
    if files:
        return _EXIT_FOUND
    if is_interrupted:
        print("watosfs-fuzz: interrupted; the search is saved with --state", file=sys.stderr)
        return _EXIT_INTERRUPTED
    return _EXIT_UNFINISHED if walk.done.frontier else 0


def name_of(options: argparse.Namespace) -> str:
    """What a state file must agree on."""
    crashes = "lockstep" if options.no_crashes else f"crashes {options.nested} {options.device}"
    shape = "unshaped" if options.without_shape else "shaped"
    return (
        f"{options.target} depth {options.depth} blocks {options.blocks} node entries"
        f" {options.node_entries} {crashes} {shape} canary {options.canary}"
    )


def make_walk(options: argparse.Namespace, known: Progress | None) -> Walk:
    """The walk that the options ask for."""
    like = Case(
        (),
        target=options.target,
        geometry=Geometry(options.blocks, options.node_entries),
        nested=options.nested,
        device=options.device,
        off=without(options.without),
    )
    return Walk(
        like,
        options.depth,
        seed=options.seed,
        crashes=not options.no_crashes,
        is_shaped=not options.without_shape,
        progress=known,
    )


def expand(walk: Walk, options: argparse.Namespace, start: float) -> bool:
    """Expand until the end; whether somebody interrupted it."""
    last = saved = start

    def is_over() -> bool:
        return options.seconds is not None and time.monotonic() - start >= options.seconds

    try:
        while not walk.done.failing and not is_over() and walk.expand_next(is_over):
            now = time.monotonic()
            if now - last >= _LOG_SECONDS:
                last = now
                print(line(walk.done, now - start), file=sys.stderr, flush=True)
            if options.state is not None and now - saved >= _SAVE_SECONDS:
                saved = now
                save(options.state, name_of(options), walk.done)
    except KeyboardInterrupt:
        return True
    return False


def line(done: Progress, seconds: float) -> str:
    """Progress for a log."""
    return (
        f"{seconds:6.0f} s  {len(done.visited):,} states  {done.transitions:,} transitions"
        f" ({done.transitions / max(seconds, 1e-9):,.0f}/s)  {len(done.frontier):,} waiting"
    )


def findings_of(walk: Walk, options: argparse.Namespace) -> list[str]:
    """What is wrong, made short, each once, in files."""
    files: list[str] = []
    keys = set()
    for case, failure, choice in walk.done.failing:
        if failure.key in keys:
            continue
        keys.add(failure.key)
        finding = Finding(case, failure, choice, options.canary, "search")
        files.append(str(write_finding(smallest_finding(finding), options.out)))
    return files


def figures(done: Progress, files: list[str], seconds: float) -> dict[str, Any]:
    """What was done, for programs."""
    return {
        "states": len(done.visited),
        "transitions": done.transitions,
        "frontier": len(done.frontier),
        "deepest": done.deepest,
        "operations_replayed": done.replayed,
        "crash_points": done.exploration.windows,
        "legal_crash_images": str(done.exploration.images),
        "images_left_out": str(done.exploration.images_left_out),
        "recoveries": done.exploration.recoveries,
        "findings": files,
        "seconds": round(seconds, 1),
    }


def tell(done: Progress, options: argparse.Namespace, files: list[str], seconds: float) -> None:
    """The totals."""
    if options.json:
        print(json.dumps(figures(done, files, seconds), indent=1))
        return
    exploration = done.exploration
    print(f"states visited      {len(done.visited):,}, the deepest after {done.deepest} operations")
    print(f"transitions         {done.transitions:,} run and compared, {seconds:,.0f} s")
    print(f"frontier            {len(done.frontier):,}")
    print(f"legal crash images  {count_text(exploration.images)} covered")
    print(f"images left out     {count_text(exploration.images_left_out)}")
    print(f"recoveries          {exploration.recoveries:,}")
    print(f"findings            {len(files)}")
    for path in files:
        print(f"  watosfs-fuzz replay {path}")
>>>>>>> main
