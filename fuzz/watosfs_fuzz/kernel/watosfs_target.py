"""Our kernel over two small WFS v3 volumes in memory, as a target of the kernel lockstep."""

from functools import cache
from typing import Any, TypeAlias

from watosfs.block.memory import MemoryDevice
from watosfs.kernel.descriptions import Description, InodeDescription, PipeEnd
from watosfs.kernel.kernel import PARKED, Kernel
from watosfs.vfs.filesystem import SpaceUse
from watosfs.vfs.wfs3 import Wfs3Filesystem
from watosfs.wfs3.format import DATA_START_BLOCK
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.kernel.call_functions import arguments_of, function_of
from watosfs_fuzz.target import NANOSECONDS_PER_OPERATION, Entry, Tree
from watosfs_fuzz.targets.wfs3_entry import entry_of
from watosfs_model import Outcome
from watosfs_model.kernel import numbers, process_calls
from watosfs_model.kernel.calls import Call

#: Large enough that nothing of the vocabulary meets ENOSPC: that is the volume lockstep's affair.
BLOCK_COUNT = 4096
VOLUMES = 2

Id: TypeAlias = tuple[int, int]
Place: TypeAlias = tuple[int, bytes] | Id


@cache
def empty_volume() -> bytes:
    """The blocks that mkfs writes at time 0."""
    device = MemoryDevice(BLOCK_COUNT)
    superblock = mkfs(device, uuid=bytes(16), clock=lambda: 0)
    last = max(superblock.root_tree_block, superblock.free_tree_block, DATA_START_BLOCK)
    return bytes(device.read(0, last + 1))


