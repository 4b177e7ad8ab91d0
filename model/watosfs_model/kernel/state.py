"""The immutable state of a kernel: processes, descriptions, pipes, locks, volumes.

A file is a pair (volume, inode number); an anonymous pipe has the volume PIPES. Tables are plain
dicts that nobody changes once they are in a state; a call copies the few that it touches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from watosfs_model.kernel.calls import Call
from watosfs_model.state import ROOT, System, Volume

File: TypeAlias = tuple[int, int]

#: In the place of a volume number: the file is an anonymous pipe.
PIPES = -1
ROOT_FILE: File = (0, ROOT)
VOLUMES = 2
FIRST_PROCESS = 1
DESCRIPTORS_DEFAULT = 64
DESCRIPTORS_MAX = 1024
PIPE = "pipe"
STALE = "stale"


class Descriptor(NamedTuple):
    """What a number leads to, and whether exec closes it: the only flag of its own [K2]."""

    description: int
    is_closed_on_exec: bool = False


class Scan(NamedTuple):
    """How far a directory was listed since open or rewind [K9].

    ``given``: names that came. ``always``: names there all the time. ``ever``: (name, kind) that
    were there at some time.
    """

    given: frozenset[bytes]
    always: frozenset[bytes]
    ever: frozenset[tuple[bytes, str]]


@dataclass(frozen=True, slots=True)
class Description:
    """An open file description: shared by dup and fork [K1].

    ``kind`` is what was opened; ``flags`` the access mode, O_APPEND and O_NONBLOCK.
    """

    kind: str
    file: File
    flags: int
    offset: int = 0
    scan: Scan | None = None
    is_stale: bool = False


class Pipe(NamedTuple):
    """What a pipe or FIFO holds; the rest is what fstat says of an anonymous one."""

    data: bytes = b""
    uid: int = 0
    gid: int = 0
    created_ns: int = 0


class RangeLock(NamedTuple):
    """A record lock on the bytes from ``start`` to before ``end``; kind F_RDLCK or F_WRLCK."""

    start: int
    end: int
    kind: int
    pid: int


class Parked(NamedTuple):
    """A call that waits [R1]: the bytes that a write has done, the FIFO that an open waits at."""

    call: Call
    done: int = 0
    fifo: File | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One process. Ids are (real, effective, saved); ``groups`` sorted."""

    cwd: File = ROOT_FILE
    umask: int = 0o022
    uids: tuple[int, int, int] = (0, 0, 0)
    gids: tuple[int, int, int] = (0, 0, 0)
    groups: tuple[int, ...] = ()
    limit: int = DESCRIPTORS_DEFAULT
    descriptors: Mapping[int, Descriptor] = field(default_factory=dict)
    parked: Parked | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume and how it is used.

    ``point``: the directory that it covers (None: it is the root's, a drive's, or not mounted);
    ``drive``: the letter of the drive that it is, upper case. ``begun``: the
    volume as it was when ``owner`` opened the transaction, None outside one [Y2].
    """

    volume: Volume
    point: File | None = None
    drive: bytes = b""
    begun: Volume | None = None
    owner: int = 0


@dataclass(frozen=True, slots=True)
class Kernel:
    """Everything. ``calls`` counts them all; it is the clock [T1]. ``flocks`` is by description,
    ``pipes`` and ``ranges`` by file.
    """

    disks: tuple[Disk, ...]
    processes: Mapping[int, Process]
    descriptions: Mapping[int, Description]
    pipes: Mapping[File, Pipe]
    flocks: Mapping[int, int]
    ranges: Mapping[File, tuple[RangeLock, ...]]
    calls: int = 0
    next_process: int = FIRST_PROCESS + 1
    next_description: int = 1
    next_pipe: int = 1

    @staticmethod
    def fresh() -> "Kernel":
        """Two empty volumes, the first mounted at `/`; process 1 runs as root."""
        empty = Disk(System.fresh().volume)
        return Kernel((empty,) * VOLUMES, {FIRST_PROCESS: Process()}, {}, {}, {}, {})
