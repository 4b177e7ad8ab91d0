"""Which traces a campaign runs next, and what they are made from: new, or a variation of kept ones.

Traces belong to rounds. A trace of round r is made from what the rounds up to r - 2 kept, so there
is always a whole round to run while one is being waited for, and what is made does not depend on
how many processes there are or how fast they are.
"""

from collections.abc import Callable
from dataclasses import dataclass

from watosfs_fuzz.case import Case
from watosfs_fuzz.corpus import Corpus, CorpusTrace
from watosfs_fuzz.seeds import random_of
from watosfs_fuzz.tally import Settings

TRACES_PER_TASK = 4
#: A round keeps so many processes busy; more of them have longer rounds.
ROUND_TRACES = 64
JOBS_PER_ROUND = 4
#: So many traces are variations, as soon as there is anything to vary.
VARIED_SHARE = 0.5
#: Half of them of what was kept lately.
LATELY = 32


@dataclass(frozen=True, slots=True)
class Task:
    """Traces from number ``first`` on, one for each of ``parents``: what it is made from, or ()."""

    first: int
    parents: tuple[tuple[Case, ...], ...] = ((),) * TRACES_PER_TASK


class Steering:
    """Tasks one after the other. ``corpus`` is None in a campaign that keeps nothing."""

    def __init__(
        self,
        settings: Settings,
        corpus: Corpus | None,
        keep: Callable[[CorpusTrace], object],
        width: int = 1,
        first: int = 0,
    ) -> None:
        self.settings = settings
        self.corpus = corpus
        self.keep = keep
        self.round_traces = ROUND_TRACES * max(1, -(-width // JOBS_PER_ROUND))
        self.following = first
        self.taken = first
        self.known_at_first = 0 if corpus is None else len(corpus.traces)
        #: round -> traces kept when it was over.
        self.kept_after: dict[int, int] = {}

    @property
    def is_ready(self) -> bool:
        """Whether all is known that the next task is made from."""
        if self.corpus is None:
            return True
        return self.taken // self.round_traces >= self.following // self.round_traces - 1

    def task(self) -> Task:
        """The next task."""
        first = self.following
        self.following += TRACES_PER_TASK
        numbers = range(first, self.following)
        return Task(first, tuple(self.parents(number) for number in numbers))

    def parents(self, number: int) -> tuple[Case, ...]:
        """What a trace is made from; () for a new one."""
        if self.corpus is None:
            return ()
        over = number // self.round_traces - 2
        count = self.kept_after.get(over, self.known_at_first)
        rng = random_of(self.settings.seed, number, "guide")
        if not count or rng.random() >= VARIED_SHARE:
            return ()
        lately = max(0, count - LATELY)
        lows = (lately if rng.random() < 0.5 else 0, 0)
        return tuple(self.corpus.traces[rng.randrange(low, count)].case for low in lows)

    def took(self, task: Task, shown: list[CorpusTrace]) -> int:
        """The traces of a task are done; how many of them are kept. Tasks come in order."""
        assert task.first == self.taken, (task.first, self.taken)
        self.taken += TRACES_PER_TASK
        if self.corpus is None:
            return 0
        fresh = [trace for trace in shown if self.corpus.offer(trace)]
        for trace in fresh:
            self.keep(trace)
        if self.taken % self.round_traces == 0:
            self.kept_after[self.taken // self.round_traces - 1] = len(self.corpus.traces)
        return len(fresh)
