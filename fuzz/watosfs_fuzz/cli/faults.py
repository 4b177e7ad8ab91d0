"""``watosfs-fuzz faults``: WFS v3 on devices that fail."""

import argparse
import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext

from watosfs_fuzz.faults.campaign import FaultTally, run_profile
from watosfs_fuzz.faults.canaries import FAULT_CANARIES
from watosfs_fuzz.faults.case import parse_case
from watosfs_fuzz.faults.profiles import PROFILES

_LOG_SECONDS = 5.0
_EXIT_FOUND = 1


def applied(name: str) -> AbstractContextManager[object]:
    """A canary in force. Raises ValueError for an unknown name."""
    if not name:
        return nullcontext()
    if name not in FAULT_CANARIES:
        raise ValueError(f"no fault canary {name!r}; there are: {', '.join(FAULT_CANARIES)}")
    return FAULT_CANARIES[name].plant()


def run(options: argparse.Namespace) -> int:
    """The profiles one after another, each with the whole budget; 1 when one found something."""
    if options.list:
        for profile in PROFILES.values():
            print(f"{profile.name:18}{profile.budget}")
        return 0
    if options.replay is not None:
        return replay(options)
    names = options.profile or list(PROFILES)
    unknown = [name for name in names if name not in PROFILES]
    if unknown:
        raise ValueError(f"no fault profile {unknown[0]!r}; there are: {', '.join(PROFILES)}")
    tallies: dict[str, FaultTally] = {}
    with applied(options.canary):
        for name in names:
            tallies[name] = tally = run_profile(
                name,
                options.seed,
                seconds=options.seconds,
                traces=options.traces,
                out=options.out,
                canary=options.canary,
                progress=Progress(name),
            )
            if not options.json:
                print(line(name, tally), flush=True)
                for path in tally.findings:
                    print(f"  watosfs-fuzz faults --replay {path}")
    if options.json:
        print(json.dumps({
            name: {
                "traces": tally.traces, "operations": tally.operations, "struck": tally.struck,
                "refused": tally.refused, "findings": [str(path) for path in tally.findings],
            }
            for name, tally in tallies.items()
        }))  # fmt: skip
    return _EXIT_FOUND if any(tally.findings for tally in tallies.values()) else 0


def line(name: str, tally: FaultTally) -> str:
    """One profile's figures."""
    return (
        f"{name:18}{tally.traces:,} traces  {tally.operations:,} operations  faults struck in "
        f"{tally.struck:,}  {tally.refused:,} calls refused  {len(tally.findings)} findings"
    )


class Progress:
    """A line every few seconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.last = time.monotonic()

    def __call__(self, tally: FaultTally) -> None:
        if time.monotonic() - self.last >= _LOG_SECONDS:
            self.last = time.monotonic()
            print(f"{tally.seconds:6.0f} s  {line(self.name, tally)}", file=sys.stderr, flush=True)


def replay(options: argparse.Namespace) -> int:
    """A kept trace again."""
    case, canary = parse_case(options.replay.read_text())
    with applied(canary):
        report = case.run()
    print(f"{case.profile}: {len(report.operations)} operations, {report.struck} faults struck")
    if report.failure is None:
        print("nothing is wrong")
        return 0
    print(f"{report.failure.kind} of {report.failure.subject}\n{report.failure.story}")
    return _EXIT_FOUND