class WatosfsKernelTarget:
    """Call n happens at n seconds, on all volumes."""

    name = "watosfs"

    def __init__(self) -> None:
        self.calls = 0
        self.filesystems: list[Wfs3Filesystem] = []
        self.has_mounted = True
        self.start()

    def start(self) -> None:
        """A fresh kernel (``docs/DESIGN.md`` section 8.1). Only a mount leads to the volumes after
        the first: without one they are as fresh as they were, and are kept.
        """
        self.calls = 0
        kept = [] if self.has_mounted else self.filesystems[1:]
        self.filesystems = [self.empty_filesystem() for _ in range(VOLUMES - len(kept))] + kept
        self.has_mounted = False
        self.kernel = Kernel(self.filesystems, self.now)

    def empty_filesystem(self) -> Wfs3Filesystem:
        """A new volume, mounted."""
        device = MemoryDevice(BLOCK_COUNT)
        device.write(0, empty_volume())
        return Wfs3Filesystem(Volume.mount(device, clock=self.now))

    def now(self) -> int:
        """The time of the call that runs."""
        return self.calls * NANOSECONDS_PER_OPERATION

    def apply(self, pid: int, call: Call) -> Outcome:
        """Run one call; every ``OSError`` becomes an outcome with its errno."""
        self.calls += 1
        try:
            return Outcome(self.value(pid, call))
        except OSError as error:
            if not error.errno:
                raise
            return Outcome(None, error.errno)

    def value(self, pid: int, call: Call) -> object:
        """What the call gives."""
        if isinstance(call, process_calls.Resume):
            found = self.kernel.resume(pid)
        elif isinstance(call, process_calls.Interrupt):
            found = self.kernel.interrupt(pid)
        else:
            self.has_mounted |= isinstance(call, process_calls.Mount)
            found = self.kernel.call(pid, function_of(call), *arguments_of(call))
        if isinstance(found, SpaceUse):
            return None
        return numbers.PARKED if found is PARKED else found

    def close(self) -> None:
        """Unmount everything."""
        for filesystem in self.filesystems:
            if filesystem.begun is not None:
                filesystem.end()
            filesystem.volume.unmount()

    # -- observing (section 8.2)

    def observe(self) -> tuple[object, ...]:
        """Trees, processes, descriptions, locks."""
        trees, first = [], dict[tuple[int, int], bytes]()
        for index, filesystem in enumerate(self.filesystems):
            trees.append(observe_tree(filesystem.volume, index, first))
        ids = self.description_ids()
        places = self.places(ids, first)
        processes = {
            pid: (
                self.cwd_of(pid, first),
                process.umask,
                process.credentials[:3],
                process.credentials[3:6],
                process.credentials.groups,
                process.limit,
                {
                    fd: (ids[found.description], found.closes_on_exec)
                    for fd, found in process.descriptors.items()
                },
                process.parked is not None,
            )
            for pid, process in self.kernel.processes.items()
        }
        descriptions = {
            name: self.described(description, places[description])
            for description, name in ids.items()
        }
        return tuple(trees), processes, descriptions, self.locks(ids, places)

    def description_ids(self) -> dict[Description, Id]:
        """The smallest (process, descriptor) of each description."""
        ids: dict[Description, Id] = {}
        for pid, process in sorted(self.kernel.processes.items()):
            for fd, found in sorted(process.descriptors.items()):
                ids.setdefault(found.description, (pid, fd))
        return ids

    def places(
        self, ids: dict[Description, Id], first: dict[tuple[int, int], bytes]
    ) -> dict[Description, Place]:
        """(volume, first path), or the smallest id on the same nameless inode or pipe."""
        numbers_of = {id(found): index for index, found in enumerate(self.filesystems)}
        nameless: dict[object, Id] = {}
        places: dict[Description, Place] = {}
        for description, name in sorted(ids.items(), key=lambda item: item[1]):
            path = None
            if isinstance(description, InodeDescription) and not description.pin.is_stale:
                volume = numbers_of[id(description.filesystem)]
                path = first.get((volume, description.number))
            if path is None:
                places[description] = nameless.setdefault(description.identity, name)
            else:
                places[description] = (volume, path)
        return places

    def described(self, description: Description, place: Place) -> tuple[object, ...]:
        """(kind, flags, offset, place, size)."""
        kind, size = description.kind, 0
        if isinstance(description, PipeEnd):
            size = len(description.pipe.buffer)
        elif isinstance(description, InodeDescription):
            pipe = getattr(description, "pipe", None)
            if description.pin.is_stale:
                kind = "stale"
            elif pipe is not None:
                size = len(pipe.buffer)
            elif kind == "file":
                filesystem: Any = description.filesystem
                size = filesystem.volume.engine.inode(description.number).size
        offset = description.offset if kind == "file" else 0
        return kind, description.flags, offset, place, size

    def cwd_of(self, pid: int, first: dict[tuple[int, int], bytes]) -> object:
        """(volume, first path), or "removed"."""
        process = self.kernel.processes[pid]
        node = process.cwd
        volume = next(i for i, f in enumerate(self.filesystems) if f is node.filesystem)
        path = None if process.pinned_cwd.is_stale else first.get((volume, node.number))
        return "removed" if path is None else (volume, path)

    def locks(
        self, ids: dict[Description, Id], places: dict[Description, Place]
    ) -> tuple[tuple[object, ...], ...]:
        """flocks and record locks."""
        found: list[tuple[object, ...]] = []
        for holders in self.kernel.flocks.holders.values():
            for description, kind in holders.items():
                word = "exclusive" if kind == numbers.LOCK_EX else "shared"
                found.append(("flock", places[description], word, ids[description]))
        by_identity = {
            description.identity: place
            for description, place in sorted(places.items(), key=lambda item: ids[item[0]])[::-1]
        }
        for identity, locks in self.kernel.record_locks.locks.items():
            for lock in locks:
                end = None if lock.end == (1 << 63) - 1 else lock.end + 1
                place = by_identity[identity]
                found.append(("range", place, lock.kind, lock.start, end, lock.pid))
        return tuple(sorted(found, key=repr))


def observe_tree(volume: Volume, index: int, first: dict[tuple[int, int], bytes]) -> Tree:
    """One volume's entries by path; ``first`` gets the first path of each inode."""
    inodes = list(volume.walk())
    for path, inode in inodes:
        known = first.get((index, inode.number))
        if known is None or path < known:
            first[index, inode.number] = path
    tree: Tree = {}
    for path, inode in inodes:
        entry: Entry = entry_of(volume, inode, first[index, inode.number])
        if inode.mode & 0o170000 == 0o010000:
            entry = ("fifo", *entry[1:9], b"", *entry[10:])
        tree[path] = entry
    return tree
