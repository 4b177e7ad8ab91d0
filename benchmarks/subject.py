"""The calls that every measured file system answers, so that all do identical work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MIB = 1 << 20


class Subject(Protocol):
    """A file system under measurement. Each method is one timed piece of work on a fresh
    instance.
    """

    name: str

    def start(self) -> None:
        """A new, empty file system."""

    def make_files(self, count: int, payload: bytes) -> None:
        """``count`` files in 50 directories, durable at the end as one step where there is such a
        thing.
        """

    def stat_files(self, count: int) -> None:
        """Look every one of them up."""

    def delete_files(self, count: int) -> None:
        """Delete every one of them."""

    def write(self, piece: bytes, pieces: int) -> None:
        """One file written by ``pieces`` calls, durable at the end."""

    def read(self, size: int, pieces: int) -> None:
        """The same file read back, verified where the file system verifies."""

    def remount(self) -> Callable[[], None]:
        """Unmount now; the returned call mounts (and is what is timed)."""

    def stop(self) -> None:
        """Give everything back."""


@dataclass(frozen=True)
class Work:
    """One line of the table: what is done, in which unit it is told, and which way is better."""

    key: str
    title: str
    unit: str
    more_is_better: bool
    goal: float | None
