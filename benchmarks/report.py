"""Figures as JSON, as a Markdown table with each peak memory beside its time, and as a plot."""

import json
from pathlib import Path
from typing import Any

from benchmarks.subject import WORKS, Work

#: What stands where nothing was measured.
NOTHING = "-"


def as_json(measured: dict[str, Any]) -> str:
    """All that was measured, medians and single rounds."""
    return json.dumps(measured, indent=1)


def figure_text(figure: float | None) -> str:
    """Three significant digits or whole numbers: a median of five holds no more."""
    if figure is None:
        return NOTHING
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def goal_text(work: Work) -> str:
    """What ours shall reach, as text."""
    if work.goal is None:
        return ""
    where = " (file)" if work.goal_on_file else ""
    return f"{'>=' if work.more_is_better else '<='} {work.goal:,}{where}"


def is_met(work: Work, medians: dict[str, dict[str, float]]) -> bool | None:
    """Whether ours meets the goal; None without a goal or a figure."""
    ours = medians.get("wfs3-file" if work.goal_on_file else "wfs3", {}).get(work.key)
    if work.goal is None or ours is None:
        return None
    return ours >= work.goal if work.more_is_better else ours <= work.goal


def markdown(measured: dict[str, Any]) -> str:
    """The table: one line a work, one column a subject; ``figure (peak MiB)``."""
    medians, peaks = measured["medians"], measured["peaks_mib"]
    names = list(medians)
    lines = [
        f"Medians of {measured['rounds']} rounds, Python {measured['python']}; "
        "in brackets the peak memory in MiB.",
        "",
        "| work | unit | " + " | ".join(names) + " | goal | met |",
        "| --- | --- | " + " | ".join("---:" for _ in names) + " | ---: | --- |",
    ]
    for work in WORKS:
        if not any(work.key in medians[name] for name in names):
            continue
        cells = []
        for name in names:
            text = figure_text(medians[name].get(work.key))
            peak = peaks[name].get(work.key)
            cells.append(text if peak is None else f"{text} ({peak:.0f})")
        met = {None: "", True: "yes", False: "no"}[is_met(work, medians)]
        line = [work.title, work.unit, *cells, goal_text(work), met]
        lines.append("| " + " | ".join(line) + " |")
    notes = []
    for name, files in measured["files"].items():
        if files < max(measured["files"].values()):
            notes.append(f"{name} made only {files:,} files: one costs it milliseconds.")
    notes += [f"Not measured: {text}." for text in measured["missing"]]
    if measured["disk"]:
        notes.append(f"disk is {measured['disk']}; image files are there too.")
    return "\n".join([*lines, "", *notes]) + "\n"


def plot(measured: dict[str, Any], path: Path) -> None:
    """One panel a work, one bar a subject, ours dark, the goal as a line; logarithmic. Raises
    ImportError without matplotlib.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    medians = measured["medians"]
    works = [work for work in WORKS if sum(work.key in row for row in medians.values()) > 1]
    figure, panels = pyplot.subplots(-(-len(works) // 3), 3, figsize=(13, 3 * -(-len(works) // 3)))
    for axis in panels.flat[len(works) :]:
        axis.set_visible(False)
    for work, axis in zip(works, panels.flat, strict=False):
        names = [name for name in medians if work.key in medians[name]]
        colours = ["#1f4e79" if name.startswith("wfs3") else "#b0b0b0" for name in names]
        axis.barh(names, [medians[name][work.key] for name in names], color=colours)
        axis.set_xscale("log")
        axis.invert_yaxis()
        better = "more is better" if work.more_is_better else "less is better"
        axis.set_title(f"{work.title}\n{work.unit}, {better}", fontsize=8)
        axis.tick_params(labelsize=7)
        if work.goal is not None:
            axis.axvline(work.goal, color="#c0392b", linewidth=1)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
