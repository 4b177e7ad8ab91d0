"""A benchmark as one page that needs nothing else: the figures, how the share found grows with the
budget, and a line for each fault. Light and dark come from the page's palette.
"""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from watosfs_fuzz.bench.summary import number, sentence, summary
from watosfs_fuzz.report.html import PALETTE
from watosfs_fuzz.report.plots import curve

_CAPTION = "Share of the runs that had found their fault, per cent, over seconds"
_STYLE = """
table { border-collapse: collapse; background: var(--panel); }
th, td { border: 1px solid var(--line); padding: .2rem .55rem; text-align: right; }
th[scope=row] { text-align: left; }
figure { margin: .6rem 0; max-width: 46rem; background: var(--panel); padding: .6rem; }
figcaption { color: var(--dim); }
"""
_COLUMNS = ("fault", "mode", "found", "95 %", "median s", "operations", "replay")


def bench_page(rows: Sequence[dict[str, Any]], seconds: float, commit: str) -> str:
    """The page, in ASCII. ``seconds`` is the budget of each run. Raises ValueError without runs."""
    if not rows:
        raise ValueError("no runs to show")
    total = summary(rows)
    times = sorted(row["seconds"] for row in rows if row["found"])
    xs = [0.0, *times, seconds]
    ys = [100 * count / len(rows) for count in [*range(len(times) + 1), len(times)]]
    plot = curve(xs, ys, "seconds", "% of runs") or "plots need matplotlib (the extra 'report')"
    palette = files("watosfs_fuzz.report").joinpath(PALETTE).read_text(encoding="utf-8")
    heads = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    lines = "\n".join(map(line, total["faults"]))
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Planted faults</title>
<style>
{palette}{_STYLE}</style>
</head>
<body>
<main>
<h1>Planted faults found in {seconds:g} s each</h1>
<p>{escape(sentence(total))}. Measured at {escape(commit)}.</p>
<figure role="group" aria-label="{_CAPTION}">
<div role="img" aria-label="{_CAPTION}; the table below has the figures">{plot}</div>
<figcaption>{_CAPTION}</figcaption>
</figure>
<table>
<thead><tr>{heads}</tr></thead>
{lines}
</table>
</main>
</body>
</html>
"""
    return text.encode("ascii", "xmlcharrefreplace").decode()


def line(one: dict[str, Any]) -> str:
    """A fault as a row."""
    low, high = one["interval_95"]
    cells = (
        one["mode"], f"{one['found']} of {one['tried']}", f"{low:.0%} to {high:.0%}",
        number(one["seconds_median"], ".2f"), number(one["trace_length_median"], "g"),
        one["replaying"],
    )  # fmt: skip
    inner = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(one["fault"])}</th>{inner}</tr>'
