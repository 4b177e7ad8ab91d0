"""``watosfs-fuzz campaign``: live figures on a terminal, log lines elsewhere, a summary at
the end.
"""

import argparse
import json
import sys
from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from watosfs_fuzz.campaign import Settings, Tally, run_campaign
from watosfs_fuzz.canaries.registry import CANARIES, applied
from watosfs_fuzz.crash.explore import count_text

LOG_INTERVAL_SECONDS = 5.0


def run(options: argparse.Namespace) -> int:
    """Run the campaign; 1 when it found something."""
    settings = Settings(
        target=options.target,
        seed=options.seed,
        seconds=None if options.operations is not None else options.seconds,
        operations=options.operations,
        jobs=max(options.jobs, 1),
        nested=options.nested,
        cap=options.cap,
        crashes=not options.no_crashes,
        canary=options.canary,
    )
    with applied(None):
        if settings.canary is not None and settings.canary not in CANARIES:
            raise ValueError(f"no canary {settings.canary!r}; `watosfs-fuzz canaries` lists them")
    console = Console(stderr=True)
    if console.is_terminal and not options.json:
        with Live(console=console, refresh_per_second=4) as live:
            tally = run_campaign(
                settings, options.out, lambda now: live.update(view(now, settings))
            )
    else:
        tally = run_campaign(settings, options.out, log_lines())
    if options.json:
        print(json.dumps(tally.summary(settings), indent=1, sort_keys=True))
    else:
        print_summary(tally, options)
    return 1 if tally.findings else 0


def log_lines() -> Callable[[Tally], None]:
    """Progress for a log: a line now and then."""
    last = -LOG_INTERVAL_SECONDS

    def progress(tally: Tally) -> None:
        nonlocal last
        if tally.seconds - last >= LOG_INTERVAL_SECONDS:
            last = tally.seconds
            print(tally.line(), file=sys.stderr, flush=True)

    return progress


def view(tally: Tally, settings: Settings) -> Group:
    """What a terminal shows while the campaign runs."""
    exploration = tally.exploration
    seconds = max(tally.seconds, 1e-9)
    left = "" if settings.seconds is None else f" of {settings.seconds:,.0f} s"
    table = Table.grid(padding=(0, 3))
    for name, value in (
        ("time", f"{tally.seconds:,.0f} s{left}"),
        ("operations", f"{tally.operations:,} ({tally.operations / seconds:,.0f}/s)"),
        ("crash points", f"{exploration.windows:,}"),
        ("legal crash images", count_text(exploration.images)),
        ("images left out", count_text(exploration.images_left_out)),
        ("recoveries", f"{exploration.recoveries:,} ({exploration.recoveries / seconds:,.0f}/s)"),
        ("features seen", f"{len(tally.features):,}"),
    ):
        table.add_row(Text(name, style="dim"), value)
    style = "bold red" if tally.findings else "green"
    lines = [Text(f"{len(tally.findings)} findings", style=style)]
    lines += [
        Text(f"  {f.identity}  {f.failure.kind}: {f.failure.subject}") for f in tally.findings[-8:]
    ]
    return Group(Text(f"{settings.target}, seed {settings.seed}", style="bold"), table, *lines)


def print_summary(tally: Tally, options: argparse.Namespace) -> None:
    """The figures at the end, and how to look at what was found."""
    exploration = tally.exploration
    seconds = f"{tally.seconds:.1f}"
    print(f"operations          {tally.operations:,} in {tally.traces:,} traces, {seconds} s")
    print(f"crash points        {exploration.windows:,}")
    print(f"legal crash images  {count_text(exploration.images)} covered")
    print(f"images left out     {count_text(exploration.images_left_out)}")
    print(
        f"recoveries          {exploration.recoveries:,} ({exploration.outcomes_reused:,} reused)"
    )
    print(f"findings            {len(tally.findings)} ({tally.repeated} more of the same)")
    for finding in tally.findings:
        path = options.out / f"{finding.identity}.trace"
        print(f"  {finding.failure.kind}: {finding.failure.subject}: watosfs-fuzz replay {path}")
