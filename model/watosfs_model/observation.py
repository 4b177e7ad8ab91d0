"""What a user can see of a system, in plain values (``docs/DESIGN.md`` section 2.3)."""

from typing import TypeAlias

from watosfs_model import content, extended
from watosfs_model.state import BLOCK_BYTES, ROOT, Inode, System, Volume

Entry: TypeAlias = tuple[object, ...]
Observation: TypeAlias = tuple[dict[bytes, Entry], dict[int, Entry]]

_REMEMBERED_MAX = 4096
_REMEMBERED_BYTES_MAX = 32 << 20


class Remembered:
    """Entries without identity, by inode object: inodes are immutable, and most outlive many
    operations. Bounded in number and in bytes of contents.
    """

    def __init__(self) -> None:
        self.entries: dict[int, tuple[Inode, Entry]] = {}
        self.content_bytes = 0

    def get(self, inode: Inode) -> Entry | None:
        """What is kept for this very object."""
        known = self.entries.get(id(inode))
        return known[1] if known is not None and known[0] is inode else None

    def keep(self, inode: Inode, fields: Entry) -> None:
        """All is forgotten when it would be too much."""
        size = BLOCK_BYTES * len(inode.blocks)
        if (
            len(self.entries) >= _REMEMBERED_MAX
            or self.content_bytes + size > _REMEMBERED_BYTES_MAX
        ):
            self.entries.clear()
            self.content_bytes = 0
        self.entries[id(inode)] = (inode, fields)
        self.content_bytes += size


remembered = Remembered()


def fields_of(inode: Inode) -> Entry:
    """The fields of an entry, without its identity."""
    known = remembered.get(inode)
    if known is not None:
        return known
    fields = (
        inode.kind, inode.mode, inode.uid, inode.gid, inode.nlink, inode.size,
        inode.atime_ns, inode.mtime_ns, inode.ctime_ns, content.observed(inode),
        extended.observed(inode),
    )  # fmt: skip
    remembered.keep(inode, fields)
    return fields


def identities(volume: Volume) -> tuple[list[tuple[bytes, int]], dict[int, bytes]]:
    """Every (path, inode number), and the first path of each number."""
    inodes = volume.inodes
    paths: list[tuple[bytes, int]] = [(b"/", ROOT)]
    first = {ROOT: b"/"}
    waiting = [(b"", ROOT)]
    while waiting:
        base, parent = waiting.pop()
        for name, number in inodes[parent].entries.items():
            path = base + b"/" + name
            paths.append((path, number))
            if path < first.setdefault(number, path):
                first[number] = path
            if inodes[number].entries:
                waiting.append((path, number))
    return paths, first


def observe(system: System) -> Observation:
    """(tree by path, open files by descriptor). What snapshot 0, ``name``, shows at ``/path`` is
    at ``@0:name/path`` in the tree.
    """
    inodes = system.volume.inodes
    paths, first = identities(system.volume)
    tree = {path: (*fields_of(inodes[number]), first[number]) for path, number in paths}
    for order, (label, kept) in enumerate(system.volume.snapshots):
        tree.update(shown_by(kept, b"@%d:%s" % (order, label)))  # [Z3, Z4]
    files: dict[int, Entry] = {}
    for descriptor in sorted(system.descriptors):
        found = system.descriptors[descriptor]
        name = b"fd:%d" % descriptor
        if found.is_stale:
            files[descriptor] = ("stale", 0, 0, 0, 0, 0, 0, 0, 0, None, (), name)
        else:
            identity = first.setdefault(found.number, name)
            files[descriptor] = (*fields_of(inodes[found.number]), identity)
    return tree, files


def shown_by(kept: Volume, prefix: bytes) -> dict[bytes, Entry]:
    """What a snapshot shows, by path behind ``prefix``."""
    paths, first = identities(kept)
    return {
        prefix + path: (*fields_of(kept.inodes[number]), prefix + first[number])
        for path, number in paths
    }


def entry_of(system: System, number: int) -> Entry:
    """The entry of one inode that has a name."""
    return (*fields_of(system.volume.inodes[number]), identities(system.volume)[1][number])
