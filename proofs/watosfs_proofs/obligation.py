"""An obligation: what is claimed of which code, and how it is settled.

Each is settled in three parts. It *holds*: every goal on every path. It *survives a crash*: for
obligations about code that writes to a medium (None for pure bookkeeping, which has none). Its
precondition is *satisfiable*: every outcome it names is reached by a path whose decoded concrete
values give that same outcome on the real code, so that no proof is vacuous.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from watosfs_proofs.executor import Exploration, Limits, Path, explore
from watosfs_proofs.verdicts import Case, HarnessError, Refutation, Refuted, Unknown, Unsupported

PROVED, REFUTED, UNKNOWN, VACUOUS = "proved", "refuted", "unknown", "vacuous"


@dataclass(frozen=True)
class Replay:
    """What the real code did with concrete values; ``problem`` says what is wrong with it."""

    outcome: str
    problem: str | None = None


@dataclass(frozen=True)
class Obligation:
    """``run`` explores one path and names its outcome; ``replay`` runs a case on the real code.

    ``run_small``, where the cases of ``run`` are not whole states: the same for volumes of a few
    blocks, used for witnesses and counterexamples only. ``cases``: small concrete cases, for a
    counterexample of ``run`` that the real code does not go wrong on at once.
    """

    name: str
    statement: str
    bound: str
    run: Callable[[Path], str]
    outcomes: tuple[str, ...]
    replay: Callable[[Case], Replay] | None = None
    run_small: Callable[[Path], str] | None = None
    crosses_crash: bool = False
    cases: Callable[[], Iterator[Case]] | None = None


@dataclass
class Result:
    """The verdict on one obligation; ``is_kept`` when it is an earlier run's."""

    obligation: Obligation
    verdict: str
    seconds: float
    exploration: Exploration = field(default_factory=Exploration)
    satisfiable: bool = False
    refutation: Refutation | None = None
    replayed: Replay | None = None
    reason: str = ""
    is_kept: bool = False


def settle(obligation: Obligation, limits: Limits | None = None) -> Result:
    """Explore, then check the witnesses. Unsupported constructs and time-outs are ``unknown``."""
    start = time.perf_counter()
    try:
        exploration = explore(obligation.run, limits)
    except Refuted as refuted:
        refutation, replayed = _concrete(obligation, refuted.refutation, limits)
        return Result(
            obligation,
            REFUTED,
            time.perf_counter() - start,
            refutation=refutation,
            replayed=replayed,
            reason=refuted.refutation.goal,
        )
    except (Unknown, Unsupported) as undecided:
        return Result(obligation, UNKNOWN, time.perf_counter() - start, reason=str(undecided))
    result = conclude(obligation, exploration, limits)
    result.seconds = time.perf_counter() - start
    return result


def conclude(obligation: Obligation, exploration: Exploration, limits: Limits | None) -> Result:
    """The verdict on what no path refutes: proved, unless its witnesses are missing or wrong."""
    start = time.perf_counter()
    if obligation.run_small is not None:
        try:
            exploration.witnesses = explore(obligation.run_small, limits).witnesses
        except (Refuted, Unknown, Unsupported) as failure:
            # What holds of any volume holds of a small one: the proof is at fault.
            raise HarnessError(f"{obligation.name} on a small volume: {failure}") from failure
    missing = _unwitnessed(obligation, exploration)
    return Result(
        obligation,
        VACUOUS if missing else PROVED,
        time.perf_counter() - start,
        exploration,
        satisfiable=not missing,
        reason=missing,
    )


def _concrete(
    obligation: Obligation, refutation: Refutation, limits: Limits | None
) -> tuple[Refutation, Replay | None]:
    """The counterexample on which the real code goes wrong: Z3's, or the smallest there is."""
    refutation = _smaller(obligation, limits) or refutation
    replayed = obligation.replay(refutation.case) if obligation.replay else None
    if replayed is not None and replayed.problem is not None:
        return refutation, replayed
    return _smallest_case(obligation) or (refutation, replayed)


def _smallest_case(obligation: Obligation) -> tuple[Refutation, Replay] | None:
    """The first of the small cases that goes wrong on the real code, and what goes wrong."""
    if obligation.cases is None or obligation.replay is None:
        return None
    for case in obligation.cases():
        replayed = obligation.replay(case)
        if replayed.problem is not None:
            return Refutation("goes wrong on a small state", case), replayed
    return None


def _smaller(obligation: Obligation, limits: Limits | None) -> Refutation | None:
    """The same refutation as a whole small state, if there is one."""
    if obligation.run_small is None:
        return None
    try:
        explore(obligation.run_small, limits)
    except Refuted as refuted:
        return refuted.refutation
    except (Unknown, Unsupported):
        return None
    return None


def _unwitnessed(obligation: Obligation, exploration: Exploration) -> str:
    """Why the obligation may be vacuous; empty when it is not."""
    unexpected = set(exploration.witnesses) - set(obligation.outcomes)
    if unexpected:
        return f"ends {', '.join(sorted(unexpected))}, which it does not name"
    for outcome in obligation.outcomes:
        case = exploration.witnesses.get(outcome)
        if case is None:
            return f"no path ends {outcome!r}"
        if obligation.replay is not None:
            replayed = obligation.replay(case)
            if replayed.outcome != outcome or replayed.problem:
                return f"{case} ends {replayed.outcome!r} ({replayed.problem}), not {outcome!r}"
    return ""
