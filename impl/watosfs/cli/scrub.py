"""``scrub``: everything that an image holds is read and verified."""

import errno
from argparse import ArgumentParser, Namespace

from watosfs.cli import output
from watosfs.cli.failures import blame
from watosfs.cli.interruption import Stop
from watosfs.cli.names import printable
from watosfs.cli.path_volume import PathVolume
from watosfs.cli.presentation import counted, human_size
from watosfs.cli.progress import phases
from watosfs.cli.session import mounted
from watosfs.errors import failure
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.scrub import Damage, Scrub


def add_scrub(parser: ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="a WFS v3 image")
    parser.add_argument(
        "--read-only", action="store_true", help="mend nothing, not even a superblock copy"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=scrub)


def scrub(options: Namespace) -> int:
    """0 sound or mended, 1 damaged."""
    shown = printable(options.image)
    with (
        Stop() as stop,
        mounted(options.image, write=not options.read_only) as volume,
        blame(shown),
        phases() as progress,
    ):
        if isinstance(volume, PathVolume):
            raise failure(errno.ENOTSUP, reason=f"{volume.title} keeps no checksums")
        work = Scrub(volume)
        space = volume.statfs()
        used = space.total - space.free
        while work.step():
            stop.check()
            if progress is not None:
                progress("blocks", min(work.blocks_read, used), used)
    if options.json:
        output.write_json(
            {
                "image": shown,
                "blocks_read": work.blocks_read,
                "damaged": [described(damage) for damage in work.damages],
                "mended": work.mended,
            }
        )
        return 1 if work.damages else 0
    for damage in work.damages:
        output.write_line(f"{shown}: {in_words(damage)}")
    for mended in work.mended:
        output.write_line(f"{shown}: {mended}: written again from the other copy")
    size = human_size(work.blocks_read * BLOCK_SIZE)
    count = len(work.damages)
    verdict = counted(count, "damaged place") if count else "sound"
    output.write_line(f"{shown}: {size} read: {verdict}")
    return 1 if count else 0


def in_words(damage: Damage) -> str:
    """A damage in a line."""
    of = f" of inode {damage.inode_number}" if damage.inode_number else ""
    where = f", in snapshot {printable(damage.snapshot)}" if damage.snapshot else ""
    return f"block {damage.block}: {damage.what}{of}{where}"


def described(damage: Damage) -> dict[str, object]:
    """The same for JSON."""
    return {
        "block": damage.block,
        "what": damage.what,
        "inode": damage.inode_number,
        "snapshot": printable(damage.snapshot),
    }
