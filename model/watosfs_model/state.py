"""The immutable state of the specification: inodes, the volume, its history, descriptors.

Taking a snapshot is keeping a reference. Mappings are plain dicts that nobody changes once they are
in a state; an operation copies the few that it touches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

NANOSECONDS_PER_OPERATION = 1_000_000_000
BLOCK_BYTES = 4096
ROOT = 1

NAME_MAX = 255
PATH_MAX = 4096
SYMLINK_DEPTH_MAX = 40
LINK_MAX = 65000
FILE_SIZE_MAX = (1 << 63) - 1
FIRST_DESCRIPTOR = 3
OWNER_UNCHANGED = 0xFFFFFFFF

FILE = "file"
DIRECTORY = "directory"
SYMLINK = "symlink"
#: Only at the kernel level: what a FIFO holds belongs to the kernel, not to the volume.
FIFO = "fifo"


#: Of zstd, as far as it is offered.
COMPRESSION_LEVEL_MAX = 19


@dataclass(frozen=True, slots=True)
class Inode:
    """One inode; times in ns.

    ``attributes`` are the extended ones, ``compression`` the level for new data. ``blocks`` holds a
    file's 4096-byte blocks that are not all zero (so equal contents are equal values, however they
    were written), ``target`` a symlink's, ``entries`` a directory's names.
    """

    kind: str
    mode: int
    nlink: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    blocks: Mapping[int, bytes] = field(default_factory=dict)
    target: bytes = b""
    entries: Mapping[bytes, int] = field(default_factory=dict)
    attributes: Mapping[bytes, bytes] = field(default_factory=dict)
    compression: int = 0


@dataclass(frozen=True, slots=True)
class Volume:
    """The inodes by number (numbers are recorded, never compared), the next free number, and what
    each snapshot keeps, by name, in order.
    """

    inodes: Mapping[int, Inode]
    next_number: int
    snapshots: "tuple[tuple[bytes, Volume], ...]" = ()


@dataclass(frozen=True, slots=True)
class OpenFile:
    """What a descriptor leads to. ``is_stale``: an abort took the file away [X5]."""

    number: int
    flags: int
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class System:
    """Everything: the volume, its states since the last acknowledged sync, one process.

    ``history`` ends with the newest state that a crash may leave; ``begun`` is the volume at the
    begin of the open transaction, or None. ``operations`` counts them all; it is the clock [T1].
    """

    volume: Volume
    history: tuple[Volume, ...]
    descriptors: Mapping[int, OpenFile]
    operations: int = 0
    begun: Volume | None = None
    descriptors_max: int = 1024

    @staticmethod
    def fresh() -> "System":
        """An empty volume: the root directory, mode 0755, owned by root, times 0."""
        root = Inode(DIRECTORY, 0o755, 2, 0, 0, 0)
        volume = Volume({ROOT: root}, ROOT + 1)
        return System(volume, (volume,), {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended: a value, or an errno (0 for success)."""

    value: object = None
    errno: int = 0


class Difference(Exception):
    """An observed outcome that the specification does not permit."""
