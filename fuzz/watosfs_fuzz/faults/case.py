"""One case of a fault campaign: everything that decides it, to run, keep and replay."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random

from watosfs_fuzz.faults.device import FaultPlan
from watosfs_fuzz.faults.profiles import PROFILES
from watosfs_fuzz.faults.run import FaultReport, FaultRun, tree_of
from watosfs_fuzz.faults.target import FaultyWfs3Target
from watosfs_fuzz.generate import Generator
from watosfs_fuzz.lockstep import PID
from watosfs_fuzz.seeds import random_of
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.wfs3 import Wfs3Target
from watosfs_model import step
from watosfs_model.operations import Crash, Operation, Remount
from watosfs_model.trace import Trace, format_trace, parse_trace

OPERATIONS_MAX = 60
#: Small nodes make high trees, and high trees many reads.
GEOMETRIES = (Geometry(256), Geometry(768, 4))
_LEVEL = "faults"


@dataclass(frozen=True, slots=True)
class FaultCase:
    """``rot``: (seed, bytes) of what is changed at rest in the end, or None."""

    profile: str
    operations: tuple[Operation, ...]
    plan: FaultPlan
    geometry: Geometry
    rot: tuple[int, int] | None = None

    def run(self) -> FaultReport:
        """Run and judge it."""
        run = FaultRun(FaultyWfs3Target(self.geometry, self.plan))
        report = run.run(self.operations)
        if self.rot is None or report.failure is not None:
            return report
        return rotten(run, *self.rot)


def rotten(run: FaultRun, seed: int, size_bytes: int) -> FaultReport:
    """A trace that ended well, unmounted, and damaged at rest."""
    target, report = run.target, run.report
    if run.system.begun is None:
        run.system = step(run.system, PID, Remount())[1]
        target.volume.unmount()
        block = target.rot(Random(seed), size_bytes)
        report.struck += 1
        run.judge_damage([run.system])
        if block < 2 and report.failure is None:
            run.judge_tree("damage", "superblock", found_on(run), [run.system])
    return report


def found_on(run: FaultRun) -> dict[bytes, tuple[object, ...]]:
    """One copy of the superblock is damaged: everything must be there."""
    return tree_of(run.target.healthy_volume())


def case_of(profile_name: str, seed: int, number: int) -> FaultCase:
    """Trace ``number`` of a seed under a profile."""
    profile = PROFILES[profile_name]
    random = random_of(seed, number, f"fault {profile_name}")
    geometry = GEOMETRIES[number % len(GEOMETRIES)]
    dialect = Wfs3Target(geometry).dialect
    length = random.randrange(8, OPERATIONS_MAX)
    source = Generator(seed, number, dialect=dialect, length=length)
    operations = tuple(op for op in source if not isinstance(op, Crash))
    # What was cached is read again after a mount.
    if random.random() < 0.7:
        at = random.randrange(len(operations) + 1)
        operations = (*operations[:at], Remount(), *operations[at:])
    rot = (random.randrange(1 << 32), random.choice(profile.rots)) if profile.rots else None
    return FaultCase(profile_name, operations, profile.plan(random), geometry, rot)


def text_of(case: FaultCase, failure: str, **header: str) -> str:
    """The case as a trace that replays."""
    keys = {
        "level": _LEVEL,
        "profile": case.profile,
        "plan": json.dumps(asdict(case.plan)),
        "geometry": json.dumps(asdict(case.geometry)),
        **({"rot": json.dumps(case.rot)} if case.rot else {}),
        **{key: value for key, value in header.items() if value},
    }
    lines = "".join(f"# {line}\n" for line in failure.splitlines())
    return format_trace(Trace.of(case.operations, **keys)) + lines


def parse_case(text: str) -> tuple[FaultCase, str]:
    """The case in a file, and the canary that it names. Raises ValueError."""
    trace = parse_trace(text)
    if trace.header_value("level") != _LEVEL:
        raise ValueError("not a trace of a fault campaign")

    def value(key: str) -> dict[str, object]:
        found = trace.header_value(key)
        if found is None:
            raise ValueError(f"the header lacks {key}")
        parsed: dict[str, object] = json.loads(found)
        return parsed

    rot = trace.header_value("rot")
    profile = trace.header_value("profile") or ""
    if profile not in PROFILES:
        raise ValueError(f"no fault profile {profile!r}")
    case = FaultCase(
        profile,
        trace.operations,
        FaultPlan(**value("plan")),  # type: ignore[arg-type]
        Geometry(**value("geometry")),  # type: ignore[arg-type]
        tuple(json.loads(rot)) if rot else None,
    )
    return case, trace.header_value("canary") or ""


def with_operations(case: FaultCase, operations: Sequence[Operation]) -> FaultCase:
    """The same faults over other operations."""
    return FaultCase(case.profile, tuple(operations), case.plan, case.geometry, case.rot)
