"""One key for all states of the kernel's model that have the same futures, as far as outcomes go.

Left out, because no outcome of the calls that are explored depends on it: times; the numbers of
processes and which of the equal ones is which (the key lists them in an order of their own); what
processes that make no calls hold, but for whether they hold a description (it keeps flocks) and the
locks that they keep.
"""

from collections.abc import Collection, Hashable
from hashlib import blake2b
from typing import NamedTuple

from watosfs_model.kernel import Kernel
from watosfs_model.kernel.state import File
from watosfs_model.observation import identities
from watosfs_model.state import Inode


class Canonical(NamedTuple):
    """The key (16 bytes of a hash), and the acting processes in its order."""

    key: bytes
    order: tuple[int, ...]


def contents(inode: Inode) -> Hashable:
    """An inode without its times, names and attributes."""
    blocks = tuple(sorted(inode.blocks.items()))
    return inode.kind, inode.mode, inode.nlink, inode.size, blocks, inode.target


class Namer:
    """Files by their first path, nameless ones in the order in which they are met."""

    def __init__(self, first: dict[int, bytes]) -> None:
        self.first = first
        self.nameless: dict[File, int] = {}

    def __call__(self, file: File) -> bytes | int:
        known = self.first.get(file[1])
        return self.nameless.setdefault(file, len(self.nameless)) if known is None else known


def canonical(kernel: Kernel, acting: Collection[int]) -> Canonical:
    """The key of a state in which ``acting`` (all alive) act, on the first volume only."""
    assert not kernel.ranges, "record locks name processes"
    assert not kernel.pipes, "pipes are not in the key"
    volume = kernel.disks[0].volume
    paths, first = identities(volume)
    inodes = volume.inodes
    tree = sorted((path, contents(inodes[number]), first[number]) for path, number in paths)
    held = {
        found.description
        for pid, process in kernel.processes.items()
        if pid not in acting
        for found in process.descriptors.values()
    }
    order = tuple(sorted(acting, key=lambda pid: shape(kernel, pid, first, held)))
    namer = Namer(first)
    indices: dict[int, int] = {}
    descriptions: list[Hashable] = []
    tables: list[Hashable] = []
    for pid in order:
        process = kernel.processes[pid]
        table = []
        for fd, (number, closes) in sorted(process.descriptors.items()):
            if number not in indices:
                indices[number] = len(indices)
                found = kernel.descriptions[number]
                descriptions.append(
                    (found.kind, found.flags, found.offset, namer(found.file),
                     kernel.flocks.get(number), number in held)
                )  # fmt: skip
            table.append((fd, indices[number], closes))
        tables.append((repr(process.parked), tuple(table)))
    locks = sorted(
        (repr(namer(kernel.descriptions[number].file)), kind)
        for number, kind in kernel.flocks.items()
        if number not in indices and is_in_reach(kernel.descriptions[number].file, namer)
    )
    nameless = tuple(contents(volume.inodes[file[1]]) for file in namer.nameless)
    text = repr((tree, tables, descriptions, locks, nameless))
    return Canonical(blake2b(text.encode(), digest_size=16).digest(), order)


def shape(kernel: Kernel, pid: int, first: dict[int, bytes], held: set[int]) -> tuple[object, ...]:
    """What orders the processes: equal shapes may keep any order, at the cost of a second key."""
    process = kernel.processes[pid]
    table = []
    for fd, (number, _) in sorted(process.descriptors.items()):
        found = kernel.descriptions[number]
        name = first.get(found.file[1], b"")
        table.append((fd, found.kind, found.flags, found.offset, name, number in held))
    return repr(process.parked), tuple(table)


def is_in_reach(file: File, namer: Namer) -> bool:
    """Whether a process that acts can still meet a file: by a name, or by a descriptor."""
    return file[1] in namer.first or file in namer.nameless
