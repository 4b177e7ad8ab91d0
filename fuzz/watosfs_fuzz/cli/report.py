"""``watosfs-fuzz report``: what campaigns did, from their metrics."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from watosfs_fuzz.metrics import read
from watosfs_fuzz.report.campaign import chance_of_news, figures, verdict


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    told = commands.add_parser(
        "report", help="what campaigns did, from the file that `campaign --metrics` writes"
    )
    told.add_argument("metrics", type=Path, metavar="FILE")
    told.add_argument("--html", type=Path, metavar="PAGE", help="write one self-contained page")
    told.add_argument("--json", action="store_true", help="print JSON")
    told.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Tell it; the last campaign in full."""
    history = read(options.metrics)
    if not history:
        raise ValueError(f"{options.metrics}: no campaign is kept there")
    if options.html is not None:
        # Templates and plots take longer to load than anything else here.
        from watosfs_fuzz.report.campaign import write_page

        print(f"written: {write_page(history, options.html)}", file=sys.stderr)
    if options.json:
        print(json.dumps([
            {**kept.campaign, **kept.samples[-1], "chance_of_news": chance_of_news(kept),
             "found": kept.findings}
            for kept in history
        ], indent=1))  # fmt: skip
        return 0
    table = Table("started", "commit", "target", "s", "operations", "features", "findings")
    for kept in history:
        last, campaign = kept.samples[-1], kept.campaign
        table.add_row(
            campaign["started"], campaign["commit"], campaign["target"], f"{last['seconds']:.0f}",
            f"{last['operations']:,}", str(last["features"]), str(last["findings"]),
        )  # fmt: skip
    Console().print(table)
    print(verdict(history[-1]))
    for name, value in figures(history[-1]):
        print(f"  {name:46} {value}")
    return 0
