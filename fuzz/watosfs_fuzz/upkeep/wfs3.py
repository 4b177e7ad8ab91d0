"""WFS v3: mkfs on an empty disk and over a volume, the mount that reclaims orphans, repair."""

import errno
from collections.abc import Hashable
from functools import cache

from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.repair import repair
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.crash.log import Image, RecordingDevice
from watosfs_fuzz.crash.recall import RecoveryDevice
from watosfs_fuzz.upkeep.task import Task

_BLOCK_COUNT = 256
_OLD_UUID, _NEW_UUID = b"o" * 16, b"n" * 16
_NEW_TIME_NS = 1_000_000_000
#: No superblock: what holds no volume is refused so.
_NOT_A_VOLUME = frozenset({errno.EINVAL, errno.EUCLEAN})
_DATA = bytes(range(256)) * 40


def now() -> int:
    """A clock that stands still."""
    return 0


def contents(volume: Volume) -> Hashable:
    """UUID, and every path with its mode, time and bytes."""
    found = []
    for path, inode in volume.walk():
        data = b""
        if not inode.is_directory:
            with volume.open(path) as handle:
                data = bytes(handle.pread(inode.size, 0))
        found.append((path, inode.mode, inode.mtime_ns, data))
    return volume.engine.superblock.uuid, tuple(sorted(found))


def old_volume(device: BlockDevice) -> list[Hashable]:
    """A volume with a commit behind it, not unmounted: the older state lies where mkfs puts its
    nodes. Its contents before and after.
    """
    mkfs(device, uuid=_OLD_UUID, clock=now)
    volume = Volume.mount(device, clock=now)
    states = [contents(volume)]
    for name in (b"/a", b"/b"):
        volume.mkdir(name)
        with volume.create(name + b"/file") as handle:
            handle.pwrite(_DATA, 100)
    volume.sync()
    return [*states, contents(volume)]


def look(device: RecoveryDevice) -> Hashable:
    """Mount; the contents, or what the checker says."""
    volume = Volume.mount(device, clock=now)
    device.end_of_recovery()
    problems = check(device, data=True).problems
    return ("check", str(problems[0])) if problems else ("volume", contents(volume))


def no_image() -> Image:
    """An empty disk."""
    return {}


def old_image() -> Image:
    """The old volume."""
    device = RecordingDevice(_BLOCK_COUNT)
    old_volume(device)
    return device.image


def make(device: BlockDevice) -> object:
    """The new volume."""
    return mkfs(device, uuid=_NEW_UUID, clock=lambda: _NEW_TIME_NS)


@cache
def fresh() -> Hashable:
    """The contents of the new volume."""
    device = RecordingDevice(_BLOCK_COUNT)
    make(device)
    return ("volume", contents(Volume.mount(device, clock=now)))


def judge_made(found: Hashable, is_done: bool) -> str | None:
    """The new volume; before mkfs returned also none, or the old one in one of its last states."""
    if found == fresh():
        return None
    if is_done:
        return f"mkfs returned, and found is {summary(found)}"
    assert isinstance(found, tuple)
    if found[0] == "refused" and found[1] in _NOT_A_VOLUME:
        return None
    old = old_volume(RecordingDevice(_BLOCK_COUNT))
    if found[0] == "volume" and found[1] in old:
        return None
    return f"neither the new volume nor the old nor none: {summary(found)}"


def summary(found: Hashable) -> str:
    """An outcome in a line."""
    assert isinstance(found, tuple)
    kind, what = found
    if kind != "volume":
        return f"{kind} {errno.errorcode.get(what, what) if isinstance(what, int) else what}"
    return f"a volume {what[0][:1]!r} with {[path for path, *_ in what[1]]}"


def orphan_image() -> Image:
    """A volume whose power was cut while removed files were open: their inodes are orphans."""
    device = RecordingDevice(_BLOCK_COUNT)
    old_volume(device)
    volume = Volume.mount(device, clock=now)
    handles = [volume.open(name + b"/file") for name in (b"/a", b"/b")]
    for name in (b"/a", b"/b"):
        volume.unlink(name + b"/file")
    volume.sync()
    assert check(device).orphans == len(handles)
    return device.image


def mount_and_sync(device: BlockDevice) -> object:
    """The mount that reclaims them, made durable."""
    volume = Volume.mount(device, clock=now)
    volume.sync()
    return volume


def look_for_orphans(device: RecoveryDevice) -> Hashable:
    """The contents, the orphans that are left, and how many blocks are free."""
    found = look(device)
    return (*found, check(device).orphans) if isinstance(found, tuple) else found


def judge_reclaimed(found: Hashable, is_done: bool) -> str | None:
    """The two directories, empty; no orphan."""
    assert isinstance(found, tuple)
    if found[0] != "volume":
        return summary(found[:2])
    paths = [path for path, *_ in found[1][1]]
    if paths != [b"/", b"/a", b"/b"]:
        return f"found {paths}"
    return f"{found[2]} orphans are left" if found[2] else None


def damaged_image() -> Image:
    """A volume that has lost a directory, its free tree and a block of a file."""
    device = RecordingDevice(_BLOCK_COUNT)
    old_volume(device)
    volume = Volume.mount(device, clock=now, read_only=True)
    directory, free_tree = volume.find(b"/a").extent_root, volume.engine.superblock.free_tree_block
    data = next(block for block, content in device.image.items() if content[100:356] == _DATA[:256])
    for block in (directory, free_tree, data):
        device.write(block, bytes(BLOCK_SIZE_BYTES))
    assert len(check(device, data=True).problems) >= 3
    return device.image


def mend(device: BlockDevice) -> object:
    """Repair, all data verified."""
    return repair(device, clock=now)


@cache
def mended() -> Hashable:
    """The contents after a repair that nothing cut; sound, or this task would prove nothing."""
    device = RecordingDevice(_BLOCK_COUNT, damaged_image())
    mend(device)
    assert check(device, data=True).is_clean
    volume = Volume.mount(device, clock=now, read_only=True)
    assert volume.readdir(b"/lost+found")
    return ("volume", contents(volume))


def look_at_mended(device: RecoveryDevice) -> Hashable:
    """Mend again; the contents, or what the checker says."""
    mend(device)
    return look(device)


def judge_mended(found: Hashable, is_done: bool) -> str | None:
    """What a repair without a power cut leaves."""
    return None if found == mended() else f"after a second repair: {summary(found)}"


TASKS = (
    Task(
        "wfs3-mkfs",
        "mkfs on an empty disk leaves no volume, or the new one; once it returned, the new one.",
        _BLOCK_COUNT,
        no_image,
        make,
        look,
        judge_made,
    ),
    Task(
        "wfs3-mkfs-over",
        "mkfs over a volume leaves that one in one of its last two states, none, or the new one.",
        _BLOCK_COUNT,
        old_image,
        make,
        look,
        judge_made,
    ),
    Task(
        "wfs3-mount",
        "The mount after a crash reclaims files that were removed while open: all, in the end.",
        _BLOCK_COUNT,
        orphan_image,
        mount_and_sync,
        look_for_orphans,
        judge_reclaimed,
    ),
    Task(
        "wfs3-repair",
        "A repair that was cut is finished by the next, with what one that was not cut leaves.",
        _BLOCK_COUNT,
        damaged_image,
        mend,
        look_at_mended,
        judge_mended,
    ),
)
