"""``watosfs``: which command, its arguments, and how it ends.

Each command has a parser of its own, built when it is called: options and names may then come in
any order, which argparse does not offer for its sub-commands.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

from watosfs.cli import change, compress, images, listing, output, resize, scrub, snapshot, transfer
from watosfs.cli.failures import (
    EXIT_FAILURE,
    EXIT_OUTPUT_CLOSED,
    EXIT_SIGNAL,
    Failure,
    OutputClosed,
    Stopped,
    UsageFailure,
    complain,
    reason,
)
from watosfs.cli.names import printable

DESCRIPTION = (
    "Keep files in WFS v3, WFS v2 and FAT images: make them, fill them, look into them, check them."
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command: how its parser is filled, and what --help says."""

    add: Callable[[argparse.ArgumentParser], None]
    summary: str
    detail: str = ""
    examples: tuple[str, ...] = ()


COMMANDS = {
    "mkfs": Command(
        images.add_mkfs,
        "make an empty image",
        "Make an empty WFS v3 volume in a new file, which takes no space until it is used. Sizes: "
        "64M and 64MiB are of 1024, 64MB is of 1000; a bare number is bytes.",
        (
            "mkfs disk.img --size 64M",
            "mkfs disk.img --force --label backup",
            "mkfs stick.img --size 64M --type fat32",
        ),
    ),
    "ls": Command(
        listing.add_ls,
        "list a directory",
        "List a directory of an image, names sorted by their bytes. A symlink that is named is "
        "followed, but not with -l.",
        ("ls disk.img", "ls -l disk.img:/etc", "ls --json disk.img:/etc | jq -r '.entries[].name'"),
    ),
    "tree": Command(
        listing.add_tree,
        "draw a directory tree",
        examples=("tree disk.img", "tree --depth 2 disk.img:/usr"),
    ),
    "cat": Command(
        listing.add_cat,
        "print files",
        examples=("cat disk.img:/etc/hosts",),
    ),
    "put": Command(
        transfer.add_put,
        "copy files into an image",
        "Copy into an image with modes, times, owners (as numbers), symlinks, hard links and "
        "holes. As with cp, an existing directory gets LOCAL inside it, under LOCAL's name; "
        "anything else is what LOCAL will be called. LOCAL/. stands for what is in LOCAL. Files "
        "that are there are replaced. An interrupted copy keeps the files it has finished.",
        (
            "put notes.txt disk.img:/",
            "put -r photos disk.img:/photos",
            "tar c src | watosfs put - disk.img:/src.tar",
        ),
    ),
    "get": Command(
        transfer.add_get,
        "copy files out of an image",
        "Copy out of an image: put the other way round. Owners are kept if you are root. A damaged "
        "file is left out with a message, the rest is copied.",
        (
            "get disk.img:/notes.txt .",
            "get -r disk.img:/ everything",
            "get disk.img:/src.tar - | tar t",
        ),
    ),
    "rm": Command(
        change.add_rm,
        "remove files",
        examples=("rm disk.img:/notes.txt", "rm -rf disk.img:/tmp disk.img:/cache"),
    ),
    "mkdir": Command(
        change.add_mkdir,
        "make directories",
        examples=("mkdir -p disk.img:/docs/ada/notes",),
    ),
    "mv": Command(
        change.add_mv,
        "rename or move within an image",
        "Rename OLD to NEW, replacing a file there; into NEW if that is a directory.",
        ("mv disk.img:/draft disk.img:/final", "mv disk.img:/a disk.img:/b disk.img:/attic"),
    ),
    "ln": Command(
        change.add_ln,
        "link files",
        "Give a file a second name or, with -s, make a symlink that holds TARGET as it is written.",
        ("ln disk.img:/data disk.img:/same-data", "ln -s ../etc/hosts disk.img:/docs/hosts"),
    ),
    "compress": Command(
        compress.add_compress,
        "compress new data",
        "Compress what is written from now on to a file of a WFS v3 image, or to files created "
        "in a directory from now on. What is there stays as it is until it is written again. "
        "Data is compressed where that saves a block.",
        (
            "compress disk.img:/logs",
            "compress -r --level 19 disk.img:/",
            "compress --off disk.img:/a",
        ),
    ),
    "stat": Command(
        listing.add_stat,
        "describe one file",
        examples=("stat disk.img:/etc/hosts",),
    ),
    "df": Command(
        images.add_df,
        "show the space in images",
        examples=("df -h disk.img", "df --stats disk.img"),
    ),
    "snapshot": Command(
        snapshot.add_snapshot,
        "keep an image as it is now, and go back to it",
        "Snapshots of a WFS v3 image. create costs the same whatever the image holds; what changes "
        "later takes space. Read one as IMAGE@NAME in every command that reads. rollback makes the "
        "image what its newest snapshot shows; delete frees what only that one shows; list says "
        "how much that is.",
        (
            "snapshot create disk.img monday",
            "snapshot list disk.img",
            "get -r disk.img@monday:/docs .",
            "snapshot rollback disk.img monday",
            "snapshot delete disk.img monday",
        ),
    ),
    "resize": Command(resize.add_resize, "make an image larger", examples=("resize disk.img 1G",)),
    "scrub": Command(
        scrub.add_scrub,
        "read and verify all data",
        "Read all that an image and its snapshots hold, each block once, and verify it. A damaged "
        "superblock copy is written again. Exit status 1 when anything else is damaged.",
        ("scrub disk.img",),
    ),
    "check": Command(
        images.add_check,
        "verify an image",
        "Verify every rule of the format by a reader of its own; nothing is changed without "
        "--repair. A WFS v3 image is repaired in a new generation, all data verified; each line "
        "with 'repair:' is something lost or moved to /lost+found. Exit status: 0 clean or "
        "repaired, 1 problems, 2 wrong usage or an image that cannot be opened.",
        ("check --data disk.img", "check --repair stick.img"),
    ),
    "dump": Command(
        images.add_dump,
        "decode one block",
        "Show what a block holds, valid or not. Blocks 0 and 1 are the superblocks.",
        ("dump disk.img 0",),
    ),
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageFailure(f"{message} (see {self.prog} --help)")


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    command = COMMANDS[name]
    lines = [line if line.partition(" ")[0] not in COMMANDS else f"watosfs {line}"
             for line in command.examples]  # fmt: skip
    parser = Parser(
        prog=f"watosfs {name}",
        description=command.detail or f"{command.summary[:1].upper()}{command.summary[1:]}.",
        epilog="examples:\n" + "".join(f"  {line}\n" for line in lines),
        formatter_class=_Help,
        add_help=False,
        allow_abbrev=False,
    )
    # df has -h for sizes, as everywhere.
    flags = ["--help"] if name == "df" else ["-h", "--help"]
    parser.add_argument(*flags, action="help", help="show this and exit")
    command.add(parser)
    return parser


class _Help(argparse.RawDescriptionHelpFormatter):
    """Descriptions are filled, examples left as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:") or "\n" in text:
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


def main_parser() -> argparse.ArgumentParser:
    """The parser of ``watosfs`` without a command."""
    width = max(map(len, COMMANDS))
    lines = "".join(f"  {name:<{width}}  {command.summary}\n" for name, command in COMMANDS.items())
    parser = Parser(
        prog="watosfs",
        usage="watosfs COMMAND ...",
        description=DESCRIPTION,
        epilog=f"commands:\n{lines}\n"
        "Places in an image are written IMAGE:/PATH, in a partition of it IMAGE@NUMBER:/PATH,\n"
        "in a snapshot of it IMAGE@NAME:/PATH.\n"
        "Each command explains itself: watosfs put --help\n\n"
        "exit status: 0 done, 1 something failed, 2 wrong usage, 130 interrupted",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"watosfs {own_version()}")
    return parser


def own_version() -> str:
    """The installed version."""
    try:
        return version("watosfs")
    except PackageNotFoundError:
        return "(not installed)"


def main(argv: list[str] | None = None) -> int:
    """Run a command; its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    name = arguments[0] if arguments else ""
    output.require_streams()
    try:
        try:
            return _run(name, arguments)
        finally:
            output.flush()
    except Stopped as stopped:
        complain(name, stopped)
        return stopped.status
    except KeyboardInterrupt:
        complain(name, "interrupted")
        return EXIT_SIGNAL + signal.SIGINT
    except OutputClosed:
        output.discard_rest()
        return EXIT_OUTPUT_CLOSED
    except Failure as error:
        complain(name, error)
        return error.status
    except OSError as error:
        where = "" if error.filename is None else f"{printable(os.fsencode(error.filename))}: "
        complain(name, f"{where}{reason(error)}")
        return EXIT_FAILURE


def _run(name: str, arguments: list[str]) -> int:
    try:
        if name not in COMMANDS:
            return _run_without_command(name, arguments)
        parser = parser_of(name)
        # The one takes options after names, the other names that begin with a dash.
        parse = parser.parse_args if "--" in arguments else parser.parse_intermixed_args
        options = parse(arguments[1:])
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)
    status: int = options.run(options)
    return status


def _run_without_command(name: str, arguments: list[str]) -> int:
    if name and not name.startswith("-"):
        near = get_close_matches(name, COMMANDS, n=1)
        meant = f"; {near[0]}?" if near else ""
        raise UsageFailure(f"there is no such command{meant} (see watosfs --help)")
    main_parser().parse_args(arguments)
    raise UsageFailure("which command? (see watosfs --help)")


if __name__ == "__main__":
    sys.exit(main())
