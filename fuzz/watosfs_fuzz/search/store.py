"""The search on disk: what was visited and what waits, to be gone on with.

JSON: ``run`` (what the search was asked), ``visited`` (key in hex to operations), ``frontier`` (the
paths as trace text, with their keys), and the totals. Written whole or not at all.
"""

import json
from pathlib import Path

from watosfs_fuzz.crash.explore import Exploration
from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.search.walk import Progress, Waiting
from watosfs_model.trace import Trace, format_trace, parse_trace

_TOTALS = ("windows", "images", "recoveries", "outcomes_reused", "images_left_out")


def save(path: Path, run: str, done: Progress) -> None:
    """Keep the search. Counts of images are strings, as they outgrow most number types."""
    exploration = done.exploration
    state = {
        "run": run,
        "transitions": done.transitions,
        "replayed": done.replayed,
        "exploration": {name: str(getattr(exploration, name)) for name in _TOTALS},
        "visited": {key.hex(): depth for key, depth in done.visited.items()},
        "frontier": [
            {"key": waiting.key.hex(), "path": format_trace(Trace.of(waiting.path))}
            for waiting in done.frontier
        ],
    }
    write_whole(path, json.dumps(state) + "\n")


def load(path: Path, run: str) -> Progress | None:
    """The search as it was kept; None without a file. Raises ValueError for another run's."""
    if not path.exists():
        return None
    state = json.loads(path.read_text())
    if not isinstance(state, dict) or state.get("run") != run:
        found = state.get("run") if isinstance(state, dict) else state
        raise ValueError(f"{path}: of another run: {found}")
    exploration = Exploration()
    for name in _TOTALS:
        setattr(exploration, name, int(state["exploration"][name]))
    return Progress(
        visited={bytes.fromhex(key): depth for key, depth in state["visited"].items()},
        frontier=[
            Waiting(parse_trace(waiting["path"]).operations, bytes.fromhex(waiting["key"]))
            for waiting in state["frontier"]
        ],
        transitions=state["transitions"],
        replayed=state["replayed"],
        exploration=exploration,
    )
