"""Campaigns: traces by number until the budget ends, findings minimised once each and kept.

With a budget of operations a campaign is the same run byte for byte, on one process or up to four:
results are taken in the order of trace numbers, and what was run beyond the budget is left out.

Ctrl-C or SIGTERM stops it gently: running traces end, minimising stops where it is, everything is
saved.
"""

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from watosfs_fuzz.cluster import Cluster
from watosfs_fuzz.corpus import Corpus, CorpusFolder, CorpusTrace
from watosfs_fuzz.crew import Alone, Crew, Job, Processes
from watosfs_fuzz.findings import Finding, write_finding, write_whole
from watosfs_fuzz.resumption import Resumption
from watosfs_fuzz.steering import Steering, Task
from watosfs_fuzz.swarm import EPOCH_TRACES
from watosfs_fuzz.tally import Settings, Tally
from watosfs_fuzz.worker import UNMINIMISED, Known, Part, keep_unminimised, minimised, run_part

SUMMARY = "summary.json"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAVED_EVERY_SECONDS = 10.0


def run_campaign(
    settings: Settings, out: Path, progress: Callable[[Tally], None], crew: Crew | None = None
) -> Tally:
    """Run until the budget ends, ``findings_max`` is reached or a signal comes
    (``is_interrupted``). Findings are written as they come, ``summary.json`` at the end in any
    case. Raises ValueError for a corpus that is none, ChildProcessError when workers keep dying.
    """
    out.mkdir(parents=True, exist_ok=True)
    if crew is None:
        crew = crew_of(settings)
    try:
        campaign = Campaign(settings, out, progress, crew)
        with interruptions(crew.stop):
            return campaign.run()
    finally:
        crew.close()


def crew_of(settings: Settings) -> Crew:
    """Who works. Raises ValueError for a cluster that cannot be had."""
    if settings.scheduler is not None:
        return Cluster(settings.scheduler)
    return Alone() if settings.jobs == 1 else Processes(settings.jobs)


