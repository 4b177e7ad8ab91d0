"""The oracles over crashes, by name."""

from collections.abc import Iterable

#: Each with what it says; the clauses are those of ``docs/CRASH_MODEL.md``.
ORACLES = {
    "recovery": "The mount after a crash succeeds, and everything can be read (10).",
    "state": "What is found is one of the permitted states as a whole: old or new for a commit,"
    " a prefix of the operations otherwise (10).",
    "durability": "A file that every permitted state has alike, as it was synced and not changed"
    " since, is there with its bytes. Weaker than `state`; all that weak volumes promise.",
    "outcomes": "Between two acknowledgements no more different states are found than there were"
    " operations to make them. Weaker than `state`: it does not look into them.",
    "generation": "The generation found is not older than the last one acknowledged (10).",
    "check": "The independent checker finds nothing in what was recovered (10, 11).",
    "progress": "The recovered volume can be written to, committed and read back (32).",
    "leak": "After everything is removed and committed, as much is free as on a fresh volume (33).",
    "read-only": "A read-only mount of the crash image writes nothing, and shows the same (34).",
    "epoch": "No write touches what the durable root reaches, and the superblock is alone in its"
    " epoch. Needs no crash: it looks at the log.",
}


def without(names: Iterable[str]) -> frozenset[str]:
    """The oracles that are off. Raises ValueError for a name that is none."""
    off = frozenset(names)
    for name in sorted(off - ORACLES.keys()):
        raise ValueError(f"no oracle {name!r}; there are: {', '.join(ORACLES)}")
    return off
