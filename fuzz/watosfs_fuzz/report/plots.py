"""Curves as SVG that takes its colours from the page, so that one plot does for light and dark."""

import io
import re
from collections.abc import Sequence
from typing import Any

_INK = "#123456"
_CURVE = "#654321"


def curve(xs: Sequence[float], ys: Sequence[float], x_label: str, y_label: str) -> str | None:
    """An ``<svg>`` element of one curve, None without matplotlib (the extra 'report')."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        return None
    words: dict[str, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "watosfs",
        "font.family": "sans-serif",
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    in_force: Any = matplotlib.rc_context
    with in_force(words):
        figure = Figure(figsize=(6.4, 2.8), layout="constrained")
        axes = figure.add_subplot()
        axes.step(xs, ys, where="post", color=_CURVE, linewidth=2)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, alpha=0.25)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return coloured(text.getvalue())


def coloured(svg: str) -> str:
    """Without its prologue, scalable, and in the colours of the page."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1 width="100%"', element, count=1)
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    return element.replace(_INK, "var(--ink)").replace(_CURVE, "var(--accent)")
