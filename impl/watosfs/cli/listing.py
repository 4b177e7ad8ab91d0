"""Looking into an image without changing it: ``ls``, ``tree``, ``stat`` and ``cat``."""

import stat
from argparse import ArgumentParser, Namespace
from typing import Any, NamedTuple

from watosfs.cli import output
from watosfs.cli.failures import Failure, blame, complain
from watosfs.cli.location import Location, parse_location, parse_path, place
from watosfs.cli.names import join, json_name, printable
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
    with mounted(where.image) as volume:
        with blame(str(where)):
            named = volume.stat(where.path, follow=not options.long)
            is_directory = stat.S_ISDIR(named.st_mode)
            entries = volume.readdir(where.path) if is_directory else []
        names = sorted(entry.name for entry in entries) if is_directory else [where.path]
        if not options.long and not options.json:
            for name in names:
                output.write_line(output.shown(name))
            return 0
        found = []
        for name in names:
            path = join(where.path, name) if is_directory else name
            try:
                found.append(Entry.read(volume, path, name, named if not is_directory else None))
            except OSError as error:
                complain("ls", Failure.at(place(where.image, path), error))
    if options.json:
        listed = [{**json_name("name", entry.name), **entry.attributes()} for entry in found]
        output.write_json({**_named(where), "entries": listed})
    else:
        _write_long(found)
    return 0 if len(found) == len(names) else 1


class Entry(NamedTuple):
    """A name with what is known about it; ``target`` is that of a symlink."""

    name: bytes
    stat: Stat
    target: bytes | None

    @classmethod
    def read(cls, volume: Volume, path: bytes, name: bytes, known: Stat | None = None) -> "Entry":
        """What is at ``path``. Raises OSError."""
        found = known or volume.stat(path, follow=False)
        return cls(name, found, volume.readlink(path) if stat.S_ISLNK(found.st_mode) else None)

    @property
    def arrow(self) -> bytes:
        """`` -> target`` for a symlink."""
        return b"" if self.target is None else b" -> " + output.shown(self.target)

    def attributes(self) -> dict[str, Any]:
        """What a program reads: the keys are listed in ``docs/guides/images.md``."""
        return {
            "kind": kind_of(self.stat.st_mode),
            "inode": self.stat.st_ino,
            "mode": f"{stat.S_IMODE(self.stat.st_mode):04o}",
            "nlink": self.stat.st_nlink,
            "uid": self.stat.st_uid,
            "gid": self.stat.st_gid,
            "size": self.stat.st_size,
            "allocated": self.stat.st_blocks * 512,
            "atime_ns": self.stat.st_atime_ns,
            "mtime_ns": self.stat.st_mtime_ns,
            "ctime_ns": self.stat.st_ctime_ns,
            **({} if self.target is None else json_name("target", self.target)),
        }


def _named(where: Location) -> dict[str, str]:
    return {"image": printable(where.image), **json_name("path", where.path)}


def _write_long(found: list[Entry]) -> None:
    rows = [
        [
            stat.filemode(entry.stat.st_mode),
            str(entry.stat.st_nlink),
            str(entry.stat.st_uid),
            str(entry.stat.st_gid),
            str(entry.stat.st_size),
            short_time(entry.stat.st_mtime_ns),
        ]
        for entry in found
    ]
    for line, entry in zip(columns(rows), found, strict=True):
        output.write_line(line.encode() + b"  " + output.shown(entry.name) + entry.arrow)


def tree(options: Namespace) -> int:
    """Draw a tree, or give it as one flat list (nested JSON breaks readers when a tree is deep)."""
    where = parse_location(options.location)
    failed = []

    def on_error(path: bytes, error: OSError) -> None:
        failed.append(path)
        complain("tree", Failure.at(place(where.image, path), error))

    listed: list[dict[str, Any]] = []
    counts = {"directory": 0, "file": 0, "symlink": 0, "other": 0}
    drawing = _Drawing()
    with mounted(where.image) as volume, blame(str(where)):
        walk = Walk(volume, where.path, on_error, follow=True)
        for step in walk:
            if step.is_leaving:
                continue
            if options.depth is not None and step.depth >= options.depth and step.is_directory:
                walk.skip()
            if step.depth:
                counts[kind_of(step.stat.st_mode)] += 1
            try:
                entry = Entry.read(volume, step.path, step.name, step.stat)
            except OSError as error:
                on_error(step.path, error)
                entry = Entry(step.name, step.stat, None)
            if options.json:
                shown = {**json_name("path", step.path), "depth": step.depth}
                listed.append(shown | entry.attributes())
            elif step.depth:
                output.write_line(drawing.left_of(step) + output.shown(entry.name) + entry.arrow)
            else:
                output.write_line(str(where))
    if options.json:
        output.write_json({**_named(where), "entries": listed})
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

    def left_of(self, step: Step) -> bytes:
        """The lines for the next step of a walk, at least one level deep."""
        del self._beams[step.depth - 1 :]
        lines = "".join(self._beams) + (self.corner if step.is_last else self.branch)
        self._beams.append("    " if step.is_last else self.beam)
        return lines.encode()


def show_stat(options: Namespace) -> int:
    """Everything known about one file."""
    where = parse_location(options.location)
    with mounted(where.image) as volume, blame(str(where)):
        known = volume.stat(where.path, follow=options.follow)
        entry = Entry.read(volume, where.path, where.path, known)
    if options.json:
        output.write_json({**_named(where), **entry.attributes()})
        return 0
    status = entry.stat
    rows = [
        ("path", f"{where}" + ("" if entry.target is None else f" -> {printable(entry.target)}")),
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
