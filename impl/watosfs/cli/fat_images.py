"""FAT images for the commands that make and check whole images."""

import errno
from argparse import Namespace
from typing import Final

from watosfs.block.device import SECTOR_SIZE_BYTES, BlockDevice
from watosfs.block.sub_device import SubDevice
from watosfs.cli import output
from watosfs.cli.devices import FAT_BLOCK_SIZE_BYTES, opened_device
from watosfs.cli.failures import EXIT_USAGE, Failure, UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.names import one_line, printable
from watosfs.cli.presentation import counted, human_size
from watosfs.fat.check import check
from watosfs.fat.mkfs import Options, mkfs

#: What --type takes, and the width of an entry; 0 leaves it to the size.
TYPES: Final = {"fat": 0, "fat12": 12, "fat16": 16, "fat32": 32}
BLOCK_SIZE_BYTES: Final = FAT_BLOCK_SIZE_BYTES
SIZE_MIN_BYTES: Final = 64 << 10


def make(device: BlockDevice, shown: str, kind: str, label: bytes) -> str:
    """Make an empty FAT volume on the image ``shown``; what to say of it."""
    before = device.start_bytes // SECTOR_SIZE_BYTES if isinstance(device, SubDevice) else 0
    try:
        geometry = mkfs(device, Options(bits=TYPES[kind], label=label, hidden_sectors=before))
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise UsageFailure(f"{shown}: {error.strerror}") from error
        raise
    size = human_size(geometry.total_sectors * geometry.sector_size)
    cluster = human_size(geometry.cluster_size)
    named = f", label {printable(label)}" if label else ""
    count = geometry.cluster_count
    return f"FAT{geometry.bits}, {size}, {count:,} clusters of {cluster}{named}"


def check_image(options: Namespace) -> int:
    """``check`` for a FAT image: 0 clean or repaired, 1 problems, 2 unreadable."""
    shown = printable(options.image)
    try:
        with (
            Stop(),
            blame(shown),
            opened_device(options.image, write=options.repair) as device,
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
            "type": f"fat{report.bits}",
            "files": report.files,
            "directories": report.directories,
            "clusters": report.clusters_total,
            "clusters_free": report.clusters_free,
            "clusters_bad": report.clusters_bad,
            "clusters_lost": report.clusters_lost,
        }
        output.write_json(described)
        return 0 if again.is_clean else 1
    for problem in report.problems:
        output.write_line(f"{shown}: {one_line(str(problem))}")
    for note in report.notes:
        output.write_line(f"{shown}: note: {one_line(note)}")
    found = (
        f"{counted(report.files, 'file')}, "
        f"{counted(report.directories, 'directory', 'directories')}"
    )
    used = report.clusters_total - report.clusters_free
    output.write_line(f"{shown}: FAT{report.bits}: {found}")
    output.write_line(f"{shown}: {used:,} of {report.clusters_total:,} clusters in use")
    count = counted(len(report.problems), "problem") if report.problems else "clean"
    repaired = ", repaired" if report.is_repaired and again.is_clean else ""
    output.write_line(f"{shown}: {count}{repaired}")
    return 0 if again.is_clean else 1
