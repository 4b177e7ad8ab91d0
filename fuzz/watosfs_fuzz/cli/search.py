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
