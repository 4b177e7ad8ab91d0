"""The missing barrier, found by experiment: which one rule of order would have saved the crash.

A rule is imposed on the epoch of the crash and all legal images that are left are explored:

- *a flush after write k*: the same log with a flush put there;
- *write i before write j*: any image in which nothing of j persisted (the log without j), or i
  persisted in full (i with FUA, j behind it).

A rule that leaves no failing image is a remedy. An order is weaker than a flush, so it is named
first. The pair that the one crash shows is found in the same way: with j lost as well it passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from watosfs_fuzz.crash.choice import CrashChoice, in_flight
from watosfs_fuzz.crash.explore import Exploration, explore
from watosfs_fuzz.crash.log import FLUSH, Event, Flush, Mark, Write
from watosfs_fuzz.crashes import LogCrashes
from watosfs_fuzz.report.timeline import KEPT, LOST, TORN, Step

#: In an epoch with more writes than this, only so many places nearest to the crash are tried.
PLACES_MAX = 48
#: Pairs looked at with every legal image of the epoch.
PAIRS_MAX = 16
#: Recoveries for each rule; one that needs more is not called a remedy.
RECOVERIES_MAX = 400


@dataclass(frozen=True, slots=True)
class Remedy:
    """A rule and what it leaves: ``recoveries`` stood for all ``images`` of the epoch, none
    failed. A flush comes after write ``first`` and before ``second`` (an event index each; -1: at
    the end of the log); an order has write ``first`` before write ``second``.
    """

    kind: str
    first: int
    second: int
    images: int
    recoveries: int


@dataclass(frozen=True, slots=True)
class Experiment:
    """``pair``: (what was lost, what persisted all the same), event indices, or None.

    ``is_sound``: the epoch on its own, unchanged, fails; without that no rule would mean anything.
    """

    is_sound: bool
    pair: tuple[int, int] | None
    order: Remedy | None
    flush: Remedy | None
    tried: int


class Epoch:
    """The part of a log that a crash's undecided writes come from, on its own."""

    def __init__(self, crashes: LogCrashes, crash_at: int) -> None:
        self.crashes = crashes
        events = crashes.target.device.events
        is_barrier = crashes.persistence.is_flushed
        flushes = [i for i, e in enumerate(events) if isinstance(e, Flush) and is_barrier]
        self.start = max((i + 1 for i in flushes if i < crash_at), default=0)
        self.end = min((i + 1 for i in flushes if i >= crash_at), default=len(events))
        self.base = in_flight(crashes.target.base, events[: self.start], crashes.persistence)[0]
        marks = [event for event in events[: self.start] if isinstance(event, Mark)]
        #: Pairs (index in the log, event); the last mark says which operation is under way.
        self.events: list[tuple[int, Event]] = [(-1, mark) for mark in marks[-1:]]
        self.events += list(enumerate(events))[self.start : self.end]
        self.writes = [i for i, event in self.events if isinstance(event, Write)]

    def trial(self, events: Sequence[tuple[int, Event]]) -> Exploration:
        """All legal images of a changed epoch, until one fails."""
        crashes = self.crashes
        return explore(
            self.base,
            [event for _, event in events],
            crashes.target.geometry.block_count,
            crashes.oracle.recover,
            crashes.judge,
            cap=RECOVERIES_MAX,
            failures_max=1,
            persistence=crashes.persistence,
        )

    def with_flush(self, after: int) -> Exploration:
        """With a flush behind a write."""
        changed = []
        for index, event in self.events:
            changed.append((index, event))
            if index == after:
                changed.append((-1, FLUSH))
        return self.trial(changed)

    def with_order(self, first: int, second: int) -> tuple[Exploration, Exploration]:
        """The two halves of "``first`` before ``second``"."""
        without = [(i, event) for i, event in self.events if i != second]
        late = next(pair for pair in self.events if pair[0] == second)
        ordered: list[tuple[int, Event]] = []
        for index, event in self.events:
            if index == first:
                assert isinstance(event, Write)
                ordered.append((index, replace(event, fua=True)))
                if second < first:
                    ordered.append(late)
            elif index != second or second > first:
                ordered.append((index, event))
        return self.trial(without), self.trial(ordered)


def passes(exploration: Exploration) -> bool:
    """Whether every image was covered and none failed."""
    return not exploration.failures and not exploration.images_left_out


def experiment(crashes: LogCrashes, choice: CrashChoice, steps: Sequence[Step]) -> Experiment:
    """What a reader should change, as far as trying it shows."""
    epoch = Epoch(crashes, choice.event_index)
    if not epoch.trial(epoch.events).failures:
        return Experiment(False, None, None, None, 0)
    undecided = [s for s in steps if s.index in epoch.writes and s.index < choice.event_index]
    lost = [s for s in undecided if s.fate in (LOST, TORN)]
    kept = [s for s in undecided if s.fate in (KEPT, TORN)]
    pairs = [(a.index, b.index) for a in lost for b in kept if a.block != b.block]
    shown = next((pair for pair in pairs if explains(crashes, choice, steps, pair)), None)
    order = None
    candidates = ([shown] if shown else []) + [pair for pair in pairs if pair != shown]
    for first, second in candidates[:PAIRS_MAX]:
        halves = epoch.with_order(first, second)
        if all(map(passes, halves)):
            images = sum(half.images for half in halves)
            order = Remedy("order", first, second, images, sum(h.recoveries for h in halves))
            break
    places = nearest(epoch.writes, shown, choice.event_index)
    flush = missing_flush(epoch, places)
    return Experiment(True, shown, order, flush, len(candidates[:PAIRS_MAX]) + len(places))


def explains(
    crashes: LogCrashes, choice: CrashChoice, steps: Sequence[Step], pair: tuple[int, int]
) -> bool:
    """Whether the crash passes when the second write of a pair is lost too."""
    block = next(step.block for step in steps if step.index == pair[1])
    sectors = dict(choice.sectors) | {block: "0" * 8}
    return crashes.replay(CrashChoice(choice.event_index, tuple(sorted(sectors.items())))) is None


def nearest(writes: Sequence[int], pair: tuple[int, int] | None, crash_at: int) -> list[int]:
    """The writes of an epoch behind which a flush is tried, the most telling place first: just
    before what persisted too early, else just before the crash.
    """
    due = (pair[1] if pair else crash_at) - 1
    ranked = sorted(writes, key=lambda index: (index > due, abs(due - index)))
    return ranked[:PLACES_MAX]


def missing_flush(epoch: Epoch, places: Sequence[int]) -> Remedy | None:
    """The first place at which one more flush leaves no failing image."""
    for place in places:
        exploration = epoch.with_flush(place)
        if passes(exploration):
            following = [i for i, event in epoch.events if i > place]
            second = following[0] if following else -1
            return Remedy("flush", place, second, exploration.images, exploration.recoveries)
    return None
