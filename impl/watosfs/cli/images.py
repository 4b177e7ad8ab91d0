"""Whole images: made, measured, checked and looked at block by block.

``mkfs``, ``df``, ``check`` and ``dump``.
"""

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from uuid import UUID

from watosfs.block.device import BLOCK_SIZE_BYTES
from watosfs.cli import fat_images, output, snapshot, statistics, wfs2_images, wfs3_images
from watosfs.cli.blank import blank
from watosfs.cli.compress import LEVEL_DEFAULT
from watosfs.cli.devices import kind_of_volume, opened_device
from watosfs.cli.failures import Failure, UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.location import image_parts
from watosfs.cli.names import json_name, one_line, printable
from watosfs.cli.path_volume import kind_of
from watosfs.cli.presentation import columns, human_size, parse_size
from watosfs.cli.session import mounted
from watosfs.wfs3.compressing import LEVEL_MAX
from watosfs.wfs3.dump import describe_block
from watosfs.wfs3.format import BLOCK_COUNT_MIN, Superblock
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.snapshotting import SnapshotUse

_SIZE_MIN_BYTES = BLOCK_COUNT_MIN * BLOCK_SIZE_BYTES
_LABEL_BYTES_MAX = 32


def add_mkfs(parser: ArgumentParser) -> None:
    parser.add_argument(
        "image", metavar="IMAGE", help="a file to make, a block device, or IMAGE@NUMBER"
    )
    parser.add_argument(
        "--size", type=_Size, help="64M, 1G, 16T, ...; takes no space until it is used"
    )
    parser.add_argument(
        "--type",
        choices=("wfs3", wfs2_images.TYPE, *fat_images.TYPES),
        default="wfs3",
        help="wfs3 (default), wfs2, or fat (12, 16 or 32 by size), fat12, fat16, fat32",
    )
    parser.add_argument(
        "--label", type=os.fsencode, default=b"", help="up to 32 bytes; 11 characters on FAT"
    )
    parser.add_argument(
        "--compress",
        type=int,
        nargs="?",
        choices=range(1, LEVEL_MAX + 1),
        const=LEVEL_DEFAULT,
        default=0,
        metavar="LEVEL",
        help=f"compress all files, with zstd at 1 to {LEVEL_MAX} ({LEVEL_DEFAULT} if left out)",
    )
    parser.add_argument("--force", action="store_true", help="lose what IMAGE holds now")
    parser.set_defaults(run=make)


def add_df(parser: ArgumentParser) -> None:
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="image to measure")
    parser.add_argument(
        "-h", dest="human", action="store_true", help="sizes for people: 1.5 MiB, not 1536"
    )
    parser.add_argument(
        "--snapshots", action="store_true", help="each snapshot too: its own blocks and shared ones"
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON")
    shape.add_argument(
        "--prometheus", action="store_true", help="with --stats: the Prometheus text format"
    )
    parser.add_argument(
        "--stats",
        action="store_true",
        help="read everything once through the kernel: calls, bytes, latencies, errors",
    )
    parser.set_defaults(run=df)


def add_check(parser: ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="image to check")
    parser.add_argument("--data", action="store_true", help="verify all file data too")
    parser.add_argument(
        "--repair", action="store_true", help="mend what is wrong, on the image itself"
    )
    parser.add_argument(
        "--drop-snapshots", action="store_true", help="with --repair: lose all snapshots"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=check_image)


def add_dump(parser: ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="image to look into")
    parser.add_argument("block", metavar="BLOCK", type=_block, help="block number: 12 or 0xc")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=dump)


