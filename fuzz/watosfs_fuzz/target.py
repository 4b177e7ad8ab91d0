"""What the fuzzer drives: a file system behind operations, observations and, if it can crash, a
write log.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from struct import Struct
from types import MappingProxyType
from typing import Protocol

from watosfs.block.device import BlockDevice
from watosfs_fuzz.crash.image import CrashImage
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.dialect import Entry as Entry  # what a target shows is part of its contract
from watosfs_fuzz.dialect import Observed as Observed
from watosfs_fuzz.dialect import Tree as Tree
from watosfs_model import Outcome
from watosfs_model.operations import Operation

FIRST_DESCRIPTOR = 3
DESCRIPTORS_MAX = 1024
NANOSECONDS_PER_OPERATION = 1_000_000_000
WHOLE_CONTENT_BYTES_MAX = 1 << 20
CONTENT_BLOCK_BYTES = 4096
_BLOCKS_OF = Struct(f"{CONTENT_BLOCK_BYTES}s").iter_unpack


@dataclass(frozen=True, slots=True)
class Geometry:
    """The volume under test. Nodes that split early make small trees grow high."""

    block_count: int = 256
    node_entries_max: int | None = None


class Target(Protocol):
    """One file system. ``start`` gives a fresh one; operation n of its life happens at n
    seconds.
    """

    name: str
    dialect: Dialect
    geometry: Geometry

    def start(self) -> None:
        """Make and mount an empty file system."""

    def apply(self, pid: int, operation: Operation) -> Outcome:
        """Run one operation; every ``OSError`` becomes an outcome with its errno."""

    def observe(self) -> Observed:
        """The whole state that a user can see; None for fields that the dialect leaves out."""

    def has_room_for(self, operation: Operation) -> bool:
        """Whether ENOSPC for this operation would be a lie: there is surely room now."""

    def statistics(self) -> dict[str, int]:
        """Features of the implementation's state that steer and describe a campaign."""

    def close(self) -> None:
        """Give everything back."""


class CrashTarget(Target, Protocol):
    """A target whose block writes are recorded and that can be recovered from a device."""

    device: RecordingDevice
    base: dict[int, bytes]

    def recover(self, device: BlockDevice, operations_done: int) -> "CrashTarget":
        """A target of the same kind, mounted read-write from ``device``."""

    def restart_on(self, image: dict[int, bytes], operations_done: int) -> None:
        """Forget everything, and go on from a crash image with a new log."""

    def problems(self, device: BlockDevice, memo: dict[object, object]) -> list[str]:
        """What the independent checker says of the device."""

    def progress_problem(self) -> str | None:
        """Try out the recovered file system; what does not work, or None."""

    #: The generation that was acknowledged, after each operation; empty where there are none.
    generations: Mapping[int, int]

    def generation(self) -> int | None:
        """The generation of the mounted volume; None where there is none."""

    def read_only_problem(
        self, device: CrashImage, operations_done: int, tree: Hashable
    ) -> str | None:
        """Mount read-only: what was written or looks unlike ``tree`` (its items, sorted)."""

    def leak_problem(self) -> str | None:
        """Remove everything; space that is not back, or None. The target is used up."""

    def epoch_problem(self) -> str | None:
        """The mechanism check over the log: a write to what the durable root reaches, or None."""


class WithoutProbes:
    """For crash targets that have no generations and cannot be asked about space or be mounted
    read-only.
    """

    generations: Mapping[int, int] = MappingProxyType({})

    def generation(self) -> int | None:
        """There is none."""
        return None

    def read_only_problem(
        self, device: CrashImage, operations_done: int, tree: Hashable
    ) -> str | None:
        """Not known."""
        return None

    def leak_problem(self) -> str | None:
        """Not known."""
        return None


def content_blocks(pieces: list[tuple[int, bytes]]) -> tuple[tuple[int, bytes], ...]:
    """The canonical content of a large file from block-aligned pieces: its blocks that are not all
    zero.
    """
    zero = bytes(CONTENT_BLOCK_BYTES)
    blocks = []
    for offset, data in pieces:
        whole = data.ljust(-(-len(data) // CONTENT_BLOCK_BYTES) * CONTENT_BLOCK_BYTES, b"\0")
        number = offset // CONTENT_BLOCK_BYTES
        for (block,) in _BLOCKS_OF(whole):
            if block != zero:
                blocks.append((number, block))
            number += 1
    return tuple(blocks)
