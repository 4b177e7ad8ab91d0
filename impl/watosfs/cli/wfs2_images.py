"""WFS v2 images for the commands: made, checked, and used by paths as WFS v3 images are.

WFS v2 keeps no owners, links and labels: ``put`` leaves owners out, links are refused.
"""

import errno
from argparse import Namespace
from typing import Final, NamedTuple

from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.block.file import FileDevice
from watosfs.cli import output
from watosfs.cli.failures import EXIT_USAGE, Failure, UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.names import one_line, printable
from watosfs.cli.presentation import counted, human_size
from watosfs.errors import failure
from watosfs.wfs2.check import check
from watosfs.wfs2.mkfs import mkfs
from watosfs.wfs2.stat import Wfs2Stat
from watosfs.wfs2.superblocks import is_wfs2 as begins_as_wfs2
from watosfs.wfs2.volume import Wfs2Volume
from watosfs.wfs3.attributes import SpaceUse, Stat

TYPE: Final = "wfs2"


class Described(NamedTuple):
    """What ``df`` and ``get`` ask of a superblock; WFS v2 has no label, uuid and generation."""

    total_blocks: int
    label: bytes = b""
    uuid: bytes = bytes(16)
    root_generation: int = 0


class PathVolume:
    """A WFS v2 volume with the calls of a WFS v3 volume that the commands make."""

    def __init__(self, volume: Wfs2Volume) -> None:
        self._volume = volume
        self.engine = volume.engine
        self.superblock = Described(volume.engine.geometry.total_blocks)
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
        return _stat(self._volume.stat(path))

    def readlink(self, path: bytes) -> bytes:
        """EINVAL: there are no symlinks."""
        raise failure(errno.EINVAL, path)

    def symlink(self, target: bytes, path: bytes) -> None:
        """EPERM."""
        raise failure(errno.EPERM, path, "WFS v2 has no symlinks")

    def link(self, target: bytes, path: bytes) -> None:
        """EPERM."""
        raise failure(errno.EPERM, path, "WFS v2 has no links")

    def chown(self, path: bytes, uid: int, gid: int, *, follow: bool = True) -> None:
        """Owners are not kept: nothing to do."""

    def utimens(self, path: bytes, atime_ns: int, mtime_ns: int, *, follow: bool = True) -> None:
        """The time of change is kept."""
        self._volume.utimens(path, atime_ns, mtime_ns)

    def statfs(self) -> SpaceUse:
        """In blocks; entries of the table are the inodes."""
        space = self._volume.statfs()
        entries = len(self.engine.nodes) - 1
        return SpaceUse(*space[:4], entries, space.name_max)


def _stat(found: Wfs2Stat) -> Stat:
    return Stat(
        found.st_ino,
        found.st_mode,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_size,
        found.st_blocks,
        BLOCK_SIZE_BYTES,
        found.st_atime_ns,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def mounted(device: BlockDevice, *, read_only: bool) -> PathVolume:
    """The volume on a device. EINVAL, EUCLEAN, EIO."""
    return PathVolume(Wfs2Volume.mount(device, read_only=read_only))


def make(device: FileDevice, label: bytes) -> str:
    """Make an empty WFS v2 volume; what to say of it."""
    if label:
        raise UsageFailure("argument --label: WFS v2 has no labels")
    geometry = mkfs(device).geometry
    size = human_size(geometry.total_blocks * BLOCK_SIZE_BYTES)
    return f"WFS v2, {size}, room for {geometry.max_files:,} files and directories"


def is_wfs2(image: str) -> bool:
    """Whether an image is a WFS v2 volume, damaged or not; False where it cannot be opened."""
    try:
        with FileDevice.open(image, read_only=True) as device:
            return begins_as_wfs2(device)
    except OSError:
        return False


def check_image(options: Namespace) -> int:
    """``check`` for a WFS v2 image: 0 clean or repaired, 1 problems, 2 unreadable."""
    shown = printable(options.image)
    try:
        with (
            Stop(),
            blame(shown),
            FileDevice.open(options.image, read_only=not options.repair) as device,
        ):
            report = check(device, data=options.data, repair=options.repair)
            again = check(device, data=options.data) if report.is_repaired else report
    except Failure as error:
        error.status = EXIT_USAGE
        raise
    status = 0 if again.is_clean else 1
    if options.json:
        output.write_json(
            {
                "image": shown,
                "clean": report.is_clean,
                "repaired": report.is_repaired and again.is_clean,
                "problems": [problem._asdict() for problem in report.problems],
                "type": TYPE,
                "files": report.files,
                "directories": report.directories,
                "files_max": report.max_files,
                "blocks": report.blocks_total,
                "blocks_free": report.blocks_free,
                "blocks_lost": report.blocks_lost,
            }
        )
        return status
    for problem in report.problems:
        output.write_line(f"{shown}: {one_line(str(problem))}")
    for note in report.notes:
        output.write_line(f"{shown}: note: {one_line(note)}")
    found = (
        f"{counted(report.files, 'file')}, "
        f"{counted(report.directories, 'directory', 'directories')}"
    )
    used = report.blocks_total - report.blocks_free
    verified = human_size(report.data_bytes_verified)
    data = f", {verified} of data verified" if options.data else ", data not verified (--data)"
    output.write_line(f"{shown}: WFS v2: {found}")
    output.write_line(f"{shown}: {used:,} of {report.blocks_total:,} blocks in use{data}")
    count = counted(len(report.problems), "problem") if report.problems else "clean"
    repaired = ", repaired" if report.is_repaired and again.is_clean else ""
    output.write_line(f"{shown}: {count}{repaired}")
    return status
