"""What the runs of a benchmark amount to: figures of each fault and of all, with their intervals.

Runs of one fault resemble one another, so the intervals over all faults draw whole faults: Wilson's
over faults (found when more than half of a fault's runs found it), and a bootstrap for the medians.
"""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from watosfs_fuzz.bench.figures import bootstrap, median_time, wilson

Row = dict[str, Any]
Key = tuple[str, str]


def by_fault(rows: Sequence[Row]) -> dict[Key, list[Row]]:
    """The runs of each (fault, mode), sorted."""
    groups: dict[Key, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["fault"], row["mode"], row["seed"])):
        groups.setdefault((row["fault"], row["mode"]), []).append(row)
    return groups


def is_found(rows: Sequence[Row]) -> bool:
    """Whether more than half of a fault's runs found it."""
    return sum(bool(row["found"]) for row in rows) * 2 > len(rows)


def figures(rows: Sequence[Row]) -> Row:
    """The figures of some runs; None where there is nothing to count."""
    found = [row for row in rows if row["found"]]
    lengths = [row["trace_length"] for row in found if row["trace_length"] is not None]
    crashes = [row["crashes"] for row in found if row["crashes"] is not None]
    return {
        "found": len(found),
        "tried": len(rows),
        "interval_95": wilson(len(found), len(rows)) if rows else None,
        "seconds_median": median_time([(row["seconds"], row["found"]) for row in rows]),
        "executions_median": median(row["executions"] for row in found) if found else None,
        "trace_length_median": median(lengths) if lengths else None,
        "crashes_median": median(crashes) if crashes else None,
        "replaying": sum(row["replays"] for row in found),
    }


def summary(rows: Sequence[Row]) -> Row:
    """The figures over all runs, over faults with intervals, and of each fault."""
    groups = by_fault(rows)
    total = figures(rows)
    count = sum(map(is_found, groups.values()))
    return {
        **total,
        "faults_found": count,
        "faults_tried": len(groups),
        "faults_interval_95": wilson(count, len(groups)) if groups else None,
        "seconds_median_interval_95": interval(groups, lambda some: some["seconds_median"]),
        "trace_length_median_interval_95": interval(
            groups, lambda some: some["trace_length_median"]
        ),
        "faults": [
            {"fault": fault, "mode": mode, **figures(mine)}
            for (fault, mode), mine in groups.items()
        ],
    }


def interval(
    groups: dict[Key, list[Row]], figure: Callable[[Row], float | None]
) -> tuple[float | None, float | None] | None:
    """The 95 % interval of a figure over all runs, whole faults drawn; an end is None where it is
    beyond the budget.
    """
    if not groups:
        return None

    def of(drawn: Sequence[list[Row]]) -> float | None:
        return figure(figures([row for rows in drawn for row in rows]))

    return bootstrap(list(groups.values()), of)


def table(rows: Sequence[Row]) -> str:
    """Markdown: a line for each fault, then the figures over all."""
    lines = [
        "| fault | mode | found | 95 % | median s | median executions | operations | replays |",
        "|---|---|---|---|---|---|---|---|",
    ]
    total = summary(rows)
    for one in total["faults"]:
        low, high = one["interval_95"]
        lines.append(
            f"| {one['fault']} | {one['mode']} | {one['found']} of {one['tried']} "
            f"| {low:.0%} to {high:.0%} | {number(one['seconds_median'], '.2f')} "
            f"| {number(one['executions_median'], ',.0f')} "
            f"| {number(one['trace_length_median'], 'g')} | {one['replaying']} |"
        )
    return "\n".join([*lines, *(["", sentence(total)] if rows else [])])


def sentence(total: Row) -> str:
    """The figures over all, in words."""
    low, high = total["faults_interval_95"]
    return (
        f"{total['faults_found']} of {total['faults_tried']} faults found "
        f"(95 % interval {low:.0%} to {high:.0%}), in {total['found']} of {total['tried']} runs; "
        f"median time {seconds_text(total['seconds_median'])}"
        f"{between(total['seconds_median_interval_95'], '.2f')}, "
        f"median trace {number(total['trace_length_median'], 'g')} operations"
        f"{between(total['trace_length_median_interval_95'], 'g')} and "
        f"{number(total['crashes_median'], 'g')} crashes, {total['replaying']} replay"
    )


def number(value: float | None, form: str) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def between(ends: tuple[float | None, float | None] | None, form: str) -> str:
    """An interval in brackets; nothing where its lower end is not known."""
    if ends is None or ends[0] is None:
        return ""
    upper = "above the budget" if ends[1] is None else format(ends[1], form)
    return f" ({format(ends[0], form)} to {upper})"


def seconds_text(seconds: float | None) -> str:
    """A median time; None when fewer than half of the runs found something."""
    return "above the budget" if seconds is None else f"{seconds:.2f} s"
