"""Our own WFS v2, in process, on a recording device.

WFS v2 promises whole files and no order between them (CRASH_MODEL, clauses 40 to 46). So every
operation is followed by a sync, and each has to be there as a whole or not at all. Refused, because
nothing is promised: a directory renamed with something in it (each entry goes by itself), and a
file changed where it is because there is no room elsewhere. A path longer than an entry's 55 bytes
is refused too: the model knows no such limit.

Checks: everything else that a file system of files and directories must do, removed files that
are open included. Does not check: modes and times (tests/impl), what an unsynced power cut leaves
(tests/impl/wfs2/test_power_cut.py).
"""

import errno
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

from watosfs.block.device import BlockDevice
from watosfs.wfs2.blocks import blocks_of
from watosfs.wfs2.check import check
from watosfs.wfs2.entries import NAME_BYTES_MAX
from watosfs.wfs2.handle import Handle
from watosfs.wfs2.mkfs import mkfs
from watosfs.wfs2.node import Node
from watosfs.wfs2.space import Space
from watosfs.wfs2.volume import Wfs2Volume
from watosfs_fuzz.crash.image import CrashImage
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.dialect import Dialect, Observed, Tree
from watosfs_fuzz.oracles.permitted import frozen
from watosfs_fuzz.progress import progress_problem
from watosfs_fuzz.target import (
    DESCRIPTORS_MAX,
    FIRST_DESCRIPTOR,
    NANOSECONDS_PER_OPERATION,
    Geometry,
    WithoutProbes,
)
from watosfs_fuzz.targets.descriptors import FIELDS, FLAGS, OPERATIONS, refuse, shown
from watosfs_model import Outcome
from watosfs_model import operations as ops
from watosfs_model.operations import Operation

FILE_BYTES_MAX = 100_000
TABLE_FILES = 256
DEFAULT_GEOMETRY = Geometry()
_PATHS = ("path", "old", "new")


