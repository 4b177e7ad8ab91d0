"""WFS v2 images of the published mkfs are read byte for byte, and ours is the same empty one."""

import json
import lzma
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.check import check
from watosfs.wfs2.format import FLAG_EXECUTABLE
from watosfs.wfs2.mkfs import mkfs
from watosfs.wfs2.volume import Wfs2Volume

FIXTURES = Path(__file__).parents[2] / "fixtures" / "wfs2"
MANIFEST: list[dict[str, Any]] = json.loads((FIXTURES / "manifest.json").read_text())["images"]
ENTRIES = {entry["image"]: entry for entry in MANIFEST}
every_image = pytest.mark.parametrize("name", ENTRIES)


def contents_of(name: str) -> bytes:
    return lzma.decompress((FIXTURES / f"{name}.xz").read_bytes())


def device_of(name: str) -> MemoryDevice:
    return MemoryDevice.from_bytes(contents_of(name))


def tree(volume: Wfs2Volume, folder: bytes = b"") -> dict[str, tuple[str, int, str]]:
    """(kind, size, SHA-256) of everything below a folder, by path without the first slash."""
    found: dict[str, tuple[str, int, str]] = {}
    for entry in volume.readdir(folder or b"/"):
        path = folder + b"/" + entry.name
        name = path[1:].decode()
        if entry.kind == "directory":
            found[name] = ("dir", 0, "")
            found |= tree(volume, path)
        else:
            digest = sha256(volume.read_file(path)).hexdigest()
            found[name] = ("file", volume.stat(path).st_size, digest)
    return found


@every_image
def test_the_tree_is_that_of_the_manifest(name: str) -> None:
    contents = contents_of(name)
    assert sha256(contents).hexdigest() == ENTRIES[name]["sha256"]
    volume = Wfs2Volume.mount(MemoryDevice.from_bytes(contents), read_only=True)
    wanted = {
        entry["name"]: (
            (entry["type"], entry["size"], entry["sha256"])
            if entry["type"] == "file"
            else (entry["type"], 0, "")
        )
        for entry in ENTRIES[name]["disk"]["entries"]
    }
    assert tree(volume) == wanted
    for entry in ENTRIES[name]["disk"]["entries"]:
        if entry["type"] == "file":
            is_executable = bool(entry["flags"] & FLAG_EXECUTABLE)
            assert bool(volume.stat(entry["name"]).st_mode & 0o111) == is_executable


@every_image
def test_a_published_image_is_clean_and_stays_so_when_it_is_changed(name: str) -> None:
    device = device_of(name)
    assert check(device).problems == []
    before = tree(Wfs2Volume.mount(device, read_only=True))
    with Wfs2Volume.mount(device) as volume:
        volume.write_file(b"/new file", b"x" * 9000)
    assert check(device).problems == []
    after = tree(Wfs2Volume.mount(device, read_only=True))
    assert after.pop("new file")[1] == 9000
    assert after == before


def test_our_empty_volume_is_that_of_the_published_mkfs_bit_for_bit() -> None:
    published = contents_of("v2_empty_1m.img")
    device = MemoryDevice(len(published) // 4096)
    mkfs(device, max_files=256)
    assert device.snapshot() == published
