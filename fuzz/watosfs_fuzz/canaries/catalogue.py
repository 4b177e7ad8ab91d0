"""All canaries by name, and the context in which one is in force."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from watosfs_fuzz.bench import faults_fat, faults_recovery, faults_wfs3
from watosfs_fuzz.bench.planting import PLANTED
from watosfs_fuzz.canaries import cache, fat, kernels, wfs2, wfs3, wfs3_snapshots
from watosfs_fuzz.canaries.deep import DEEP_CANARIES
from watosfs_fuzz.canaries.registry import CANARIES, Canary

assert cache, "importing it registers its canaries"
assert fat, "importing it registers its canaries"
assert faults_fat, "importing it registers faults of the benchmark"
assert faults_recovery, "importing it registers faults of the benchmark"
assert faults_wfs3, "importing it registers faults of the benchmark"
assert kernels, "importing it registers its canaries"
assert wfs2, "importing it registers its canaries"
assert wfs3, "importing it registers its canaries"
assert wfs3_snapshots, "importing it registers its canaries"


def canaries() -> list[Canary]:
    """Those that a short campaign meets, by name."""
    return [CANARIES[name] for name in sorted(CANARIES)]


def deep_canaries() -> list[Canary]:
    """Those that want a search, by name."""
    return [DEEP_CANARIES[name] for name in sorted(DEEP_CANARIES)]


def require_canary(name: str) -> Canary:
    """The canary of this name. Raises ValueError when there is none."""
    found = CANARIES.get(name) or DEEP_CANARIES.get(name) or PLANTED.get(name)
    if found is None:
        raise ValueError(f"no canary {name!r}; `watosfs-fuzz canaries` lists them")
    return found


@contextmanager
def applied(name: str | None) -> Iterator[None]:
    """The canary in force (none for None). Raises ValueError for an unknown name."""
    with nullcontext() if name is None else require_canary(name).plant():
        yield