@contextmanager
def interruptions(ask: Callable[[], None]) -> Iterator[None]:
    """The first signal asks; the second one interrupts as usual."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ask()

    try:
        before = {number: signal.signal(number, handle) for number in SIGNALS}
    except ValueError:  # not the main thread: nobody interrupts us here
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(slots=True)
class Discovery:
    """A failure that is being made short."""

    raw: Finding
    job: Job


class Campaign:
    """One run. ``total`` has what was taken, in the order of trace numbers."""

    def __init__(
        self, settings: Settings, out: Path, progress: Callable[[Tally], None], crew: Crew
    ) -> None:
        self.settings = settings
        self.out = out
        self.progress = progress
        self.crew = crew
        self.start = self.saved = time.monotonic()
        self.folder: CorpusFolder | None = None
        self.resumption: Resumption | None = None
        self.total, first = Tally(), 0
        kept: list[CorpusTrace] = []
        if settings.corpus is not None:
            self.folder = CorpusFolder(settings.corpus, settings.target)
            self.resumption = Resumption(self.folder.folder, settings, out)
            kept = list(self.folder.read())
            if settings.resume:
                self.total, first = self.resumption.read()
        self.corpus = Corpus(kept) if settings.guided else None
        self.steering = Steering(settings, self.corpus, self.keep, crew.width, first)
        self.seconds_before, self.operations_before = self.total.seconds, self.total.operations
        self.known = {finding.failure.key for finding in self.total.findings}
        self.waiting: dict[int, tuple[Task, Job]] = {}
        self.discoveries: list[Discovery] = []

    def run(self) -> Tally:
        """Run it; the figures."""
        try:
            while not self.is_over():
                self.fill()
                self.crew.wait([job for _, job in self.waiting.values()])
                self.take()
            is_enough = len(self.known) >= self.settings.findings_max
            if self.crew.is_stopped or (self.settings.operations is None and not is_enough):
                self.take_what_runs()
            self.settle()
            # All that was found is saved; what lies there came of traces beyond the budget.
            shutil.rmtree(self.out / UNMINIMISED, ignore_errors=True)
        finally:
            self.total.is_interrupted = self.crew.is_stopped
            self.note_time()
            self.save(is_over=True)
        return self.total

    # -- the budget

    def note_time(self) -> None:
        """The seconds so far, those before a resumption included."""
        self.total.seconds = self.seconds_before + time.monotonic() - self.start

    def is_over(self) -> bool:
        """Whether the budget of this run is spent, or enough was found."""
        settings = self.settings
        if self.crew.is_stopped or len(self.known) >= settings.findings_max:
            return True
        if settings.operations is not None:
            return self.total.operations - self.operations_before >= settings.operations
        spent = time.monotonic() - self.start
        return settings.seconds is not None and spent >= settings.seconds

    # -- traces

    def fill(self) -> None:
        """Give the crew work."""
        while len(self.waiting) < self.crew.width * self.crew.ahead and self.steering.is_ready:
            task = self.steering.task()
            job = self.crew.start(run_part, self.settings, task, self.known_keys())
            self.waiting[task.first] = task, job

    def known_keys(self) -> Known:
        """What needs no minimising any more."""
        return frozenset(self.known)

    def take(self) -> None:
        """Take in what is done, in order."""
        while not self.is_over() and self.take_next():
            pass
        self.take_discoveries()

    def take_next(self) -> bool:
        """Take the next task in when it is done; whether it was."""
        found = self.waiting.get(self.steering.taken)
        if found is None or not found[1].is_done or self.crew.lost(found[1]):
            return False
        task, job = self.waiting.pop(self.steering.taken)
        part: Part = job.future.result()
        raw = [f for f in part.tally.findings if f.failure.key not in self.known]
        part.tally.repeated += len(part.tally.findings) - len(raw)
        part.tally.findings = []
        # A task that was cut short will be run again as a whole: only its findings count now.
        if not part.tally.is_interrupted:
            self.total.add(part.tally)
            kept = self.steering.took(task, part.shown)
            if self.settings.swarm:
                figures = self.total.swarm(task.first // EPOCH_TRACES)
                figures.add(part.tally, kept, len(raw))
        for finding in raw:
            self.discover(finding)
        self.tell()
        return not part.tally.is_interrupted

    def take_what_runs(self) -> None:
        """What the running tasks end with; what has not begun is not done."""
        for _, job in self.waiting.values():
            job.future.cancel()
        while (found := self.waiting.get(self.steering.taken)) is not None:
            job = found[1]
            if job.future.cancelled():
                break
            self.crew.wait([job])
            if job.is_done and not self.take_next() and not self.waiting.get(found[0].first):
                break
        self.take_findings_of_the_rest()

    def take_findings_of_the_rest(self) -> None:
        """Findings of tasks that are done behind one that is not: such a task will run again."""
        for _, job in self.waiting.values():
            if job.is_done and not job.future.cancelled() and job.future.exception() is None:
                for finding in job.future.result().tally.findings:
                    if finding.failure.key not in self.known:
                        self.discover(finding)

    def tell(self) -> None:
        """Figures to whoever watches, and now and then to the disk."""
        self.note_time()
        if self.corpus is not None:
            self.total.corpus = len(self.corpus.traces)
            self.total.novelties = len(self.corpus.seen)
        self.progress(self.total)
        if time.monotonic() - self.saved >= SAVED_EVERY_SECONDS:
            self.save()

    # -- findings

    def discover(self, raw: Finding) -> None:
        """A failure of a new kind: keep it as it is, have it made short."""
        self.known.add(raw.failure.key)
        keep_unminimised(self.out, raw)
        self.discoveries.append(Discovery(raw, self.crew.start(minimised, raw)))
        self.take_discoveries()

    def take_discoveries(self) -> None:
        """Write what was made short, in the order in which it was found."""
        while self.discoveries:
            first = self.discoveries[0]
            if not first.job.is_done or self.crew.lost(first.job):
                return
            cancelled = first.job.future.cancelled()
            finding = first.raw if cancelled else first.job.future.result()
            self.discoveries.pop(0)
            write_finding(finding, self.out)
            self.total.findings.append(finding)
            self.tell()

    def settle(self) -> None:
        """Wait until all that was found is made short, or, when stopped, saved as it is."""
        while self.discoveries:
            if self.crew.is_stopped:
                for discovery in self.discoveries:
                    discovery.job.future.cancel()
            self.crew.wait([self.discoveries[0].job])
            self.take_discoveries()

    # -- what is kept

    def keep(self, trace: CorpusTrace) -> None:
        """A trace joins the corpus."""
        if self.folder is not None:
            self.folder.write(trace)

    def save(self, is_over: bool = False) -> None:
        """The summary and what a resumption needs; at the end the corpus, minimised."""
        self.saved = time.monotonic()
        if is_over and self.folder is not None and self.corpus is not None:
            self.folder.prune(self.corpus.minimised())
        if self.resumption is not None:
            self.resumption.write(self.total, self.steering.taken)
        text = json.dumps(self.total.summary(self.settings), indent=1, sort_keys=True)
        write_whole(self.out / SUMMARY, text + "\n")
