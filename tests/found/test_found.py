"""``docs/FOUND.md``: each defect found in somebody else's file system replays, and the worst ones
also by the library alone, without anything of ours.
"""

import warnings
from pathlib import Path
from typing import Any

import pytest

from watosfs_fuzz.cli.main import main

TRACES = sorted(Path(__file__).parent.glob("*.trace"))
FOUND = Path(__file__).parents[2] / "docs" / "FOUND.md"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


def need(package: str) -> Any:
    """The package, or skip and say how to get it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reason = f"{package} is missing: pip install 'watosfs[targets]'"
        return pytest.importorskip(package, reason=reason)


def test_each_trace_has_its_entry() -> None:
    text = FOUND.read_text()
    assert TRACES
    for trace in TRACES:
        assert f"tests/found/{trace.name}" in text


@pytest.mark.parametrize("trace", TRACES, ids=lambda path: path.stem)
def test_what_was_found_replays(trace: Path) -> None:
    need(trace.stem.partition("-")[0])
    assert main(["replay", str(trace)]) == 1


def test_littlefs_alone_hides_a_neighbour_of_what_was_renamed_survives_crash() -> None:
    littlefs = need("littlefs")
    geometry = {"block_size": 4096, "block_count": 64, "read_size": 512, "prog_size": 512}
    images: list[bytearray] = []

    class Flash(littlefs.UserContext):  # type: ignore[misc,name-defined]
        def sync(self, cfg: object) -> int:
            images.append(bytearray(self.buffer))
            return 0

    volume = littlefs.LittleFS(Flash(64 * 4096), **geometry)
    for name in ("/a", "/b", "/c"):
        volume.mkdir(name)
    images.clear()
    volume.rename("/a", "/c/a")
    in_the_middle = littlefs.UserContext(buffer=images[0])
    volume = littlefs.LittleFS(in_the_middle, **geometry)
    assert volume.listdir("/") == ["c"]  # "b" had nothing to do with it
    with pytest.raises(littlefs.LittleFSError):
        volume.stat("/b")
    volume.fs_mkconsistent()
    assert volume.listdir("/") == ["b", "c"]


def test_pyfatfs_alone_overwrites_another_file(tmp_path: Path) -> None:
    need("pyfatfs")
    from pyfatfs.PyFat import PyFat
    from pyfatfs.PyFatFS import PyFatFS

    image = tmp_path / "fat.img"
    image.touch()
    maker = PyFat()
    maker.mkfs(str(image), PyFat.FAT_TYPE_FAT12, size=1 << 20)
    maker.close()
    volume = PyFatFS(str(image))
    volume.writebytes("/a", b"x" * 513)
    with volume.openbin("/a", "r+") as file:
        file.truncate(0)
    volume.writebytes("/b", b"keep me")
    with volume.openbin("/a", "r+") as file:
        file.write(b"y" * 513)
    assert volume.readbytes("/b") == b"yeep me"
    volume.close()
