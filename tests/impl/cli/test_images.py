"""mkfs, df, check and dump."""

import json
import os
from pathlib import Path

import pytest

from tests.impl.cli.conftest import Runner
from watosfs.block.file import FileDevice
from watosfs.wfs3.format import BLOCK_SIZE


def test_mkfs_says_what_it_made(here: Path, watosfs: Runner) -> None:
    line = watosfs.ok("mkfs", "disk.img", "--size", "64M", "--label", "päckchen").lines[0]
    assert line.startswith("disk.img: WFS v3, 64.0 MiB, label päckchen, uuid ")
    assert Path("disk.img").stat().st_size == 64 << 20


def test_an_image_of_eight_terabytes_takes_no_space(here: Path, watosfs: Runner) -> None:
    try:
        with open("probe", "wb") as probe:
            probe.truncate(8 << 40)
    except OSError:
        pytest.skip("this file system holds no file of 8 TiB")
    watosfs.ok("mkfs", "big.img", "--size", "8T")
    assert Path("big.img").stat().st_blocks * 512 < 1 << 20
    assert watosfs.ok("check", "big.img").lines[-1] == "big.img: clean"


def test_a_size_is_cut_to_whole_blocks(here: Path, watosfs: Runner) -> None:
    watosfs.ok("mkfs", "disk.img", "--size", "2MB")
    assert Path("disk.img").stat().st_size == 2_000_000 // BLOCK_SIZE * BLOCK_SIZE


def test_mkfs_does_not_touch_what_is_there(filled: str, watosfs: Runner) -> None:
    text = watosfs.refused("mkfs", filled, "--size", "16M")
    assert text == (
        "mkfs: disk.img: exists; --force makes a new volume there and loses what it holds"
    )
    assert watosfs.ok("cat", f"{filled}:/hello").out == b"hello\n"


@pytest.mark.parametrize(("size", "expected"), [((), 16 << 20), (("--size", "8M"), 8 << 20)])
def test_mkfs_with_force_starts_afresh(
    filled: str, watosfs: Runner, size: tuple[str, ...], expected: int
) -> None:
    watosfs.ok("mkfs", "--force", filled, *size)
    assert Path(filled).stat().st_size == expected
    assert watosfs.ok("ls", filled).out == b""
    assert watosfs.ok("check", "--data", filled).lines[-1] == "disk.img: clean"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("new.img",), "new.img is new: say how large with --size, as in --size 64M"),
        (("new.img", "--size", "100K"), "argument --size: 100K is too small: an image has at"),
        (("new.img", "--size", "lots"), "argument --size: 'lots' is no size: write 64M, 1.5G,"),
        (("new.img", "--size", "1M", "--label", "x" * 33), "argument --label: "),
        (("new.img", "--size", "1M", "--label", "\udcff"), "argument --label: a label is UTF-8"),
        (("--size", "1M"), "the following arguments are required: IMAGE"),
        (("new.img", "--sise", "1M"), "unrecognized arguments: --sise 1M"),
    ],
)
def test_mkfs_refuses_what_it_cannot_make(
    here: Path, watosfs: Runner, arguments: tuple[str, ...], complaint: str
) -> None:
    assert watosfs.refused("mkfs", *arguments, status=2).startswith(f"mkfs: {complaint}")
    assert list(here.iterdir()) == []


def test_an_image_that_the_host_cannot_hold_leaves_nothing(here: Path, watosfs: Runner) -> None:
    watosfs.refused("mkfs", "new.img", "--size", "4000P")
    assert list(here.iterdir()) == []


def test_mkfs_in_a_directory_that_is_not_there(here: Path, watosfs: Runner) -> None:
    text = watosfs.refused("mkfs", "no/new.img", "--size", "1M")
    assert text == "mkfs: no/new.img: No such file or directory"


def test_df_counts_in_blocks_of_1024_or_for_people(filled: str, watosfs: Runner) -> None:
    head, row = watosfs.ok("df", filled).lines
    assert head.split() == ["Image", "1K-blocks", "Used", "Available", "Use%", "Label"]
    assert row.split()[:2] == ["disk.img", "16384"]
    head, row = watosfs.ok("df", "-h", filled).lines
    assert head.split()[1] == "Size"
    assert "16.0 MiB" in row


