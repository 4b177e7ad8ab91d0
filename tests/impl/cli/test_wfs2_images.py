"""The commands on WFS v2 images."""

import json
from pathlib import Path

import pytest

from tests.impl.cli.conftest import Runner
from tests.impl.wfs2.images import ENTRIES, contents_of
from watosfs.block.file import FileDevice


@pytest.fixture
def disk(here: Path, watosfs: Runner) -> str:
    made = watosfs.ok("mkfs", "disk.img", "--size", "4M", "--type", "wfs2").lines
    assert made == ["disk.img: WFS v2, 4.0 MiB, room for 4,096 files and directories"]
    return "disk.img"


def test_files_go_in_and_come_out(disk: str, here: Path, watosfs: Runner) -> None:
    folder = here / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "one").write_bytes(b"1" * 10_000)
    (folder / "sub" / "two").write_bytes(b"")
    watosfs.ok("put", "-r", "folder", f"{disk}:/")
    assert watosfs.ok("ls", f"{disk}:/folder").lines == ["one", "sub"]
    assert watosfs.ok("cat", f"{disk}:/folder/one").out == b"1" * 10_000
    watosfs.ok("mv", f"{disk}:/folder/one", f"{disk}:/folder/sub")
    watosfs.ok("get", "-r", f"{disk}:/folder/sub", "back")
    assert sorted(path.name for path in (here / "back").iterdir()) == ["one", "two"]
    assert (here / "back" / "one").read_bytes() == b"1" * 10_000
    watosfs.ok("rm", "-r", f"{disk}:/folder")
    assert watosfs.ok("ls", disk).lines == []
    assert watosfs.ok("check", "--data", disk).lines[-1] == "disk.img: clean"


def test_a_path_that_is_too_long_is_told(disk: str, watosfs: Runner) -> None:
    text = watosfs.refused("mkdir", f"{disk}:/{'x' * 56}")
    assert "56 bytes with its folders, WFS v2 has 55" in text


def test_df_shows_the_space(disk: str, watosfs: Runner) -> None:
    found = json.loads(watosfs.ok("df", "--json", disk).out)["images"][0]
    assert (found["blocks"], found["inodes_used"]) == (1024, 0)


def test_links_are_refused(disk: str, watosfs: Runner) -> None:
    assert "no symlinks" in watosfs.refused("ln", "-s", "x", f"{disk}:/y")


def test_check_repairs_from_the_backups_when_asked(disk: str, watosfs: Runner) -> None:
    with FileDevice.open(disk) as device:
        device.write(0, bytes(4096))
    ran = watosfs("check", "--json", disk)
    assert ran.status == 1
    found = json.loads(ran.out)
    assert [problem["kind"] for problem in found["problems"]] == ["superblock"]
    assert watosfs.ok("ls", disk).lines == []
    assert "Read-only" in watosfs.refused("mkdir", f"{disk}:/a")
    assert watosfs.ok("check", "--repair", disk).lines[-1] == "disk.img: 1 problem, repaired"
    watosfs.ok("mkdir", f"{disk}:/a")


@pytest.mark.parametrize("name", ENTRIES)
def test_published_images_are_listed_and_checked(name: str, here: Path, watosfs: Runner) -> None:
    (here / name).write_bytes(contents_of(name))
    assert watosfs.ok("check", "--data", name).lines[-1] == f"{name}: clean"
    due = {e["path"] for e in ENTRIES[name].get("source_entries", []) if "/" not in e["path"]}
    assert set(watosfs.ok("ls", name).lines) == due


def test_df_stats_reads_everything(disk: str, watosfs: Runner) -> None:
    watosfs.ok("put", "-", f"{disk}:/f", stdin=b"x" * 5000)
    (found,) = json.loads(watosfs.ok("df", "--stats", "--json", disk).out)["images"]
    assert found["image"] == disk
    assert watosfs.ok("df", "--stats", disk).lines[0] == "disk.img:"


def test_a_hard_link_is_put_as_a_copy(disk: str, here: Path, watosfs: Runner) -> None:
    (here / "a").write_bytes(b"a")
    (here / "b").hardlink_to(here / "a")
    watosfs.ok("put", "a", "b", f"{disk}:/")
    assert watosfs.ok("cat", f"{disk}:/a", f"{disk}:/b").out == b"aa"
