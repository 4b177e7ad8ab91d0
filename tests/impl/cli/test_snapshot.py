"""``watosfs snapshot`` and ``IMAGE@NAME``."""

import json
from pathlib import Path

import pytest

from watosfs.cli.main import main


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An image with a file, a snapshot of it called monday, and the file changed since."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"before" * 4000)
    assert main(["mkfs", "disk.img", "--size", "16M"]) == 0
    assert main(["put", "file", "disk.img:/"]) == 0
    assert main(["snapshot", "create", "disk.img", "monday"]) == 0
    Path("file").write_bytes(b"after")
    assert main(["put", "file", "disk.img:/"]) == 0
    return "disk.img"


def test_a_snapshot_is_read_by_its_name(image: str) -> None:
    assert main(["get", f"{image}@monday:/file", "old"]) == 0
    assert Path("old").read_bytes() == b"before" * 4000
    assert main(["get", f"{image}:/file", "new"]) == 0
    assert Path("new").read_bytes() == b"after"
    assert main(["check", "--data", image]) == 0


def test_it_is_only_read(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["rm", f"{image}@monday:/file"], ["mkdir", f"{image}@monday:/d"]):
        assert main(arguments) == 1
        assert "a snapshot is only read" in capsys.readouterr().err


def test_rolled_back_to_and_deleted(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", "rollback", image, "monday"]) == 0
    assert main(["get", f"{image}:/file", "old"]) == 0
    assert Path("old").read_bytes() == b"before" * 4000
    assert main(["snapshot", "create", image, "tuesday"]) == 0
    assert main(["snapshot", "rollback", image, "monday"]) == 1
    assert "there is a newer snapshot" in capsys.readouterr().err
    assert main(["snapshot", "delete", image, "monday", "tuesday"]) == 0
    assert main(["ls", f"{image}@monday"]) == 1
    assert main(["check", "--data", image]) == 0


def test_its_space_is_told(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["snapshot", "list", "--json", image]) == 0
    (one,) = json.loads(capsys.readouterr().out)["snapshots"]
    # Six blocks of data and, with them, the extent tree, the inode leaf and the root directory.
    assert (one["name"], one["exclusive"]) == ("monday", 9 * 4096)
    assert main(["df", "--json", "--snapshots", image]) == 0
    (measured,) = json.loads(capsys.readouterr().out)["images"]
    assert measured["snapshots"] == [one]
    assert main(["snapshot", "list", image]) == 0
    assert "36.0 KiB" in capsys.readouterr().out
    assert main(["df", "-h", "--snapshots", image]) == 0
    assert "disk.img@monday" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["snapshot", "create", "disk.img", "7"], 2, "would be a partition"),
        (["snapshot", "create", "disk.img"], 2, "takes one name"),
        (["snapshot", "create", "disk.img", "a", "b"], 2, "takes one name"),
        (["snapshot", "create", "disk.img", "monday"], 1, "File exists"),
        (["snapshot", "delete", "disk.img", "none"], 1, "disk.img@none: No such file"),
        (["snapshot", "list", "disk.img", "monday"], 2, "takes no names"),
        (["snapshot", "delete", "--json", "disk.img", "monday"], 2, "--json goes with list"),
        (["ls", "disk.img@none"], 1, "No such file"),
        (["snapshot", "create", "stick.img", "monday"], 1, "has no snapshots"),
        (["ls", "stick.img@monday"], 1, "has no snapshots"),
        (["df", "--snapshots", "stick.img"], 1, "has no snapshots"),
        (["check", "--drop-snapshots", "disk.img"], 2, "goes with --repair"),
    ],
)
def test_what_is_refused(
    image: str,
    arguments: list[str],
    status: int,
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["mkfs", "stick.img", "--size", "4M", "--type", "fat12"]) == 0
    assert main(arguments) == status
    assert complaint in capsys.readouterr().err


def test_an_image_whose_name_has_an_at_comes_first(image: str) -> None:
    Path("disk.img@monday").write_bytes(Path(image).read_bytes())
    assert main(["get", "disk.img@monday:/file", "found"]) == 0
    assert Path("found").read_bytes() == b"after"