def test_df_as_json(filled: str, watosfs: Runner) -> None:
    (found,) = json.loads(watosfs.ok("df", "--json", filled).out)["images"]
    assert set(found) == {
        "image", "type", "label", "uuid", "generation", "size", "used", "available", "block_size",
        "blocks", "blocks_free", "inodes_used",
    }  # fmt: skip
    assert found["size"] == 16 << 20
    assert found["size"] - found["used"] == found["blocks_free"] * found["block_size"]
    assert 0 < found["available"] <= found["size"] - found["used"]


def test_check_of_a_clean_image(filled: str, watosfs: Runner) -> None:
    lines = watosfs.ok("check", filled).lines
    assert "2 files, 2 directories, 1 symlink, 0 orphans" in lines[0]
    assert lines[-1] == "disk.img: clean"
    assert "8.0 KiB of data verified" in watosfs.ok("check", "--data", filled).lines[1]


def damage(image: str, block: int, offset: int = 100) -> None:
    with open(image, "r+b") as file:
        file.seek(block * BLOCK_SIZE + offset)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0xFF]))


def root_block(image: str, watosfs: Runner) -> int:
    shown = json.loads(watosfs.ok("dump", "--json", image, 0).out)
    return int(shown["fields"]["root_tree_block"])


def test_check_names_each_problem_and_exits_1(filled: str, watosfs: Runner) -> None:
    block = root_block(filled, watosfs)
    damage(filled, block)
    ran = watosfs("check", filled)
    assert (ran.status, ran.err) == (1, "")
    assert any(f"inode tree at block {block}, crc32: " in line for line in ran.lines)
    assert ran.lines[-1].endswith(("problem", "problems"))
    ran = watosfs("check", "--json", filled)
    assert ran.status == 1
    assert not json.loads(ran.out)["clean"]


def test_check_as_json(filled: str, watosfs: Runner) -> None:
    found = json.loads(watosfs.ok("check", "--data", "--json", filled).out)
    assert set(found) == {
        "image", "clean", "generation", "layout", "superblock_generations", "files", "directories",
        "symlinks", "orphans", "snapshots", "blocks", "data_bytes_verified", "problems",
        "problems_omitted", "notes", "repaired", "losses",
    }  # fmt: skip
    assert found["clean"] is True
    assert found["files"] == 2
    assert found["data_bytes_verified"] == 8192


def test_repair_names_what_is_lost_and_leaves_a_clean_image(filled: str, watosfs: Runner) -> None:
    data = Path(filled).read_bytes().index(b"a" * BLOCK_SIZE)  # of /docs/a
    block = data // BLOCK_SIZE
    damage(filled, block)
    ran = watosfs("check", "--data", "--json", filled)
    assert (ran.status, json.loads(ran.out)["repaired"]) == (1, False)
    ran = watosfs("check", "--repair", filled)
    assert ran.status == 0
    assert any(line.startswith("disk.img: repair: ") for line in ran.lines)
    assert ran.lines[-1].endswith(", repaired")
    assert watosfs.ok("check", "--data", filled).lines[-1] == "disk.img: clean"
    found = json.loads(watosfs.ok("check", "--repair", "--json", filled).out)
    assert (found["clean"], found["repaired"], found["losses"]) == (True, False, [])


def test_what_cannot_be_repaired_is_said_and_left_alone(filled: str, watosfs: Runner) -> None:
    for block in range(2):
        damage(filled, block)
    before = Path(filled).read_bytes()
    ran = watosfs("check", "--repair", filled)
    assert ran.status == 1
    assert any("not repaired, nothing was changed: damaged: " in line for line in ran.lines)
    found = watosfs("check", "--repair", "--json", filled)
    assert found.status == 1
    assert "no copy can be used" in json.loads(found.out)["not_repaired"]
    assert Path(filled).read_bytes() == before


def test_check_exits_2_for_what_it_cannot_open(here: Path, watosfs: Runner) -> None:
    text = watosfs.refused("check", "nothing.img", status=2)
    assert text == "check: nothing.img: No such file or directory"
    assert watosfs.refused("check", ".", status=2) == "check: .: Is a directory"
    watosfs.refused("check", status=2)


def test_check_of_a_file_that_is_no_image_is_not_clean(here: Path, watosfs: Runner) -> None:
    Path("photo").write_bytes(b"not an image" * 4096)
    ran = watosfs("check", "photo")
    assert ran.status == 1
    assert "neither copy is a valid WFS superblock" in ran.lines[0]


