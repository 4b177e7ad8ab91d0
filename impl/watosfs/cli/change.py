"""Changing names in an image: ``rm``, ``mkdir``, ``mv`` and ``ln``."""

import errno
import os
import stat
from argparse import ArgumentParser, Namespace
from itertools import groupby

from watosfs.cli.failures import Failure, UsageFailure, blame
from watosfs.cli.interruption import Stop
from watosfs.cli.location import Location, parse_path, place
from watosfs.cli.monitor import Monitor
from watosfs.cli.names import last_name, printable
from watosfs.cli.path_volume import folds_names
from watosfs.cli.session import mounted
from watosfs.cli.walk import Walk
from watosfs.errors import failure
from watosfs.wfs3.volume import Volume


def add_rm(parser: ArgumentParser) -> None:
    parser.add_argument("locations", metavar="IMAGE:/PATH", nargs="+", help="what to remove")
    parser.add_argument("-r", dest="recursive", action="store_true", help="directories too")
    parser.add_argument("-f", dest="force", action="store_true", help="what is not there is fine")
    parser.add_argument("-v", dest="verbose", action="store_true", help="print each name")
    parser.set_defaults(run=rm)


def add_mkdir(parser: ArgumentParser) -> None:
    parser.add_argument("locations", metavar="IMAGE:/PATH", nargs="+", help="what to make")
    parser.add_argument(
        "-p", dest="parents", action="store_true", help="parents too; what exists is fine"
    )
    parser.set_defaults(run=mkdir)


def add_mv(parser: ArgumentParser) -> None:
    parser.add_argument("sources", metavar="IMAGE:/OLD", nargs="+", help="what to move")
    parser.add_argument("target", metavar="IMAGE:/NEW", help="its new name, or a directory")
    parser.set_defaults(run=mv)


def add_ln(parser: ArgumentParser) -> None:
    parser.add_argument(
        "target", metavar="TARGET", help="IMAGE:/PATH of a file; with -s any text, as it is"
    )
    parser.add_argument("name", metavar="IMAGE:/NAME", help="the new name, or a directory for it")
    parser.add_argument("-s", dest="symbolic", action="store_true", help="make a symlink")
    parser.set_defaults(run=ln)


def rm(options: Namespace) -> int:
    """Remove names; with -r whole trees, contents first."""
    locations = [parse_path(text) for text in options.locations]
    with Stop() as stop:
        monitor = Monitor("rm", stop, verbose=options.verbose)
        for image, group in groupby(locations, key=lambda location: location.image):
            with (
                monitor.reporting("removed", f"from {printable(image)}"),
                mounted(image, write=True) as volume,
            ):
                for where in group:
                    try:
                        _remove(volume, where, monitor, options)
                    except Failure as error:
                        monitor.complain(error)
    return monitor.status


def _remove(volume: Volume, where: Location, monitor: Monitor, options: Namespace) -> None:
    with blame(str(where)):
        try:
            status = volume.stat(where.path, follow=False)
        except FileNotFoundError:
            if options.force:
                return
            raise
        if not stat.S_ISDIR(status.st_mode):
            volume.unlink(where.path)
            monitor.tally.files += 1
            monitor.say(where.path)
            return
        if not options.recursive:
            raise failure(errno.EISDIR, reason="-r removes directories")
        if not last_name(where.path):
            raise failure(errno.EINVAL, reason="name the directory itself, and not the root")
        path = where.path.rstrip(b"/")
        if stat.S_ISLNK(volume.stat(path, follow=False).st_mode):
            raise failure(errno.ENOTDIR, reason="a symlink is removed by its name without a slash")

    def misread(path: bytes, error: OSError) -> None:
        monitor.complain(Failure.at(place(where.image, path), error))

    for step in Walk(volume, path, misread):
        monitor.pause()
        try:
            if step.is_leaving:
                volume.rmdir(step.path)
                monitor.tally.directories += 1
            elif not step.is_directory:
                volume.unlink(step.path)
                monitor.tally.files += 1
            else:
                continue
        except OSError as error:
            misread(step.path, error)
        else:
            monitor.say(step.path)


