"""``put`` and ``get``: what is copied where. The copying itself is in ``copy_in``, ``copy_out``.

Targets mean what they mean to ``cp -r``: an existing directory gets the source inside it, under
the source's own name; anything else is what the source will be called.
"""

import errno
import os
import stat
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from watosfs.cli.copy_in import FATAL, CopyIn
from watosfs.cli.copy_out import CopyOut
from watosfs.cli.failures import Failure, UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.location import Location, parse_path
from watosfs.cli.monitor import Monitor
from watosfs.cli.names import join, last_name, printable
from watosfs.cli.session import mounted
from watosfs.cli.walk import Walk
from watosfs.errors import failure
from watosfs.wfs3.volume import Volume

STREAM = b"-"


def add_put(parser: ArgumentParser) -> None:
    parser.add_argument("sources", metavar="LOCAL", nargs="+", help="local file; - is stdin")
    parser.add_argument("target", metavar="IMAGE:/PATH", help="where it goes")
    _add_options(parser)
    parser.set_defaults(run=put)


def add_get(parser: ArgumentParser) -> None:
    parser.add_argument("sources", metavar="IMAGE:/PATH", nargs="+", help="what to copy")
    parser.add_argument("target", metavar="LOCAL", help="where it goes; - is stdout")
    _add_options(parser)
    parser.set_defaults(run=get)


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument("-r", dest="recursive", action="store_true", help="copy directories too")
    parser.add_argument("-v", dest="verbose", action="store_true", help="print each name")


def put(options: Namespace) -> int:
    """Copy from the host into an image."""
    where = parse_path(options.target)
    sources = [os.fsencode(text) for text in options.sources]
    with Stop() as stop:
        monitor = Monitor("put", stop, verbose=options.verbose)
        total = _local_bytes(sources, monitor) if monitor.wants_total else 0
        with (
            monitor.reporting("saved", f"in {printable(where.image)}"),
            mounted(where.image, write=True) as volume,
            monitor.progress("put", total),
        ):
            is_inside = _is_directory(volume, where)
            if len(sources) > 1 and not is_inside:
                raise Failure.at(str(where), _one_name_for_several())
            copy = CopyIn(volume, where.image, monitor)
            for source in sources:
                try:
                    _put_one(copy, source, where, is_inside, options.recursive)
                except Failure as error:
                    if error.errno in FATAL:
                        raise
                    monitor.complain(error)
    return monitor.status


def _one_name_for_several() -> OSError:
    return failure(errno.ENOTDIR, reason="several files need a directory to go to")


def _put_one(
    copy: CopyIn, source: bytes, where: Location, is_inside: bool, recursive: bool
) -> None:
    if source == STREAM:
        if is_inside:
            raise Failure.at(str(where), failure(errno.EISDIR, reason="standard input has no name"))
        with blame(str(where)):
            target = _linked_through(copy.volume, where.path)
        copy.copy_stream(target)
        return
    with blame(printable(source)):
        status = os.lstat(source) if recursive else os.stat(source)
        is_directory = stat.S_ISDIR(status.st_mode)
        if is_directory and not recursive:
            raise failure(errno.EISDIR, reason="-r copies directories")
        # Without -r a symlink is followed, but what is copied keeps the name that was given.
        is_followed = not recursive and os.path.islink(source)
        origin = os.path.realpath(source) if is_followed else source
    with blame(str(where)):
        if not is_inside and where.path.endswith(b"/") and not is_directory:
            raise failure(errno.ENOTDIR)
        name = last_name(source) if is_inside else b""
        target = join(where.path, name) if name else _linked_through(copy.volume, where.path)
    copy.copy(origin, target, status)


def _is_directory(volume: Volume, where: Location) -> bool:
    try:
        return stat.S_ISDIR(volume.stat(where.path).st_mode)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return False
        raise Failure.at(str(where), error) from error


def _linked_through(volume: Volume, path: bytes) -> bytes:
    """Where the symlinks that ``path`` may be the first of lead to in the end. Raises ELOOP."""
    for _ in range(40):
        path = path.rstrip(b"/") or b"/"
        try:
            text = volume.readlink(path)
        except OSError:
            return path  # no symlink; or nothing to be found, which the caller will hear
        folder = path.rpartition(b"/")[0] or b"/"
        path = text if text.startswith(b"/") else join(folder, text)
    raise failure(errno.ELOOP)


def _local_bytes(sources: Iterable[bytes], monitor: Monitor) -> int:
    """About how many bytes there are to copy; what cannot be read is left for the copy to say."""
    total = 0
    for source in sources:
        waiting = [source]
        while waiting:
            monitor.pause()
            path = waiting.pop()
            try:
                status = os.lstat(path)
                if stat.S_ISDIR(status.st_mode):
                    waiting += [entry.path for entry in os.scandir(path)]
                elif stat.S_ISREG(status.st_mode):
                    total += min(status.st_size, status.st_blocks * 512)
            except OSError:
                continue
    return total


def get(options: Namespace) -> int:
    """Copy from images to the host."""
    sources = [parse_path(text) for text in options.sources]
    target = os.fsencode(options.target)
    is_inside = target != STREAM and os.path.isdir(target)
    if len(sources) > 1 and not is_inside:
        raise Failure.at(printable(target), _one_name_for_several())
    if len({source.image for source in sources}) > 1:
        raise UsageFailure("one image at a time: the sources are in several")
    image = sources[0].image
    with Stop() as stop:
        monitor = Monitor("get", stop, verbose=options.verbose)
        with monitor.reporting("copied", f"to {printable(target)}"), mounted(image) as volume:
            total = _volume_bytes(volume, sources, monitor) if monitor.wants_total else 0
            copy = CopyOut(volume, image, monitor)
            with monitor.progress("get", total):
                for source in sources:
                    try:
                        _get_one(copy, source, target, is_inside, options.recursive)
                    except Failure as error:
                        if len(sources) == 1:
                            raise
                        monitor.complain(error)
    return monitor.status


def _get_one(
    copy: CopyOut, source: Location, target: bytes, is_inside: bool, recursive: bool
) -> None:
    with blame(str(source)):
        status = copy.volume.stat(source.path, follow=not recursive)
        is_directory = stat.S_ISDIR(status.st_mode)
        if is_directory and not recursive:
            raise failure(errno.EISDIR, reason="-r copies directories")
        if is_directory and target == STREAM:
            raise failure(errno.EISDIR, reason="only a file goes to standard output")
    if target == STREAM:
        copy.copy_stream(source.path)
        return
    with blame(printable(target)):
        if not is_inside and target.endswith(b"/") and not is_directory:
            raise failure(errno.ENOTDIR)
    name = last_name(source.path) if is_inside else b""
    copy.copy(source.path, join(target, name), follow=not recursive, is_named=not name)


def _volume_bytes(volume: Volume, sources: Iterable[Location], monitor: Monitor) -> int:
    """How many bytes there are to copy; what cannot be read is left for the copy to say."""
    total = 0
    for source in sources:
        try:
            for step in Walk(volume, source.path, lambda path, error: None):
                monitor.pause()
                if stat.S_ISREG(step.stat.st_mode):
                    total += min(step.stat.st_size, max(step.stat.st_blocks * 512, 160))
        except OSError:
            continue
    return total
