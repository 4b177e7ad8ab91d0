"""The kernel: processes, what they share, and the dispatch of their calls."""

import errno
import time
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

from watosfs.errors import failure
from watosfs.kernel.descriptions import (
    Description,
    GonePin,
    Identity,
    InodeDescription,
    OpenDirectory,
    OpenFifo,
    Pipe,
)
from watosfs.kernel.flocks import Flocks
from watosfs.kernel.numbers import AT_FDCWD
from watosfs.kernel.process import Descriptor, Process, WouldBlock
from watosfs.kernel.record_locks import RecordLocks
from watosfs.kernel.statistics import Statistics
from watosfs.vfs.access import Credentials
from watosfs.vfs.filesystem import Filesystem, Traffic
from watosfs.vfs.nodes import Node, NodeTable
from watosfs.vfs.walk import Follow, Location, walk

PARKED = "parked"

CallFunction = Callable[..., object]


class Kernel:
    """``volumes[0]`` is mounted at ``/``; the others wait for ``mount``. Process 1 exists.

    ``clock`` gives ns since 1970, and should be the volumes' own. With ``counters`` every call
    is counted and timed.
    """

    def __init__(
        self,
        volumes: Sequence[Filesystem],
        clock: Callable[[], int] = time.time_ns,
        counters: Statistics | None = None,
    ) -> None:
        self.volumes = list(volumes)
        self.clock = clock
        self.counters = counters
        self.nodes = NodeTable(self.volumes[0])
        self.processes: dict[int, Process] = {}
        self.next_pid = 1
        self.flocks = Flocks()
        self.record_locks = RecordLocks()
        self.fifos: WeakValueDictionary[Identity, Pipe] = WeakValueDictionary()
        self.add_process(self.nodes.root)

    def add_process(self, cwd: Node, parent: Process | None = None) -> Process:
        """A process with the next number; an abort may have taken its parent's directory."""
        is_gone = parent is not None and parent.pinned_cwd.is_stale
        pin = GonePin(cwd.number) if is_gone else cwd.filesystem.open(cwd.number)
        process = Process(self.next_pid, cwd, pin)
        self.processes[process.pid] = process
        self.next_pid += 1
        return process

    # -- dispatch

    def call(self, pid: int, function: CallFunction, *arguments: object) -> object:
        """Run one call of a process: its value, or PARKED. Raises ``OSError`` with its errno.

        ESRCH for a process that does not exist; EBUSY for one that is parked.
        """
        process = self.process(pid)
        if process.parked is not None:
            raise failure(errno.EBUSY, reason=f"process {pid} is parked")
        process.progress = 0
        process.operation = function.__name__
        return self.attempt(process, lambda: function(self, process, *arguments))

    def process(self, pid: int) -> Process:
        """A live process. Raises ESRCH."""
        found = self.processes.get(pid)
        if found is None:
            raise failure(errno.ESRCH, reason=f"no process {pid}")
        return found

    def attempt(self, process: Process, run: Callable[[], object]) -> object:
        """Run a call, or park its process in it."""
        for volume in self.volumes:
            volume.actor = process.pid
        process.parked = process.waits_for = None
        try:
            return run() if self.counters is None else self.counted(process, run)
        except WouldBlock as blocked:
            process.parked = run
            process.waits_for = blocked.args
            return PARKED

    def counted(self, process: Process, run: Callable[[], object]) -> object:
        """Run a call, and tell the statistics about it."""
        assert self.counters is not None
        for volume in self.volumes:
            volume.traffic = Traffic()
        error, start = 0, time.perf_counter_ns()
        try:
            return run()
        except WouldBlock:
            self.counters.parked(process.operation, process.pid)
            error = -1
            raise
        except OSError as failed:
            error = failed.errno or errno.EIO
            raise
        finally:
            if error >= 0:
                elapsed = time.perf_counter_ns() - start
                traffic = [volume.traffic for volume in self.volumes]
                self.counters.ended(process.operation, process.pid, traffic, elapsed, error)

    def statistics(self) -> dict[str, dict[str, dict[str, object]]]:
        """Counts, bytes, errors and latencies by operation, process and volume, in plain values;
        empty when nothing is counted.
        """
        return {} if self.counters is None else self.counters.as_dict()

    def resume(self, pid: int) -> object:
        """Try a parked call again. Raises EINVAL for a process that is not parked."""
        process = self.process(pid)
        if process.parked is None:
            raise failure(errno.EINVAL, reason=f"process {pid} is not parked")
        return self.attempt(process, process.parked)

    def interrupt(self, pid: int) -> int:
        """A signal ends a parked call: EINTR, or the count of what a write did."""
        process = self.process(pid)
        if process.parked is None:
            raise failure(errno.EINVAL, reason=f"process {pid} is not parked")
        process.parked = process.waits_for = None
        if process.progress:
            return process.progress
        raise failure(errno.EINTR)

    # -- paths

    def walk(
        self,
        process: Process,
        dirfd: int,
        path: bytes,
        follow: Follow = Follow.ALWAYS,
        credentials: Credentials | None = None,
    ) -> Location:
        """Resolve a path from a directory's descriptor or the working directory."""
        start = self.start(process, dirfd, path)
        return walk(self.nodes, credentials or process.credentials, start, path, follow)

    def start(self, process: Process, dirfd: int, path: bytes) -> Node:
        """Where a path starts. EBADF, ENOTDIR, ESTALE when ``dirfd`` matters and is wrong."""
        if path.startswith(b"/") or self.nodes.drive(path):
            return self.nodes.root
        if dirfd == AT_FDCWD:
            if process.pinned_cwd.is_stale or not process.cwd.is_visible():
                raise failure(errno.ENOENT, path)
            return process.cwd
        description = process.fresh(dirfd)
        if not isinstance(description, OpenDirectory):
            raise failure(errno.ENOTDIR)
        return description.node

    # -- descriptors

    def install(
        self, process: Process, number: int, description: Description, closes_on_exec: bool
    ) -> int:
        """Let a free descriptor number lead to a description."""
        description.references += 1
        process.descriptors[number] = Descriptor(description, closes_on_exec)
        return number

    def remove(self, process: Process, number: int) -> None:
        """Close a descriptor: the process's record locks on the inode go, and with the last
        descriptor the description.
        """
        description = process.descriptors.pop(number).description
        self.record_locks.drop_process(description.identity, process.pid)
        description.references -= 1
        if not description.references:
            self.flocks.drop(description)
            description.release()

    def fifo(self, identity: Identity) -> Pipe:
        """The pipe behind a FIFO's inode; it lives while somebody has it open."""
        pipe = self.fifos.get(identity)
        if pipe is None:
            pipe = self.fifos[identity] = Pipe()
        return pipe

    # -- transactions

    def end_transaction(self, filesystem: Filesystem, *, commits: bool) -> None:
        """Commit or abort; directories that it moved know their parents again."""
        if commits:
            filesystem.commit()
        else:
            filesystem.abort()
            self.nodes.forget_missing(filesystem)
            self.forget_stale()
        if filesystem.has_moved_directories:
            filesystem.has_moved_directories = False
            self.nodes.reparent(filesystem)

    def forget_stale(self) -> None:
        """An abort took files: their locks and pipe contents go."""
        for process in self.processes.values():
            for description, _ in process.descriptors.values():
                if isinstance(description, InodeDescription) and description.pin.is_stale:
                    self.flocks.drop(description)
                    self.record_locks.keep(description.identity, [])
                    if isinstance(description, OpenFifo):
                        description.pipe.buffer.clear()
