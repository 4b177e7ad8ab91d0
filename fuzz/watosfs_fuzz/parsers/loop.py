"""Our own generator loop: mutants of what is kept, and what has a new verdict is kept too.

Deterministic: a seed and a number of executions are the whole run. It needs nothing but Python,
and has no branch feedback.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from watosfs_fuzz.parsers.harness import Failure, Harness, execute
from watosfs_fuzz.seeds import random_of

#: Inputs kept at most, and the share of executions that cross two of them.
_KEPT_MAX: Final = 3000
_CROSSED: Final = 0.15
#: The share of mutants that are of what a run began with: one edit alone in a sound input says
#: what two edits do not.
_OF_THE_FIRST: Final = 0.2
_FAILURES_MAX: Final = 20
_CLOCK_EVERY: Final = 16


@dataclass(slots=True)
class Tally:
    """What a run did. ``kept`` are the inputs with a verdict of their own, first ones first."""

    harness: str
    executions: int = 0
    seconds: float = 0.0
    verdicts: set[str] = field(default_factory=set)
    kept: list[bytes] = field(default_factory=list)
    failures: dict[tuple[str, str, str], Failure] = field(default_factory=dict)
    repeated: int = 0

    def take(self, data: bytes, result: str | Failure) -> bool:
        """Count an execution; whether its failure is new."""
        self.executions += 1
        if isinstance(result, Failure):
            is_new = result.key not in self.failures
            self.repeated += not is_new
            self.failures.setdefault(result.key, result)
            return is_new
        if result not in self.verdicts and len(self.kept) < _KEPT_MAX:
            self.verdicts.add(result)
            self.kept.append(data)
        return False


def replay(harness: Harness, inputs: Iterable[bytes]) -> Tally:
    """Every input once."""
    tally = Tally(harness.name)
    for data in inputs:
        tally.take(data, execute(harness, data))
    return tally


def run(
    harness: Harness,
    corpus: Sequence[bytes],
    *,
    seed: int = 0,
    seconds: float | None = None,
    executions: int | None = None,
    stop_at_failure: bool = False,
    found: Callable[[Failure], object] = lambda failure: None,
) -> Tally:
    """Seeds, corpus, then mutants until the budget (of time, or of executions) ends."""
    started = time.monotonic()
    tally = Tally(harness.name)
    random = random_of(seed, 0, f"parsers {harness.name}")
    first = [*harness.seeds(), *corpus]
    pool = tally.kept
    number = 0
    while executions is None or tally.executions < executions:
        if number < len(first):
            data = first[number]
        elif pool and random.random() < _CROSSED:
            data = harness.cross(random.choice(pool), random.choice(pool), random)
        else:
            parents = first if first and random.random() < _OF_THE_FIRST else pool
            data = harness.mutate(random.choice(parents) if parents else b"", random)
        number += 1
        result = execute(harness, data)
        if tally.take(data, result):
            assert isinstance(result, Failure)
            found(result)
            if stop_at_failure or len(tally.failures) >= _FAILURES_MAX:
                break
        if seconds is not None and not number % _CLOCK_EVERY:
            tally.seconds = time.monotonic() - started
            if tally.seconds >= seconds:
                break
    tally.seconds = time.monotonic() - started
    return tally
