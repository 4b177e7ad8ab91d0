"""``watosfs resize``."""

from pathlib import Path

import pytest

from watosfs.cli.main import main


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"kept" * 1000)
    assert main(["mkfs", "disk.img", "--size", "4M"]) == 0
    assert main(["put", "file", "disk.img:/"]) == 0
    return Path("disk.img")


def test_an_image_grows(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("large").write_bytes(bytes(range(256)) * 40_000)
    assert main(["put", "large", "disk.img:/"]) == 1
    capsys.readouterr()
    assert main(["resize", "disk.img", "32M"]) == 0
    assert capsys.readouterr().out == "disk.img: 32.0 MiB\n"
    assert image.stat().st_size == 32 << 20
    assert main(["put", "large", "disk.img:/"]) == 0
    assert main(["check", "--data", "disk.img"]) == 0
    assert main(["get", "disk.img:/file", "back"]) == 0
    assert Path("back").read_bytes() == b"kept" * 1000


@pytest.mark.parametrize(
    ("size", "status", "complaint"), [("2M", 1, "Invalid argument"), ("much", 2, "much")]
)
def test_what_is_refused(
    image: Path, size: str, status: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = image.read_bytes()
    capsys.readouterr()
    assert main(["resize", "disk.img", size]) == status
    assert complaint in capsys.readouterr().err
    assert len(before) == image.stat().st_size
    assert main(["check", "disk.img"]) == 0


def test_others_keep_their_length(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mkfs", "stick.img", "--size", "4M", "--type", "fat12"]) == 0
    assert main(["resize", "stick.img", "8M"]) == 1
    assert "FAT does not grow" in capsys.readouterr().err
    assert Path("stick.img").stat().st_size == 4 << 20
    assert main(["snapshot", "create", "disk.img", "s"]) == 0
    assert main(["resize", "disk.img@s", "8M"]) == 2
