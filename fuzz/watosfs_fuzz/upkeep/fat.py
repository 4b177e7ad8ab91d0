"""FAT: mkfs over a volume, and repair of one that is damaged in several ways at once."""

import errno
import stat
from collections.abc import Callable, Hashable
from functools import cache, partial

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import BlockDevice
from watosfs.fat.check import check
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.table import FatTable
from watosfs.fat.volume import FatVolume
from watosfs_fuzz.crash.log import Image, RecordingDevice
from watosfs_fuzz.crash.recall import RecoveryDevice
from watosfs_fuzz.upkeep.task import Task

_BLOCK_COUNTS = {12: 100, 16: 2250, 32: 500}
_DATA = bytes(range(256)) * 10
#: What nothing of the damage touches.
_SOUND = (b"/d/sub/deep file.txt", b"/three")
_OLD_ID, _NEW_ID = 1, 2


def now() -> int:
    """A clock that stands still: 2001."""
    return 1_000_000_000_000_000_000


def make(bits: int, volume_id: int, device: BlockDevice) -> object:
    """An empty volume."""
    return mkfs(device, Options(bits=bits, sectors_per_cluster=1, volume_id=volume_id), clock=now)


def old_image(bits: int) -> Image:
    """A volume with a few files, unmounted."""
    device = RecordingDevice(_BLOCK_COUNTS[bits])
    make(bits, _OLD_ID, device)
    with FatVolume.mount(device, clock=now) as volume:
        volume.mkdir(b"/d")
        volume.mkdir(b"/d/sub")
        for path in (*_SOUND, b"/one", b"/two", b"/gone"):
            volume.write_file(path, _DATA)
    return device.image


def damaged_image(bits: int) -> Image:
    """The same with crossed chains, a lost chain, a size that is too large, copies that differ."""
    device = RecordingDevice(_BLOCK_COUNTS[bits], old_image(bits))
    volume = FatVolume.mount(device, clock=now, read_only=True)
    engine = volume.engine
    chains = {}
    for path in (b"/one", b"/two", b"/gone"):
        chain = engine.chain(volume.node(path))
        chains[path] = [chain.cluster(i) for i in range(chain.count)]
    table = FatTable(engine.access, engine.geometry)
    table.put(chains[b"/two"][1], chains[b"/one"][2])
    table.write()
    node = volume.node(b"/gone")
    assert node.directory is not None
    slot = list(node.directory.slot_offsets(node))[-1]
    engine.access.write(slot, b"\xe5")
    other = list(engine.geometry.fat_starts())[1]
    engine.access.write(other + 8, b"\x55" * 4)
    assert not check(device).is_clean
    return device.image


def tree(volume: FatVolume, at: bytes = b"/") -> dict[bytes, bytes | None]:
    """Every path with its bytes, None of a directory."""
    found: dict[bytes, bytes | None] = {}
    for entry in volume.readdir(at):
        path = at.rstrip(b"/") + b"/" + entry.name
        if stat.S_ISDIR(volume.stat(path).st_mode):
            found[path] = None
            found |= tree(volume, path)
        else:
            found[path] = volume.read_file(path)
    return found


@cache
def old_tree(bits: int) -> Hashable:
    """The tree of the old volume."""
    volume = FatVolume.mount(RecordingDevice(_BLOCK_COUNTS[bits], old_image(bits)), clock=now)
    return tuple(sorted(tree(volume).items()))


def look_at_made(device: RecoveryDevice) -> Hashable:
    """The volume's number and tree."""
    volume = FatVolume.mount(device, clock=now, read_only=True)
    device.end_of_recovery()
    number = int.from_bytes(ByteAccess(device).read(0x27 if volume.engine.geometry.bits < 32
                                                    else 0x43, 4), "little")  # fmt: skip
    return ("volume", number, tuple(sorted(tree(volume).items())))


def judge_made(bits: int, found: Hashable, is_done: bool) -> str | None:
    """The new volume, empty; before mkfs returned also none, or the old one as it was."""
    assert isinstance(found, tuple)
    if found == ("volume", _NEW_ID, ()):
        return None
    if is_done:
        return f"mkfs returned, and found is {found[:2]}"
    if found[0] == "refused" and found[1] in (errno.EINVAL, errno.EUCLEAN):
        return None
    if found == ("volume", _OLD_ID, old_tree(bits)):
        return None
    return f"neither the new volume nor the old nor none: {found[:2]}"


def repair(device: BlockDevice) -> object:
    """Check, and mend."""
    return check(device, repair=True)


def look_at_repaired(device: RecoveryDevice) -> Hashable:
    """Mend again; what a check finds then, and which sound files are not as they were."""
    check(device, repair=True)
    device.end_of_recovery()
    problems = check(device).problems
    volume = FatVolume.mount(device, clock=now, read_only=True)
    found = tree(volume)
    hurt = tuple(path for path in _SOUND if found.get(path) != _DATA)
    kept = tuple(path for path in (b"/one", b"/two") if path in found)
    return ("repaired", tuple(map(str, problems)), hurt, kept)


def judge_repaired(found: Hashable, is_done: bool) -> str | None:
    """Nothing is wrong any more, and nothing was lost that was sound."""
    assert isinstance(found, tuple)
    if found == ("repaired", (), (), (b"/one", b"/two")):
        return None
    return f"after a second repair: {found}"


def tasks_of(bits: int) -> tuple[Task, Task]:
    """The tasks of one type."""
    before: Callable[[], Image] = partial(old_image, bits)
    return (
        Task(
            f"fat{bits}-mkfs-over",
            "mkfs over a volume leaves that one as it was, none, or the new one.",
            _BLOCK_COUNTS[bits],
            before,
            partial(make, bits, _NEW_ID),
            look_at_made,
            partial(judge_made, bits),
        ),
        Task(
            f"fat{bits}-repair",
            "A repair that was cut is finished by the next; what was sound stays so.",
            _BLOCK_COUNTS[bits],
            partial(damaged_image, bits),
            repair,
            look_at_repaired,
            judge_repaired,
        ),
    )


TASKS = (*tasks_of(12), *tasks_of(16), *tasks_of(32))
