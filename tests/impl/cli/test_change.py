"""rm, mkdir, mv and ln."""

import json
from collections.abc import Callable

import pytest

from tests.impl.cli.conftest import Runner


def names(watosfs: Runner, place: str) -> list[str]:
    return watosfs.ok("ls", place).lines


def test_rm_removes_files_and_symlinks(
    filled: str, watosfs: Runner, is_clean: Callable[[str], bool]
) -> None:
    watosfs.ok("rm", f"{filled}:/hello", f"{filled}:/link")
    assert names(watosfs, filled) == ["docs"]
    assert is_clean(filled)


def test_rm_r_removes_a_tree_but_not_what_its_symlinks_lead_to(
    filled: str, watosfs: Runner, is_clean: Callable[[str], bool]
) -> None:
    watosfs.ok("mkdir", "-p", f"{filled}:/x/y")
    watosfs.ok("ln", "-s", "/docs", f"{filled}:/x/y/to-docs")
    assert watosfs.ok("rm", "-rv", f"{filled}:/x").lines == ["/x/y/to-docs", "/x/y", "/x"]
    assert names(watosfs, f"{filled}:/docs") == ["a", "b"]
    assert is_clean(filled)


def test_rm_goes_on_after_a_name_that_is_not_there(filled: str, watosfs: Runner) -> None:
    text = watosfs.refused("rm", f"{filled}:/nope", f"{filled}:/hello")
    assert text == "rm: disk.img:/nope: No such file or directory"
    assert "hello" not in names(watosfs, filled)


def test_rm_f_does_not_mind_what_is_not_there(filled: str, watosfs: Runner) -> None:
    watosfs.ok("rm", "-f", f"{filled}:/nope", f"{filled}:/nope/x")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("/docs",), "disk.img:/docs: Is a directory: -r removes directories"),
        (("-r", "/"), "disk.img:/: Invalid argument: name the directory itself, and not the root"),
        (("-r", "/docs/."), "disk.img:/docs/.: Invalid argument: name the directory itself"),
        (("-rf", "/docs/.."), "disk.img:/docs/..: Invalid argument: name the directory itself"),
        (("/hello/",), "disk.img:/hello/: Not a directory"),
    ],
)
def test_rm_refuses(
    filled: str, watosfs: Runner, arguments: tuple[str, ...], complaint: str
) -> None:
    *flags, path = arguments
    assert watosfs.refused("rm", *flags, f"{filled}:{path}").startswith(f"rm: {complaint}")
    assert names(watosfs, filled) == ["docs", "hello", "link"]


def test_rm_works_on_several_images(filled: str, watosfs: Runner) -> None:
    watosfs.ok("mkfs", "other.img", "--size", "1M")
    watosfs.ok("mkdir", "other.img:/d", f"{filled}:/d")
    watosfs.ok("rm", "-r", "other.img:/d", f"{filled}:/d")
    assert names(watosfs, "other.img") == []


def test_mkdir_p_makes_parents_and_accepts_what_exists(filled: str, watosfs: Runner) -> None:
    watosfs.ok("mkdir", "-p", f"{filled}:/a/b/c", f"{filled}:/docs", f"{filled}:/")
    assert names(watosfs, f"{filled}:/a/b") == ["c"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("disk.img:/docs",), "disk.img:/docs: File exists"),
        (("disk.img:/a/b",), "disk.img:/a/b: No such file or directory"),
        (("-p", "disk.img:/hello"), "disk.img:/hello: File exists"),
        (("-p", "disk.img:/hello/x"), "disk.img:/hello: File exists"),
        ((f"disk.img:/{'n' * 256}",), f"disk.img:/{'n' * 256}: File name too long"),
        (("disk.img:/",), "disk.img:/: File exists"),
    ],
)
def test_mkdir_refuses(
    filled: str, watosfs: Runner, arguments: tuple[str, ...], complaint: str
) -> None:
    assert watosfs.refused("mkdir", *arguments) == f"mkdir: {complaint}"


def test_mv_renames_and_replaces(
    filled: str, watosfs: Runner, is_clean: Callable[[str], bool]
) -> None:
    watosfs.ok("mv", f"{filled}:/hello", f"{filled}:/new")
    watosfs.ok("mv", f"{filled}:/new", f"{filled}:/link")
    assert watosfs.ok("cat", f"{filled}:/link").out == b"hello\n"
    assert names(watosfs, filled) == ["docs", "link"]
    assert is_clean(filled)


def test_mv_into_a_directory_keeps_the_name(filled: str, watosfs: Runner) -> None:
    watosfs.ok("mkdir", f"{filled}:/attic")
    watosfs.ok("mv", f"{filled}:/hello", f"{filled}:/docs/", f"{filled}:/attic")
    assert names(watosfs, f"{filled}:/attic") == ["docs", "hello"]


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("/nope", "/x"), 1, "disk.img:/nope to /x: No such file or directory"),
        (("/docs", "/docs/x"), 1, "disk.img:/docs to /docs/x: Invalid argument: a directory"),
        (("/docs", "/hello"), 1, "disk.img:/docs to /hello: Not a directory"),
        (("/hello", "/link", "/docs/a"), 1, "disk.img:/docs/a: Not a directory"),
        (("/", "/x"), 1, "disk.img:/ to /x: Device or resource busy"),
    ],
)
def test_mv_refuses(
    filled: str, watosfs: Runner, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    places = [f"{filled}:{path}" for path in arguments]
    assert watosfs.refused("mv", *places, status=status).startswith(f"mv: {complaint}")


def test_mv_and_ln_stay_within_one_image(filled: str, watosfs: Runner) -> None:
    for command in ("mv", "ln"):
        text = watosfs.refused(command, f"{filled}:/hello", "other.img:/x", status=2)
        assert "are in different images: use get, then put, to copy" in text


def test_ln_gives_a_second_name(filled: str, watosfs: Runner) -> None:
    watosfs.ok("ln", f"{filled}:/hello", f"{filled}:/docs")
    found = json.loads(watosfs.ok("stat", "--json", f"{filled}:/docs/hello").out)
    assert found["nlink"] == 2


def test_ln_s_keeps_the_target_as_it_is_written(filled: str, watosfs: Runner) -> None:
    for target in ("../x", "/absolute", "disk.img:/not-a-place", "dangling\udcff"):
        watosfs.ok("ln", "-s", target, f"{filled}:/s")
        found = json.loads(watosfs.ok("stat", "--json", f"{filled}:/s").out)
        assert found["target"] == target.replace("\udcff", "\ufffd")
        watosfs.ok("rm", f"{filled}:/s")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("disk.img:/nope", "disk.img:/x"), "disk.img:/nope as /x: No such file or directory"),
        (("disk.img:/docs", "disk.img:/x"), "disk.img:/docs as /x: Operation not permitted"),
        (("disk.img:/hello", "disk.img:/link"), "disk.img:/hello as /link: File exists"),
        (("-s", "x", "disk.img:/hello"), "disk.img:/hello: File exists"),
        (("-s", "", "disk.img:/x"), "disk.img:/x: No such file or directory"),
    ],
)
def test_ln_refuses(
    filled: str, watosfs: Runner, arguments: tuple[str, ...], complaint: str
) -> None:
    assert watosfs.refused("ln", *arguments).startswith(f"ln: {complaint}")