def mkdir(options: Namespace) -> int:
    """Make directories, owned by who runs this."""
    locations = [parse_path(text) for text in options.locations]
    mode = 0o777 & ~_umask()
    with Stop() as stop:
        monitor = Monitor("mkdir", stop)
        for image, group in groupby(locations, key=lambda location: location.image):
            with mounted(image, write=True) as volume:
                for where in group:
                    try:
                        _make_directory(volume, where, mode, options.parents)
                    except Failure as error:
                        monitor.complain(error)
    return monitor.status


def _make_directory(volume: Volume, where: Location, mode: int, parents: bool) -> None:
    names = [name for name in where.path.split(b"/") if name]
    paths = [b"/" + b"/".join(names[: i + 1]) for i in range(len(names))]
    for path in paths if parents else [where.path]:
        with blame(place(where.image, path)):
            try:
                volume.mkdir(path, mode)
            except FileExistsError:
                if not (parents and stat.S_ISDIR(volume.stat(path).st_mode)):
                    raise
            else:
                volume.chown(path, os.geteuid(), os.getegid())


def mv(options: Namespace) -> int:
    """Rename within an image; a file at the new name is replaced."""
    target = parse_path(options.target)
    sources = [_in_image(parse_path(text), target) for text in options.sources]
    with Stop() as stop:
        monitor = Monitor("mv", stop)
        with mounted(target.image, write=True) as volume:
            is_inside = _is_directory(volume, target)
            if len(sources) == 1 and is_inside:
                is_inside = not _is_respelled(volume, sources[0].path, target.path)
            if len(sources) > 1 and not is_inside:
                raise Failure.at(str(target), failure(errno.ENOTDIR))
            for source in sources:
                new = target.inside(last_name(source.path)) if is_inside else target
                try:
                    with blame(f"{source} to {printable(new.path)}"):
                        _rename(volume, source.path, new.path)
                except Failure as error:
                    monitor.complain(error)
    return monitor.status


def _rename(volume: Volume, old: bytes, new: bytes) -> None:
    """POSIX renames nothing if both are names of one file; as with ``mv`` the old one then goes."""
    if _are_two_names_of_one_file(volume, old, new):
        volume.unlink(old)
    else:
        volume.rename(old, new)


def _is_respelled(volume: Volume, old: bytes, new: bytes) -> bool:
    """Whether ``new`` is a directory's own name in another case, which is how FAT finds it."""
    if not folds_names(volume) or last_name(old) == last_name(new):
        return False
    try:
        return volume.stat(old).st_ino == volume.stat(new).st_ino
    except OSError:
        return False  # renaming will say what is wrong


def _are_two_names_of_one_file(volume: Volume, old: bytes, new: bytes) -> bool:
    try:
        files = [volume.stat(path, follow=False) for path in (old, new)]
        folders = [volume.stat(path.rpartition(b"/")[0] or b"/").st_ino for path in (old, new)]
    except OSError:
        return False  # renaming will say what is wrong
    if files[0].st_ino != files[1].st_ino or stat.S_ISDIR(files[0].st_mode):
        return False
    if files[0].st_nlink < 2:
        return False  # one name, found by two spellings of it
    return (folders[0], last_name(old)) != (folders[1], last_name(new))


def ln(options: Namespace) -> int:
    """A second name for a file, or a symlink."""
    name = parse_path(options.name)
    target = os.fsencode(options.target)
    if not options.symbolic:
        target = _in_image(parse_path(options.target), name).path
    with Stop(), mounted(name.image, write=True) as volume:
        if _is_directory(volume, name):
            name = name.inside(last_name(target))
        with blame(str(name)):
            if options.symbolic:
                volume.symlink(target, name.path)
                volume.chown(name.path, os.geteuid(), os.getegid(), follow=False)
        if not options.symbolic:
            with blame(f"{place(name.image, target)} as {printable(name.path)}"):
                volume.link(target, name.path)
    return 0


def _in_image(location: Location, other: Location) -> Location:
    if location.image != other.image:
        raise UsageFailure(
            f"{location} and {other} are in different images: use get, then put, to copy"
        )
    return location


def _is_directory(volume: Volume, where: Location) -> bool:
    try:
        return stat.S_ISDIR(volume.stat(where.path).st_mode)
    except OSError:
        return False  # if that is a mistake, the change itself will say so


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
