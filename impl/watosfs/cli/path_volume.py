"""FAT and WFS v2 volumes with the calls of a WFS v3 volume that the commands make.

Neither keeps owners, links and symlinks: ``put`` leaves owners out, links are refused.
"""

import errno
from collections.abc import Callable
from typing import Final, NamedTuple, cast

from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.cli.devices import kind_on, not_a_volume
from watosfs.errors import failure
from watosfs.fat.format import FILE_SIZE_MAX as FAT_FILE_SIZE_MAX
from watosfs.fat.volume import FatVolume
from watosfs.vfs.fat import FatFilesystem
from watosfs.vfs.filesystem import Filesystem
from watosfs.vfs.wfs2 import Wfs2Filesystem
from watosfs.vfs.wfs3 import Wfs3Filesystem
from watosfs.wfs2.volume import Wfs2Volume
from watosfs.wfs3.attributes import SpaceUse, Stat
from watosfs.wfs3.volume import Volume


class Described(NamedTuple):
    """What ``df`` and ``get`` ask of a superblock. Nothing here has a uuid and a generation."""

    total_blocks: int
    label: bytes = b""
    uuid: bytes = bytes(16)
    root_generation: int = 0


class Engine(NamedTuple):
    """What the commands ask of a WFS v3 volume's engine."""

    read_only_reason: str | None
    clock: Callable[[], int]
    is_published: bool = False


class PathVolume:
    """A FAT or WFS v2 volume by paths; ``title`` names it in messages."""

    def __init__(self, volume: FatVolume | Wfs2Volume) -> None:
        self.volume: Final = volume
        space = volume.statfs()
        blocks = -(-space.total * space.block_size // BLOCK_SIZE_BYTES)
        if isinstance(volume, FatVolume):
            self.kind = f"fat{volume.engine.geometry.bits}"
            self.title = "FAT"
            reason = "the device is read-only" if volume.engine.read_only else None
            self.superblock = Described(blocks, volume.label)
        else:
            self.kind, self.title = "wfs2", "WFS v2"
            reason = volume.engine.read_only_reason
            self.superblock = Described(blocks)
        self.engine = Engine(reason, volume.engine.clock)
        self.open = volume.open
        self.create = volume.create
        self.mkdir = volume.mkdir
        self.rmdir = volume.rmdir
        self.unlink = volume.unlink
        self.rename = volume.rename
        self.readdir = volume.readdir
        self.chmod = volume.chmod
        self.sync = volume.sync
        self.unmount = volume.unmount

    def stat(self, path: bytes, follow: bool = True) -> Stat:
        """As a WFS v3 volume tells it. ENOENT, ENOTDIR."""
        found = self.volume.stat(path)
        return Stat(
            found.st_ino,
            found.st_mode,
            found.st_nlink,
            found.st_uid,
            found.st_gid,
            found.st_size,
            found.st_blocks,
            self.volume.statfs().block_size,
            found.st_atime_ns,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )

    def readlink(self, path: bytes) -> bytes:
        """EINVAL: there are no symlinks."""
        raise failure(errno.EINVAL, path)

    def symlink(self, target: bytes, path: bytes) -> None:
        """EPERM."""
        raise failure(errno.EPERM, path, f"{self.title} has no symlinks")

    def link(self, target: bytes, path: bytes) -> None:
        """EPERM."""
        raise failure(errno.EPERM, path, f"{self.title} has no links")

    def chown(self, path: bytes, uid: int, gid: int, *, follow: bool = True) -> None:
        """Owners are not kept: nothing to do."""

    def utimens(self, path: bytes, atime_ns: int, mtime_ns: int, *, follow: bool = True) -> None:
        """The time of change is kept, on FAT to 2 s and with the day of access."""
        self.volume.utimens(path, atime_ns, mtime_ns)

    def statfs(self) -> SpaceUse:
        """In clusters or blocks. FAT does not count its files: 0 inodes are in use."""
        space = self.volume.statfs()
        used = 0 if isinstance(self.volume, FatVolume) else len(self.volume.engine.nodes) - 1
        return SpaceUse(*space[:4], used, space.name_max)


def mount(device: BlockDevice, *, read_only: bool) -> Volume:
    """What is on a device; a ``PathVolume`` has the calls of a ``Volume`` that commands make.

    EINVAL, EUCLEAN, EIO.
    """
    kind = kind_on(device)
    if kind == "fat":
        return cast(Volume, PathVolume(FatVolume.mount(device, read_only=read_only)))
    if kind == "wfs2":
        return cast(Volume, PathVolume(Wfs2Volume.mount(device, read_only=read_only)))
    try:
        return Volume.mount(device, read_only=read_only)
    except OSError as error:
        raise not_a_volume(device, error) from error


def filesystem_of(volume: Volume | PathVolume) -> Filesystem:
    """The volume as the kernel and the VFS use it."""
    if not isinstance(volume, PathVolume):
        return Wfs3Filesystem(volume)
    inner = volume.volume
    return FatFilesystem(inner) if isinstance(inner, FatVolume) else Wfs2Filesystem(inner)


def kind_of(volume: Volume | PathVolume) -> str:
    """``wfs3``, ``wfs2``, ``fat12``, ``fat16`` or ``fat32``."""
    return volume.kind if isinstance(volume, PathVolume) else "wfs3"


def folds_names(volume: Volume | PathVolume) -> bool:
    """Whether two names that differ can be those of one file without links: case, aliases."""
    return isinstance(volume, PathVolume) and isinstance(volume.volume, FatVolume)


def require_size(volume: Volume | PathVolume, size_bytes: int) -> None:
    """EFBIG for a file that the volume's format cannot hold."""
    if folds_names(volume) and size_bytes > FAT_FILE_SIZE_MAX:
        raise failure(errno.EFBIG, reason="over 4 GiB - 1, the largest file of FAT")
