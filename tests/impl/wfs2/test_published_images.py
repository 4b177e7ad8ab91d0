"""Images that the published mkfs made hold what the manifest says, byte for byte."""

import errno
from hashlib import sha256

import pytest

from tests.impl.wfs2.images import ENTRIES, bytes_of, contents_of, image, mounted, tree
from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.format import BLOCK_SIZE, decode_superblock, encode_superblock
from watosfs.wfs2.mkfs import mkfs

every_image = pytest.mark.parametrize("name", ENTRIES)


@every_image
def test_every_file_is_read_byte_for_byte(name: str) -> None:
    volume = mounted(image(name), read_only=True)
    found = {
        path[1:].decode(): None if data is None else (len(data), sha256(data).hexdigest())
        for path, data in tree(volume).items()
    }
    due = {
        entry["path"]: (entry["size"], entry["sha256"]) if entry["type"] == "file" else None
        for entry in ENTRIES[name].get("source_entries", [])
    }
    assert found == due


@every_image
def test_the_table_is_as_the_manifest_has_it(name: str) -> None:
    volume = mounted(image(name), read_only=True)
    for entry in ENTRIES[name]["disk"]["entries"]:
        node = volume.node(entry["name"])
        assert node.slot == entry["index"]
        assert node.entry.flags == entry["flags"]
        if entry["type"] == "file":
            assert node.entry.size == entry["size"]
            assert (node.entry.start_block, node.entry.blocks) == (entry["start"], entry["blocks"])


@every_image
def test_a_superblock_is_written_as_it_was_read(name: str) -> None:
    raw = contents_of(name)
    count = len(raw) // BLOCK_SIZE
    for block in (0, count // 2, count - 1):
        found = raw[block * BLOCK_SIZE : (block + 1) * BLOCK_SIZE]
        assert encode_superblock(decode_superblock(found, block, count)) == found


@every_image
def test_mount_and_unmount_change_nothing(name: str) -> None:
    device = image(name)
    mounted(device).unmount()
    assert bytes_of(device) == contents_of(name)


def test_mkfs_makes_what_the_published_mkfs_makes() -> None:
    device = MemoryDevice(256)
    mkfs(device, max_files=256)
    assert bytes_of(device) == contents_of("v2_empty_1m.img")


def test_a_wfs3_image_is_none_of_ours() -> None:
    with pytest.raises(OSError) as caught:
        mounted(MemoryDevice(256))
    assert caught.value.errno == errno.EINVAL
