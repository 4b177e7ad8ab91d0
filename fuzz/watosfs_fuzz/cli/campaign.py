"""``watosfs-fuzz campaign``: live figures on a terminal, log lines elsewhere, a summary."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from watosfs_fuzz.campaign import SUMMARY, run_campaign
from watosfs_fuzz.canaries.catalogue import require_canary
from watosfs_fuzz.cli import linux
from watosfs_fuzz.crash.explore import count_text
from watosfs_fuzz.metrics import Recorder, opened
from watosfs_fuzz.oracles.catalogue import without
from watosfs_fuzz.tally import Settings, Tally

LOG_INTERVAL_SECONDS = 5.0
EXIT_FOUND, EXIT_INTERRUPTED = 1, 130
FINDINGS_SHOWN = 8


def add_guidance(run: argparse.ArgumentParser) -> None:
    """What traces are made from."""
    run.add_argument("--no-guide", action="store_true", help="vary no traces that were kept")
    run.add_argument("--no-swarm", action="store_true", help="the same mixture all the time")
    run.add_argument(
        "--corpus", type=Path, metavar="DIR", help="keep traces that showed something new, and vary"
    )
    run.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster, as in tcp://host:8786"
    )
    run.add_argument("--resume", action="store_true", help="go on from where --corpus stands")


def run(options: argparse.Namespace) -> int:
    """Run the campaign; 1 when it found something, 130 when it was interrupted before it did."""
    if options.target.startswith(linux.PREFIX):
        return linux.run(options)
    if options.scripts is not None:
        raise ValueError("--scripts is a budget of dir:PATH only")
    settings = Settings(
        target=options.target,
        seed=options.seed,
        seconds=None if options.ops is not None else options.seconds,
        operations=options.ops,
        jobs=options.jobs,
        nested=options.nested,
        cap=options.cap,
        device=options.device,
        off=without(options.without),
        crashes=not options.no_crashes,
        canary=options.canary,
        findings_max=options.findings_max,
        out=options.out,
        guided=not options.no_guide,
        swarm=not options.no_swarm,
        corpus=options.corpus,
        resume=options.resume,
        scheduler=options.scheduler,
    )
    if settings.corpus is not None and not settings.guided:
        raise ValueError("--no-guide keeps no corpus")
    if settings.resume and settings.corpus is None:
        raise ValueError("--resume needs the --corpus of the campaign to resume")
    if settings.canary is not None:
        require_canary(settings.canary)
    tally = recorded(settings, options)
    if options.json:
        print(json.dumps(tally.summary(settings), indent=1, sort_keys=True))
    else:
        print_summary(tally, options)
    if tally.is_interrupted:
        print("watosfs-fuzz: interrupted; what was found is saved", file=sys.stderr)
    if tally.findings:
        return EXIT_FOUND
    return EXIT_INTERRUPTED if tally.is_interrupted else 0


def recorded(settings: Settings, options: argparse.Namespace) -> Tally:
    """The campaign, its figures kept in the file that was asked for."""
    if options.metrics is None:
        return shown(settings, options, lambda tally: None)
    with opened(options.metrics) as connection:
        recorder = Recorder(connection, settings)
        tally = shown(settings, options, recorder)
        recorder.finish(tally)
    return tally


def shown(settings: Settings, options: argparse.Namespace, keep: Callable[[Tally], None]) -> Tally:
    """The campaign, live on a terminal, as lines elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal or options.json:
        tell = log_lines()

        def line(tally: Tally) -> None:
            tell(tally)
            keep(tally)

        return run_campaign(settings, options.out, line)
    with Live(view(Tally(), settings), console=console, refresh_per_second=4) as live:

        def update(tally: Tally) -> None:
            live.update(view(tally, settings))
            keep(tally)

        return run_campaign(settings, options.out, update)


def log_lines() -> Callable[[Tally], None]:
    """Progress for a log: a line now and then, and one for each finding."""
    last = -LOG_INTERVAL_SECONDS
    told = 0

    def progress(tally: Tally) -> None:
        nonlocal last, told
        for finding in tally.findings[told:]:
            text = f"finding {finding.identity}: {finding.failure.kind}: {finding.failure.subject}"
            print(text, file=sys.stderr, flush=True)
        told = len(tally.findings)
        if tally.seconds - last >= LOG_INTERVAL_SECONDS:
            last = tally.seconds
            print(tally.line(), file=sys.stderr, flush=True)

    return progress


def view(tally: Tally, settings: Settings) -> Group:
    """What a terminal shows while the campaign runs."""
    exploration = tally.exploration
    seconds = max(tally.seconds, 1e-9)
    left = "" if settings.seconds is None else f" of {settings.seconds:,.0f} s"
    goal = "" if settings.operations is None else f" of {settings.operations:,}"
    table = Table.grid(padding=(0, 3))
    for name, value in (
        ("time", f"{tally.seconds:,.0f} s{left}"),
        ("operations", f"{tally.operations:,}{goal} ({tally.operations / seconds:,.0f}/s)"),
        ("traces", f"{tally.traces:,}"),
        ("crash points", f"{exploration.windows:,}"),
        ("legal crash images", count_text(exploration.images)),
        ("images left out", count_text(exploration.images_left_out)),
        ("recoveries", f"{exploration.recoveries:,} ({exploration.recoveries / seconds:,.0f}/s)"),
        ("features seen", features_text(tally.features)),
        ("traces kept", f"{tally.corpus:,} (they showed {tally.novelties:,} different things)"),
    ):
        table.add_row(Text(name, style="dim"), value)
    style = "bold red" if tally.findings else "green"
    lines = [Text(f"{len(tally.findings)} findings", style=style)]
    lines += [
        Text(f"  {f.identity}  {f.failure.kind}: {f.failure.subject}")
        for f in tally.findings[-FINDINGS_SHOWN:]
    ]
    title = Text(f"watosfs-fuzz: {settings.target}, seed {settings.seed}", style="bold")
    return Group(title, table, *lines)


def features_text(features: Counter[str]) -> str:
    """How many features, and the telling ones among them."""
    errors = sum(1 for name in features if name.rpartition(" ")[2].startswith("E"))
    heights = sum(1 for name in features if "height" in name)
    full = sum(count for name, count in features.items() if name.endswith(" ENOSPC"))
    return (
        f"{len(features):,} ({errors} operation-errno pairs, {heights} tree heights, "
        f"ENOSPC {full:,} times)"
    )


def print_summary(tally: Tally, options: argparse.Namespace) -> None:
    """The figures at the end, and how to look at what was found."""
    exploration = tally.exploration
    seconds = f"{tally.seconds:.1f} s"
    print(f"operations          {tally.operations:,} in {tally.traces:,} traces, {seconds}")
    print(f"crash points        {exploration.windows:,}")
    print(f"legal crash images  {count_text(exploration.images)} covered")
    print(f"images left out     {count_text(exploration.images_left_out)}")
    print(
        f"recoveries          {exploration.recoveries:,} ({exploration.recalled:,} recalled, "
        f"{exploration.outcomes_reused:,} more reused)"
    )
    print(f"features seen       {features_text(tally.features)}")
    print(f"traces kept         {tally.corpus:,}, showing {tally.novelties:,} different things")
    print(f"findings            {len(tally.findings)} ({tally.repeated} more of the same)")
    for finding in tally.findings:
        path = options.out / f"{finding.identity}.trace"
        print(f"  {finding.failure.kind}: {finding.failure.subject}: watosfs-fuzz replay {path}")
    print(f"summary             {options.out / SUMMARY}")
