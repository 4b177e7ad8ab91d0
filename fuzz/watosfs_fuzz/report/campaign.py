"""Campaigns as one page that needs nothing else: verdict, coverage, what was found, how fast."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from watosfs_fuzz.crash.explore import count_text
from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.metrics import Kept
from watosfs_fuzz.report.html import PALETTE
from watosfs_fuzz.report.plots import curve
from watosfs_fuzz.verify.verdict import power_text
from watosfs_model.operations import OPERATION_TYPES

TEMPLATE = "campaign.html.jinja"
NO_PLOT = "plots need matplotlib (the extra 'report')"
_ROWS_MAX = 24


def chance_of_news(kept: Kept) -> float:
    """The chance that the next trace shows a feature that none showed before: the share of
    features seen once among the traces (Good 1953).
    """
    last = kept.samples[-1]
    share: float = last["singletons"] / max(last["traces"], 1)
    return min(share, 1.0)


def verdict(kept: Kept) -> str:
    """A sentence."""
    last, campaign = kept.samples[-1], kept.campaign
    target = f"{campaign['target']}" + (
        f" with the fault {campaign['canary']} planted" if campaign["canary"] else ""
    )
    count = last["findings"]
    found = f"{count} finding{'s' * (count != 1)}" if count else "nothing found"
    ended = {"running": ", still running", "interrupted": ", interrupted"}
    return (
        f"{target}: {found} in {last['operations']:,} operations{ended.get(campaign['state'], '')}"
    )


def outcomes(kept: Kept) -> tuple[list[str], dict[str, dict[str, int]]]:
    """(the errnos that were seen, for each operation how often each of them)."""
    names = {kind.name() for kind in OPERATION_TYPES}
    table: dict[str, dict[str, int]] = {name: {} for name in sorted(names)}
    for feature in kept.features:
        operation, _, word = feature["name"].rpartition(" ")
        if operation in table:
            table[operation][word] = feature["count"]
    words = {word for row in table.values() for word in row}
    return ["ok", *sorted(words - {"ok"})], table


def shapes(kept: Kept) -> list[str]:
    """What was seen of the target's own state."""
    names = {kind.name() for kind in OPERATION_TYPES}
    return [f["name"] for f in kept.features if f["name"].rpartition(" ")[0] not in names]


def thinned(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most some rows, evenly, the last among them."""
    step = -(-len(rows) // _ROWS_MAX)
    return [*rows[:-1:step], rows[-1]]


def counts(kept: Kept, column: str) -> list[float]:
    """A column over time, from nothing on."""
    return [0.0, *(sample[column] for sample in kept.samples)]


def figures(kept: Kept) -> list[tuple[str, str]]:
    """The figures of the end."""
    last, campaign = kept.samples[-1], kept.campaign
    seconds = max(last["seconds"], 1e-9)
    return [
        ("started", f"{campaign['started']}, commit {campaign['commit']}"),
        ("seed, jobs, device", f"{campaign['seed']}, {campaign['jobs']}, {campaign['device']}"),
        ("time", f"{last['seconds']:,.0f} s"),
        ("operations", f"{last['operations']:,} ({last['operations'] / seconds:,.0f}/s)"),
        ("traces", f"{last['traces']:,}"),
        ("crash points", f"{last['crash_points']:,}"),
        ("legal crash images covered", count_text(int(last["images"]))),
        ("images left out", count_text(int(last["images_left_out"]))),
        ("recoveries", f"{last['recoveries']:,} ({last['recoveries'] / seconds:,.0f}/s)"),
        ("features", f"{last['features']:,}, of these {last['singletons']:,} seen once"),
        ("chance that one more trace shows something new", f"{chance_of_news(kept):.2%}"),
    ]


def page(history: Sequence[Kept]) -> str:
    """The page of the last campaign, with all of them as its history, in ASCII. Raises ValueError
    when there is none.
    """
    if not history:
        raise ValueError("no campaign is kept there")
    kept = history[-1]
    errnos, table = outcomes(kept)
    xs = [0.0, *(sample["seconds"] for sample in kept.samples)]
    folder = files("watosfs_fuzz.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    source = folder.joinpath(TEMPLATE).read_text(encoding="utf-8")
    text = environment.from_string(source).render(
        palette=folder.joinpath(PALETTE).read_text(encoding="utf-8"),
        verdict=verdict(kept),
        is_clean=not kept.samples[-1]["findings"],
        figures=figures(kept),
        power=power_text(kept.samples[-1]["seconds"]),
        no_plot=NO_PLOT,
        features_plot=curve(xs, counts(kept, "features"), "seconds", "features seen"),
        operations_plot=curve(xs, counts(kept, "operations"), "seconds", "operations"),
        samples=thinned(kept.samples),
        errnos=errnos,
        outcomes=table,
        unseen=[name for name, row in table.items() if not row],
        shapes=shapes(kept),
        findings=kept.findings,
        history=[(other.campaign, other.samples[-1], verdict(other)) for other in history],
    )
    return text.encode("ascii", "xmlcharrefreplace").decode()


def write_page(history: Sequence[Kept], path: Path) -> Path:
    """Write the page, whole or not at all; its path."""
    return write_whole(path, page(history))
