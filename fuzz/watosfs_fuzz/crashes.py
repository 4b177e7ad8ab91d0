"""The crashes of one log: all of them explored, or one of them replayed, judged by the oracle.

A log runs from the start of a trace, or from a power cut in it, to the next power cut or the end.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace

from watosfs_fuzz.crash.choice import CrashChoice, apply_choice, chained, in_flight
from watosfs_fuzz.crash.explore import Exploration, explore
from watosfs_fuzz.crash.lazy import LazyDevice
from watosfs_fuzz.crash.log import Event, Image, Mark, RecordingDevice
from watosfs_fuzz.crash.odometer import Choices
from watosfs_fuzz.crash.persistence import SECTOR, SECTORS, Persistence, sector_values
from watosfs_fuzz.crash.windows import Window
from watosfs_fuzz.lockstep import Failure, tree_difference
from watosfs_fuzz.oracles.crash import CrashOracle, Recovered, failure_of
from watosfs_fuzz.oracles.permitted import frozen
from watosfs_fuzz.power_cut import Cut
from watosfs_fuzz.simplify_choice import simplest_choice
from watosfs_fuzz.target import CrashTarget
from watosfs_model import System, crash_states, observe

#: So many failing crashes are compared to find the smallest.
FAILURES_COMPARED_MAX = 48


class LogCrashes:
    """``states[n]`` is the model after operation n; ``memo`` is the checker's, for speed only."""

    def __init__(
        self,
        target: CrashTarget,
        states: Mapping[int, System],
        memo: dict[object, object],
        persistence: Persistence = SECTOR,
        off: frozenset[str] = frozenset(),
    ) -> None:
        self.target = target
        self.states = states
        self.memo = memo
        self.persistence = persistence
        self.oracle = CrashOracle(target, states, memo, off)

    def mechanism_failure(self) -> Failure | None:
        """What the log itself shows, without any crash."""
        problem = None if "epoch" in self.oracle.off else self.target.epoch_problem()
        if problem is None:
            return None
        return Failure("epoch", without_numbers(problem), problem)

    def explore(
        self,
        nested: int,
        cap: int | None,
        failures_max: int = 1,
        share: tuple[int, int] = (0, 1),
        since: int = 0,
    ) -> Exploration:
        """Every crash of the log, a share of them, or those from an event on."""
        return explore(
            self.target.base,
            self.target.device.events,
            self.target.geometry.block_count,
            self.oracle.recover,
            self.judge,
            nested=nested,
            cap=cap,
            failures_max=failures_max,
            persistence=self.persistence,
            share=share,
            since=since,
        )

    def judge(self, found: Recovered, window: Window) -> str | None:
        """What is wrong with an outcome; on a device that lies nothing but an exception is."""
        if self.persistence.is_flushed or found.oracle == "exception":
            return self.oracle.judge(found, window)
        return None

    def replay(self, choice: CrashChoice) -> Failure | None:
        """Recover from exactly one crash, and those in its recovery; ValueError when the log has
        no such place or value.
        """
        marks = marks_of(self.target.device.events[: choice.event_index])
        image = self.cuts(choice)[-1].image(self.persistence)
        window = Window(image, {}, choice.event_index, marks, 0, 0)
        device = LazyDevice(self.target.geometry.block_count, window, Choices())
        reason = self.judge(self.oracle.recover(device), window)
        where = f"{place_of(marks)} ({str(choice).removeprefix('crash ')})"
        return None if reason is None else failure_of(reason, where)

    def cuts(self, choice: CrashChoice) -> list["PowerCut"]:
        """Each power cut of a choice with the log that it ends: the trace's, then recoveries'.
        ValueError when there is no such place or value.
        """
        first, *later = choice.chain()
        found = [PowerCut(self.target.base, self.target.device.events, first)]
        for then in later:
            device = RecordingDevice(
                self.target.geometry.block_count, found[-1].image(self.persistence)
            )
            base = dict(device.image)
            with suppress(OSError):  # a recovery that fails wrote what it wrote
                self.target.recover(device, self.oracle.done)
            events = [event for event in device.events if not isinstance(event, Mark)]
            found.append(PowerCut(base, events, then))
        return found

    def smallest(
        self, exploration: Exploration, key: tuple[str, str]
    ) -> tuple[CrashChoice, Failure] | None:
        """Of the failing crashes the one nearest to "everything persisted", made smaller still."""
        found: dict[CrashChoice, Failure] = {}

        def fails(choice: CrashChoice) -> bool:
            try:
                failure = self.replay(choice)
            except ValueError:  # the device cannot leave it
                return False
            if failure is None or failure.key != key:
                return False
            found[choice] = failure
            return True

        failures = sorted(exploration.failures, key=lambda failure: failure.depth)
        shallow = [f.choice for f in failures if f.depth == failures[0].depth]
        best = self.simplest_of({choice for choice in shallow if fails(choice)}, fails)
        return None if best is None else (best, found[best])

    def simplest_of(
        self, choices: Set[CrashChoice], fails: Callable[[CrashChoice], bool]
    ) -> CrashChoice | None:
        """Made simple power cut by power cut, the last first: it is the one that fails."""
        if not choices:
            return None
        depth = len(next(iter(choices)).chain())
        best: CrashChoice | None = None
        for at in reversed(range(depth)):
            candidates = choices if depth == 1 else {best or min(choices, key=length)}
            cuts = self.cuts(next(iter(candidates)))
            newest = NewestDigits(cuts[at].base, cuts[at].events, self.persistence)
            chain = next(iter(candidates)).chain()

            def whole(
                alone: CrashChoice, chain: list[CrashChoice] = chain, at: int = at
            ) -> CrashChoice:
                return chained([*chain[:at], alone, *chain[at + 1 :]])

            alone = simplest_choice(
                {choice.chain()[at] for choice in candidates},
                newest,
                lambda choice, whole=whole: fails(whole(choice)),  # type: ignore[misc]
                newest.older,
            )
            best = best if alone is None else whole(alone)
        return best

    def recover_at(self, cut: Cut, now: int) -> tuple[System | None, Failure | None]:
        """Restart the target from a cut; the model's state that it came back in.

        ``now`` counts the operations before the cut.
        """
        target = self.target
        marks = marks_of(target.device.events[: cut.event_index])
        window = Window({}, {}, cut.event_index, marks, 0, 0)
        try:
            target.restart_on(cut.image, now + 1)
            tree = target.observe()[0]
        except OSError as error:
            return None, Failure("crash", "recovery fails", f"recovery fails: {error}")
        problems = target.problems(target.device, self.memo)
        if problems:
            return None, failure_of(f"check: {problems[0]}", "in the middle")
        found, shown = frozen(tree), target.dialect.shown
        numbers = self.oracle.operations_at(window)
        for number in reversed(numbers):
            for state in reversed(crash_states(self.states[number])):
                if frozen(shown(observe(state))[0]) == found:
                    # A cut inside an operation happens at that operation's time all the same.
                    return replace(state, operations=now), None
        newest = crash_states(self.states[numbers[-1]])[-1]
        lines = ["no permitted state; against the newest of them:"]
        lines += tree_difference(shown(observe(newest))[0], tree)
        return None, Failure("crash", "state", "\n".join(lines))


