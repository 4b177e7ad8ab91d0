"""WFS v3: snapshots made, deleted piece by piece, and rolled back to, under power cuts."""

import os
from collections.abc import Callable, Hashable
from functools import cache

from watosfs.block.device import BlockDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.crash.log import Image, RecordingDevice
from watosfs_fuzz.crash.recall import RecoveryDevice
from watosfs_fuzz.upkeep.task import Task
from watosfs_fuzz.upkeep.wfs3 import contents, now

_BLOCK_COUNT = 1024
_FANOUT = 3


def mounted(device: BlockDevice) -> Volume:
    """A volume whose small trees are high, and that deletes a snapshot in as many commits as it
    can.
    """
    volume = Volume.mount(device, clock=now, node_entries_max=_FANOUT)
    volume.engine.dirty_nodes_max = 0
    volume.engine.snapshots.pieces = (1,)
    return volume


def three_snapshots(device: BlockDevice) -> Volume:
    """Snapshots a, b and c of a volume that changed before each and after the last; not
    unmounted.
    """
    mkfs(device, uuid=b"s" * 16, clock=now)
    volume = mounted(device)
    for number, name in enumerate((b"a", b"b", b"c", b"d")):
        with volume.create(b"/" + name) as handle:
            handle.pwrite(bytes([number]) * 9000, 0)
        with volume.open(b"/a", os.O_WRONLY) as handle:
            handle.pwrite(name * 100, 4096 * (number % 2))
        if name != b"d":
            volume.snapshot_create(name)
        if name == b"b":
            volume.unlink(b"/b")
    volume.sync()
    return volume


def image() -> Image:
    """That volume."""
    device = RecordingDevice(_BLOCK_COUNT)
    three_snapshots(device)
    return device.image


def look(device: RecoveryDevice) -> Hashable:
    """Mount; the contents of volume and snapshots, or what the checker says: a block that neither
    is free nor shown is one of its problems.
    """
    volume = mounted(device)
    device.end_of_recovery()
    problems = check(device, data=True).problems
    if problems:
        return ("check", str(problems[0]))
    return ("volume", contents(volume), views(volume))


def views(volume: Volume) -> Hashable:
    """What each snapshot shows, and its blocks: its own, and shared ones."""
    found = []
    for name in volume.snapshots():
        with volume.snapshot_open(name) as view:
            use = volume.snapshot_use(name)
            found.append((name, contents(view), use.exclusive, use.shared))
    return tuple(found)


def after(change: Callable[[Volume], None]) -> Hashable:
    """What is found when a change was made and no power cut came."""
    device = RecordingDevice(_BLOCK_COUNT, image())
    volume = mounted(device)
    change(volume)
    return ("volume", contents(volume), views(volume))


def nothing(_: Volume) -> None:
    """No change."""


def create(volume: Volume) -> None:
    """A fourth snapshot."""
    volume.snapshot_create(b"d")


def delete(volume: Volume) -> None:
    """The snapshot in the middle."""
    volume.snapshot_delete(b"b")


def delete_all(volume: Volume) -> None:
    """Every snapshot, and the free space that comes back."""
    for name in (b"b", b"c", b"a"):
        volume.snapshot_delete(name)


def roll_back(volume: Volume) -> None:
    """Back to the newest."""
    volume.snapshot_rollback(b"c")


def states(change: Callable[[Volume], None]) -> tuple[Hashable, ...]:
    """What a power cut may leave of a change, the last being the change done."""
    if change is not delete_all:
        return after(nothing), after(change)
    found = [after(nothing)]
    for count in range(1, 4):

        def first(volume: Volume, count: int = count) -> None:
            for name in (b"b", b"c", b"a")[:count]:
                volume.snapshot_delete(name)

        found.append(after(first))
    return tuple(found)


def judge_of(change: Callable[[Volume], None]) -> Callable[[Hashable, bool], str | None]:
    """Before or after, as a whole; once it returned, after."""
    known = cache(lambda: states(change))

    def judge(found: Hashable, is_done: bool) -> str | None:
        allowed = known()[-1:] if is_done else known()
        if found in allowed:
            return None
        assert isinstance(found, tuple)
        if found[0] != "volume":
            return str(found[:2])
        expected = [summary(state) for state in allowed]
        return f"{summary(found)}; due is one of {', '.join(expected)}"

    return judge


def summary(found: Hashable) -> str:
    """The snapshots with their blocks."""
    assert isinstance(found, tuple)
    return " ".join(f"{name.decode()}:{own}+{shared}" for name, _, own, shared in found[2])


def work(change: Callable[[Volume], None]) -> Callable[[BlockDevice], object]:
    """Mount and change."""

    def run(device: BlockDevice) -> object:
        volume = mounted(device)
        change(volume)
        return volume

    return run


TASKS = tuple(
    Task(name, text, _BLOCK_COUNT, image, work(change), look, judge_of(change))
    for name, text, change in (
        ("wfs3-snapshot", "A snapshot is made or not, and shows what was there.", create),
        ("wfs3-snapshot-delete", "A snapshot is there or gone; what it held is free.", delete),
        ("wfs3-snapshots-delete", "Three are deleted, one after the other.", delete_all),
        ("wfs3-rollback", "The volume is as it was, or as its snapshot shows.", roll_back),
    )
)
