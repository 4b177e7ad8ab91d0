"""What ``watosfs put`` and its like wrote, others read the same; and the other way round."""

import os
from pathlib import Path

import pytest

from tests.impl.block.test_partitions import gpt
from tests.referee import dos_tools
from watosfs.cli.main import main

SIZES = {"fat12": "1440K", "fat16": "20000K", "fat32": "40000K"}
SECOND_NS = 1_700_000_000 * 10**9
FILES = {
    "/one.txt": b"1" * 10_000, "/Mixed Case name.text": b"", "/sub/übergröße.dat": b"x" * 513,
    "/sub/deeper/名前.txt": b"deep", "/UPPER": b"n",
}  # fmt: skip


def made(folder: Path) -> dict[str, tuple[bytes | None, int]]:
    """Write the files; the tree of them."""
    found: dict[str, tuple[bytes | None, int]] = {"/sub": (None, 0), "/sub/deeper": (None, 0)}
    for name, data in FILES.items():
        path = folder / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(SECOND_NS, SECOND_NS))
        found[name] = (data, SECOND_NS)
    return found


@pytest.mark.parametrize("kind", SIZES)
def test_what_put_and_mv_and_rm_wrote_others_read(kind: str, tmp_path: Path) -> None:
    dos_tools.require("fsck.fat", "mcopy", "7zz")
    image, source = tmp_path / "image", tmp_path / "source"
    wanted = made(source)
    assert main(["mkfs", str(image), "--size", SIZES[kind], "--type", kind]) == 0
    assert main(["put", "-r", f"{source}/.", f"{image}:/"]) == 0
    assert main(["mv", f"{image}:/one.txt", f"{image}:/sub/Another Name.txt"]) == 0
    assert main(["rm", f"{image}:/UPPER"]) == 0
    wanted["/sub/Another Name.txt"] = wanted.pop("/one.txt")
    del wanted["/UPPER"]
    dos_tools.fsck(image)
    assert dos_tools.tree(image, tmp_path / "mtools") == wanted
    assert dos_tools.seven_zip_tree(image, tmp_path / "7zip") == wanted


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_what_mcopy_wrote_get_takes_out(bits: int, tmp_path: Path) -> None:
    dos_tools.require("mkfs.fat", "mcopy")
    image, source, back = tmp_path / "image", tmp_path / "source", tmp_path / "back"
    wanted = made(source)
    kib = SIZES[f"fat{bits}"].rstrip("K")
    dos_tools.run("mkfs.fat", "-F", str(bits), "-C", str(image), kib)
    paths = map(str, sorted(source.iterdir()))
    dos_tools.run("mcopy", "-s", "-m", "-i", str(image), *paths, "::/")
    assert main(["get", "-r", f"{image}:/", str(back)]) == 0
    for name, (data, time_ns) in wanted.items():
        path = back / name[1:]
        assert path.is_dir() if data is None else path.read_bytes() == data
        assert data is None or path.stat().st_mtime_ns == time_ns


def test_what_put_wrote_into_a_partition_others_read_at_its_offset(tmp_path: Path) -> None:
    dos_tools.require("fsck.fat", "mcopy", "7zz")
    image, source, inside = tmp_path / "image", tmp_path / "source", tmp_path / "inside"
    wanted = made(source)
    start, end = 2048 * 512, 40_048 * 512
    image.write_bytes(gpt(total=44_000, first=2048, last=40_047).snapshot())
    assert main(["mkfs", f"{image}@2", "--type", "fat16", "--force"]) == 0
    assert main(["put", "-r", f"{source}/.", f"{image}@2:/"]) == 0
    shown = dos_tools.run("mtype", "-i", f"{image}@@{start}", "::/sub/deeper/名前.txt")
    assert shown == "deep"
    inside.write_bytes(image.read_bytes()[start:end])
    dos_tools.fsck(inside)
    assert dos_tools.tree(inside, tmp_path / "mtools") == wanted
    assert dos_tools.seven_zip_tree(inside, tmp_path / "7zip") == wanted
