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
from watosfs_fuzz.search.alphabet import ALPHABETS
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
        f"{options.target} {options.alphabet} depth {options.depth} blocks {options.blocks}"
        f" node entries {options.node_entries} {crashes} {shape} canary {options.canary}"
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
    alphabet = ALPHABETS[options.alphabet]
    return Walk(
        like,
        options.depth,
        seed=options.seed,
        crashes=not options.no_crashes,
        is_shaped=not options.without_shape,
        alphabet=alphabet.operations,
        names=alphabet.names,
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
