"""Images that the published tools made mount, read-only, and hold what the manifest says.

Where the images come from is told in ``tests/fixtures/published/manifest.json``. The manifest lists
no modes: the published tools know only 0755 for directories and 0644 for files, and no owners or
times. What the checker makes of these images is in ``test_check.py``.
"""

import errno
import json
import lzma
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.errors import DamageError
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.handle import O_CREAT, O_RDWR
from watosfs.wfs3.volume import Volume

FIXTURES = Path(__file__).parents[2] / "fixtures" / "published"
MANIFEST: list[dict[str, Any]] = json.loads((FIXTURES / "manifest.json").read_text())["images"]
ENTRIES = {entry["image"]: entry for entry in MANIFEST}
#: The kinds of directory entries, as ``docs/FORMAT.md`` numbers them.
KINDS = {"file": 1, "dir": 2}
every_image = pytest.mark.parametrize("name", ENTRIES)


class Found(NamedTuple):
    """One name in a tree; ``content_sha256`` is empty for a directory, as in the manifest."""

    kind: int
    inode_number: int
    mode: int
    size: int
    content_sha256: str


def contents_of(name: str) -> bytes:
    return lzma.decompress((FIXTURES / f"{name}.xz").read_bytes())


def mounted(name: str, *, read_only: bool = True) -> Volume:
    return Volume.mount(MemoryDevice.from_bytes(contents_of(name)), read_only=read_only)


def content(volume: Volume, path: bytes, piece_bytes: int = 1 << 20) -> bytes:
    """A whole file, read in pieces."""
    found = bytearray()
    with volume.open(path) as handle:
        while piece := handle.pread(piece_bytes, len(found)):
            found += piece
    return bytes(found)


def tree(volume: Volume, directory: bytes = b"") -> dict[str, Found]:
    """Everything below a directory, by path without the first slash."""
    found: dict[str, Found] = {}
    for entry in volume.readdir(directory or b"/"):
        path = directory + b"/" + entry.name
        status = volume.stat(path, follow=False)
        assert status.st_ino == entry.inode_number
        is_file = stat.S_ISREG(status.st_mode)
        digest = sha256(content(volume, path)).hexdigest() if is_file else ""
        known = Found(entry.kind, status.st_ino, status.st_mode, status.st_size, digest)
        found[path[1:].decode()] = known
        if not is_file:
            found |= tree(volume, path)
    return found


def tree_in_manifest(name: str) -> dict[str, Found]:
    """What ``tree`` should find."""
    return {
        entry["path"]: Found(
            KINDS[entry["type"]],
            entry["ino"],
            stat.S_IFDIR | 0o755 if entry["type"] == "dir" else stat.S_IFREG | 0o644,
            entry.get("size", 0),
            entry.get("sha256", ""),
        )
        for entry in ENTRIES[name]["disk"]["entries"]
    }


def test_the_fixtures_are_the_images_of_the_manifest() -> None:
    assert {path.name for path in FIXTURES.glob("*.xz")} == {f"{name}.xz" for name in ENTRIES}
    for name, entry in ENTRIES.items():
        contents = contents_of(name)
        assert (len(contents), sha256(contents).hexdigest()) == (entry["size"], entry["sha256"])


def test_the_fixtures_hold_files_directories_and_extents() -> None:
    found = [entry for name in ENTRIES for entry in tree_in_manifest(name).values()]
    assert {entry.kind for entry in found} == set(KINDS.values())
    assert max(entry.size for entry in found) > 3 * BLOCK_SIZE


@every_image
def test_the_tree_is_that_of_the_manifest(name: str) -> None:
    with mounted(name) as volume:
        assert tree(volume) == tree_in_manifest(name)


@every_image
def test_what_was_put_in_is_what_the_volume_holds(name: str) -> None:
    source = {
        entry["path"]: (KINDS[entry["type"]], entry.get("size", 0), entry.get("sha256", ""))
        for entry in ENTRIES[name]["source_entries"]
    }
    with mounted(name) as volume:
        found = tree(volume)
    assert {path: (each.kind, each.size, each.content_sha256) for path, each in found.items()} == (
        source
    )


