"""Looking into an image without changing it: ``ls``, ``tree``, ``stat`` and ``cat``."""

import stat
from argparse import ArgumentParser, Namespace
from typing import Any

from watosfs.cli import output
from watosfs.cli.failures import Failure, blame, complain
from watosfs.cli.location import Location, parse_location, parse_path, place
from watosfs.cli.names import json_name, printable
from watosfs.cli.presentation import columns, counted, full_time, human_size, kind_of, short_time
from watosfs.cli.session import mounted
from watosfs.cli.walk import Step, Walk
from watosfs.wfs3.attributes import Stat
from watosfs.wfs3.volume import Volume

PIECE_BYTES = 1 << 20


def add_ls(parser: ArgumentParser) -> None:
    parser.add_argument("location", metavar="IMAGE[:/PATH]", help="what to list")
    parser.add_argument("-l", dest="long", action="store_true", help="mode, owner, size, time")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=ls)


def add_tree(parser: ArgumentParser) -> None:
    parser.add_argument("location", metavar="IMAGE[:/PATH]", help="where to start")
    parser.add_argument("--depth", type=int, metavar="N", help="go N levels deep (all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=tree)


def add_stat(parser: ArgumentParser) -> None:
    parser.add_argument("location", metavar="IMAGE[:/PATH]", help="what to describe")
    parser.add_argument("-L", dest="follow", action="store_true", help="follow a symlink")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=show_stat)


def add_cat(parser: ArgumentParser) -> None:
    parser.add_argument("locations", metavar="IMAGE:/PATH", nargs="+", help="files to print")
    parser.set_defaults(run=cat)


def ls(options: Namespace) -> int:
    """List a directory, or the one file that is named."""
    where = parse_location(options.location)
    status = 0
    with mounted(where.image) as volume:
        with blame(str(where)):
            named = volume.stat(where.path, follow=not options.long)
            if stat.S_ISDIR(named.st_mode):
                names = sorted(entry.name for entry in volume.readdir(where.path))
            else:
                names = None
        if names is not None and not (options.long or options.json):
            for name in names:
                output.write_line(output.shown(name))
            return status
        found = []
        for name in [b""] if names is None else names:
            inside = where.inside(name)
            try:
                shown = name or where.path
                status_now = volume.stat(inside.path, follow=False) if name else named
                found.append((shown, status_now, _target(volume, inside.path, status_now)))
            except OSError as error:
                complain("ls", Failure.at(str(inside), error))
                status = 1
    if options.json:
        entries = [{**json_name("name", name), **attributes(*rest)} for name, *rest in found]
        output.write_json(
            {"image": printable(where.image), **json_name("path", where.path), "entries": entries}
        )
    elif options.long:
        _write_long(found)
    else:
        output.write_line(output.shown(where.path))
    return status


def _write_long(found: list[tuple[bytes, Stat, bytes | None]]) -> None:
    if not found:
        return
    rows = [
        [
            stat.filemode(status.st_mode),
            str(status.st_nlink),
            str(status.st_uid),
            str(status.st_gid),
            str(status.st_size),
            short_time(status.st_mtime_ns),
        ]
        for _, status, _ in found
    ]
    for line, (name, _, target) in zip(columns(rows), found, strict=True):
        arrow = b"" if target is None else b" -> " + output.shown(target)
        output.write_line(line.encode() + b"  " + output.shown(name) + arrow)


def _target(volume: Volume, path: bytes, status: Stat) -> bytes | None:
    return volume.readlink(path) if stat.S_ISLNK(status.st_mode) else None


def attributes(status: Stat, target: bytes | None = None) -> dict[str, Any]:
    """What a program reads about a file: the keys are listed in ``docs/guides/images.md``."""
    return {
        "kind": kind_of(status.st_mode),
        "inode": status.st_ino,
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "nlink": status.st_nlink,
        "uid": status.st_uid,
        "gid": status.st_gid,
        "size": status.st_size,
        "allocated": status.st_blocks * 512,
        "atime_ns": status.st_atime_ns,
        "mtime_ns": status.st_mtime_ns,
        "ctime_ns": status.st_ctime_ns,
        **({} if target is None else json_name("target", target)),
    }


