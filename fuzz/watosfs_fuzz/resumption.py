"""Where a campaign stands, beside its corpus: ``--resume`` goes on from there.

Kept: figures, and the number of the first trace whose result was not taken. Not kept: findings,
which lie in the campaign's folder; one that is gone from there is found again.
"""

import json
from collections import Counter
from pathlib import Path

from watosfs_fuzz.findings import read_finding, write_whole
from watosfs_fuzz.tally import Settings, Tally

STATE = "state.json"
VERSION = 1
_COUNTS = ("traces", "operations", "repeated")
_EXPLORED = (
    "windows", "images", "recoveries", "recalled", "outcomes_reused", "images_left_out",
)  # fmt: skip


class Resumption:
    """The state of a campaign in a folder of its corpus."""

    def __init__(self, folder: Path, settings: Settings, out: Path) -> None:
        self.path = folder / STATE
        self.settings = settings
        self.out = out

    def write(self, total: Tally, following: int) -> None:
        """Keep figures and the number of the next trace."""
        state = {
            "version": VERSION,
            "seed": self.settings.seed,
            "following": following,
            "seconds": total.seconds,
            **{name: getattr(total, name) for name in _COUNTS},
            # Text: these outgrow what other readers of JSON keep exactly.
            "explored": {name: str(getattr(total.exploration, name)) for name in _EXPLORED},
            "features": dict(total.features),
            "findings": [finding.identity for finding in total.findings],
        }
        write_whole(self.path, json.dumps(state, indent=1, sort_keys=True) + "\n")

    def read(self) -> tuple[Tally, int]:
        """(the figures so far, the number of the next trace). Nothing was done when there is no
        such file. Raises ValueError when it is another campaign's, or none.
        """
        if not self.path.exists():
            return Tally(), 0
        try:
            state = json.loads(self.path.read_text(encoding="ascii"))
            if state["version"] != VERSION:
                raise ValueError(f"version {state['version']}, not {VERSION}")
            if state["seed"] != self.settings.seed:
                raise ValueError(f"of seed {state['seed']}, not {self.settings.seed}")
            total = Tally(features=Counter(state["features"]), seconds=float(state["seconds"]))
            for name in _COUNTS:
                setattr(total, name, int(state[name]))
            for name in _EXPLORED:
                setattr(total.exploration, name, int(state["explored"][name]))
            following = int(state["following"])
            paths = [self.out / f"{identity}.trace" for identity in state["findings"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path}: nothing to resume: {error}") from None
        total.findings = [read_finding(path) for path in paths if path.exists()]
        return total, following
