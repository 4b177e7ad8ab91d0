"""Running the gate: required slices first, then the rest until the time is up.

A run is decided by the commit: its seed comes from there, slices are taken in a fixed order, and
more time only means more of them. What was done is kept, so that a run goes on where it stopped.
"""

import hashlib
import json
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path

from watosfs_fuzz.campaign import interruptions
from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.verify.slices import Done, Found, Slice
from watosfs_fuzz.verify.stages import Stage, endless, stages
from watosfs_fuzz.verify.work import run_slice


@dataclass(frozen=True, slots=True)
class Settings:
    """What is judged, and for how long. ``commit`` names the code; ``changed`` are the files that
    get more attention, None for no preference.
    """

    root: Path
    out: Path
    commit: str
    seconds: float = 120.0
    jobs: int = 1
    changed: tuple[str, ...] | None = None
    canary: str | None = None
    state: Path | None = None
    findings_max: int = 1

    @property
    def seed(self) -> int:
        """The same for the same commit."""
        return int.from_bytes(hashlib.sha256(self.commit.encode()).digest()[:4], "big")

    @property
    def key(self) -> str:
        """What a state file must agree on."""
        return f"verify {self.commit} {self.canary or ''}".strip()


@dataclass(slots=True)
class StageTally:
    """What a stage did: the numbers of its slices, and how much that was."""

    numbers: list[int] = field(default_factory=list)
    units: int = 0
    unit: str = ""
    seconds: float = 0.0
    skipped: str = ""


@dataclass(slots=True)
class Gate:
    """A run and what came of it."""

    settings: Settings
    tallies: dict[str, StageTally] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    seconds: float = 0.0
    seconds_before: float = 0.0
    is_interrupted: bool = False

    # -- what is done

    def load(self) -> None:
        """Go on from the state file. Raises ValueError when it is of another run."""
        path = self.settings.state
        if path is None or not path.exists():
            return
        state = json.loads(path.read_text())
        if state.get("run") != self.settings.key:
            raise ValueError(f"{path}: of another run: {state.get('run')}")
        self.seconds_before = state["seconds"]
        self.tallies = {name: StageTally(**tally) for name, tally in state["stages"].items()}
        self.found = [Found(**found) for found in state["found"]]

    def save(self) -> None:
        """Keep what is done."""
        if self.settings.state is None:
            return
        state = {
            "run": self.settings.key,
            "seconds": self.seconds_before + self.seconds,
            "stages": {name: asdict(tally) for name, tally in self.tallies.items()},
            "found": [asdict(found) for found in self.found],
        }
        write_whole(self.settings.state, json.dumps(state, indent=1) + "\n")

    def add(self, done: Done) -> None:
        """Count a slice."""
        tally = self.tallies.setdefault(done.stage, StageTally())
        tally.numbers.append(done.number)
        tally.units += done.units
        tally.unit = done.unit or tally.unit
        tally.seconds += done.seconds
        tally.skipped = done.skipped
        known = {(found.stage.partition(":")[0], found.title) for found in self.found}
        self.found += [f for f in done.found if (f.stage.partition(":")[0], f.title) not in known]

    def unfinished(self) -> list[str]:
        """Required stages that are not done."""
        return [
            stage.name
            for stage in stages()
            if stage.pieces is not None
            and len((self.tallies.get(stage.name) or StageTally()).numbers) < stage.pieces
        ]

    # -- running

    def slices(self, deadline: float) -> Iterator[Slice]:
        """What is left to do, for ever."""
        found = stages()
        done = {(name, number) for name, tally in self.tallies.items() for number in tally.numbers}
        for stage, number in self.in_order(found):
            if (stage.name, number) in done:
                continue
            yield Slice(
                stage.name,
                number,
                self.settings.seed,
                self.settings.root,
                self.settings.out,
                deadline,
                self.settings.canary,
            )

    def in_order(self, found: list[Stage]) -> Iterator[tuple[Stage, int]]:
        """Required slices, then the others."""
        for stage in found:
            for number in range(stage.pieces or 0):
                yield stage, number
        yield from endless(found, self.settings.changed)

    def run(self, progress: Callable[["Gate"], None] = lambda gate: None) -> None:
        """Until the budget ends, enough is found, or Ctrl-C; everything is kept in any case."""
        self.load()
        start = time.monotonic()
        budget = max(self.settings.seconds - self.seconds_before, 0)
        source = self.slices(time.time() + budget)
        running: set[Future[Done]] = set()
        self.settings.out.mkdir(parents=True, exist_ok=True)
        with (
            ProcessPoolExecutor(
                self.settings.jobs,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=signal.signal,
                initargs=(signal.SIGINT, signal.SIG_IGN),
            ) as pool,
            interruptions(self.interrupt),
        ):
            while True:
                self.seconds = time.monotonic() - start
                is_over = self.is_interrupted or len(self.found) >= self.settings.findings_max
                is_over = is_over or self.seconds >= budget
                while not is_over and len(running) <= self.settings.jobs:
                    running.add(pool.submit(run_slice, next(source)))
                if not running:
                    break
                finished, running = wait(running, 0.5, FIRST_COMPLETED)
                for future in finished:
                    self.add(future.result())
                if is_over:
                    running = {future for future in running if not future.cancel()}
                self.save()
                progress(self)
        self.seconds = time.monotonic() - start
        self.save()

    def interrupt(self) -> None:
        """Ctrl-C: what runs ends, nothing new begins."""
        self.is_interrupted = True
