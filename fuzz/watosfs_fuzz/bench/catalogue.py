"""The faults of docs/FAULTS.md that are planted: identity, the canary that plants it, the mode.

Faults that were canaries before keep their canary's name; the others lie in ``faults_wfs3``,
``faults_recovery`` and ``faults_fat``.
"""

from dataclasses import dataclass, replace

from watosfs_fuzz.bench import faults_fat, faults_recovery, faults_wfs3
from watosfs_fuzz.bench.planting import PLANTED
from watosfs_fuzz.canaries.catalogue import require_canary

assert faults_fat, "importing it registers its faults"
assert faults_recovery, "importing it registers its faults"
assert faults_wfs3, "importing it registers its faults"

CAMPAIGN, KERNEL, FAILING, PARSER = "campaign", "kernel", "faults", "parser"
#: The parts of a campaign by themselves: the model alone, crashes too, and crashes of recovery.
LOCKSTEP, CRASH, NESTED, PROOF = "lockstep", "crash", "nested", "proof"
#: Those that judge a mounted volume.
OF_VOLUMES = (CAMPAIGN, LOCKSTEP, CRASH, NESTED)
MODES = (*OF_VOLUMES, KERNEL, FAILING, PARSER, PROOF)
#: The name under which the unmodified code is measured, and the targets of its campaigns.
UNMODIFIED = "none"
TARGETS = ("wfs3", "fat12", "fat32")
#: Fault of the list -> (the canary that plants it, the mode that must notice it).
_CANARIES = {
    "SB2": ("second-flush-missing", CAMPAIGN),
    "SB3": ("no-flush-before-superblock", CAMPAIGN),
    "BT5": ("modified-in-place", CAMPAIGN),
    "BT6": ("snapshot-shared-in-place", CAMPAIGN),
    "BT11": ("readdir-skips", KERNEL),
    "AL1": ("pending-reused-early", CAMPAIGN),
    "AL8": ("free-count-drifts", CAMPAIGN),
    "RC1": ("snapshot-leak", CAMPAIGN),
    "RC3": ("snapshot-in-transaction", CAMPAIGN),
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
#: Planted faults that a campaign is not the first to notice -> (mode, parser harness).
_ELSEWHERE = {
    "FA7B": (PARSER, "fat-image"),
    "FA8": (PARSER, "fat-image"),
    "PA2": (PARSER, "wfs3-image"),
    "PA5": (PARSER, "wfs3-image"),
    "PA6": (PARSER, "wfs3-node-inode"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted fault: its row in docs/FAULTS.md, what plants it, where it must be noticed;
    ``harness`` is the parser harness that may notice it.
    """

    identity: str
    canary: str
    mode: str
    harness: str = ""

    @property
    def is_planted(self) -> bool:
        """Whether there is anything to find; ``canary`` is the target of a campaign otherwise."""
        return not self.identity.startswith(UNMODIFIED)

    def by(self, mode: str) -> "Fault":
        """The same fault, to be noticed by another mode."""
        return replace(self, mode=mode)


def faults() -> list[Fault]:
    """All planted faults, by identity."""
    found = [
        Fault(identity, *row, "fat-image" if identity.startswith("FA") else "wfs3-image")
        for identity, row in _CANARIES.items()
    ]
    for identity in PLANTED:
        image = "wfs3-image" if PLANTED[identity].target == "wfs3" else "fat-image"
        found.append(Fault(identity, identity, *_ELSEWHERE.get(identity, (CAMPAIGN, image))))
    return sorted(found, key=lambda fault: fault.identity)


def sound() -> list[Fault]:
    """The unmodified code in every mode that faults are measured in: false positives."""
    found = [Fault(f"{UNMODIFIED}-{target}", target, CAMPAIGN) for target in TARGETS]
    found += [Fault(UNMODIFIED, "", mode) for mode in (KERNEL, FAILING)]
    for harness in sorted({fault.harness for fault in faults() if fault.mode == PARSER}):
        found.append(Fault(f"{UNMODIFIED}-{harness}", "", PARSER, harness))
    return found


def require_fault(identity: str) -> Fault:
    """The fault of this identity. Raises ValueError when there is none."""
    for fault in faults():
        if fault.identity == identity:
            return fault
    raise ValueError(f"no planted fault {identity!r}; docs/FAULTS.md lists them")


def modes_of(fault: Fault) -> list[str]:
    """The modes that run the code which a fault breaks, that of the list first."""
    if fault.mode == KERNEL:
        return [KERNEL]
    found = [fault.mode]
    if fault.mode == FAILING or require_canary(fault.canary).target == "wfs3":
        found += [FAILING]
    if fault.mode != FAILING:
        found += [*OF_VOLUMES, PARSER]
    return list(dict.fromkeys(found))
