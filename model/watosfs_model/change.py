"""Working copies that a core changes: inodes and descriptors of the state after the operation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from watosfs_model.state import NANOSECONDS_PER_OPERATION, Inode, System, Volume


class VolumeChange:
    """Starts as a volume's inodes; ``volume`` gives the new volume, or the old one untouched.

    A subclass says which inodes are open, because those outlive their names [N9].
    """

    __slots__ = ("inodes", "next_number", "now_ns", "snapshots", "volume_before")

    def __init__(self, volume: Volume, now_ns: int) -> None:
        self.volume_before = volume
        self.inodes: dict[int, Inode] | None = None
        self.next_number = volume.next_number
        self.snapshots = volume.snapshots
        self.now_ns = now_ns

    def is_open(self, number: int) -> bool:
        """Whether a descriptor leads to the inode."""
        raise NotImplementedError

    def __getitem__(self, number: int) -> Inode:
        return self.reading[number]

    @property
    def reading(self) -> Mapping[int, Inode]:
        """The inodes as they are now, not to be changed."""
        return self.volume_before.inodes if self.inodes is None else self.inodes

    def changing(self) -> dict[int, Inode]:
        """The inodes, to be changed."""
        if self.inodes is None:
            self.inodes = dict(self.volume_before.inodes)
        return self.inodes

    def update(self, number: int, **fields: Any) -> None:
        """Change fields of an inode."""
        self.changing()[number] = replace(self[number], **fields)

    def touch(self, number: int, **fields: Any) -> None:
        """Change an inode's data or entries: mtime and ctime are now [T3]."""
        self.update(number, mtime_ns=self.now_ns, ctime_ns=self.now_ns, **fields)

    def new(self, kind: str, mode: int, nlink: int, **fields: Any) -> int:
        """A new inode, all times now [T2]; its number."""
        number = self.next_number
        self.next_number += 1
        now = self.now_ns
        self.changing()[number] = Inode(kind, mode & 0o7777, nlink, now, now, now, **fields)
        return number

    def enter(self, parent: int, name: bytes, number: int) -> None:
        """Let a name in a directory lead to an inode."""
        self.touch(parent, entries={**self[parent].entries, name: number})

    def leave(self, parent: int, name: bytes) -> None:
        """Take a name out of a directory."""
        entries = dict(self[parent].entries)
        del entries[name]
        self.touch(parent, entries=entries)

    def add_links(self, number: int, count: int) -> None:
        """Change a link count and nothing else."""
        self.update(number, nlink=self[number].nlink + count)

    def unname(self, number: int, links: int = 1) -> None:
        """An inode lost a name (a directory: both its links); without names and descriptors it goes
        [N9].
        """
        self.update(number, nlink=self[number].nlink - links, ctime_ns=self.now_ns)
        self.reap(number)

    def reap(self, number: int) -> None:
        """An inode without names lives as long as a descriptor leads to it [N9]."""
        if self[number].nlink == 0 and not self.is_open(number):
            del self.changing()[number]

    @property
    def volume(self) -> Volume:
        """The volume after the change."""
        before = self.volume_before
        if self.inodes is None and self.snapshots is before.snapshots:
            return before
        return Volume(self.reading, self.next_number, self.snapshots)


class Change(VolumeChange):
    """A change of the base level: one volume and the descriptors of one process."""

    __slots__ = ("before", "descriptors")

    def __init__(self, system: System) -> None:
        #: Operation n happens at n seconds [T1].
        super().__init__(system.volume, (system.operations + 1) * NANOSECONDS_PER_OPERATION)
        self.before = system
        self.descriptors = system.descriptors

    def is_open(self, number: int) -> bool:
        return any(f.number == number and not f.is_stale for f in self.descriptors.values())
