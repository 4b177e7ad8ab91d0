"""The calls that every measured file system answers, so that all do identical work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MIB = 1 << 20
DIRECTORIES = 50


class Subject(Protocol):
    """A file system under measurement. Each method is one timed piece of work on a fresh
    instance. Durable means: as durable as the file system makes anything.
    """

    #: How many files it is asked for; fewer than the others' where one costs milliseconds.
    files: int

    def start(self) -> None:
        """A new, empty file system."""

    def make_files(self, count: int, payload: bytes) -> None:
        """``count`` files in 50 directories, durable at the end as one step where there is such a
        thing.
        """

    def make_durable_files(self, count: int, payload: bytes) -> None:
        """``count`` more files in ``/d0``, each durable before the next is made."""

    def stat_files(self, count: int) -> None:
        """Look every one of the first files up."""

    def delete_files(self, count: int) -> None:
        """Delete every one of them."""

    def write(self, piece: bytes, pieces: int) -> None:
        """One file written by ``pieces`` calls, durable at the end."""

    def read(self, size: int, pieces: int) -> None:
        """The same file read back, verified where the file system verifies."""

    def read_at(self, offsets: list[int], size: int) -> None:
        """``size`` bytes of it at each offset, through one open file."""

    def remount(self) -> Callable[[], None] | None:
        """Unmount now, with cold caches; the returned call mounts (and is what is timed)."""

    def stop(self) -> None:
        """Give everything back."""


@dataclass(frozen=True)
class Work:
    """One line of the table: what is done, in which unit it is told, and which way is better."""

    key: str
    title: str
    unit: str
    more_is_better: bool
    #: What ours shall reach in memory, in the unit; None without a goal.
    goal: float | None = None
    #: Whether the goal is for ours on an image file.
    goal_on_file: bool = False


WORKS = (
    Work("write", "write 64 MiB by 1 MiB, durable at the end", "MB/s", True, 3000),
    Work("read", "read 64 MiB by 1 MiB", "MB/s", True, 4000),
    Work("cold", "read 4 KiB anywhere, after a mount", "us", False),
    Work("warm", "read 4 KiB anywhere, again", "us", False, 1.5),
    Work("create", "create 5,000 files of 100 bytes, one commit", "us/file", False, 15),
    Work("durable", "create and fsync each", "us/file", False, 300, goal_on_file=True),
    Work("stat", "stat of those", "us/file", False, 5),
    Work("delete", "delete of those", "us/file", False, 12),
    Work("mount", "mount with 5,000 files", "ms", False, 0.4),
    Work("pread", "cached pread of 4 KiB by register", "calls/s", True, 60_000),
    Work("open", "open and close by register", "pairs/s", True, 30_000),
    Work("lockstep", "lockstep, full state compared each time", "operations/s", True, 2000),
    Work("crash", "crash recoveries with oracle", "recoveries/s", True, 1000),
)
