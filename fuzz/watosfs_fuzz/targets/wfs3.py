"""Our own WFS v3, in process, on a recording device."""

import errno
import os
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any

from watosfs.block.device import BlockDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.handle import Handle
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.records import Inode
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.crash.image import CrashImage
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.dialect import Dialect, Entry, Observed, Tree
from watosfs_fuzz.epochs import epoch_problem
from watosfs_fuzz.oracles.permitted import frozen
from watosfs_fuzz.target import (
    DESCRIPTORS_MAX,
    FIRST_DESCRIPTOR,
    NANOSECONDS_PER_OPERATION,
    Geometry,
)
from watosfs_fuzz.targets.wfs3_entry import entry_of, without_contents
from watosfs_fuzz.targets.wfs3_room import has_room_for
from watosfs_fuzz.targets.wfs3_shape import shape_of
from watosfs_fuzz.targets.wfs3_snapshots import SnapshotViews
from watosfs_fuzz.targets.wfs3_trials import (
    emptying_problem,
    leak_problem,
    progress_problem,
    second_commit_problem,
)
from watosfs_model import Outcome
from watosfs_model import operations as ops
from watosfs_model.operations import Operation

DEFAULT_GEOMETRY = Geometry()


class Wfs3Target:
    """Descriptors are numbered here (lowest free from 3); everything else is the volume's."""

    name = "wfs3"
    dialect = Dialect(frozenset(ops.OPERATION_TYPES), can_crash=True)

    def __init__(self, geometry: Geometry = DEFAULT_GEOMETRY) -> None:
        self.geometry = geometry
        self.block_count = geometry.block_count
        self.operations_done = 0
        self.generations: dict[int, int] = {}
        self.handles: dict[int, Handle] = {}
        self.views = SnapshotViews()

    @cached_property
    def calls(self) -> dict[type[Operation], Callable[[Any], object]]:
        """What each operation calls; a target that only recovers needs none."""
        return {
            ops.Mkdir: lambda o: self.volume.mkdir(o.path, o.mode),
            ops.Rmdir: lambda o: self.volume.rmdir(o.path),
            ops.Open: self.open,
            ops.Close: self.close_descriptor,
            ops.Pread: lambda o: self.handle(o.fd).pread(o.count, o.offset),
            ops.Pwrite: lambda o: self.handle(o.fd).pwrite(o.data.bytes(), o.offset),
            ops.Truncate: lambda o: self.volume.truncate(o.path, o.size),
            ops.Ftruncate: lambda o: self.handle(o.fd).truncate(o.size),
            ops.Unlink: lambda o: self.volume.unlink(o.path),
            ops.Rename: lambda o: self.volume.rename(o.old, o.new),
            ops.Link: lambda o: self.volume.link(o.old, o.new),
            ops.Symlink: lambda o: self.volume.symlink(o.target, o.path),
            ops.Readlink: lambda o: self.volume.readlink(o.path),
            ops.Readdir: self.readdir,
            ops.Stat: lambda o: self.stat(o.path, follow=True),
            ops.Lstat: lambda o: self.stat(o.path, follow=False),
            ops.Fstat: self.fstat,
            ops.Statfs: lambda o: self.volume.statfs() and None,
            ops.Chmod: lambda o: self.volume.chmod(o.path, o.mode),
            ops.Compress: lambda o: self.volume.compress(o.path, o.level),
            ops.Chown: lambda o: self.volume.chown(o.path, o.uid, o.gid),
            ops.Utimens: lambda o: self.volume.utimens(o.path, o.atime_ns, o.mtime_ns),
            ops.Setxattr: lambda o: self.volume.setxattr(o.path, o.key, o.value.bytes(), o.flags),
            ops.Getxattr: lambda o: self.volume.getxattr(o.path, o.key),
            ops.Listxattr: lambda o: frozenset(self.volume.listxattr(o.path)),
            ops.Removexattr: lambda o: self.volume.removexattr(o.path, o.key),
            ops.Fsync: lambda o: self.handle(o.fd).fsync(),
            ops.Fdatasync: lambda o: self.handle(o.fd).fdatasync(),
            ops.Sync: lambda o: self.volume.sync(),
            ops.Begin: lambda o: self.volume.begin(),
            ops.Commit: lambda o: self.volume.commit(),
            ops.Abort: lambda o: self.volume.abort(),
            ops.Snapshot: lambda o: self.volume.snapshot_create(o.label),
            ops.Dropsnapshot: lambda o: self.volume.snapshot_delete(o.label),
            ops.Rollback: lambda o: self.volume.snapshot_rollback(o.label),
            ops.Remount: self.remount,
        }

    def clock(self) -> int:
        """The time of the operation under way, ns."""
        return self.operations_done * NANOSECONDS_PER_OPERATION

    # -- life

    def start(self) -> None:
        self.operations_done = 0
        device = RecordingDevice(self.block_count)
        mkfs(device, uuid=bytes(16), clock=self.clock)
        self.begin_log(device)

    def begin_log(self, device: RecordingDevice) -> None:
        """Mount what the device holds; the log starts with it."""
        self.handles = {}
        self.views.forget()
        self.base = dict(device.image)
        device.events.clear()
        self.device = device
        self.volume = self.mount(device)
        self.generations = {self.operations_done: self.generation()}

    def mount(self, device: BlockDevice) -> Volume:
        """The volume on the device."""
        return Volume.mount(
            device, clock=self.clock, node_entries_max=self.geometry.node_entries_max
        )

    def restart_on(self, image: dict[int, bytes], operations_done: int) -> None:
        self.operations_done = operations_done
        self.begin_log(RecordingDevice(self.block_count, image))

    def recover(self, device: BlockDevice, operations_done: int) -> "Wfs3Target":
        target = type(self)(self.geometry)
        target.operations_done = operations_done
        target.volume = target.mount(device)
        return target

    def close(self) -> None:
        self.handles.clear()

    # -- operations

    def apply(self, pid: int, operation: Operation) -> Outcome:
        self.operations_done += 1
        number = self.operations_done
        if isinstance(operation, (ops.Snapshot, ops.Dropsnapshot, ops.Rollback, ops.Remount)):
            self.views.forget()
        self.device.mark(("begin", number))
        try:
            return Outcome(self.calls[type(operation)](operation), 0)
        except OSError as error:
            return Outcome(None, error.errno or errno.EIO)
        finally:
            self.generations[number] = self.generation()
            self.device.mark(("end", number))

    def handle(self, descriptor: int) -> Handle:
        """The handle behind a descriptor."""
        found = self.handles.get(descriptor)
        if found is None:
            raise OSError(errno.EBADF, "no such descriptor")
        return found

    def open(self, operation: ops.Open) -> int:
        """Open with the lowest free number."""
        descriptor = FIRST_DESCRIPTOR
        while descriptor in self.handles:
            descriptor += 1
        if descriptor >= DESCRIPTORS_MAX:
            raise OSError(errno.EMFILE, "too many descriptors")
        self.handles[descriptor] = self.volume.open(operation.path, operation.flags, operation.mode)
        return descriptor

    def close_descriptor(self, operation: ops.Close) -> None:
        """Free the number, whatever closing says."""
        handle = self.handle(operation.fd)
        del self.handles[operation.fd]
        handle.close()

    def readdir(self, operation: ops.Readdir) -> frozenset[tuple[bytes, str]]:
        """Names and kinds."""
        kinds = {1: "file", 2: "directory", 3: "symlink"}
        entries = self.volume.readdir(operation.path)
        found = frozenset((entry.name, kinds[entry.kind]) for entry in entries)
        assert len(found) == len(entries), "readdir repeats a name"
        return found

    def remount(self, operation: ops.Remount) -> None:
        """Unmount cleanly, mount again."""
        if self.volume.engine.in_transaction:
            raise OSError(errno.EBUSY, "a transaction is open")
        self.handles.clear()
        self.volume.unmount()
        self.volume = self.mount(self.device)

    # -- looking

    def stat(self, path: bytes, *, follow: bool) -> Entry:
        """The entry at a path."""
        tree, _ = self.observe()
        number = self.volume.stat(path, follow).st_ino
        inode = self.volume.engine.inode(number)
        return entry_of(self.volume, inode, self.identity(tree, number))

    def fstat(self, operation: ops.Fstat) -> Entry:
        """The entry of a descriptor."""
        self.handle(operation.fd).stat()
        return self.observe()[1][operation.fd]

    def identity(self, tree: Tree, number: int) -> bytes:
        """The first path to an inode."""
        return min(path for path, other in self.numbers.items() if other == number)

    def observe(self) -> Observed:
        return self.look(contents=True)

    def look(self, *, contents: bool) -> Observed:
        """The whole state, or all but what files hold."""
        tree: Tree = {}
        first: dict[int, bytes] = {}
        inodes: list[tuple[bytes, Inode]] = list(self.volume.walk())
        self.numbers = {path: inode.number for path, inode in inodes}
        for path, inode in inodes:
            number = inode.number
            if number not in first or path < first[number]:
                first[number] = path
        for path, inode in inodes:
            tree[path] = entry_of(self.volume, inode, first[inode.number], contents=contents)
        tree.update(self.views.shown(self.volume, contents=contents))
        files: dict[int, Entry] = {}
        for descriptor in sorted(self.handles):
            handle = self.handles[descriptor]
            if handle.is_stale:
                name = b"fd:%d" % descriptor
                files[descriptor] = ("stale", 0, 0, 0, 0, 0, 0, 0, 0, None, (), name)
                continue
            inode = handle.inode()
            identity = first.setdefault(inode.number, b"fd:%d" % descriptor)
            files[descriptor] = entry_of(self.volume, inode, identity, contents=contents)
        return tree, files

    # -- space, checks, features

    def has_room_for(self, operation: Operation) -> bool:
        return has_room_for(self.volume, operation)

    def statistics(self) -> dict[str, int]:
        engine = self.volume.engine
        return {
            "inode tree height": engine.inode_tree.height,
            "free tree height": engine.space.tree.height,
            "generation": engine.superblock.root_generation,
        }

    def problems(self, device: BlockDevice, memo: dict[object, object]) -> list[str]:
        report = check(device, data=True, memo=memo)
        found = [str(problem) for problem in report.problems]
        if report.orphans:
            found.append(f"orphan tree: {report.orphans} orphans left after recovery")
        return found

    def epoch_problem(self) -> str | None:
        return epoch_problem(self.base, self.device.events, self.block_count)

    def shape(self) -> Hashable:
        """What the volume looks like behind its files."""
        return shape_of(self.volume)

    def generation(self) -> int:
        return self.volume.engine.superblock.root_generation

    def progress_problem(self) -> str | None:
        found = progress_problem(self.volume)
        if found is not None and self.is_full(found):
            return emptying_problem(self.volume)
        return found

    def is_full(self, problem: str) -> bool:
        """Whether a trial failed for want of space, and rightly."""
        return os.strerror(errno.ENOSPC) in problem and not self.has_room_for(ops.Sync())

    def leak_problem(self) -> str | None:
        # Two almost empty nodes of three entries need not merge, as two of a hundred must.
        if self.geometry.node_entries_max:
            found = second_commit_problem(self.volume)
            return None if found is not None and self.is_full(found) else found
        return leak_problem(self.volume)

    def read_only_problem(
        self, device: CrashImage, operations_done: int, tree: Hashable
    ) -> str | None:
        target = type(self)(self.geometry)
        target.operations_done = operations_done
        target.volume = Volume.mount(device, read_only=True, clock=target.clock)
        found = frozen(target.look(contents=False)[0])
        if device.write_count:
            return f"a read-only mount made {device.write_count} writes"
        return None if found == without_contents(tree) else "a read-only mount shows another tree"
