"""WFS v2 images for the commands that make and check whole images."""

from argparse import Namespace
from typing import Final

from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.cli import output
from watosfs.cli.devices import opened_device
from watosfs.cli.failures import EXIT_USAGE, Failure, UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.names import one_line, printable
from watosfs.cli.presentation import counted, human_size
from watosfs.wfs2.check import check
from watosfs.wfs2.mkfs import mkfs

TYPE: Final = "wfs2"


def make(device: BlockDevice, label: bytes) -> str:
    """Make an empty WFS v2 volume; what to say of it."""
    if label:
        raise UsageFailure("argument --label: WFS v2 has no labels")
    geometry = mkfs(device).geometry
    size = human_size(geometry.total_blocks * BLOCK_SIZE_BYTES)
    return f"WFS v2, {size}, room for {geometry.max_files:,} files and directories"


def check_image(options: Namespace) -> int:
    """``check`` for a WFS v2 image: 0 clean or repaired, 1 problems, 2 unreadable."""
    shown = printable(options.image)
    try:
        with (
            Stop(),
            blame(shown),
            opened_device(options.image, write=options.repair) as device,
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
