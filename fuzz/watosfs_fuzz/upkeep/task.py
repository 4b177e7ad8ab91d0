"""A task whose power is cut everywhere: what it starts from, what it does, what may be left.

Checks: every legal image of every crash point of the task, the task's own recovery cut again to
depth ``nested``. Does not check: tasks whose writes depend on the time or on chance.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from watosfs.block.device import BlockDevice
from watosfs_fuzz.crash.explore import Exploration, explore
from watosfs_fuzz.crash.log import Image, RecordingDevice
from watosfs_fuzz.crash.persistence import SECTOR, Persistence
from watosfs_fuzz.crash.recall import RecoveryDevice
from watosfs_fuzz.crash.windows import Window

DONE = "done"
FAILURES_MAX = 8


@dataclass(frozen=True, slots=True)
class Task:
    """``look`` recovers and says what it found; the device's ``end_of_recovery`` is called where
    recovery ends. ``judge(found, is_done)`` says what is wrong with that, or None; ``is_done``: the
    task had returned when the power went.
    """

    name: str
    about: str
    block_count: int
    before: Callable[[], Image]
    run: Callable[[BlockDevice], object]
    look: Callable[[RecoveryDevice], Hashable]
    judge: Callable[[Hashable, bool], str | None]


def cut_everywhere(
    task: Task, nested: int = 0, persistence: Persistence = SECTOR, cap: int | None = None
) -> Exploration:
    """Run the task once, and recover from every crash of it."""
    base = task.before()
    device = RecordingDevice(task.block_count, base)
    task.run(device)
    device.mark(DONE)

    def look(device: RecoveryDevice) -> Hashable:
        try:
            return task.look(device)
        except OSError as error:
            return ("refused", error.errno)
        except Exception as error:
            return ("exception", f"{type(error).__name__}: {error}")

    def judge(found: Hashable, window: Window) -> str | None:
        if isinstance(found, tuple) and found[0] == "exception":
            return f"recovery raises {found[1]}"
        return task.judge(found, DONE in window.marks)

    return explore(
        base,
        device.events,
        task.block_count,
        look,
        judge,
        nested=nested,
        cap=cap,
        failures_max=FAILURES_MAX,
        persistence=persistence,
    )
