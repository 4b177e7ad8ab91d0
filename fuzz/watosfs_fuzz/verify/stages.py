"""The stages of the gate: what must be done once, and what fills the rest of the budget."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watosfs_fuzz.exhaust import changes, persisted
from watosfs_fuzz.faults.profiles import PROFILES
from watosfs_fuzz.parsers.catalogue import harnesses
from watosfs_fuzz.verify.work import WORKLOADS

#: How much more often a stage runs when the code that it tries has changed.
CHANGED_WEIGHT = 6.0


@dataclass(frozen=True, slots=True)
class Stage:
    """``pieces``: so many slices and it is done; None for as long as there is time. ``code``: path
    prefixes of what it tries. ``weight``: its share of the rest of the budget.
    """

    name: str
    about: str
    code: tuple[str, ...]
    pieces: int | None = None
    weight: float = 1.0


_WFS3 = ("impl/watosfs/wfs3", "impl/watosfs/block", "model/watosfs_model/")
_KERNEL = ("impl/watosfs/kernel", "impl/watosfs/vfs", "model/watosfs_model/kernel")
_FAT = ("impl/watosfs/fat", "impl/watosfs/block", "model/watosfs_model/")
_WFS2 = ("impl/watosfs/wfs2", "impl/watosfs/block", "model/watosfs_model/")
#: What the parsers of a harness are, by the first word of its name.
_PARSED = {
    "wfs3": "impl/watosfs/wfs3",
    "wfs2": "impl/watosfs/wfs2",
    "fat": "impl/watosfs/fat",
    "partition": "impl/watosfs/block",
    "trace": "model/watosfs_model/trace",
    "exec": "fuzz/watosfs_fuzz/program",
    "syscall": "impl/watosfs/kernel",
}


def stages() -> list[Stage]:
    """All of them; first what must be done, in this order."""
    slices_of_exhaust = -(-sum(len(persisted(change)) for change in changes()) // WORKLOADS)
    required = [
        Stage("regressions", "every kept trace", ("",), 1),
        Stage("exhaust", "all workloads of one change, nested crashes", _WFS3, slices_of_exhaust),
        Stage("proofs", "what has changed is proved again", ("proofs", *_WFS3, *_KERNEL, *_FAT), 1),
        Stage("interleave", "all schedules of 2 processes, 2 calls", _KERNEL, 1),
    ]
    required += [
        Stage(f"corpora:{h.name}", "kept inputs", (parsed_by(h.name),), 1) for h in harnesses()
    ]
    rest = [
        Stage("campaign:wfs3", "traces with all their crashes", _WFS3, weight=8),
        Stage("campaign:wfs2", "traces with all their crashes", _WFS2, weight=2),
        *(Stage(f"campaign:{fat}", "traces", _FAT) for fat in ("fat12", "fat16", "fat32")),
        Stage("kernel", "several processes", _KERNEL, weight=4),
    ]
    rest += [
        Stage(f"faults:{name}", "devices that fail", _WFS3, weight=3 / len(PROFILES))
        for name in PROFILES
    ]
    rest += [
        Stage(f"parsers:{h.name}", "hostile bytes", (parsed_by(h.name),), weight=0.2)
        for h in harnesses()
    ]
    return [*required, *rest]


def parsed_by(harness: str) -> str:
    """The code that a harness tries."""
    return _PARSED.get(harness.partition("-")[0], "impl/watosfs")


def weight(stage: Stage, changed: Sequence[str] | None) -> float:
    """A stage's share when these files have changed (None: not known)."""
    if not changed or not any(path.startswith(stage.code) for path in changed):
        return stage.weight
    return stage.weight * CHANGED_WEIGHT


def endless(found: Sequence[Stage], changed: Sequence[str] | None) -> Iterator[tuple[Stage, int]]:
    """(stage, number) of the slices that fill the budget, for ever: each stage as often as its
    weight says, in an order that depends on nothing else.
    """
    waiting = [stage for stage in found if stage.pieces is None]
    counts = dict.fromkeys((stage.name for stage in waiting), 0)
    while waiting:
        stage = min(waiting, key=lambda s: ((counts[s.name] + 1) / weight(s, changed), s.name))
        yield stage, counts[stage.name]
        counts[stage.name] += 1
