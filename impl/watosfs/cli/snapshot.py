"""``snapshot``: made, listed, rolled back to and deleted. Read as ``IMAGE@NAME`` elsewhere."""

import errno
import os
from argparse import ArgumentParser, Namespace
from typing import Any

from watosfs.block.device import BLOCK_SIZE_BYTES
from watosfs.cli import output
from watosfs.cli.failures import UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.location import is_partition_number
from watosfs.cli.names import json_name, printable
from watosfs.cli.path_volume import PathVolume
from watosfs.cli.presentation import columns, full_time, human_size
from watosfs.cli.session import mounted
from watosfs.errors import failure
from watosfs.wfs3.snapshotting import SnapshotUse
from watosfs.wfs3.volume import Volume


def add_snapshot(parser: ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("create", "list", "rollback", "delete"), help="what to do"
    )
    parser.add_argument("image", metavar="IMAGE", help="a WFS v3 image")
    parser.add_argument("names", metavar="NAME", nargs="*", type=os.fsencode, help="of snapshots")
    parser.add_argument("--json", action="store_true", help="with list: print JSON")
    parser.set_defaults(run=run)


def run(options: Namespace) -> int:
    """One action on the snapshots of an image."""
    action, names = options.action, options.names
    if action == "list":
        if names:
            raise UsageFailure("list takes no names")
        return show(options)
    if options.json:
        raise UsageFailure("--json goes with list")
    if not names or (len(names) > 1 and action != "delete"):
        raise UsageFailure(f"{action} takes {'names' if action == 'delete' else 'one name'}")
    for name in names:
        if action == "create" and is_partition_number(name):
            raise UsageFailure(f"IMAGE@{os.fsdecode(name)} would be a partition: take another name")
    with Stop(), mounted(options.image, write=True) as volume:
        for name in names:
            with blame(f"{printable(options.image)}@{printable(name)}"):
                require_wfs3(volume)
                getattr(volume, f"snapshot_{action}")(name)
    return 0


def require_wfs3(volume: Volume) -> None:
    """Raises ENOTSUP for other file systems."""
    if isinstance(volume, PathVolume):
        raise failure(errno.ENOTSUP, reason=f"{volume.title} has no snapshots")


def uses(volume: Volume) -> list[SnapshotUse]:
    """The space of each snapshot, in the order in which they were made."""
    require_wfs3(volume)
    return [volume.snapshot_use(name) for name in volume.snapshots()]


def show(options: Namespace) -> int:
    """A line for each snapshot."""
    with Stop(), mounted(options.image) as volume, blame(printable(options.image)):
        found = uses(volume)
    if options.json:
        described = {"image": printable(options.image), "snapshots": described_uses(found)}
        output.write_json(described)
        return 0
    rows = [["Name", "Made", "Its own", "Shared"]]
    rows += [
        [printable(use.name), full_time(use.time_ns), *map(size_text, (use.exclusive, use.shared))]
        for use in found
    ]
    for line in columns(rows, left=frozenset({0, 1})):
        output.write_line(line)
    return 0


def size_text(blocks: int) -> str:
    """Blocks as people read sizes."""
    return human_size(blocks * BLOCK_SIZE_BYTES)


def described_uses(found: list[SnapshotUse]) -> list[dict[str, Any]]:
    """For JSON: sizes in bytes."""
    return [
        {
            **json_name("name", use.name),
            "generation": use.generation,
            "time_ns": use.time_ns,
            "exclusive": use.exclusive * BLOCK_SIZE_BYTES,
            "shared": use.shared * BLOCK_SIZE_BYTES,
        }
        for use in found
    ]