@every_image
def test_the_root_and_the_counts_are_those_of_the_manifest(name: str) -> None:
    entry = ENTRIES[name]
    with mounted(name) as volume:
        root, space = volume.stat("/"), volume.statfs()
    assert (root.st_ino, root.st_mode) == (1, stat.S_IFDIR | 0o755)
    superblock = entry["disk"]["superblock"]
    counted = (space.total, space.free, space.inodes_used)
    assert counted == (superblock["total"], superblock["free"], superblock["inodes"])
    assert space.available == 0
    assert space.inodes_used == 1 + len(entry["disk"]["entries"])


@every_image
def test_mounting_and_reading_writes_nothing(name: str) -> None:
    device = MemoryDevice.from_bytes(contents_of(name))
    before = device.snapshot()
    for read_only in (True, False):
        with Volume.mount(device, read_only=read_only) as volume:
            tree(volume)
    assert device.snapshot() == before


@pytest.mark.parametrize("piece_bytes", [1, 63, 4063, 4064, 4065, 4096])
def test_extents_of_4064_bytes_are_read_across_their_borders(piece_bytes: int) -> None:
    entries = tree_in_manifest("v1_core_extents_1m.img")
    with mounted("v1_core_extents_1m.img") as volume:
        for path, entry in entries.items():
            found = content(volume, b"/" + path.encode(), piece_bytes)
            assert sha256(found).hexdigest() == entry.content_sha256


CHANGES: dict[str, Callable[[Volume], object]] = {
    "mkdir": lambda volume: volume.mkdir("/new", 0o755),
    "create": lambda volume: volume.create("/new", 0o644),
    "open, creating": lambda volume: volume.open("/new", O_RDWR | O_CREAT, 0o644),
    "write": lambda volume: volume.open("/hello.txt", O_RDWR).pwrite(b"x", 0),
    "unlink": lambda volume: volume.unlink("/hello.txt"),
    "rmdir": lambda volume: volume.rmdir("/empty"),
    "rename": lambda volume: volume.rename("/hello.txt", "/new"),
    "link": lambda volume: volume.link("/hello.txt", "/new"),
    "symlink": lambda volume: volume.symlink("target", "/new"),
    "truncate": lambda volume: volume.truncate("/hello.txt", 0),
    "chmod": lambda volume: volume.chmod("/hello.txt", 0o600),
    "chown": lambda volume: volume.chown("/hello.txt", 1, 1),
    "utimens": lambda volume: volume.utimens("/hello.txt", 1, 1),
    "begin": lambda volume: volume.begin(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_published_image_is_not_changed_even_if_mounted_for_writing(
    change: Callable[[Volume], object],
) -> None:
    with mounted("v1_core_nested_2m.img", read_only=False) as volume:
        with pytest.raises(OSError) as raised:
            change(volume)
        assert raised.value.errno == errno.EROFS
        assert tree(volume) == tree_in_manifest("v1_core_nested_2m.img")


def test_canary_a_changed_byte_of_a_file_is_seen() -> None:
    contents = bytearray(contents_of("v1_core_extents_1m.img"))
    with mounted("v1_core_extents_1m.img") as volume:
        payload = content(volume, b"/e4064")
    contents[contents.index(payload) + 4063] ^= 1
    with Volume.mount(MemoryDevice.from_bytes(contents), read_only=True) as volume:
        found = tree(volume)
    expected = tree_in_manifest("v1_core_extents_1m.img")
    assert {path for path in expected if found[path] != expected[path]} == {"e4064"}


def test_canary_a_changed_byte_of_the_root_is_refused() -> None:
    name = "v1_core_nested_2m.img"
    contents = bytearray(contents_of(name))
    contents[ENTRIES[name]["disk"]["live_inode_root"] * BLOCK_SIZE + 100] ^= 1
    with pytest.raises(DamageError):
        Volume.mount(MemoryDevice.from_bytes(contents), read_only=True)
