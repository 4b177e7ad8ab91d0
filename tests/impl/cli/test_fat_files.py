"""The commands that use files, on FAT images and on partitions."""

import json
import os
from pathlib import Path

import pytest

from tests.impl.block.test_partitions import gpt
from tests.impl.cli.conftest import Runner
from watosfs.block.file import FileDevice
from watosfs.block.partitions import open_partition
from watosfs.fat.mkfs import Options, mkfs

SIZES = {"fat12": "1440K", "fat16": "20000K", "fat32": "40000K"}
START, SECTORS = 63, 5000


@pytest.fixture(params=SIZES)
def disk(request: pytest.FixtureRequest, here: Path, watosfs: Runner) -> str:
    kind = request.param
    watosfs.ok("mkfs", "disk.img", "--size", SIZES[kind], "--type", kind, "--label", "watos")
    return "disk.img"


@pytest.fixture
def stick(here: Path, watosfs: Runner) -> str:
    """``stick.img``, whose partition 1, not at the start of a block of 4096, is FAT12."""
    table = bytes(446) + bytes((0, 0, 0, 0, 0x01, 0, 0, 0))
    table += START.to_bytes(4, "little") + SECTORS.to_bytes(4, "little") + bytes(48) + b"\x55\xaa"
    with FileDevice.open("stick.img", create_size=3 << 20, block_size_bytes=512) as device:
        device.write(0, table)
        mkfs(open_partition(device, 1), Options(bits=12, hidden_sectors=START))
    return "stick.img"


def folder_of_files(here: Path) -> dict[str, bytes]:
    """Makes ``folder``; what is in it."""
    files = {
        "one.txt": b"1" * 10_000, "Mixed Case name.text": b"", "sub/übergröße.dat": b"x" * 513,
        "sub/deeper/名前 \U0001f600.txt": b"deep", "noext": b"n",
    }  # fmt: skip
    for name, data in files.items():
        path = here / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(1_700_000_000 * 10**9, 1_700_000_000 * 10**9))
    return files


