"""``watosfs-fuzz verify``: the gate before a merge."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.provenance import commit
from watosfs_fuzz.verify import formats
from watosfs_fuzz.verify.gate import Gate, Settings
from watosfs_fuzz.verify.slices import planted
from watosfs_fuzz.verify.verdict import EXIT, as_json, lines, verdict

_LOG_SECONDS = 5.0
EPILOG = """\
Exit status: 0 nothing found, 1 something found, 2 not finished (or called wrongly).
A run is decided by the commit (the seed is made of it); more time only means more of the same run.
With --state FILE a run that was stopped goes on where it was.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    gate = commands.add_parser(
        "verify",
        help="the gate before a merge: kept traces, proofs, exhaustive runs, then fuzzing",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    gate.add_argument("--seconds", type=float, default=120.0, help="budget of time (120)")
    gate.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (cores)")
    gate.add_argument(
        "--changed-since", metavar="REV", help="more of what tries the files changed since then"
    )
    gate.add_argument("--state", type=Path, metavar="FILE", help="what was done; go on from it")
    gate.add_argument("--out", type=Path, default=Path("findings"), help="for findings (findings)")
    gate.add_argument("--keep-going", action="store_true", help="do not stop at what is found")
    gate.add_argument("--canary", help="judge a broken variant (see `canaries`)")
    gate.add_argument("--root", type=Path, default=Path(), help="the tree with tests/ (here)")
    gate.add_argument("--json", action="store_true", help="print the verdict as JSON")
    gate.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    gate.add_argument("--sarif", type=Path, metavar="FILE", help="write SARIF 2.1.0")
    gate.add_argument(
        "--github",
        action="store_true",
        default="GITHUB_ACTIONS" in os.environ,
        help="print workflow commands of GitHub (on when it runs there)",
    )
    gate.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the gate and say what came of it."""
    with planted(options.canary):
        pass  # an unknown name is said at once
    changed = None
    if options.changed_since is not None:
        changed = changed_files(options.root, options.changed_since)
    gate = Gate(
        Settings(
            root=options.root,
            out=options.out,
            commit=commit(),
            seconds=options.seconds,
            jobs=max(options.jobs, 1),
            changed=changed,
            canary=options.canary,
            state=options.state,
            findings_max=sys.maxsize if options.keep_going else 1,
        )
    )
    gate.run(Progress())
    if options.junit is not None:
        write_whole(options.junit, formats.junit(gate))
    if options.sarif is not None:
        write_whole(options.sarif, formats.sarif(gate))
    if options.json:
        print(json.dumps(as_json(gate), indent=1))
    else:
        print("\n".join(lines(gate)))
    if options.github:
        print("\n".join(formats.github(gate)), file=sys.stderr if options.json else sys.stdout)
    return EXIT[verdict(gate)]


def changed_files(root: Path, revision: str) -> tuple[str, ...]:
    """Files that differ from a revision, and new ones. Raises ValueError without git or it."""
    found: list[str] = []
    for command in (
        ["diff", "--name-only", "--relative", revision, "--"],
        ["ls-files", "--others", "--exclude-standard"],
    ):
        try:
            done = subprocess.run(
                ["git", "-C", str(root), *command], capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise ValueError(f"--changed-since needs git: {error}") from None
        if done.returncode:
            raise ValueError(f"--changed-since {revision}: {done.stderr.strip()}")
        found += done.stdout.splitlines()
    return tuple(found)


class Progress:
    """A line to standard error every few seconds."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, gate: Gate) -> None:
        now = time.monotonic()
        if now - self.last < _LOG_SECONDS:
            return
        self.last = now
        left = len(gate.unfinished())
        slices = sum(len(tally.numbers) for tally in gate.tallies.values())
        print(
            f"{gate.seconds:6.0f} s  {slices:,} slices  {left} required stages left  "
            f"{len(gate.found)} found",
            file=sys.stderr,
            flush=True,
        )