class Wfs2Target(WithoutProbes):
    """Descriptors are numbered here (lowest free from 3); everything else is the volume's."""

    name = "wfs2"
    dialect = Dialect(
        OPERATIONS | {ops.Truncate, ops.Fdatasync, ops.Crash},
        can_crash=True,
        fields=FIELDS,
        names=r"[^/\0]{1,55}",
        file_bytes_max=FILE_BYTES_MAX,
        open_flags=FLAGS,
        may_refuse=True,
    )

    def __init__(self, geometry: Geometry = DEFAULT_GEOMETRY) -> None:
        self.geometry = geometry
        self.operations_done = self.refusals = 0
        self.handles: dict[int, Handle] = {}
        self.base: dict[int, bytes] = {}
        self.calls: dict[type[Operation], Callable[[Any], object]] = {
            ops.Mkdir: lambda o: self.volume.mkdir(o.path),
            ops.Rmdir: lambda o: self.volume.rmdir(o.path),
            ops.Open: self.open,
            ops.Close: self.close_descriptor,
            ops.Pread: lambda o: self.handle(o.fd).pread(o.count, o.offset),
            ops.Pwrite: self.pwrite,
            ops.Truncate: self.truncate,
            ops.Ftruncate: self.ftruncate,
            ops.Unlink: lambda o: self.volume.unlink(o.path),
            ops.Rename: self.rename,
            ops.Readdir: self.readdir,
            ops.Fsync: lambda o: self.handle(o.fd).fsync(),
            ops.Fdatasync: lambda o: self.handle(o.fd).fdatasync(),
            ops.Sync: lambda o: None,
            ops.Remount: self.remount,
        }

    def clock(self) -> int:
        """The time of the operation under way, ns."""
        return self.operations_done * NANOSECONDS_PER_OPERATION

    # -- life

    def start(self) -> None:
        self.operations_done = self.refusals = 0
        device = RecordingDevice(self.geometry.block_count)
        mkfs(device, max_files=TABLE_FILES)
        self.begin_log(device)

    def begin_log(self, device: RecordingDevice) -> None:
        """Mount what the device holds; the log starts with it."""
        self.handles = {}
        self.base = dict(device.image)
        device.events.clear()
        self.device = device
        self.volume = self.mount(device)

    def mount(self, device: BlockDevice) -> Wfs2Volume:
        """The volume on the device, what a power cut left put right."""
        volume = Wfs2Volume.mount(device, clock=self.clock)
        if volume.engine.read_only_reason is not None:
            raise OSError(errno.EROFS, volume.engine.read_only_reason)
        if volume.engine.has_changes:
            volume.sync()
        return volume

    def restart_on(self, image: dict[int, bytes], operations_done: int) -> None:
        self.operations_done = operations_done
        self.begin_log(RecordingDevice(self.geometry.block_count, image))

    def recover(self, device: BlockDevice, operations_done: int) -> "Wfs2Target":
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
        device = getattr(self, "device", None)
        if device is not None:
            device.mark(("begin", number))
        try:
            for field in _PATHS:
                if len(getattr(operation, field, b"")) > 1 + NAME_BYTES_MAX:
                    raise refuse("a path that is longer than an entry has room for")
            value = self.calls[type(operation)](operation)
            self.volume.sync()
            return Outcome(value, 0)
        except OSError as error:
            self.refusals += error.errno == errno.EOPNOTSUPP
            return Outcome(None, error.errno or errno.EIO)
        finally:
            if device is not None:
                device.mark(("end", number))

    def handle(self, descriptor: int) -> Handle:
        """The handle behind a descriptor."""
        found = self.handles.get(descriptor)
        if found is None:
            raise OSError(errno.EBADF, "no such descriptor")
        return found

    def found(self, path: bytes) -> Node | None:
        """What is at a path, if there is anything."""
        with suppress(OSError):
            return self.volume.node(path)
        return None

    def open(self, operation: ops.Open) -> int:
        """Open with the lowest free number; directories are refused."""
        number = next(n for n in range(FIRST_DESCRIPTOR, DESCRIPTORS_MAX) if n not in self.handles)
        node = self.found(operation.path)
        if node is not None and node.is_directory:
            raise refuse("a descriptor on a directory")
        if node is not None:
            self.require_room(node, 0)
        self.handles[number] = self.volume.open(operation.path, operation.flags)
        return number

    def close_descriptor(self, operation: ops.Close) -> None:
        """Free the number."""
        handle = self.handle(operation.fd)
        del self.handles[operation.fd]
        handle.close()

    def require_room(self, node: Node, size: int) -> None:
        """Refuse what would change a file where it is: there is no room elsewhere, but there."""
        longest = self.volume.engine.space.longest_run
        if node.draft is None and node.entry.blocks and blocks_of(size) > longest:
            raise refuse("no room to change the file elsewhere")

    def pwrite(self, operation: ops.Pwrite) -> int:
        """Write all of it or nothing."""
        handle, data = self.handle(operation.fd), operation.data.bytes()
        if operation.offset >= 0 and data:
            is_append = handle.is_appending
            end = (handle.node.size if is_append else operation.offset) + len(data)
            if end > FILE_BYTES_MAX:
                raise refuse("a file beyond the limit of the dialect")
            self.require_room(handle.node, max(end, handle.node.size))
        return handle.pwrite(data, operation.offset)

    def truncate(self, operation: ops.Truncate) -> None:
        """Cut or grow by path."""
        if operation.size >= 0:
            self.require_room(self.volume.node(operation.path), operation.size)
        self.volume.truncate(operation.path, operation.size)

    def ftruncate(self, operation: ops.Ftruncate) -> None:
        """Cut or grow."""
        handle = self.handle(operation.fd)
        if operation.size >= 0:
            self.require_room(handle.node, operation.size)
        handle.truncate(operation.size)

    def rename(self, operation: ops.Rename) -> None:
        """Rename a file or an empty directory."""
        node = self.found(operation.old)
        if node is not None and node.children:
            raise refuse("renaming a directory with something in it")
        self.volume.rename(operation.old, operation.new)

    def readdir(self, operation: ops.Readdir) -> frozenset[tuple[bytes, str]]:
        """Names and kinds."""
        entries = self.volume.readdir(operation.path)
        return frozenset((entry.name, entry.kind) for entry in entries)

    def remount(self, operation: ops.Remount) -> None:
        """Unmount cleanly, mount again."""
        self.handles.clear()
        self.volume.unmount()
        self.volume = self.mount(self.device)

    # -- looking

    def observe(self) -> Observed:
        tree: Tree = {}
        for node in self.volume.engine.root.below():
            tree[b"/" + node.path] = self.entry(node)
        return tree, {number: self.entry(h.node) for number, h in self.handles.items()}

    def entry(self, node: Node) -> tuple[object, ...]:
        """What is compared of a node."""
        if node.is_directory:
            return shown("directory", 0, None)
        data = self.volume.read_node(node)
        return shown("file", len(data), data)

    def has_room_for(self, operation: Operation) -> bool:
        end = 0
        if isinstance(operation, ops.Pwrite):
            end = operation.offset + len(operation.data)
        elif isinstance(operation, (ops.Ftruncate, ops.Truncate)):
            end = operation.size
        sizes = [handle.node.size for handle in self.handles.values()]
        need = 2 * blocks_of(max(end, 0, *sizes)) + 2
        return bool(self.volume.engine.free_slots) and self.volume.engine.space.longest_run > need

    def statistics(self) -> dict[str, int]:
        return {
            "refusals": self.refusals,
            "entries in use": TABLE_FILES - len(self.volume.engine.free_slots),
            "free runs": len(self.volume.engine.space.starts),
        }

    # -- judging crashes

    def role(self, block: int) -> str | None:
        """What a block is for, in reports."""
        geometry = self.volume.engine.geometry
        if block in geometry.superblocks:
            return "superblock"
        if block < geometry.filetable_block:
            return "bitmap"
        return "file table" if block < geometry.data_start_block else "file data"

    def problems(self, device: BlockDevice, memo: dict[object, object]) -> list[str]:
        return [str(problem) for problem in check(device, data=True).problems]

    def progress_problem(self) -> str | None:
        return progress_problem(self)

    def read_only_problem(
        self, device: CrashImage, operations_done: int, tree: Hashable
    ) -> str | None:
        target = type(self)(self.geometry)
        target.volume = Wfs2Volume.mount(device, read_only=True)
        found = frozen(target.observe()[0])
        if device.write_count:
            return f"a read-only mount made {device.write_count} writes"
        return None if found == tree else "a read-only mount shows another tree"

    def leak_problem(self) -> str | None:
        volume = self.volume
        for node in reversed(volume.engine.root.below()[1:]):
            (volume.rmdir if node.is_directory else volume.unlink)(b"/" + node.path)
        volume.sync()
        empty = Space(self.geometry.block_count, volume.engine.geometry.reserved_runs).free_count
        free = volume.statfs().free
        return None if free == empty else f"{empty - free} blocks are not free on an empty volume"

    def epoch_problem(self) -> str | None:
        return None
