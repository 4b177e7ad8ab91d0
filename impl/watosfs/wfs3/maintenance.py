"""What a mounted volume wants done now and then: what waits is committed, what lies is scrubbed.

``Maintenance.tick`` does one bounded piece of work, if any is due, and says how long it can be left
alone; ``Daemon`` calls it from a thread. Free space needs no coalescing of its own: runs are joined
with their neighbours when they come free (``docs/FORMAT.md`` 7).
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from watosfs.wfs3.scrub import Damage, Scrub
from watosfs.wfs3.volume import Volume

SECOND_NS: Final = 1_000_000_000
#: What was changed is durable after so long, or when so much of it waits.
AGE_NS: Final = 5 * SECOND_NS
PRESSURE: Final = 0.5
#: From the end of a scrub to the start of the next.
SCRUB_EVERY_NS: Final = 7 * 24 * 3600 * SECOND_NS
#: Of the time, so much at most goes into scrubbing.
SHARE: Final = 0.04
_STEP_BLOCKS: Final = 32
_TICK_NS: Final = SECOND_NS // 20


class Maintenance:
    """Of one volume. ``commits`` and ``scrubs`` count what was done, ``damages`` is what the last
    complete scrub found, ``mended`` all that any mended. Not thread-safe, like the volume.
    """

    def __init__(
        self,
        volume: Volume,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        age_ns: int = AGE_NS,
        scrub_every_ns: int = SCRUB_EVERY_NS,
        share: float = SHARE,
    ) -> None:
        self.volume = volume
        self.clock_ns = clock_ns
        self.age_ns = age_ns
        self.scrub_every_ns = scrub_every_ns
        self.share = share
        self.commits = self.scrubs = 0
        self.damages: list[Damage] = []
        self.mended: list[str] = []
        self.dirty_since_ns: int | None = None
        self.scrub: Scrub | None = None
        self.next_scrub_ns = clock_ns()
        self.next_step_ns = 0

    def tick(self) -> None:
        """One piece of work, if one is due. Raises what a commit raises."""
        if not self.volume.is_mounted or self.volume.engine.has_failed:
            return
        if self.must_commit():
            self.volume.sync()
            self.commits += 1
            self.dirty_since_ns = None
            return
        now = self.clock_ns()
        if now >= self.next_step_ns and (self.scrub or now >= self.next_scrub_ns):
            self.scrub_a_little()
            took = self.clock_ns() - now
            self.next_step_ns = now + int(took / self.share)

    def must_commit(self) -> bool:
        """Whether something waits that is old, or much."""
        engine = self.volume.engine
        if engine.in_transaction or engine.read_only_reason is not None or not engine.is_dirty:
            self.dirty_since_ns = None
            return False
        now = self.clock_ns()
        if self.dirty_since_ns is None:
            self.dirty_since_ns = now
        is_much = (
            engine.data.dirty_bytes > PRESSURE * engine.dirty_bytes_max
            or engine.store.dirty_count > PRESSURE * engine.dirty_nodes_max
        )
        return is_much or now - self.dirty_since_ns >= self.age_ns

    def scrub_a_little(self) -> None:
        """Begin a scrub or go on with it; not in the middle of somebody's transaction."""
        if self.volume.engine.in_transaction:
            return
        if self.scrub is None:
            self.scrub = Scrub(self.volume)
        if not self.scrub.step(_STEP_BLOCKS):
            self.damages = self.scrub.damages
            self.mended += self.scrub.mended
            self.scrub = None
            self.scrubs += 1
            self.next_scrub_ns = self.clock_ns() + self.scrub_every_ns


class Daemon:
    """Maintenance from a thread, while entered. Whoever uses the volume meanwhile holds ``lock``.

    ``error`` is what ended it early: then the volume has stopped, and says so to whoever syncs.
    ``cpu_ns`` is the processor time that it took.
    """

    def __init__(
        self,
        maintenance: Maintenance,
        *,
        lock: "threading.RLock | None" = None,
        tick_ns: int = _TICK_NS,
    ) -> None:
        self.maintenance = maintenance
        self.lock = threading.RLock() if lock is None else lock
        self.tick_seconds = tick_ns / SECOND_NS
        self.error: OSError | None = None
        self.cpu_ns = 0
        self.stopping = threading.Event()
        self.ticked = threading.Condition()
        self.thread = threading.Thread(target=self.work, name="watosfs maintenance", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Return when the piece of work under way is done; what waits is left to the unmount."""
        self.stopping.set()
        self.thread.join()

    def work(self) -> None:
        """The thread."""
        while not self.stopping.wait(self.tick_seconds):
            try:
                with self.lock:
                    self.maintenance.tick()
            except OSError as error:
                self.error = error
                self.stopping.set()
            self.cpu_ns = time.thread_time_ns()
            with self.ticked:
                self.ticked.notify_all()

    def wait_until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so after a tick; whether it came to that in time."""
        with self.ticked:
            return self.ticked.wait_for(is_so, seconds)
