"""The working copy that a call changes: a kernel seen by one process, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from watosfs_model.change import VolumeChange
from watosfs_model.kernel.calls import Call
from watosfs_model.kernel.numbers import PARKED
from watosfs_model.kernel.state import PIPES, Description, Disk, File, Kernel, Parked, Process
from watosfs_model.state import NANOSECONDS_PER_OPERATION, Inode, Outcome, Volume


class VolumeEdit(VolumeChange):
    """A change of one volume of a kernel."""

    __slots__ = ("begun", "index", "kernel_change")

    def __init__(self, change: "Change", index: int) -> None:
        disk = change.disks[index]
        super().__init__(disk.volume, change.now_ns)
        self.kernel_change = change
        self.index = index
        self.begun = disk.begun

    def is_open(self, number: int) -> bool:
        """In a transaction everything lives that others still see [Y5]."""
        if self.begun is not None and number in self.begun.inodes:
            return True
        return self.kernel_change.is_used((self.index, number))


class Change:
    """Starts as references to a kernel's tables; a core replaces those that it changes.

    ``observed`` is the outcome to be followed, for the few calls that may end in several ways;
    ``done`` what a write did before it was parked, ``is_cut`` that this is all that it will do.
    """

    __slots__ = (
        "before", "call", "descriptions", "disks", "done", "edits", "flocks", "has_new_views",
        "is_cut", "next_description", "next_pipe", "next_process", "now_ns", "observed", "pid",
        "pipes", "process", "processes", "ranges",
    )  # fmt: skip

    def __init__(
        self, kernel: Kernel, pid: int, call: Call, observed: Outcome | None = None
    ) -> None:
        self.before = kernel
        self.pid = pid
        self.call = call
        self.done = 0
        self.is_cut = False
        self.observed = observed
        self.now_ns = (kernel.calls + 1) * NANOSECONDS_PER_OPERATION  # [T1]
        self.process: Process = kernel.processes[pid]
        self.processes = kernel.processes
        self.descriptions = kernel.descriptions
        self.pipes = kernel.pipes
        self.flocks = kernel.flocks
        self.ranges = kernel.ranges
        self.disks = kernel.disks
        self.edits: dict[int, VolumeEdit] = {}
        self.has_new_views = False
        self.next_process = kernel.next_process
        self.next_description = kernel.next_description
        self.next_pipe = kernel.next_pipe

    # -- volumes as the process sees them

    def inodes(self, volume: int) -> Mapping[int, Inode]:
        """The inodes that the process sees: in somebody else's transaction those at begin [Y2]."""
        disk = self.disks[volume]
        if disk.begun is not None and disk.owner != self.pid:
            return disk.begun.inodes
        edit = self.edits.get(volume)
        return disk.volume.inodes if edit is None else edit.reading

    def inode(self, file: File) -> Inode:
        """The inode of a file that the process sees."""
        return self.inodes(file[0])[file[1]]

    def seen(self, file: File) -> Inode | None:
        """The inode of a file, None when the process sees none (an abort took it) [Y4]."""
        return self.inodes(file[0]).get(file[1])

    def view(self, volume: int) -> Volume:
        """The volume that the process saw before the call."""
        disk = self.before.disks[volume]
        return disk.volume if disk.begun is None or disk.owner == self.pid else disk.begun

    def is_others(self, volume: int) -> bool:
        """Whether somebody else has a transaction open on the volume [Y3]."""
        disk = self.disks[volume]
        return disk.begun is not None and disk.owner != self.pid

    def mounted_on(self, file: File) -> int | None:
        """The volume that covers a directory [M1]."""
        for volume, disk in enumerate(self.disks):
            if disk.point == file:
                return volume
        return None

    def edit(self, volume: int) -> VolumeEdit:
        """The volume, to be changed."""
        edit = self.edits.get(volume)
        if edit is None:
            edit = self.edits[volume] = VolumeEdit(self, volume)
        return edit

    def set_disk(self, index: int, **fields: Any) -> None:
        """Change how a volume is used; what was edited goes in first."""
        self.fold()
        disks = list(self.disks)
        disks[index] = replace(disks[index], **fields)
        self.disks = tuple(disks)
        self.has_new_views = True

    def fold(self) -> None:
        """Put the edited volumes in their places."""
        if self.edits:
            disks: list[Disk] = list(self.disks)
            for volume, edit in self.edits.items():
                if edit.inodes is not None:
                    disks[volume] = replace(disks[volume], volume=edit.volume)
                    self.has_new_views = True
            self.disks = tuple(disks)
            self.edits = {}

    # -- tables

    def everybody(self) -> Mapping[int, Process]:
        """The processes, this one as it is now."""
        return {**self.processes, self.pid: self.process}

    def is_used(self, file: File) -> bool:
        """Whether a description or a working directory keeps the file alive."""
        if any(d.file == file and not d.is_stale for d in self.descriptions.values()):
            return True
        return any(process.cwd == file for process in self.everybody().values())

    def set_process(self, **fields: Any) -> None:
        """Change fields of the calling process."""
        self.process = replace(self.process, **fields)

    def set_description(self, number: int, **fields: Any) -> None:
        """Change fields of a description."""
        changed = replace(self.descriptions[number], **fields)
        self.descriptions = {**self.descriptions, number: changed}

    def new_description(self, description: Description) -> int:
        """Keep a new description; its number."""
        number = self.next_description
        self.next_description += 1
        self.descriptions = {**self.descriptions, number: description}
        return number

    def park(self, *, done: int = 0, fifo: File | None = None) -> str:
        """End the call as waiting [R1]."""
        self.set_process(parked=Parked(self.call, done, fifo))
        return PARKED

    def reap(self, file: File) -> None:
        """A file without names and users goes [N9]."""
        volume, number = file
        if volume != PIPES:
            edit = self.edit(volume)
            if number in edit.reading:
                edit.reap(number)

    def kernel(self) -> Kernel:
        """The kernel after the call."""
        self.fold()
        before = self.before
        processes = self.processes
        if self.process is not before.processes[self.pid] and self.pid in processes:
            processes = self.everybody()
        return Kernel(
            self.disks,
            processes,
            self.descriptions,
            self.pipes,
            self.flocks,
            self.ranges,
            before.calls + 1,
            self.next_process,
            self.next_description,
            self.next_pipe,
        )
