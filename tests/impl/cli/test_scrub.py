"""``watosfs scrub``."""

import json
from pathlib import Path

import pytest

from watosfs.cli.main import main

BLOCK = 4096


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image with a file and a snapshot of it, and the file gone."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"0123456789abcdef" * 1000)
    assert main(["mkfs", "disk.img", "--size", "16M"]) == 0
    assert main(["put", "file", "disk.img:/"]) == 0
    assert main(["snapshot", "create", "disk.img", "monday"]) == 0
    assert main(["rm", "disk.img:/file"]) == 0
    return Path("disk.img")


def overwrite(image: Path, block: int, data: bytes) -> None:
    with image.open("r+b") as file:
        file.seek(block * BLOCK)
        file.write(data)


def test_a_sound_image(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["scrub", str(image)]) == 0
    assert capsys.readouterr().out.endswith(" read: sound\n")


def test_damage_of_a_snapshot_is_named(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = image.read_bytes().index(b"0123456789abcdef" * 2) // BLOCK
    overwrite(image, block, b"x")
    capsys.readouterr()
    assert main(["scrub", str(image)]) == 1
    told = capsys.readouterr().out
    assert f"block {block}: data at offset 0 of inode 2, in snapshot monday" in told
    assert main(["scrub", "--json", str(image)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["damaged"] == [
        {"block": block, "what": "data at offset 0", "inode": 2, "snapshot": "monday"}
    ]


def test_a_superblock_copy_is_mended(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = image.read_bytes()
    overwrite(image, 1, b"x")
    assert main(["scrub", "--read-only", str(image)]) == 1
    capsys.readouterr()
    # Mounting for writing mends it before anything is read.
    assert main(["scrub", str(image)]) == 0
    assert image.read_bytes()[: 2 * BLOCK] == before[: 2 * BLOCK]


def test_other_file_systems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = str(tmp_path / "stick.img")
    assert main(["mkfs", image, "--size", "4M", "--type", "fat12"]) == 0
    assert main(["scrub", image]) == 1
    assert "has no snapshots" not in capsys.readouterr().err
