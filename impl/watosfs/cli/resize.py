"""``resize``: a WFS v3 image is made larger."""

import errno
import os
import stat
from argparse import ArgumentParser, Namespace

from watosfs.cli import output
from watosfs.cli.failures import Failure, UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.location import image_and_snapshot, image_parts
from watosfs.cli.names import printable
from watosfs.cli.path_volume import PathVolume
from watosfs.cli.presentation import human_size, parse_size
from watosfs.cli.session import mounted
from watosfs.errors import failure
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.growing import grow


def add_resize(parser: ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="a WFS v3 image")
    parser.add_argument("size", metavar="SIZE", type=parse_size, help="64M, 1G, ...: not smaller")
    parser.set_defaults(run=resize)


def resize(options: Namespace) -> int:
    """The file first, then the volume in it. A file whose volume cannot grow keeps its length."""
    image = options.image
    shown = printable(image)
    if image_parts(image)[1] is not None or image_and_snapshot(image)[1] is not None:
        raise UsageFailure(f"{shown}: only a whole image is resized")
    size = options.size - options.size % BLOCK_SIZE
    with Stop(), blame(shown):
        found = os.stat(image)
        before = found.st_size
        is_longer = stat.S_ISREG(found.st_mode) and size > before
        if is_longer:
            os.truncate(image, size)
        try:
            with mounted(image, write=True) as volume, blame(shown):
                if isinstance(volume, PathVolume):
                    raise failure(errno.ENOTSUP, reason=f"{volume.title} does not grow")
                grow(volume, size // BLOCK_SIZE)
                space = volume.statfs()
        except BaseException:
            if is_longer and not has_grown(image, before):
                os.truncate(image, before)
            raise
    output.write_line(f"{shown}: {human_size(space.total * space.block_size)}")
    return 0


def has_grown(image: str, before: int) -> bool:
    """Whether the volume needs what was added to its file."""
    try:
        with mounted(image) as volume:
            space = volume.statfs()
            return space.total * space.block_size > before
    except (OSError, Failure):
        return True  # who cannot know must not cut it
