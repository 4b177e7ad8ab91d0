"""``watosfs-fuzz campaign --target dir:PATH``: the kernel's model against Linux."""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.linux.campaign import run_scripts
from watosfs_fuzz.linux.compare import Agreement

PREFIX = "dir:"
_LOG_SECONDS = 5.0
_EXIT_FOUND = 1


def run(options: argparse.Namespace) -> int:
    """Compare scripts on a directory; 1 when they differ. Raises ``OSError`` for what is none."""
    last = time.monotonic()
    files: list[str] = []

    def progress(now: Agreement, elapsed: float) -> None:
        nonlocal last
        for text in now.failures[len(files) :]:
            files.append(str(keep(text, options.out)))
            print(f"differs: {files[-1]}", file=sys.stderr, flush=True)
        if time.monotonic() - last >= _LOG_SECONDS:
            last = time.monotonic()
            print(f"{elapsed:6.0f} s  {now.scripts:,} scripts  {now.calls:,} calls  "
                  f"{len(now.failures)} differ", file=sys.stderr, flush=True)  # fmt: skip

    base = Path(options.target.removeprefix(PREFIX))
    found = run_scripts(
        base,
        options.seed,
        scripts=options.scripts,
        seconds=options.seconds,
        jobs=options.jobs,
        findings_max=options.findings_max,
        progress=progress,
    )
    if options.json:
        seen = {f"{call} {word}": count for (call, word), count in sorted(found.seen.items())}
        print(json.dumps({
            "directory": str(base), "scripts": found.scripts, "agree": found.scripts - len(files),
            "calls": found.calls, "pairs": seen, "left_out": dict(sorted(found.skipped.items())),
            "findings": files,
        }))  # fmt: skip
        return _EXIT_FOUND if files else 0
    print(f"scripts             {found.scripts:,}, {found.scripts - len(files):,} agree")
    print(f"calls               {found.calls:,} compared, {len(found.seen)} call-outcome pairs")
    left_out = ", ".join(f"{clause} {count:,}" for clause, count in sorted(found.skipped.items()))
    print(f"left out            {left_out or 'nothing'} (docs/SEMANTICS.md)")
    for file in files:
        print(f"  differs: {file}")
    return _EXIT_FOUND if files else 0


def keep(text: str, directory: Path) -> Path:
    """The trace of a difference as a file."""
    directory.mkdir(parents=True, exist_ok=True)
    identity = hashlib.sha256(text.encode()).hexdigest()[:10]
    return write_whole(directory / f"linux-{identity}.trace", text)
