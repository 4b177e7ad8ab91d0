"""WFS v2 images for the commands that make and check whole images."""

import errno
from argparse import Namespace

from watosfs.block.file import FileDevice
from watosfs.cli import output
from watosfs.cli.failures import EXIT_USAGE, Failure, UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.names import one_line, printable
from watosfs.cli.presentation import counted, human_size
from watosfs.wfs2.check import check
from watosfs.wfs2.format import BLOCK_SIZE, MAGIC
from watosfs.wfs2.mkfs import mkfs


def make(device: FileDevice, label: bytes) -> str:
    """Make an empty WFS v2 volume; what to say of it."""
    if label:
        raise UsageFailure("argument --label: WFS v2 keeps no label")
    try:
        superblock = mkfs(device)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise UsageFailure(f"{printable(device.path)}: {error.strerror}") from error
        raise
    size = human_size(superblock.total_blocks * BLOCK_SIZE)
    return f"WFS v2, {size}, room for {superblock.max_files:,} names"


def is_wfs2(image: str) -> bool:
    """Whether a copy of the superblock has the magic; False where it cannot be opened."""
    try:
        with FileDevice.open(image, read_only=True) as device:
            count = device.block_count
            magic = MAGIC.to_bytes(4, "little")
            return any(device.read(block)[:4] == magic for block in {0, count // 2, count - 1})
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
            report = check(device, repair=options.repair)
            again = check(device) if report.is_repaired else report
    except Failure as error:
        error.status = EXIT_USAGE
        raise
    if options.json:
        described = {
            "image": shown,
            "clean": report.is_clean,
            "repaired": report.is_repaired and again.is_clean,
            "problems": [problem._asdict() for problem in report.problems],
            "type": "wfs2",
            "files": report.files,
            "directories": report.directories,
            "blocks": report.blocks_total,
            "blocks_free": report.blocks_free,
        }
        output.write_json(described)
        return 0 if again.is_clean else 1
    for problem in report.problems:
        output.write_line(f"{shown}: {one_line(str(problem))}")
    found = (
        f"{counted(report.files, 'file')}, "
        f"{counted(report.directories, 'directory', 'directories')}"
    )
    used = report.blocks_total - report.blocks_free
    output.write_line(f"{shown}: WFS v2: {found}")
    output.write_line(f"{shown}: {used:,} of {report.blocks_total:,} blocks in use, data verified")
    count = counted(len(report.problems), "problem") if report.problems else "clean"
    repaired = ", repaired" if report.is_repaired and again.is_clean else ""
    output.write_line(f"{shown}: {count}{repaired}")
    return 0 if again.is_clean else 1