@dataclass(frozen=True, slots=True)
class PowerCut:
    """A place in a log over ``base``, and what each undecided sector held there."""

    base: Image
    events: Sequence[Event]
    choice: CrashChoice

    def image(self, persistence: Persistence) -> dict[int, bytes]:
        """What it leaves. ValueError when there is no such place or value."""
        return apply_choice(self.base, self.events, self.choice, persistence)


class NewestDigits:
    """The digits of what was written last, by place and block."""

    def __init__(self, base: Image, events: Sequence[Event], persistence: Persistence) -> None:
        self.base = base
        self.persistence = persistence
        self.events = events
        self.versions: dict[int, dict[int, list[bytes]]] = {}

    def __call__(self, choice: CrashChoice, block: int) -> str:
        known = self.versions_at(choice.event_index)[block]
        return "".join(f"{values.index(piece):x}" for values, piece in sectors_of(known))

    def older(self, choice: CrashChoice) -> Iterator[tuple[int, int, str]]:
        """(block, sector, digit) of each value at a place that is not the newest."""
        for block, known in sorted(self.versions_at(choice.event_index).items()):
            for sector, (values, newest) in enumerate(sectors_of(known)):
                for digit, piece in enumerate(values):
                    if piece != newest:
                        yield block, sector, f"{digit:x}"

    def versions_at(self, place: int) -> dict[int, list[bytes]]:
        """The versions of the undecided blocks at a place in the log."""
        if place not in self.versions:
            events = self.events[:place]
            self.versions[place] = in_flight(self.base, events, self.persistence)[1]
        return self.versions[place]


def length(choice: CrashChoice) -> int:
    """How many blocks a choice names."""
    return sum(len(cut.sectors) for cut in choice.chain())


def sectors_of(known: Sequence[bytes]) -> list[tuple[list[bytes], bytes]]:
    """For each sector its legal values, and the newest."""
    size = len(known[-1]) // len(SECTORS)
    return [
        (values, known[-1][i * size : (i + 1) * size])
        for i, values in enumerate(sector_values(known))
    ]


def marks_of(events: Sequence[Event]) -> list[Hashable]:
    """The labels of the marks, in order."""
    return [event.label for event in events if isinstance(event, Mark)]


def place_of(marks: Sequence[Hashable]) -> str:
    """Where in the trace a crash happens, from the last mark before it."""
    label = marks[-1] if marks else None
    if not isinstance(label, tuple):
        return "before the first operation"
    word, number = label
    return f"{'after' if word == 'end' else 'in'} operation {number}"


def without_numbers(text: str) -> str:
    """A problem's class: its text without numbers."""
    return " ".join("".join(" " if c.isdigit() else c for c in text).split())
