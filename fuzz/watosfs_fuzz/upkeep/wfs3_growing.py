"""WFS v3: a volume that grows, under power cuts."""

from collections.abc import Hashable
from functools import cache

from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.block.sub_device import SubDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.growing import grow
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.crash.log import Image, RecordingDevice
from watosfs_fuzz.crash.recall import RecoveryDevice
from watosfs_fuzz.upkeep.task import Task
from watosfs_fuzz.upkeep.wfs3 import contents, now

_BLOCKS, _LARGER = 256, 1024


def image() -> Image:
    """A small volume on a larger device, with a file; not unmounted."""
    device = RecordingDevice(_LARGER)
    mkfs(SubDevice(device, 0, _BLOCKS * BLOCK_SIZE_BYTES), uuid=b"g" * 16, clock=now)
    volume = Volume.mount(device, clock=now)
    with volume.create(b"/file") as handle:
        handle.pwrite(b"kept" * 5000, 0)
    volume.sync()
    return device.image


def make_larger(device: BlockDevice) -> object:
    """Mount and grow."""
    volume = Volume.mount(device, clock=now)
    grow(volume, _LARGER)
    return volume


def look(device: RecoveryDevice) -> Hashable:
    """Mount; size and contents, or what the checker says."""
    volume = Volume.mount(device, clock=now)
    device.end_of_recovery()
    problems = check(device, data=True).problems
    if problems:
        return ("check", str(problems[0]))
    return (volume.statfs().total, contents(volume))


@cache
def kept() -> Hashable:
    """The contents, which stay."""
    return contents(Volume.mount(RecordingDevice(_LARGER, image()), clock=now))


def judge(found: Hashable, is_done: bool) -> str | None:
    """The one size or the other, with what was there; once it returned, the larger."""
    sizes = (_LARGER,) if is_done else (_BLOCKS, _LARGER)
    if found in [(size, kept()) for size in sizes]:
        return None
    assert isinstance(found, tuple)
    return f"found {found[0]}, due is one of {sizes} with all files"


TASKS = (
    Task(
        "wfs3-grow",
        "A volume that grows is as it was, or larger.",
        _LARGER,
        image,
        make_larger,
        look,
        judge,
    ),
)