def test_a_damaged_image_is_told_from_one_that_is_none(filled: str, watosfs: Runner) -> None:
    Path("photo").write_bytes(b"not an image" * 4096)
    assert watosfs.refused("ls", "photo").endswith("not a WFS v3 image")
    damage(filled, root_block(filled, watosfs))
    text = watosfs.refused("ls", filled)
    assert text.startswith("ls: disk.img: damaged: inode tree at block ")


def test_dump_decodes_a_block(filled: str, watosfs: Runner) -> None:
    assert watosfs.ok("dump", filled, 0).lines[0] == "block 0: superblock"
    number = f"{root_block(filled, watosfs):#x}"
    assert watosfs.ok("dump", filled, number).lines[0].endswith(": inode tree")
    found = json.loads(watosfs.ok("dump", "--json", filled, 1).out)
    assert {"image", "block", "structure", "fields", "entries"} == set(found)


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("4096", "disk.img has no block 4,096: its last is 4,095"),
        ("first", "argument BLOCK: 'first' is no block number: write 12 or 0xc"),
        ("", "argument BLOCK: '' is no block number"),
    ],
)
def test_dump_of_a_block_that_is_not_there(
    image: str, watosfs: Runner, block: str, complaint: str
) -> None:
    assert watosfs.refused("dump", image, block, status=2).startswith(f"dump: {complaint}")


def test_dump_shows_no_control_characters(image: str, watosfs: Runner) -> None:
    watosfs.ok("mkfs", "--force", image, "--label", "\x1b[31mred")
    out = watosfs.ok("dump", image, 0).out
    assert b"\x1b" not in out
    assert b"\\x1b[31mred" in out


def test_an_image_in_use_is_left_alone(filled: str, watosfs: Runner) -> None:
    with FileDevice.open(filled):
        for command in (("ls", filled), ("rm", f"{filled}:/hello"), ("mkfs", "--force", filled)):
            text = watosfs.refused(*command)
            assert text.startswith(f"{command[0]}: disk.img: Device or resource busy: the image is")
    assert watosfs.ok("ls", filled).lines == ["docs", "hello", "link"]


def test_df_tells_what_reading_everything_took(filled: str, watosfs: Runner) -> None:
    lines = watosfs.ok("df", "--stats", filled).lines
    assert lines[0] == f"{filled}:"
    assert {line.split()[0] for line in lines[2:]} >= {"openat", "read", "getdents", "fstatat"}
    found = json.loads(watosfs.ok("df", "--stats", "--json", filled).out)["images"][0]
    assert found["operation"]["read"]["bytes_read"] > 0
    assert found["operation"]["close"]["calls"] == found["operation"]["openat"]["calls"]
    text = watosfs.ok("df", "--stats", "--prometheus", filled).out
    assert b'\nwatosfs_operation_calls_total{operation="openat"} ' in text


def test_files_are_compressed_when_that_is_asked_for(here: Path, watosfs: Runner) -> None:
    watosfs.ok("mkfs", "small.img", "--size", "4M", "--compress")
    data = b"a line that repeats\n" * 20_000
    watosfs.ok("put", "-", "small.img:/on", stdin=data)
    watosfs.ok("compress", "--off", "small.img:/")
    watosfs.ok("put", "-", "small.img:/off", stdin=data)
    watosfs.ok("mkdir", "small.img:/d")
    watosfs.ok("ln", "-s", "on", "small.img:/d/link")
    watosfs.ok("compress", "-r", "--level", "19", "small.img:/d", "small.img:/off")
    watosfs.ok("put", "-", "small.img:/d/deep", stdin=data)
    sizes = {
        name: json.loads(watosfs.ok("stat", "--json", f"small.img:/{name}").out)["allocated"]
        for name in ("on", "off", "d/deep")
    }
    assert sizes["off"] >= len(data)
    assert max(sizes["on"], sizes["d/deep"]) < len(data) // 8
    for name in sizes:
        assert watosfs.ok("cat", f"small.img:/{name}").out == data
    assert watosfs.ok("check", "--data", "small.img").lines[-1] == "small.img: clean"
    text = watosfs.refused("compress", "small.img:/none")
    assert text == "compress: small.img:/none: No such file or directory"
    watosfs.refused("compress", "--level", "20", "small.img:/", status=2)
    fat = "fat.img", "--size", "4M", "--type", "fat12"
    text = watosfs.refused("mkfs", *fat, "--compress", status=2)
    assert text == "mkfs: argument --compress: fat12 does not compress"
    watosfs.ok("mkfs", *fat)
    assert "FAT does not compress" in watosfs.refused("compress", "fat.img:/")