class _Size:
    """A size as it was written, and in bytes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.size_bytes = parse_size(text)

    def at_least(self, least_bytes: int, unit_bytes: int) -> int:
        """The size in whole units, if it is large enough."""
        if self.size_bytes < least_bytes:
            least = f"{least_bytes >> 20}M" if least_bytes >> 20 else f"{least_bytes >> 10}K"
            raise UsageFailure(
                f"argument --size: {self.text} is too small: an image has at least {least}"
            )
        return self.size_bytes - self.size_bytes % unit_bytes


def _require_label(label: bytes) -> None:
    try:
        text = label.decode()
    except UnicodeDecodeError as error:
        raise UsageFailure("argument --label: a label is UTF-8 text") from error
    if len(label) > _LABEL_BYTES_MAX:
        complaint = f"{text!r} has {len(label)} bytes, a label at most 32"
        raise UsageFailure(f"argument --label: {complaint}")


def _block(text: str) -> int:
    try:
        number = int(text, 0)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no block number: write 12 or 0xc") from error
    if number < 0:
        raise ArgumentTypeError(f"block {number} is before the first, 0")
    return number


def make(options: Namespace) -> int:
    """An empty volume in a new file, or over what is there when that is asked for."""
    image = options.image
    shown = printable(image)
    file, partition = image_parts(image)
    exists = os.path.lexists(file)
    if exists and not options.force:
        raise Failure(f"{shown}: exists; --force makes a new volume there and loses what it holds")
    if not exists and options.size is None:
        raise UsageFailure(f"{shown} is new: say how large with --size, as in --size 64M")
    if partition is not None and options.size is not None:
        raise UsageFailure(f"{shown} is a partition, whose size is in the table: no --size")
    is_fat = options.type in fat_images.TYPES
    size_bytes = None
    if options.size is not None:
        least, unit = (fat_images.SIZE_MIN_BYTES, 512) if is_fat else (_SIZE_MIN_BYTES, 4096)
        size_bytes = options.size.at_least(least, unit)
    if options.compress and options.type != "wfs3":
        raise UsageFailure(f"argument --compress: {options.type} does not compress")
    if not is_fat:
        _require_label(options.label)
    block_size = fat_images.BLOCK_SIZE_BYTES if is_fat else BLOCK_SIZE_BYTES
    with Stop(), blame(shown), blank(image, size_bytes, block_size) as device:
        try:
            if is_fat:
                line = fat_images.make(device, shown, options.type, options.label)
                output.write_line(f"{shown}: {line}")
                return 0
            if options.type == wfs2_images.TYPE:
                output.write_line(f"{shown}: {wfs2_images.make(device, options.label)}")
                return 0
            superblock = mkfs(device, label=options.label, compression=options.compress)
        except BaseException:
            if not exists:
                os.unlink(image)
            raise
    size = human_size(superblock.total_blocks * BLOCK_SIZE_BYTES)
    label = f", label {_label_of(superblock)}" if options.label else ""
    uuid = UUID(bytes=superblock.uuid)
    output.write_line(f"{shown}: WFS v3, {size}{label}, uuid {uuid}")
    return 0


def _label_of(superblock: Superblock) -> str:
    return printable(superblock.label.rstrip(b"\0"))


def df_statistics(options: Namespace) -> int:
    """What reading all of each image took."""
    described = []
    for image in options.images:
        with Stop(), mounted(image) as volume:
            counters = statistics.read_everything(volume)
        described.append({"image": printable(image), **counters.as_dict()})
        if options.prometheus:
            for line in counters.prometheus().splitlines():
                output.write_line(line)
        elif not options.json:
            output.write_line(f"{printable(image)}:")
            statistics.write_table(counters)
    if options.json:
        output.write_json({"images": described})
    return 0


def df(options: Namespace) -> int:
    """Space and label of each image."""
    if options.stats:
        return df_statistics(options)
    if options.prometheus:
        raise UsageFailure("--prometheus goes with --stats")
    found = []
    kept: dict[str, list[SnapshotUse]] = {}
    for image in options.images:
        with mounted(image) as volume:
            found.append((image, volume.statfs(), volume.superblock, kind_of(volume)))
            if options.snapshots:
                with blame(printable(image)):
                    kept[image] = snapshot.uses(volume)
    if options.json:
        described = [
            {
                "image": printable(image),
                "type": kind,
                **json_name("label", superblock.label.rstrip(b"\0")),
                "uuid": str(UUID(bytes=superblock.uuid)),
                "generation": superblock.root_generation,
                "size": space.total * space.block_size,
                "used": (space.total - space.free) * space.block_size,
                "available": space.available * space.block_size,
                "block_size": space.block_size,
                "blocks": space.total,
                "blocks_free": space.free,
                "inodes_used": space.inodes_used,
                **(
                    {"snapshots": snapshot.described_uses(kept[image])} if options.snapshots else {}
                ),
            }
            for image, space, superblock, kind in found
        ]
        output.write_json({"images": described})
        return 0
    rows = [["Image", "Size" if options.human else "1K-blocks", "Used", "Available", "Use%"]]
    for image, space, *_ in found:
        used = space.total - space.free
        within = used + space.available
        sizes = [blocks * space.block_size for blocks in (space.total, used, space.available)]
        percent = -(-used * 100 // within) if within else 100
        figures = [human_size(size) if options.human else str(size // 1024) for size in sizes]
        rows.append([printable(image), *figures, f"{percent}%"])
    labels = ["Label", *(_label_of(superblock) for _, _, superblock, _ in found)]
    rows = [[*row, label] for row, label in zip(rows, labels, strict=True)]
    for line in columns(rows, left=frozenset({0, 5})):
        output.write_line(line)
    if options.snapshots:
        rows = [["Snapshot", "Its own", "Shared"]]
        for image, uses in kept.items():
            rows += [
                [
                    f"{printable(image)}@{printable(use.name)}",
                    snapshot.size_text(use.exclusive),
                    snapshot.size_text(use.shared),
                ]
                for use in uses
            ]
        for line in ["", *columns(rows, left=frozenset({0}))]:
            output.write_line(line)
    return 0


def check_image(options: Namespace) -> int:
    """Every rule of the format, by the independent checker: 0 clean or repaired, 1 problems, 2
    unreadable.
    """
    if options.drop_snapshots and not options.repair:
        raise UsageFailure("--drop-snapshots goes with --repair")
    kind = kind_of_volume(options.image)
    if kind == "fat":
        return fat_images.check_image(options)
    if kind == "wfs2":
        return wfs2_images.check_image(options)
    return wfs3_images.check_image(options)


def dump(options: Namespace) -> int:
    """One block, decoded."""
    with opened_device(options.image) as device:
        if device.block_size_bytes != BLOCK_SIZE_BYTES:
            raise UsageFailure(f"{printable(options.image)}: dump decodes blocks of WFS v3 only")
        if options.block >= device.block_count:
            last = device.block_count - 1
            shown = printable(options.image)
            raise UsageFailure(f"{shown} has no block {options.block:,}: its last is {last:,}")
        with blame(printable(options.image)):
            description = describe_block(device, options.block)
    if options.json:
        output.write_json({"image": printable(options.image), **description.to_json()})
    else:
        for line in str(description).split("\n"):
            output.write_line(one_line(line))
    return 0
