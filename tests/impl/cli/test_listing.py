"""ls, tree, stat and cat."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.impl.cli.conftest import Runner

ATTRIBUTES = {
    "kind", "inode", "mode", "nlink", "uid", "gid", "size", "allocated", "atime_ns", "mtime_ns",
    "ctime_ns",
}  # fmt: skip


def test_ls_prints_names_in_the_order_of_their_bytes(filled: str, watosfs: Runner) -> None:
    watosfs.ok("mkdir", f"{filled}:/Z", f"{filled}:/\udcff", f"{filled}:/ä")
    assert watosfs.ok("ls", filled).out == b"Z\ndocs\nhello\nlink\n\xc3\xa4\n\xff\n"


def test_ls_of_a_file_prints_the_name_it_was_given(filled: str, watosfs: Runner) -> None:
    assert watosfs.ok("ls", f"{filled}:/docs/a").lines == ["/docs/a"]


def test_ls_long_shows_mode_links_owner_size_and_target(filled: str, watosfs: Runner) -> None:
    directory, hello, link = watosfs.ok("ls", "-l", filled).lines
    owner = [str(os.geteuid()), str(os.getegid())]
    assert directory.split()[0].startswith("drwx")
    assert hello.split()[1:5] == ["1", *owner, "6"]
    assert hello.endswith("  hello")
    assert link.endswith("  link -> docs/a")
    assert watosfs.ok("ls", "-l", f"{filled}:/docs/a").lines[0].split()[1] == "2"


def test_ls_long_of_an_empty_directory_prints_nothing(image: str, watosfs: Runner) -> None:
    assert watosfs.ok("ls", "-l", image).out == b""


def test_ls_follows_a_symlink_that_is_named_but_not_with_l(filled: str, watosfs: Runner) -> None:
    watosfs.ok("ln", "-s", "docs", f"{filled}:/d")
    assert watosfs.ok("ls", f"{filled}:/d").lines == ["a", "b"]
    assert watosfs.ok("ls", "-l", f"{filled}:/d").lines[0].endswith("/d -> docs")
    assert len(watosfs.ok("ls", "-l", f"{filled}:/d/").lines) == 2


def test_ls_as_json(filled: str, watosfs: Runner) -> None:
    found = json.loads(watosfs.ok("ls", "--json", filled).out)
    assert (found["image"], found["path"]) == ("disk.img", "/")
    entries = {entry["name"]: entry for entry in found["entries"]}
    assert list(entries) == ["docs", "hello", "link"]
    assert set(entries["hello"]) == {"name", *ATTRIBUTES}
    assert set(entries["link"]) == {"name", "target", *ATTRIBUTES}
    assert (entries["hello"]["kind"], entries["hello"]["size"]) == ("file", 6)
    assert entries["link"]["target"] == "docs/a"
    assert entries["docs"]["nlink"] == 2


def test_json_gives_a_name_that_is_not_utf_8_exactly(image: str, watosfs: Runner) -> None:
    watosfs.ok("put", "-", f"{image}:/a\udcffb", stdin=b"")
    (entry,) = json.loads(watosfs.ok("ls", "--json", image).out)["entries"]
    assert entry["name"] == "a\ufffdb"
    assert bytes.fromhex(entry["name_hex"]) == b"a\xffb"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("ls", "disk.img:/nope"), "ls: disk.img:/nope: No such file or directory"),
        (("ls", "disk.img:/hello/x"), "ls: disk.img:/hello/x: Not a directory"),
        (("ls", "disk.img:/hello/"), "ls: disk.img:/hello/: Not a directory"),
        (("tree", "disk.img:/nope"), "tree: disk.img:/nope: No such file or directory"),
        (("stat", "disk.img:/nope"), "stat: disk.img:/nope: No such file or directory"),
        (("cat", "disk.img:/nope"), "cat: disk.img:/nope: No such file or directory"),
        (("cat", "disk.img:/docs"), "cat: disk.img:/docs: Is a directory"),
        (("ls", "nope.img"), "ls: nope.img: No such file or directory"),
        (("ls", "nope.img:/x"), "ls: nope.img: No such file or directory"),
        (
            ("ls", "disk.img:docs"),
            "ls: disk.img:docs: there is no such image; for a path write disk.img:/docs",
        ),
    ],
)
def test_what_is_not_there_is_named(
    filled: str, watosfs: Runner, arguments: tuple[str, ...], complaint: str
) -> None:
    assert watosfs.refused(*arguments) == complaint


def test_cat_needs_a_path(filled: str, watosfs: Runner) -> None:
    text = watosfs.refused("cat", filled, status=2)
    assert text == "cat: disk.img names no path in an image: write IMAGE:/PATH, as in disk.img:/"


def test_cat_prints_files_one_after_the_other(filled: str, watosfs: Runner) -> None:
    out = watosfs.ok("cat", f"{filled}:/hello", f"{filled}:/link").out
    assert out == b"hello\n" + b"a" * 5000


def test_cat_prints_any_bytes_of_a_large_file(image: str, watosfs: Runner) -> None:
    contents = bytes(range(256)) * 12345
    watosfs.ok("put", "-", f"{image}:/big", stdin=contents)
    assert watosfs.ok("cat", f"{image}:/big").out == contents


def test_tree_draws_what_is_where(filled: str, watosfs: Runner) -> None:
    watosfs.ok("mkdir", "-p", f"{filled}:/docs/deep/er")
    assert watosfs.ok("tree", filled).lines == [
        "disk.img:/",
        "├── docs",
        "│   ├── a",
        "│   ├── b",
        "│   └── deep",
        "│       └── er",
        "├── hello",
        "└── link -> docs/a",
        "",
        "3 directories, 3 files, 1 symlink",
    ]


def test_tree_stops_at_the_depth_that_is_asked_for(filled: str, watosfs: Runner) -> None:
    shown = watosfs.ok("tree", "--depth", "1", filled).lines
    assert shown[1:4] == ["├── docs", "├── hello", "└── link -> docs/a"]


def test_tree_as_json_is_a_flat_list(filled: str, watosfs: Runner) -> None:
    found = json.loads(watosfs.ok("tree", "--json", f"{filled}:/docs").out)
    assert [(entry["path"], entry["depth"]) for entry in found["entries"]] == [
        ("/docs", 0),
        ("/docs/a", 1),
        ("/docs/b", 1),
    ]
    assert set(found["entries"][1]) == {"path", "depth", *ATTRIBUTES}


@pytest.fixture
def chain(here: Path) -> Iterator[str]:
    """A name for a chain of directories ``d``, taken away link by link however the test ends:
    pytest removes old directories by recursion, which so deep a chain would break in a later run.
    """
    yield "chain"
    path = "chain"
    while os.path.isdir(f"{path}/d"):
        path += "/d"
    while os.path.isdir(path):
        os.rmdir(path)
        path = os.path.dirname(path)


def test_a_tree_deeper_than_the_stack_of_python_is_drawn(
    image: str, watosfs: Runner, chain: str
) -> None:
    watosfs.ok("mkdir", "-p", f"{image}:{'/d' * 2000}")
    assert len(watosfs.ok("tree", image).lines) == 2003
    assert len(json.loads(watosfs.ok("tree", "--json", image).out)["entries"]) == 2001
    watosfs.ok("get", "-r", f"{image}:/d", chain)
    watosfs.ok("rm", "-r", f"{image}:/d")
    watosfs.ok("put", "-r", chain, f"{image}:/")
    assert len(watosfs.ok("tree", image).lines) == 2003


def test_stat_tells_everything(filled: str, watosfs: Runner) -> None:
    rows = dict(line.split(maxsplit=1) for line in watosfs.ok("stat", f"{filled}:/docs/a").lines)
    assert rows["path"] == "disk.img:/docs/a"
    assert rows["size"] == "5000 (4.9 KiB)"
    assert rows["allocated"] == "8192 (8.0 KiB)"
    assert rows["links"] == "2"
    assert rows["mode"].startswith("06")
    link = watosfs.ok("stat", f"{filled}:/link").lines
    assert link[0].endswith("disk.img:/link -> docs/a")
    assert link[1].split() == ["kind", "symlink"]
    assert watosfs.ok("stat", "-L", f"{filled}:/link").lines[1].split() == ["kind", "file"]


def test_stat_as_json(filled: str, watosfs: Runner) -> None:
    found = json.loads(watosfs.ok("stat", "--json", f"{filled}:/link").out)
    assert set(found) == {"image", "path", "target", *ATTRIBUTES}
    assert found["path"] == "/link"


def test_names_are_escaped_on_a_terminal_and_raw_elsewhere(image: str, watosfs: Runner) -> None:
    pty = pytest.importorskip("pty")
    watosfs.ok("mkdir", f"{image}:/\x1b[2J\n")
    assert watosfs.ok("ls", image).out == b"\x1b[2J\n\n"
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-m", "watosfs", "ls", image], stdout=theirs, check=True)
    os.close(theirs)
    assert os.read(ours, 1000) == b"\\x1b[2J\\x0a\r\n"
    os.close(ours)


def test_error_messages_are_one_line_whatever_the_name(image: str, watosfs: Runner) -> None:
    text = watosfs.refused("ls", f"{image}:/a\nb\x1b")
    assert text == "ls: disk.img:/a\\x0ab\\x1b: No such file or directory"


def test_looking_into_an_image_does_not_change_it(filled: str, watosfs: Runner) -> None:
    before = Path(filled).read_bytes()
    os.chmod(filled, 0o444)
    for command in ("ls", "tree", "stat", "df", "check"):
        watosfs.ok(command, filled)
    watosfs.ok("cat", f"{filled}:/hello")
    watosfs.ok("get", "-r", f"{filled}:/", "out")
    assert Path(filled).read_bytes() == before
