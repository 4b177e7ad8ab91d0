"""mkfs --type and check on FAT images."""

import json
from pathlib import Path

import pytest

from tests.impl.cli.conftest import Runner
from watosfs.block.file import FileDevice
from watosfs.fat.volume import FatVolume


@pytest.mark.parametrize(
    ("kind", "size", "made"),
    [
        ("fat12", "1440K", "FAT12, 1.4 MiB, 2,847 clusters of 512 B"),
        ("fat16", "20000K", "FAT16, 19.5 MiB, 9,971 clusters of 2.0 KiB"),
        ("fat32", "40000K", "FAT32, 39.1 MiB, 78,736 clusters of 512 B"),
        ("fat", "1G", "FAT32, 1.0 GiB, 261,627 clusters of 4.0 KiB"),
    ],
)
def test_mkfs_makes_a_fat_volume(
    kind: str, size: str, made: str, here: Path, watosfs: Runner
) -> None:
    arguments = ("mkfs", "disk.img", "--size", size, "--type", kind, "--label", "watos")
    assert watosfs.ok(*arguments).lines == [f"disk.img: {made}, label watos"]
    assert watosfs.ok("check", "disk.img").lines[-1] == "disk.img: clean"


def test_mkfs_refuses_a_fat_volume_that_cannot_be(here: Path, watosfs: Runner) -> None:
    small = watosfs.refused("mkfs", "a.img", "--size", "2M", "--type", "fat16", status=2)
    assert small.startswith("mkfs: a.img: ")
    tiny = watosfs.refused("mkfs", "a.img", "--size", "1K", "--type", "fat12", status=2)
    assert tiny == "mkfs: argument --size: 1K is too small: an image has at least 64K"
    assert list(here.iterdir()) == []


def test_check_repairs_a_fat_volume_when_asked(here: Path, watosfs: Runner) -> None:
    watosfs.ok("mkfs", "disk.img", "--size", "1440K", "--type", "fat12")
    with FileDevice.open("disk.img", block_size_bytes=512) as device:
        volume = FatVolume.mount(device)
        volume.write_file(b"/f", b"x" * 3000)
        volume.sync()
    ran = watosfs("check", "disk.img", "--json")
    assert ran.status == 1
    found = json.loads(ran.out)
    assert [problem["kind"] for problem in found["problems"]] == ["dirty"]
    assert (found["clean"], found["repaired"], found["files"]) == (False, False, 1)
    lines = watosfs.ok("check", "--repair", "disk.img").lines
    assert lines[-1] == "disk.img: 1 problem, repaired"
    assert watosfs.ok("check", "disk.img").lines[-1] == "disk.img: clean"