def tree(options: Namespace) -> int:
    """Draw a tree, or give it as one flat list (nested JSON breaks readers when a tree is deep)."""
    where = parse_location(options.location)
    failed = []

    def on_error(path: bytes, error: OSError) -> None:
        failed.append(path)
        complain("tree", Failure.at(place(where.image, path), error))

    entries: list[dict[str, Any]] = []
    counts = {"directory": 0, "file": 0, "symlink": 0, "other": 0}
    drawing = _Drawing()
    with mounted(where.image) as volume:
        walk = Walk(volume, where.path, on_error, follow=True)
        with blame(str(where)):
            for step in walk:
                if step.is_leaving:
                    continue
                if options.depth is not None and step.depth >= options.depth and step.is_directory:
                    walk.skip()
                if step.depth:
                    counts[kind_of(step.stat.st_mode)] += 1
                target = _target(volume, step.path, step.stat)
                if options.json:
                    shown = {**json_name("path", step.path), "depth": step.depth}
                    entries.append(shown | attributes(step.stat, target))
                else:
                    output.write_line(drawing.line(step, target, where))
    if options.json:
        named = {"image": printable(where.image), **json_name("path", where.path)}
        output.write_json({**named, "entries": entries})
    else:
        directories = counted(counts["directory"], "directory", "directories")
        symlinks = f", {counted(counts['symlink'], 'symlink')}" if counts["symlink"] else ""
        output.write_line(f"\n{directories}, {counted(counts['file'], 'file')}{symlinks}")
    return 1 if failed else 0


class _Drawing:
    """The lines to the left of each name."""

    def __init__(self) -> None:
        self.branch, self.corner, self.beam = (
            ("├── ", "└── ", "│   ") if output.can_draw_lines() else ("|-- ", "`-- ", "|   ")
        )
        self._beams: list[str] = []

    def line(self, step: Step, target: bytes | None, start: Location) -> bytes:
        """The line for a step of the walk."""
        del self._beams[max(step.depth - 1, 0) :]
        name = output.shown(step.name) if step.depth else str(start).encode(errors="replace")
        left = "".join(self._beams) + (self.corner if step.is_last else self.branch)
        if step.depth:
            self._beams.append("    " if step.is_last else self.beam)
        arrow = b"" if target is None else b" -> " + output.shown(target)
        return (left.encode() if step.depth else b"") + name + arrow


def show_stat(options: Namespace) -> int:
    """Everything known about one file."""
    where = parse_location(options.location)
    with mounted(where.image) as volume, blame(str(where)):
        status = volume.stat(where.path, follow=options.follow)
        target = _target(volume, where.path, status)
    if options.json:
        named = {"image": printable(where.image), **json_name("path", where.path)}
        output.write_json({**named, **attributes(status, target)})
        return 0
    arrow = "" if target is None else f" -> {printable(target)}"
    rows = [
        ("path", f"{where}{arrow}"),
        ("kind", kind_of(status.st_mode)),
        ("size", f"{status.st_size} ({human_size(status.st_size)})"),
        ("allocated", f"{status.st_blocks * 512} ({human_size(status.st_blocks * 512)})"),
        ("inode", str(status.st_ino)),
        ("links", str(status.st_nlink)),
        ("mode", f"{stat.S_IMODE(status.st_mode):04o} ({stat.filemode(status.st_mode)})"),
        ("owner", f"{status.st_uid}:{status.st_gid}"),
        ("accessed", full_time(status.st_atime_ns)),
        ("modified", full_time(status.st_mtime_ns)),
        ("changed", full_time(status.st_ctime_ns)),
    ]
    for line in columns(rows, left=frozenset({0, 1})):
        output.write_line(line)
    return 0


def cat(options: Namespace) -> int:
    """Files to standard output, one after the other."""
    for where in [parse_path(text) for text in options.locations]:
        with mounted(where.image) as volume, blame(str(where)), volume.open(where.path) as handle:
            offset = 0
            while piece := handle.pread(PIECE_BYTES, offset):
                output.write(piece)
                offset += len(piece)
    return 0
