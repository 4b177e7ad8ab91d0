"""A search on disk: the visited states, and the path whose untried actions are the frontier.

Checkpoints are not kept: the path's actions lead back to each of them.
"""

import json
from pathlib import Path
from typing import Any

from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.search.canonical import KEY_BYTES
from watosfs_fuzz.search.walk import Search, Settings

_HEX = 2 * KEY_BYTES


def run_name(settings: Settings, seed: int, canary: str | None) -> str:
    """What two slices of one search must agree on."""
    geometry = settings.geometry
    words = [
        settings.target, settings.alphabet.name, f"depth {settings.depth}", f"seed {seed}",
        f"blocks {geometry.block_count}", f"entries {geometry.node_entries_max}",
        f"crash {settings.crash}", f"shape {settings.use_shape}", f"canary {canary}",
        *sorted(settings.off),
    ]  # fmt: skip
    return ", ".join(words)


def save(search: Search, name: str, path: Path) -> None:
    """Write it, whole or not at all."""
    walk = search.walk
    by_left: dict[int, list[str]] = {}
    for key, left in walk.visited.items():
        by_left.setdefault(left, []).append(key.hex())
    stack = walk.stack
    state = {
        "run": name,
        "transitions": walk.transitions,
        "path": list(stack[-1].path) if stack else [],
        "next": [frame.next_action for frame in stack],
        "visited": {str(left): "".join(keys) for left, keys in sorted(by_left.items())},
    }
    write_whole(path, json.dumps(state) + "\n")


def load(search: Search, name: str, path: Path) -> None:
    """Go on where the file says. Raises ValueError for the file of another search, or for none."""
    try:
        state: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
        if state["run"] != name:
            raise ValueError(f"of another search: {state['run']}")
        search.walk.transitions = int(state["transitions"])
        search.walk.visited = {
            bytes.fromhex(keys[at : at + _HEX]): int(left)
            for left, keys in state["visited"].items()
            for at in range(0, len(keys), _HEX)
        }
        search.resume(tuple(state["path"]), list(state["next"]))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path}: not the state of a search: {error!r}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
