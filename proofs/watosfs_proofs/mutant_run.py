"""Runs the obligations on mutants: which are refuted, and which survive.

No concrete check is made before: a mutant counts as killed only when a proof fails on it.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from types import FrameType, ModuleType

from watosfs_proofs.catalogue import Cluster
from watosfs_proofs.executor import Limits, explore
from watosfs_proofs.fingerprints import digest, of_cluster, of_proofs
from watosfs_proofs.kept import Kept
from watosfs_proofs.mutants import Mutant, functions, mutants_of, source_of, watched
from watosfs_proofs.obligation import VACUOUS, Obligation, conclude
from watosfs_proofs.verdicts import HarnessError, Refuted, Unknown, Unsupported

#: ``killed``: refuted, or vacuous. ``stopped``: not refuted, but the proof does not go through.
KILLED, STOPPED, SURVIVED = "killed", "stopped", "survived"
#: Seconds for one obligation on a mutant, and for all of them.
LIMITS = Limits(seconds=30.0, query_seconds=10.0)
MUTANT_SECONDS = 20.0


class DoesNotEnd(BaseException):
    """A mutant runs for longer than MUTANT_SECONDS."""


@dataclass(frozen=True)
class Judgement:
    """What became of a mutant, by which obligation, for which goal."""

    status: str
    by: str = ""
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Exercise:
    """One obligation: the functions of the proved modules that it runs, and its seconds."""

    obligation: str
    functions: frozenset[str]
    seconds: float


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raises DoesNotEnd in the main thread after so many seconds."""

    def ring(_: int, __: FrameType | None) -> None:
        raise DoesNotEnd

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def exercises(cluster: Cluster) -> list[Exercise]:
    """Runs every obligation on a copy of production's modules whose functions report each call."""
    seen: set[str] = set()
    found = []
    for obligation in cluster.make(*(watched(module, seen) for module in cluster.modules)):
        seen.clear()
        start = time.perf_counter()
        explore(obligation.run)
        found.append(Exercise(obligation.name, frozenset(seen), time.perf_counter() - start))
    return found


def exercises_of(cluster: Cluster, kept: Kept) -> list[Exercise]:
    """The same, kept as long as neither the proof nor the code changes."""
    name, key = f"exercises of {cluster.name}", of_cluster(cluster)
    known = kept.get(name, key)
    if known is None:
        rows = [[e.obligation, sorted(e.functions), e.seconds] for e in exercises(cluster)]
        kept.put(name, key, {"rows": rows})
        known = kept.entries[name]
    return [Exercise(o, frozenset(called), seconds) for o, called, seconds in known["rows"]]


def proved_functions(cluster: Cluster, exercises: list[Exercise]) -> list[tuple[ModuleType, str]]:
    """The functions of the cluster's modules that some obligation runs."""
    run = {name for each in exercises for name in each.functions}
    return [
        (module, function)
        for module in cluster.modules
        for function in functions(module)
        if f"{module.__name__}:{function}" in run
    ]


def order_for(name: str, exercises: list[Exercise]) -> list[str]:
    """The obligations that run the function: those named for it first, then the quick ones."""
    short = name.rpartition(".")[2]

    def rank(each: Exercise) -> tuple[bool, int, float]:
        return short not in each.obligation, len(each.functions), each.seconds

    return [each.obligation for each in sorted(exercises, key=rank) if name in each.functions]


def fingerprint(cluster: Cluster, name: str, exercises: list[Exercise]) -> str:
    """What the verdicts on a function's mutants depend on: the proof, and the source of all
    functions that the same obligations run.
    """
    together = {other for each in exercises if name in each.functions for other in each.functions}
    sources = []
    for module in cluster.modules:
        for function in functions(module):
            if f"{module.__name__}:{function}" in together:
                sources += [function, source_of(module, function)]
    return digest([of_proofs(cluster), *order_names(name, exercises), *sources])


def order_names(name: str, exercises: list[Exercise]) -> list[str]:
    """The obligations that run the function, sorted by name."""
    return sorted(order_for(name, exercises))


def judge(cluster: Cluster, mutant: Mutant, order: list[str]) -> Judgement:
    """The first obligation that fails on the mutant; all of them when none is refuted."""
    start = time.perf_counter()
    try:
        with alarm(MUTANT_SECONDS):
            found = _judge(cluster, mutant, order)
    except DoesNotEnd:
        found = Judgement(STOPPED, reason=f"runs for more than {MUTANT_SECONDS:g} s")
    return Judgement(found.status, found.by, found.reason, time.perf_counter() - start)


def _judge(cluster: Cluster, mutant: Mutant, order: list[str]) -> Judgement:
    variant = mutant.build()
    modules = [variant if module is mutant.module else module for module in cluster.modules]
    obligations = {obligation.name: obligation for obligation in cluster.make(*modules)}
    stopped = None
    for name in order:
        found = _failure(obligations[name])
        if found is not None and found.status == KILLED:
            return found
        stopped = stopped or found
    return stopped or Judgement(SURVIVED)


def _failure(obligation: Obligation) -> Judgement | None:
    """How the obligation fails; None when it is proved."""
    try:
        result = conclude(obligation, explore(obligation.run, LIMITS), LIMITS)
    except Refuted as refuted:
        return Judgement(KILLED, obligation.name, refuted.refutation.goal)
    except (Unknown, Unsupported, HarnessError) as failure:
        return Judgement(STOPPED, obligation.name, f"{type(failure).__name__}: {failure}")
    if result.verdict == VACUOUS:
        return Judgement(KILLED, obligation.name, f"vacuous: {result.reason}")
    return None


def judge_function(
    cluster: Cluster, module: ModuleType, function: str, exercises: list[Exercise], kept: Kept
) -> Iterator[tuple[Mutant, Judgement]]:
    """Every mutant of a function; what is kept is not run again, and what is run is kept."""
    name = f"{module.__name__}:{function}"
    key, order = fingerprint(cluster, name, exercises), order_for(name, exercises)
    for mutant in mutants_of(module, function):
        known = kept.get(mutant.identity, key)
        if known is None:
            judgement = judge(cluster, mutant, order)
            if judgement.status == KILLED:  # what refuted one refutes its neighbours
                order.sort(key=lambda name, by=judgement.by: name != by)  # type: ignore[misc]
            kept.put(mutant.identity, key, asdict(judgement))
            known = kept.entries[mutant.identity]
        yield mutant, Judgement(**{field.name: known[field.name] for field in fields(Judgement)})
