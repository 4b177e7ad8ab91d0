"""The faults of docs/FAULTS.md that are planted: identity, the canary that plants it, the mode.

Faults that were canaries before keep their canary's name; the others lie in ``faults_wfs3``.
"""

from dataclasses import dataclass

from watosfs_fuzz.bench import faults_wfs3
from watosfs_fuzz.bench.planting import PLANTED

assert faults_wfs3, "importing it registers its faults"

CAMPAIGN, KERNEL, FAILING = "campaign", "kernel", "faults"
#: Fault of the list -> (the canary that plants it, the mode that must notice it).
_CANARIES = {
    "SB2": ("second-flush-missing", CAMPAIGN),
    "SB3": ("no-flush-before-superblock", CAMPAIGN),
    "BT5": ("modified-in-place", CAMPAIGN),
    "BT11": ("readdir-skips", KERNEL),
    "AL1": ("pending-reused-early", CAMPAIGN),
    "AL8": ("free-count-drifts", CAMPAIGN),
    "RN5": ("rename-onto-itself-deletes", CAMPAIGN),
    "UL2": ("orphan-not-reclaimed", CAMPAIGN),
    "FD3": ("truncate-shows-old-bytes", CAMPAIGN),
    "FT2": ("dup-copies-cloexec", KERNEL),
    "FT3": ("fd-not-lowest", KERNEL),
    "FT4": ("dup2-onto-itself-closes", KERNEL),
    "FT8": ("fork-copies-offset", KERNEL),
    "FT10": ("truncate-before-checks", KERNEL),
    "CA5": ("failed-write-clean", FAILING),
    "CO1": ("append-by-offset", KERNEL),
    "FA1": ("fat-chain-kept", CAMPAIGN),
    "FA2": ("fat-freed-at-once", CAMPAIGN),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted fault: its row in docs/FAULTS.md, what plants it, where it must be noticed."""

    identity: str
    canary: str
    mode: str


def faults() -> list[Fault]:
    """All planted faults, by identity."""
    found = [Fault(identity, *row) for identity, row in _CANARIES.items()]
    found += [Fault(identity, identity, CAMPAIGN) for identity in PLANTED]
    return sorted(found, key=lambda fault: fault.identity)


def require_fault(identity: str) -> Fault:
    """The fault of this identity. Raises ValueError when there is none."""
    for fault in faults():
        if fault.identity == identity:
            return fault
    raise ValueError(f"no planted fault {identity!r}; docs/FAULTS.md lists them")