def files_in(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def round_trip(image: str, here: Path, watosfs: Runner) -> None:
    files = folder_of_files(here)
    watosfs.ok("put", "-r", "folder", f"{image}:/")
    watosfs.ok("get", "-r", f"{image}:/folder", "back")
    assert files_in(here / "back") == files
    assert (here / "back" / "one.txt").stat().st_mtime == 1_700_000_000
    assert watosfs.ok("check", image).lines[-1] == f"{image}: clean"


def test_a_tree_comes_back_as_it_went_in(disk: str, here: Path, watosfs: Runner) -> None:
    round_trip(disk, here, watosfs)


def test_a_tree_comes_back_from_a_partition(stick: str, here: Path, watosfs: Runner) -> None:
    round_trip(f"{stick}@1", here, watosfs)
    assert watosfs.ok("ls", f"{stick}@1:/folder/sub").lines == ["deeper", "übergröße.dat"]
    text = watosfs.refused("ls", stick)
    assert text == "ls: stick.img: Invalid argument: a disk with partitions (1): write IMAGE@1"
    assert watosfs.refused("ls", f"{stick}@2").endswith(": no partition 2")


def test_a_file_may_be_named_as_a_partition_is(stick: str, here: Path, watosfs: Runner) -> None:
    watosfs.ok("mkfs", "other.img", "--size", "1M")
    (here / "other.img").rename(f"{stick}@1")
    assert watosfs.ok("ls", f"{stick}@1").lines == []
    assert watosfs.ok("check", f"{stick}@1").lines[0].startswith("stick.img@1: generation")


def test_names_are_found_in_any_case(disk: str, watosfs: Runner) -> None:
    watosfs.ok("mkdir", "-p", f"{disk}:/docs/notes")
    watosfs.ok("put", "-", f"{disk}:/docs/Readme.txt", stdin=b"read me")
    assert watosfs.ok("cat", f"{disk}:/DOCS/README.TXT").out == b"read me"
    watosfs.ok("mv", f"{disk}:/docs/readme.txt", f"{disk}:/docs/README.TXT")
    assert watosfs.ok("ls", f"{disk}:/docs").lines == ["README.TXT", "notes"]
    watosfs.ok("mv", f"{disk}:/docs/README.TXT", f"{disk}:/docs/notes")
    lines = watosfs.ok("tree", disk).lines
    assert lines[-1] == "2 directories, 1 file"
    found = json.loads(watosfs.ok("stat", "--json", f"{disk}:/docs/notes/readme.txt").out)
    assert (found["kind"], found["size"], found["mode"]) == ("file", 7, "0644")
    listed = json.loads(watosfs.ok("ls", "--json", f"{disk}:/docs/notes").out)
    assert [entry["name"] for entry in listed["entries"]] == ["README.TXT"]
    watosfs.ok("mv", f"{disk}:/docs", f"{disk}:/Docs")
    assert watosfs.ok("ls", disk).lines == ["Docs"]
    assert "into itself" in watosfs.refused("mv", f"{disk}:/Docs", f"{disk}:/Docs")
    watosfs.ok("rm", "-r", f"{disk}:/DOCS")
    assert watosfs.ok("ls", disk).lines == []


def test_df_tells_type_label_and_space(disk: str, watosfs: Runner) -> None:
    (found,) = json.loads(watosfs.ok("df", "--json", disk).out)["images"]
    assert found["type"] in SIZES
    assert found["label"].upper() == "WATOS"
    assert found["size"] - found["used"] == found["available"]
    watosfs.ok("put", "-", f"{disk}:/f", stdin=b"x" * 5000)
    ran = watosfs.ok("df", "--stats", "--json", disk)
    assert json.loads(ran.out)["images"][0]["image"] == disk


def test_what_fat_cannot_do_is_refused_in_one_line(disk: str, here: Path, watosfs: Runner) -> None:
    assert watosfs.refused("put", "-", f"{disk}:/a?b") == (
        "put: disk.img:/a?b: Invalid argument: a character that FAT does not allow"
    )
    assert "FAT has no symlinks" in watosfs.refused("ln", "-s", "x", f"{disk}:/y")
    watosfs.ok("put", "-", f"{disk}:/f", stdin=b"f")
    assert "FAT has no links" in watosfs.refused("ln", f"{disk}:/f", f"{disk}:/g")
    with (here / "huge").open("wb") as file:
        file.truncate(1 << 32)
    assert watosfs.refused("put", "huge", f"{disk}:/f") == (
        "put: disk.img:/f: File too large: over 4 GiB - 1, the largest file of FAT"
    )
    assert watosfs.ok("cat", f"{disk}:/f").out == b"f"
    text = watosfs.refused("dump", disk, "0", status=2)
    assert text == "dump: disk.img: dump decodes blocks of WFS v3 only"


def test_put_goes_on_after_what_fat_has_not(disk: str, here: Path, watosfs: Runner) -> None:
    folder = here / "folder"
    folder.mkdir()
    (folder / "a").write_bytes(b"a")
    os.link(folder / "a", folder / "b")
    (folder / "link").symlink_to("a")
    (folder / "no:good").write_bytes(b"")
    (folder / "z").write_bytes(b"z")
    ran = watosfs("put", "-r", "folder", f"{disk}:/")
    assert ran.status == 1
    link, name = ran.err.splitlines()
    assert link.endswith("put: disk.img:/folder/link: Operation not permitted: FAT has no symlinks")
    assert name.startswith("watosfs: put: disk.img:/folder/no:good: ")
    assert name.endswith(": a character that FAT does not allow")
    assert watosfs.ok("ls", f"{disk}:/folder").lines == ["a", "b", "z"]
    assert watosfs.ok("cat", f"{disk}:/folder/b").out == b"a"


def test_two_names_that_fat_takes_for_one_do_not_replace_each_other(
    disk: str, here: Path, watosfs: Runner
) -> None:
    folder = here / "folder"
    for name in ("NOTE", "note", "note.", "foobarbaz.txt", "foobar~1.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
    ran = watosfs("put", "-r", "folder", f"{disk}:/")
    assert ran.status == 1
    assert ran.err.count("the volume takes this for NOTE, which was just copied") == 2
    assert "the volume takes this for foobarbaz.txt, which was just copied" in ran.err
    assert watosfs.ok("cat", f"{disk}:/folder/note").out == b"NOTE"
    assert watosfs.ok("cat", f"{disk}:/folder/foobarbaz.txt").out == b"foobarbaz.txt"
    watosfs.ok("put", "folder/note", f"{disk}:/folder/")
    assert watosfs.ok("cat", f"{disk}:/folder/NOTE").out == b"note"


def test_a_full_volume_is_told(here: Path, watosfs: Runner) -> None:
    watosfs.ok("mkfs", "disk.img", "--size", "160K", "--type", "fat12")
    text = watosfs.refused("put", "-", "disk.img:/f", stdin=b"x" * 200_000)
    assert text == "put: disk.img:/f: No space left on device"
    assert watosfs.ok("ls", "disk.img").lines == []
    assert watosfs.ok("check", "disk.img").lines[-1] == "disk.img: clean"


@pytest.mark.parametrize("kind", ["fat12", "fat16", "wfs2", "wfs3"])
def test_a_volume_is_made_in_a_partition_of_a_gpt(kind: str, here: Path, watosfs: Runner) -> None:
    start, end = 2048 * 512, 40_048 * 512
    table = gpt(total=44_000, first=2048, last=40_047)
    (here / "disk.img").write_bytes(table.snapshot())
    before = (here / "disk.img").read_bytes()
    text = watosfs.refused("mkfs", "disk.img@2", "--type", kind)
    assert "exists; --force" in text
    text = watosfs.refused("mkfs", "disk.img@2", "--force", "--size", "1M", status=2)
    assert "is a partition" in text
    watosfs.ok("mkfs", "disk.img@2", "--force", "--type", kind)
    round_trip("disk.img@2", here, watosfs)
    assert json.loads(watosfs.ok("df", "--json", "disk.img@2").out)["images"][0]["type"] == kind
    after = (here / "disk.img").read_bytes()
    assert (before[:start], before[end:]) == (after[:start], after[end:])
    assert before != after


def test_wfs_needs_a_partition_on_whole_blocks(stick: str, watosfs: Runner) -> None:
    text = watosfs.refused("mkfs", f"{stick}@1", "--force")
    assert text.endswith("block size 512 is not 4096")
