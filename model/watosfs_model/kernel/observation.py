"""What can be seen of a kernel, in plain values (``docs/DESIGN.md`` section 8.2)."""

from typing import TypeAlias

from watosfs_model.kernel.numbers import LOCK_SH
from watosfs_model.kernel.record_locks import END
from watosfs_model.kernel.state import PIPES, STALE, Description, File, Kernel
from watosfs_model.kernel.walking import paths_of
from watosfs_model.observation import Entry, fields_of, identities
from watosfs_model.state import DIRECTORY, FILE, Volume

Id: TypeAlias = tuple[int, int]
Tree: TypeAlias = dict[bytes, Entry]
Place: TypeAlias = tuple[int, bytes] | Id
Observation: TypeAlias = tuple[
    tuple[Tree, ...], dict[int, tuple[object, ...]], dict[Id, tuple[object, ...]],
    tuple[tuple[object, ...], ...],
]  # fmt: skip

_TREES_MAX = 64
_trees: dict[int, tuple[Volume, Tree]] = {}


def observe(kernel: Kernel) -> Observation:
    """(trees, processes, descriptions, locks)."""
    ids, leading = identify(kernel)
    processes: dict[int, tuple[object, ...]] = {}
    for pid in sorted(kernel.processes):
        process = kernel.processes[pid]
        table = {
            fd: (ids[number], is_closed_on_exec)
            for fd, (number, is_closed_on_exec) in process.descriptors.items()
        }
        processes[pid] = (
            cwd_of(kernel, process.cwd), process.umask, process.uids, process.gids, process.groups,
            process.limit, table, process.parked is not None,
        )  # fmt: skip
    descriptions = {
        ids[number]: described(kernel, description, leading)
        for number, description in kernel.descriptions.items()
    }
    trees = tuple(dict(tree_of(disk.volume)) for disk in kernel.disks)
    return trees, processes, descriptions, locks_of(kernel, ids, leading)


def tree_of(volume: Volume) -> Tree:
    """The entries of a volume by path. Remembered: volumes never change; not to be changed."""
    known = _trees.get(id(volume))
    if known is not None and known[0] is volume:
        return known[1]
    if len(_trees) >= _TREES_MAX:
        _trees.clear()
    paths, first = identities(volume)
    inodes = volume.inodes
    tree = {path: (*fields_of(inodes[number]), first[number]) for path, number in paths}
    _trees[id(volume)] = (volume, tree)
    return tree


def cwd_of(kernel: Kernel, cwd: File) -> object:
    """(volume, first path), or "removed"."""
    volume, number = cwd
    path = paths_of(kernel.disks[volume].volume).get(number)
    return "removed" if path is None else (volume, path)


def identify(kernel: Kernel) -> tuple[dict[int, Id], dict[File, Id]]:
    """The smallest (pid, fd) that leads to each description, and to each file."""
    ids: dict[int, Id] = {}
    leading: dict[File, Id] = {}
    for pid in sorted(kernel.processes):
        descriptors = kernel.processes[pid].descriptors
        for fd in sorted(descriptors):
            number = descriptors[fd].description
            ids.setdefault(number, (pid, fd))
            leading.setdefault(kernel.descriptions[number].file, (pid, fd))
    return ids, leading


def place_of(kernel: Kernel, file: File, leading: dict[File, Id]) -> Place:
    """(volume, first path) of a file that has a name, else the smallest id that leads to it."""
    volume, number = file
    path = None if volume == PIPES else paths_of(kernel.disks[volume].volume).get(number)
    return leading[file] if path is None else (volume, path)


def described(
    kernel: Kernel, description: Description, leading: dict[File, Id]
) -> tuple[object, ...]:
    """(kind, flags, offset, place, size)."""
    file, kind, flags = description.file, description.kind, description.flags
    place = place_of(kernel, file, leading)
    if description.is_stale:
        return STALE, flags, 0, place, 0
    if kind == FILE:
        size = kernel.disks[file[0]].volume.inodes[file[1]].size
        return kind, flags, description.offset, place, size
    return kind, flags, 0, place, 0 if kind == DIRECTORY else len(kernel.pipes[file].data)


def locks_of(
    kernel: Kernel, ids: dict[int, Id], leading: dict[File, Id]
) -> tuple[tuple[object, ...], ...]:
    """All locks, sorted by their text [L4]."""
    found: list[tuple[object, ...]] = []
    for number, operation in kernel.flocks.items():
        place = place_of(kernel, kernel.descriptions[number].file, leading)
        kind = "shared" if operation == LOCK_SH else "exclusive"
        found.append(("flock", place, kind, ids[number]))
    for file, locks in kernel.ranges.items():
        place = place_of(kernel, file, leading)
        for start, end, mode, pid in locks:
            found.append(("range", place, mode, start, None if end == END else end, pid))
    return tuple(sorted(found, key=repr))
