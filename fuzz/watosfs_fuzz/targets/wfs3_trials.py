"""What a recovered WFS v3 volume is tried with. Each trial changes the volume."""

from functools import cache

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

_NAME = b"/.progress"
_DATA = b"forward " * 700


def progress_problem(volume: Volume) -> str | None:
    """Create, write, commit, read back and delete; what does not work, or None. The second commit,
    which goes to the other superblock, is left to the next trial.
    """
    try:
        with volume.create(_NAME) as handle:
            handle.pwrite(_DATA, 0)
            volume.sync()
            if handle.pread(len(_DATA), 0) != _DATA:
                return "what was written reads back differently"
        volume.unlink(_NAME)
    except OSError as error:
        return f"no forward progress: {error}"
    return None


def emptying_problem(volume: Volume) -> str | None:
    """Remove everything, and commit: a full volume must let itself be emptied."""
    try:
        for name in volume.snapshots():
            volume.snapshot_delete(name)
        for path, inode in reversed(list(volume.walk())):
            if path != b"/":
                (volume.rmdir if inode.is_directory else volume.unlink)(path)
        for key in volume.listxattr(b"/"):
            volume.removexattr(b"/", key)
        volume.sync()
    except OSError as error:
        return f"a full volume cannot be emptied: {error}"
    return None


def leak_problem(volume: Volume) -> str | None:
    """Remove everything; the free blocks that are not back, or None."""
    problem = emptying_problem(volume)
    if problem is not None:
        return problem
    space = volume.statfs()
    due = free_when_empty(space.total)
    if space.free == due:
        return None
    return f"{space.free} blocks are free when all is removed, not {due}"


def second_commit_problem(volume: Volume) -> str | None:
    """Commit; what does not work, or None."""
    try:
        volume.sync()
    except OSError as error:
        return f"no second commit after recovery: {error}"
    return None


@cache
def free_when_empty(block_count: int) -> int:
    """Free blocks of a fresh volume."""
    device = MemoryDevice(block_count)
    mkfs(device, uuid=bytes(16), clock=lambda: 0)
    return Volume.mount(device, clock=lambda: 0).statfs().free
