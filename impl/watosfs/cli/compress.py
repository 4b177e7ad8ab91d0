"""``compress``: how new data of files and directories is stored."""

import errno
import stat
from argparse import ArgumentParser, Namespace
from itertools import groupby

from watosfs.cli.failures import Failure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.location import parse_path, place
from watosfs.cli.monitor import Monitor
from watosfs.cli.path_volume import PathVolume
from watosfs.cli.session import mounted
from watosfs.cli.walk import Walk
from watosfs.errors import failure
from watosfs.wfs3.compressing import LEVEL_MAX
from watosfs.wfs3.volume import Volume

LEVEL_DEFAULT = 3


def add_compress(parser: ArgumentParser) -> None:
    parser.add_argument("locations", metavar="IMAGE:/PATH", nargs="+", help="a file or directory")
    level = parser.add_mutually_exclusive_group()
    level.add_argument(
        "--level",
        type=int,
        choices=range(1, LEVEL_MAX + 1),
        default=LEVEL_DEFAULT,
        metavar="N",
        help=f"of zstd, 1 (fastest) to {LEVEL_MAX} (smallest); {LEVEL_DEFAULT} if left out",
    )
    level.add_argument(
        "--off", dest="level", action="store_const", const=0, help="store new data as it is"
    )
    parser.add_argument("-r", dest="recursive", action="store_true", help="all below as well")
    parser.set_defaults(run=compress)


def compress(options: Namespace) -> int:
    """Set the level of each; with -r of all files and directories below too."""
    locations = [parse_path(text) for text in options.locations]
    with Stop() as stop:
        monitor = Monitor("compress", stop)
        for image, group in groupby(locations, key=lambda location: location.image):
            with mounted(image, write=True) as volume:
                for where in group:
                    try:
                        with blame(str(where)):
                            _set(volume, where.path, options.level)
                        if options.recursive:
                            _set_below(volume, where.image, where.path, options.level, monitor)
                    except Failure as error:
                        monitor.complain(error)
    return monitor.status


def _set(volume: Volume, path: bytes, level: int) -> None:
    if isinstance(volume, PathVolume):
        raise failure(errno.ENOTSUP, reason=f"{volume.title} does not compress")
    volume.compress(path, level)


def _set_below(volume: Volume, image: str, path: bytes, level: int, monitor: Monitor) -> None:
    def misread(path: bytes, error: OSError) -> None:
        monitor.complain(Failure.at(place(image, path), error))

    for step in Walk(volume, path, misread, follow=True):
        monitor.pause()
        if step.is_leaving or not step.depth or stat.S_ISLNK(step.stat.st_mode):
            continue
        try:
            volume.compress(step.path, level)
        except OSError as error:
            misread(step.path, error)
