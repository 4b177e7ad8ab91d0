"""Swarm configurations: for some traces in a row, only some operations, sizes and kinds of trouble.

A uniform mixture hides what needs one kind of operation to be missing for long, or one volume size
to be met again and again while the corpus grows. Each epoch of 64 traces has one configuration,
drawn from the campaign's seed and the epoch's number; every third, about, leaves nothing out.
"""

from dataclasses import dataclass, replace

from watosfs_fuzz import parameters as p
from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.plan import Plan
from watosfs_fuzz.seeds import random_of

EPOCH_TRACES = 64
EVERYTHING_SHARE = 1 / 3
LEFT_OUT_SHARE = 0.25
#: What is left out together, or stays together.
GROUPS = {
    "transactions": ("begin", "commit", "abort"),
    "links": ("link", "symlink", "readlink"),
    "attributes": ("setxattr", "getxattr", "listxattr", "removexattr"),
    "metadata": ("chmod", "chown", "utimens"),
    "compression": ("compress",),
    "renames": ("rename",),
    "removal": ("unlink", "rmdir"),
    "sizes": ("truncate", "ftruncate"),
    "durability": ("fsync", "fdatasync", "sync"),
    "restarts": ("remount", "crash"),
    "looking": ("pread", "readdir", "stat", "lstat", "fstat", "statfs"),
}
VOLUMES = (p.VOLUME_BLOCKS, p.VOLUME_BLOCKS, (256,), (512, 1024))
LENGTH_FACTORS = (0.5, 1, 1, 2)
ERROR_FACTORS = (0, 1, 1, 3)
CRASH_FACTORS = (0.3, 1, 1, 4)


@dataclass(frozen=True, slots=True)
class Swarm:
    """One configuration; factors multiply what a trace's own plan says."""

    left_out: tuple[str, ...] = ()
    volume_blocks: tuple[int, ...] = p.VOLUME_BLOCKS
    length: float = 1
    errors: float = 1
    crashes: float = 1

    def dialect(self, dialect: Dialect) -> Dialect:
        """What of a target's operations is drawn."""
        names = {name for group in self.left_out for name in GROUPS[group]}
        kept = frozenset(kind for kind in dialect.operations if kind.name() not in names)
        return replace(dialect, operations=kept) if names else dialect

    def plan(self, plan: Plan) -> Plan:
        """A trace's plan under this configuration."""
        blocks = plan.volume_blocks
        restarts = GROUPS["restarts"]
        return replace(
            plan,
            volume_blocks=blocks if blocks in self.volume_blocks else self.volume_blocks[0],
            length=max(1, round(plan.length * self.length)),
            error_share=plan.error_share * self.errors,
            weights=tuple(
                (name, weight * self.crashes if name in restarts else weight)
                for name, weight in plan.weights
            ),
        )

    def __str__(self) -> str:
        if self == Swarm():
            return "everything"
        blocks = sorted(set(self.volume_blocks))
        return (
            (f"without {', '.join(self.left_out)}; " if self.left_out else "")
            + f"blocks {', '.join(map(str, blocks))}; length x{self.length:g}; "
            + f"errors x{self.errors:g}; crashes x{self.crashes:g}"
        )


def swarm_of(seed: int, trace_number: int) -> Swarm:
    """The configuration of the epoch that a trace belongs to."""
    rng = random_of(seed, trace_number // EPOCH_TRACES, "swarm")
    if rng.random() < EVERYTHING_SHARE:
        return Swarm()
    return Swarm(
        left_out=tuple(name for name in GROUPS if rng.random() < LEFT_OUT_SHARE),
        volume_blocks=rng.choice(VOLUMES),
        length=rng.choice(LENGTH_FACTORS),
        errors=rng.choice(ERROR_FACTORS),
        crashes=rng.choice(CRASH_FACTORS),
    )
