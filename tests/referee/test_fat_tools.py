"""Volumes that mkfs.fat and mtools write are read by us, and our mkfs lays out as mkfs.fat does."""

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.impl.fat.test_damage import damaged
from tests.impl.fat.traces import tree_on
from tests.referee import dos_tools
from watosfs.block.file import FileDevice
from watosfs.block.partitions import open_partition
from watosfs.block.sub_device import SubDevice
from watosfs.fat.check import check
from watosfs.fat.format import decode_boot_sector
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.volume import FatVolume

LAYOUTS = [
    *((kib, 12, 512) for kib in (50, 360, 720, 1200, 1440, 2048, 2880, 4096, 4097, 32000, 260000)),
    *((kib, 16, 512) for kib in (9000, 16384, 20000, 33000, 131073, 500000, 2000000)),
    *((kib, 32, 512) for kib in (34000, 266240, 270000, 524287, 524288, 600000, 9000000)),
    *((kib, 0, 512) for kib in (1440, 10000, 20000, 100000, 600000)),
    (2880, 12, 1024), (40000, 16, 2048), (300000, 32, 2048), (300000, 32, 4096),
]  # fmt: skip


@pytest.mark.parametrize(("kib", "bits", "sector"), LAYOUTS)
def test_mkfs_lays_a_volume_out_as_mkfs_fat_does(
    kib: int, bits: int, sector: int, tmp_path: Path
) -> None:
    dos_tools.require("mkfs.fat", "fsck.fat")
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    size = ["-F", str(bits)] if bits else []
    label = ["-n", "WATOS", "-i", "12345678", "-S", str(sector)]
    dos_tools.run("mkfs.fat", *size, *label, "-C", str(theirs), str(kib))
    with FileDevice.open(ours, create_size=kib * 1024, block_size_bytes=512) as device:
        options = Options(bits=bits, label=b"WATOS", volume_id=0x12345678, sector_size=sector)
        geometry = mkfs(device, options, clock=lambda: 1_700_000_000_000_000_000)
    with theirs.open("rb") as left, ours.open("rb") as right:
        heads = [decode_boot_sector(file.read(512)) for file in (left, right)]
        assert heads[0] == heads[1]
        # FSInfo, both tables and the root directory but for the label's time.
        rest = geometry.fat_start + 8192 if geometry.bits == 32 else geometry.root_start + 11
        skipped = {0, geometry.backup_start}
        for start in range(0, rest, 512):
            pieces = [
                os.pread(file.fileno(), min(512, rest - start), start) for file in (left, right)
            ]
            assert start in skipped or pieces[0] == pieces[1], f"byte {start}"
    dos_tools.fsck(ours)


@pytest.mark.parametrize(
    ("bits", "kib", "sector"),
    [(12, 1440, 512), (12, 4000, 2048), (16, 20000, 512), (16, 20000, 1024), (32, 40000, 512)],
)
def test_what_mtools_writes_is_read_with_names_times_and_bytes(
    bits: int, kib: int, sector: int, tmp_path: Path
) -> None:
    dos_tools.require("mkfs.fat", "mcopy")
    image, source = tmp_path / "image", tmp_path / "source"
    dos_tools.run("mkfs.fat", "-F", str(bits), "-S", str(sector), "-C", str(image), str(kib))
    rng = random.Random(bits + sector)
    names = (
        "UPPER.TXT", "lower.txt", "Mixed Case Name.text", "übergröße.dat", "名前.txt", "a.b.c.d",
        "m" * 26, "nn", "noext.", "plus+sign",
    )  # fmt: skip
    wanted: dict[str, tuple[bytes | None, int]] = {}
    for folder in ("", "/sub", "/sub/deeper one"):
        (source / folder.strip("/")).mkdir(exist_ok=True)
        wanted.update({folder: (None, 0)} if folder else {})
        for name in rng.sample(names, 6):
            data = rng.randbytes(rng.choice((0, 1, 512, 513, 5000, 30000)))
            path = source / folder.strip("/") / name
            path.write_bytes(data)
            second = rng.randrange(315_532_800, 4_000_000_000, 2)
            os.utime(path, (second, second))
            wanted[f"{folder}/{name.rstrip('.')}"] = (data, second * 10**9)
    command = ["mcopy", "-s", "-m", "-i", str(image)]
    dos_tools.run(*command, *map(str, sorted(source.iterdir())), "::/")
    with FileDevice.open(image, read_only=True, block_size_bytes=512) as device:
        assert tree_on(FatVolume.mount(device)) == wanted
        assert check(device).is_clean


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("seed", range(3))
def test_fsck_fat_finds_nothing_on_a_damaged_volume_that_we_repaired(
    seed: int, bits: int, tmp_path: Path
) -> None:
    dos_tools.require("fsck.fat")
    repaired(seed, bits, tmp_path / "image")


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, 16, 32])
def test_fsck_fat_finds_nothing_on_thousands_of_repaired_volumes(bits: int, tmp_path: Path) -> None:
    dos_tools.require("fsck.fat")
    for seed in range(100, 200):
        repaired(seed, bits, tmp_path / "image")


def repaired(seed: int, bits: int, image: Path) -> None:
    for device in damaged(seed, bits):
        try:
            report = check(device, repair=True)
        except OSError:
            continue
        if report.is_clean:
            # The damage is behind an end mark, where nothing counts but for fsck.fat.
            continue
        label = FatVolume.mount(device, read_only=True).label
        image.write_bytes(device.snapshot())
        # fsck.fat takes every byte of a label beyond ASCII for a control character.
        if label.isascii():
            dos_tools.fsck(image)
        assert report.bits == bits


def test_a_volume_in_a_partition_is_read_by_mtools_at_its_offset(tmp_path: Path) -> None:
    dos_tools.require("mcopy", "fsck.fat")
    image = tmp_path / "image"
    start, count = 63, 5000
    table = bytes(446) + bytes((0, 0, 0, 0, 0x01, 0, 0, 0))
    table += start.to_bytes(4, "little") + count.to_bytes(4, "little") + bytes(48) + b"\x55\xaa"
    with FileDevice.open(image, create_size=3 << 20) as device:
        device.write(0, table.ljust(4096, b"\0"))
        part = open_partition(device, 1)
        assert isinstance(part, SubDevice)
        mkfs(part, replace(Options(bits=12), hidden_sectors=start))
        with FatVolume.mount(part) as volume:
            volume.mkdir(b"/folder")
            volume.write_file(b"/folder/in a partition.txt", b"found")
    shown = dos_tools.run("mtype", "-i", f"{image}@@{start * 512}", "::/folder/in a partition.txt")
    assert shown == "found"
    inside = tmp_path / "partition"
    inside.write_bytes(image.read_bytes()[start * 512 : (start + count) * 512])
    dos_tools.fsck(inside)
